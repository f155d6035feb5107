package judge

// The likelihood ratios of what the history knows, in nats. Those of what single
// analytics see stand beside them. docs/analytics.md says where each comes from.
const (
	newPair   = 1.0  // this pair never did, others of the actor or the account do
	newWay    = 2.0  // the pair exchanges files, and never a program this way
	newNever  = 3.0  // the pair never did anything, the actor never this way
	newAll    = 3.5  // and the account was never seen on the actor
	usualEdge = -2.0 // the pair does this on many days
	rare      = 1.0  // no host was ever seen with the content
	common    = -2.0 // many hosts have had it for days

	distributorKnown = -6.0 // it hands out this kind of file to many hosts
	distributorNew   = -2.5 // it hands out new kinds of files now and then

	sameFile   = 4.0 // one content reached three hosts in a day
	sameSlow   = 2.0 // in two weeks
	sameServed = 1.5 // that all fetched it from hosts that serve it

	relayPush  = 4.0 // a host sends on what it received
	relayServe = 2.0 // others fetch from a host what it received

	roleBroken = 2.5
)

// What makes something usual.
const (
	usualDays   = 3 // distinct days
	manyReached = 5 // hosts
	// A content is common when so many hosts have had it, for so long: a slow intruder
	// must not become usual by what he does.
	commonHosts = 10
	commonSince = 7 * Window
)
