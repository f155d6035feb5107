package model

// The forms of a replay.
const (
	Rolling = "rolling"  // each day by what the days before it taught
	InPlace = "in-place" // on what was learned from: it proves nothing
	Given   = "given"    // a policy that somebody gave
)

// The fates of findings in a replay.
const (
	FateBlocked   = "blocked"    // one of its transfers would not have passed
	FateNotBegun  = "not-begun"  // its transfers pass, but their sources would never have had the file
	FateCandidate = "candidate"  // blocked with --strict only
	FatePasses    = "passes"     // all of it
	FateNotJudged = "not-judged" // nobody can say
)

// Replay says what a policy would have done to what moved on a day, or, without one, on all of them.
type Replay struct {
	Kind  string `json:"kind"`            // "replay"
	Day   string `json:"day,omitempty"`   // UTC, as 2026-03-02; absent in the total, which is the last
	Form  string `json:"form"`            // rolling, in-place, given
	Label string `json:"label,omitempty"` // what makes it worth less

	LearnedDays int `json:"learned_days,omitempty"` // that have moves
	Rules       int `json:"rules,omitempty"`        // of the policy of the day
	LearnedOnly int `json:"learned_only,omitempty"` // transfers of a day that nothing was learned before
	// LeftOutLater are moves that were not learned for a finding that was told only later.
	LeftOutLater int `json:"left_out_later,omitempty"`

	// Warnings are what nobody wants blocked and the policy blocks.
	Warnings       []string `json:"warnings,omitempty"`
	StrictWarnings []string `json:"strict_warnings,omitempty"` // with --strict

	Legitimate Verdicts       `json:"legitimate"` // transfers that no finding of low or above holds
	Calls      Verdicts       `json:"calls"`      // accesses of those: logons to shares, calls
	Hostile    Verdicts       `json:"hostile"`    // transfers of findings of low or above
	NotJudged  map[string]int `json:"not_judged"` // transfers by the reason

	// ByRole are transfers that would not pass and of which the policy names an end by its role only: a
	// filter by addresses does not know it.
	ByRole int `json:"by_role,omitempty"`

	Blocked    []Broken `json:"blocked,omitempty"`    // legitimate transfers, by groups and service
	Candidates []Broken `json:"candidates,omitempty"` // those that --strict would block too

	Fates    map[string]int `json:"fates"`              // findings by what would have become of them
	Findings []Fate         `json:"findings,omitempty"` // in the record of the day of their first transfer
	// Hosts are those that the findings brought a file to, Reached those of them that it would
	// have come to all the same.
	Hosts         int `json:"hosts"`
	Reached       int `json:"reached"`
	ReachedStrict int `json:"reached_strict"`

	// Alerts are transfers that indicators known before would have shown.
	Alerts Alerts `json:"alerts,omitzero"`
}

// Verdicts count moves by what a policy says of them.
type Verdicts struct {
	Passed     int `json:"passed"`
	Blocked    int `json:"blocked"`
	Candidates int `json:"candidates"` // pass unless the policy is strict
	NotJudged  int `json:"not_judged"`
}

// All is how many there are.
func (v Verdicts) All() int { return v.Passed + v.Blocked + v.Candidates + v.NotJudged }

// Broken is legitimate transfers that would have been blocked, by who exchanges what.
type Broken struct {
	From      string   `json:"from"` // group of the client
	To        string   `json:"to"`   // and of the server
	Service   string   `json:"service"`
	Why       string   `json:"why,omitempty"` // of the rule
	Transfers int      `json:"transfers"`
	Pairs     int      `json:"pairs"`
	Examples  []Sample `json:"examples"`
}

// Sample is one transfer: who, what, when.
type Sample struct {
	Time     Time   `json:"time"`
	User     string `json:"user,omitempty"`
	Client   string `json:"client"`
	Server   string `json:"server"`
	What     string `json:"what,omitempty"`
	Transfer string `json:"transfer"`
}

// Fate is what would have become of a finding.
type Fate struct {
	Finding  string   `json:"finding"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Outcome  string   `json:"outcome"`
	// Where it would have been blocked first.
	At     *Sample `json:"at,omitempty"`
	By     string  `json:"by,omitempty"` // the rule, as "workstations > workstations over smb"
	Why    string  `json:"why,omitempty"`
	ByRole bool    `json:"by_role,omitempty"` // the policy names an end by its role only

	Hosts         int      `json:"hosts"`
	Reached       int      `json:"reached"`
	ReachedStrict int      `json:"reached_strict"`
	Spared        []string `json:"spared,omitempty"`
	// AnotherWay are hosts whose first way would have been cut and that a later transfer
	// of the same file reaches.
	AnotherWay int `json:"another_way,omitempty"`
	// UnknownParents are hosts whose file came from nobody knows where: they count as reached.
	UnknownParents int `json:"unknown_parents,omitempty"`
	NotJudged      int `json:"not_judged,omitempty"`    // of its transfers
	CallsBlocked   int `json:"calls_blocked,omitempty"` // of the accesses that go with it

	Detected *Detection `json:"detected,omitempty"`
	// Sealed are transfers of known content whose bytes went encrypted: no sensor on the wire
	// would have seen them.
	Sealed int `json:"sealed,omitempty"`
}

// Detection is the first transfer of a finding that an indicator known before would have
// shown. The file has arrived by then: only what came later could have been stopped.
type Detection struct {
	By             string `json:"by"` // the indicator, as "sha256 of f-..."
	At             Sample `json:"at"`
	Host           string `json:"host"` // that has the file by then
	LaterTransfers int    `json:"later_transfers"`
	LaterStarts    int    `json:"later_starts"`
}

// Alerts count transfers that indicators would have shown.
type Alerts struct {
	Hostile    int `json:"hostile"`
	Legitimate int `json:"legitimate"`
	Sealed     int `json:"sealed,omitempty"` // known content that went encrypted
}
