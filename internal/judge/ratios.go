package judge

// The likelihood ratios in nats: how much likelier each observation is of an intruder's
// movement than of everyday life. What single analytics tell beside them stands there.
// docs/analytics.md says where each number comes from.
const (
	adminWrite   = 5.0 // a program came over an administrative share
	adminClaimed = 4.0 // as a log says that it was allowed to
	policyPut    = 6.5 // to SYSVOL or NETLOGON, which every host of the domain reads
	adminArchive = 3.0 // an archive came so
	adminRead    = 6.0 // a program was read over one
	adminTool    = 4.0 // it lies where tools are put
	adminTemp    = 2.0 // a command put it into C:\Temp, where administrators put things as well

	dropStray  = 4.0 // a program that lies in an odd folder itself put one on a share
	pulledWeb  = 7.0 // a program was run where it lies in a web folder
	policyCopy = 4.0 // a service of the system fetched a program under the host's account, as group policy does

	pushedTool    = 3.0 // a program was pushed over a channel that is no share
	pushedCarried = 4.0 // on a medium that was carried, or by FTP: nothing else will show
	policyMade    = 5.0 // a group policy was written that starts it
	pushedFTP     = 6.0 // a program by FTP between hosts inside, with the name of no installer
	pushedSeen    = 5.0 // its bytes are a program's, under the name of no installer
	pushedSealed  = 5.0 // an encrypted session moved what has the size of one file, and nothing else is known of its ends
	pushedESX     = 5.0 // to a hypervisor, which runs nothing but what came with it or in VIBs (vSphere Security, execInstalledOnly); estimate
	pushedUnknown = 2.0 // a file of unknown content was
	pulledHost    = 4.0 // the system of a host fetched one, from a host that hands out none
	pulledTool    = 2.0 // a program was fetched from a host that is no server of programs
	pulledSeen    = 5.0 // over no share; its bytes are a program's, under the name of no installer
	dropped       = 3.0 // a program was written to a share where its writer seldom writes any
	dropSeen      = 5.0 // over NFS; its bytes are a program's
	dropClaimed   = 2.0 // as a log says that it was allowed to
	policySeen    = 3.0 // a program is handed out by group policy
	policyPull    = 4.0 // a program that nobody saw before is handed out by group policy

	toolUsed   = 2.0 // a command moved it with a tool that the account does not use every day
	toolOdd    = 3.0 // with one that people seldom use so, or over an administrative share
	toolScript = 4.0 // with a client that a file told what to do
	toolOrder  = 2.0 // more: another host ordered the command, by WMI or a service

	startedThere  = 6.0 // it was started on the host that it came to
	unpackedThere = 5.0 // an archive was taken apart there, by another host's word
	sameExecutor  = 4.0 // by the host or account that wrote it
	freshStart    = 5.0 // the destination fetched and started what was never seen
	orderedStart  = 5.0 // a command fetched it, and it was started
	oddStart      = 6.0 // so, out of a folder for temporary files or one that holds no programs
	pulledStart   = 3.0 // the destination fetched and started it: programs are run from shares
	serviceStart  = 1.0 // the service of a remote execution tool was started
	sharedPut     = 7.0 // what one host put on a share another started from there
)

// Of spread.
const (
	sameFile    = 4.0 // one content reached three hosts in a day
	sameName    = 3.0 // one name and place from one host did, the content of which is unknown
	sameOffered = 4.0 // all fetched it from hosts that never gave out programs before
	sameServed  = 3.0 // from hosts of which nothing is known
	sameFresh   = 2.5 // from hosts that give out programs every day, this one for the first time
	sameLittle  = 1.5 // from hosts that give out programs now and then
	sameSlow    = 2.0 // it did in two weeks

	openedMany   = 3.0 // what one put on a share many others opened there, as the server's audit says
	openedUnsure = 0.5 // nothing is known of what others open there every day
	openedSame   = 6.0 // several did so under the account that had put it there
	openedPolicy = 1.5 // it lies in the policies of a domain, which every host reads

	relayPush   = 4.0 // a host sends on what it received
	relayNamed  = 3.0 // it sends on, under its name and to its place, a program of which the content is unknown
	relayServe  = 0.5 // another fetches from a host what it received
	relayFresh  = 2.0 // nobody was seen with it before
	relayMany   = 4.0 // several do
	relayServer = 6.0 // so from one that hands out programs to many, which got it from a host that never sent it a file; estimate

	relaySealed     = 3.0 // it sends on the volume that it received, encrypted, between hosts that never exchanged files; estimate: weaker than by content
	relaySealedHalf = 1.5 // one of the two pairs did before; estimate
	relayAgain      = 2.0 // more for each time that it had been passed on so; estimate
	relaySealedMost = 7.0
)

// Of what the history knows.
const (
	newAtServer = 0.5 // the pair never did, many others do with the same end
	newPair     = 1.0 // the pair never did, the actor or the account do with others
	newWay      = 3.0 // the pair exchanges files, and never a program this way
	newNever    = 4.5 // the pair never did anything, the actor never this way
	newAll      = 5.0 // and the account was never seen on the actor
	newGiver    = 4.5 // others hand out this kind of file, the source never did
	usualEdge   = -2.0
	usualPull   = -0.5 // so do those who fetch what somebody put there

	roleBroken = 2.5

	nameUnfit = 3.0 // the content does not fit its name

	madeByNobody = 2.0 // software distribution hands out a program that names no maker

	rare   = 1.0  // no host was ever seen with the content
	origin = 3.5  // nor did its source fetch it, which fetches others
	common = -2.0 // many hosts have had it for days

	distributorKnown = -6.0 // it hands out this kind of file to many hosts
	distributorFresh = -4.0 // and never this content before
	distributorBlind = -5.0 // and nobody tells the content
	distributorAgain = -4.0 // it sent this kind of file so on days before, to few
	distributorTwice = -2.0 // on two of them
	distributorNew   = -2.5 // it hands out other kinds of files
	distributorLong  = -4.0 // and does so on many days, as administrators do
)

// What makes something usual.
const (
	usualDays   = 3  // distinct days
	againDays   = 2  // what was told on two days is nothing new on the third
	steadyDays  = 5  // a week's work
	manyReached = 5  // hosts
	manyGiven   = 10 // hosts that a distributor hands programs to
	manyAtOnce  = 20 // hosts that nobody but a distributor reaches, and lives on for days
	manyMeet    = 16 // hosts that exchange programs with one
	fewPeers    = 3  // hosts of one purpose
	fewHelpers  = 2  // hosts of a helpdesk
	fewGivers   = 3  // hosts that hand out a kind of file of their own
	someDays    = 5 * Window
	// A content is common when so many hosts have had it, for so long: a slow intruder
	// must not become usual by what he does.
	commonHosts = 10
	commonSince = 7 * Window
)

// Of what an analyst said (waybill history mark).
const (
	markedBenign  = -12.0 // of this transfer or finding
	markedContent = -8.0  // of this content
	settled       = 4.0   // what is left at most of a finding that was marked benign
	markedBad     = 10.0  // a content was marked malicious
	markedGiver   = 3.0   // what its giver hands out next
)
