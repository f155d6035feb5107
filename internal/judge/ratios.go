package judge

// The likelihood ratios of what the history knows, in nats. Those of what single
// analytics see stand beside them. docs/analytics.md says where each comes from.
const (
	adminWrite   = 5.0 // a program came over an administrative share
	adminClaimed = 4.0 // as a log says that it was allowed to
	adminTool    = 2.0 // and lies where tools are put

	pushedTool    = 3.0 // a program was pushed over a channel that is no share
	pushedUnknown = 2.0 // a file of unknown content was

	newPair     = 1.0  // this pair never did, others of the actor or the account do
	newAtServer = 0.5  // the pair never did, and many others do with the same end
	newWay      = 2.0  // the pair exchanges files, and never a program this way
	newNever    = 3.0  // the pair never did anything, the actor never this way
	newAll      = 3.5  // and the account was never seen on the actor
	usualEdge   = -2.0 // the pair does this on many days
	rare        = 1.0  // no host was ever seen with the content
	common      = -2.0 // many hosts have had it for days

	distributorKnown = -6.0 // it hands out this kind of file to many hosts
	distributorFresh = -4.0 // and never this content before
	distributorNew   = -2.5 // it hands out new kinds of files now and then

	sameFile   = 4.0 // one content reached three hosts in a day
	sameName   = 3.0 // one name and place from one host, the content of which is unknown
	sameSlow   = 2.0 // in two weeks
	sameServed = 1.5 // that all fetched it from hosts that serve it

	freshStart   = 5.0 // the destination fetched and started what was never seen
	pulledStart  = 3.0 // the destination fetched and started it: programs are run from shares
	serviceStart = 1.0 // the service of a remote execution tool was started

	relayPush  = 4.0 // a host sends on what it received
	relayServe = 2.0 // another fetches from a host what it received
	relayMany  = 4.0 // several do

	roleBroken = 2.5

	markedBenign  = -12.0 // an analyst said so of this transfer or finding
	markedContent = -8.0  // of this content
	settled       = 4.0   // what is left at most of a finding that was marked benign
)

// What makes something usual.
const (
	usualDays   = 3  // distinct days
	manyReached = 5  // hosts
	perHabitDay = 3  // files of a kind a day
	manyMeet    = 16 // hosts that exchange programs with one
	// A content is common when so many hosts have had it, for so long: a slow intruder
	// must not become usual by what he does.
	commonHosts = 10
	commonSince = 7 * Window
)
