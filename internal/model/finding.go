package model

// Artifact is one content and every host it was seen on.
type Artifact struct {
	Kind      string            `json:"kind"` // "artifact"
	ID        string            `json:"id"`
	SHA256    string            `json:"sha256,omitempty"`
	Prefix    map[string]string `json:"prefix,omitempty"`
	Size      *int64            `json:"size,omitempty"`
	Type      string            `json:"type,omitempty"`
	Names     []string          `json:"names"`
	Sightings []Sighting        `json:"sightings"`
	Spread    *Spread           `json:"spread,omitempty"`
}

// Sighting is an artifact on a host at a time. How is "sent", "received" or "started", or "listed"
// where a listing of the host's files has it; then Time is since when, and may be unknown.
type Sighting struct {
	Host     string `json:"host,omitempty"`
	IP       Addr   `json:"ip,omitzero"`
	Time     Time   `json:"time,omitzero"`
	How      string `json:"how"`
	Transfer string `json:"transfer,omitempty"`
	Path     string `json:"path,omitempty"` // listed
	// Alike is how the content seen here is tied to the artifact's where no hash says that
	// they are one: prefix, name (and size), padded or partial.
	Alike      string     `json:"alike,omitempty"`
	Confidence string     `json:"confidence,omitempty"` // of Alike: low, medium, high
	Evidence   []Evidence `json:"evidence,omitempty"`
}

// Listed is a file that a listing shows on a host, and a transfer of the same content.
type Listed struct {
	Of       *Transfer
	Host     Endpoint
	Path     string
	Time     Time // since when; 0 where it is not known
	Evidence []Evidence
}

// Finding is what an analyst should look at, with the reasons that add up to its score.
type Finding struct {
	Kind       string   `json:"kind"` // "finding"
	ID         string   `json:"id"`
	Time       Time     `json:"time"` // of the last evidence that its severity needed
	Title      string   `json:"title"`
	Severity   Severity `json:"severity"`
	Score      float64  `json:"score"` // nats
	Worth      float64  `json:"worth"` // nats that such scores turned out to be worth
	Analytics  []string `json:"analytics"`
	Techniques []string `json:"techniques,omitempty"`
	Transfers  []string `json:"transfers"`
	Artifacts  []string `json:"artifacts,omitempty"`
	Hosts      []string `json:"hosts"`
	Users      []string `json:"users,omitempty"`
	Reasons    []Reason `json:"reasons"`
	Missing    []string `json:"missing,omitempty"`
	Known      bool     `json:"known,omitempty"` // --known names something of it: shown first
	// Rank is its place among the findings of its day (UTC), 1 for the first to look at.
	Rank       int         `json:"rank,omitempty"`
	Suppressed *Suppressed `json:"suppressed,omitempty"` // printed only with --show-suppressed

	Start Time `json:"-"` // first evidence, the sort key
}

// Suppressed says why a site hides a finding, and until when.
type Suppressed struct {
	Reason string `json:"reason"`
	Until  Time   `json:"until"`
}

// Reason is one term of a finding's score. A negative one lowers it.
type Reason struct {
	Family   string     `json:"family"`
	Analytic string     `json:"analytic"`
	Nats     float64    `json:"nats"`
	Text     string     `json:"text"`
	Evidence []Evidence `json:"evidence"`
}

// Coverage says what an input could show and what it was blind to.
// The one for all inputs together has no Input.
type Coverage struct {
	Kind            string              `json:"kind"` // "coverage"
	Input           string              `json:"input,omitempty"`
	Size            *int64              `json:"size,omitempty"`
	Digest          string              `json:"digest,omitempty"`
	SHA256          string              `json:"sha256,omitempty"`
	Start           Time                `json:"start,omitzero"`
	End             Time                `json:"end,omitzero"`
	Packets         int64               `json:"packets"`
	Bytes           int64               `json:"bytes"`
	Decoded         map[string]int64    `json:"decoded,omitempty"`          // payload bytes by protocol
	Other           map[string]int64    `json:"other,omitempty"`            // payload bytes of protocols that carry no files
	Events          map[string]int64    `json:"events,omitempty"`           // by "provider/id"
	Blind           map[string]int64    `json:"blind,omitempty"`            // payload bytes by reason
	Unverified      []string            `json:"unverified,omitempty"`       // what was read by forms that were checked against no real sample
	Logs            []LogCoverage       `json:"logs,omitempty"`             // by host and channel
	NeverLogged     []string            `json:"never_logged,omitempty"`     // and what cannot be seen for it
	UnknownPorts    map[string]int64    `json:"unknown_ports,omitempty"`    // where in unknown-protocol most bytes are
	Duplicate       int64               `json:"duplicate,omitempty"`        // payload bytes seen before
	DuplicateEvents int64               `json:"duplicate_events,omitempty"` // the same from two collectors
	Conflicting     int64               `json:"conflicting,omitempty"`      // payload bytes seen before that differ
	Checksum        int64               `json:"checksum,omitempty"`         // copies set aside for a wrong checksum
	Gaps            int64               `json:"gaps,omitempty"`             // holes in streams
	EvictedFlows    int64               `json:"evicted_flows,omitempty"`    // forgotten to stay within the budget
	EvictedRecords  int64               `json:"evicted_records,omitempty"`  // movements and accesses of logs that the budget had no room for
	Damaged         []string            `json:"damaged,omitempty"`
	HostPairsSeen   int                 `json:"host_pairs_seen,omitempty"`
	DecoderFaults   []string            `json:"decoder_faults,omitempty"` // recovered panics: bugs
	Analytics       map[string]Ableness `json:"analytics,omitempty"`
	Clock           []ClockError        `json:"clock,omitempty"` // of hosts and sensors, against each other
	Renamed         []Renamed           `json:"renamed,omitempty"`
	Contradictions  map[string]int64    `json:"contradictions,omitempty"` // what witnesses say differently of movements, by the field
	Advice          []string            `json:"advice,omitempty"`         // where sensors would show more
	Carved          bool                `json:"carved,omitempty"`         // unknown protocols were looked into
	Tickets         *Tickets            `json:"tickets,omitempty"`
}

// Renamed is a host that had several names, one after the other. Records call it by the
// last one.
type Renamed struct {
	Host  string    `json:"host"`
	By    string    `json:"by"` // what tells it: host, agent, machine (its SID), account (that of its account), renamed (an event)
	Names []NamedAs `json:"names"`
}

// NamedAs is a name of a host and when it was seen with it.
type NamedAs struct {
	Name  string `json:"name"`
	First Time   `json:"first,omitzero"`
	Last  Time   `json:"last,omitzero"`
}

// ClockError is how far the clock of a host or sensor is ahead of another's, in seconds,
// as movements show that both saw.
type ClockError struct {
	A      string  `json:"a"`
	B      string  `json:"b"`
	Offset float64 `json:"offset"` // of B
	Spread float64 `json:"spread"`
	Pairs  int     `json:"pairs"`
}

// Tickets says what a keytab opened (--keytab): logons whose Kerberos ticket it
// fitted, and the others by the reason.
type Tickets struct {
	Opened   int64            `json:"opened"`
	Unopened map[string]int64 `json:"unopened,omitempty"`
}

// LogCoverage says what one log of one host covers.
type LogCoverage struct {
	Host    string      `json:"host"`
	Channel string      `json:"channel"`
	First   Time        `json:"first,omitzero"`
	Last    Time        `json:"last,omitzero"`
	Events  int64       `json:"events"`
	Missing int64       `json:"missing,omitempty"` // record numbers between the first and the last that are not there
	Changes []LogChange `json:"changes,omitempty"`
}

// LogChange is something that makes a log less than complete: cleared, stopped,
// audit policy or configuration changed, clock set.
type LogChange struct {
	Time     Time     `json:"time"`
	What     string   `json:"what"`
	Evidence Evidence `json:"evidence"`
}

// Ableness says whether an analytic could work on the input, and why not.
type Ableness struct {
	Able string `json:"able"` // able | partly | unable
	Why  string `json:"why,omitempty"`
}

// Summary is the last record of every run.
type Summary struct {
	Kind      string           `json:"kind"` // "summary"
	Inputs    int              `json:"inputs"`
	Skipped   int              `json:"skipped"`
	Errors    int              `json:"errors"`
	Packets   int64            `json:"packets"`
	Bytes     int64            `json:"bytes"`
	Events    int64            `json:"events"`
	Transfers map[string]int64 `json:"transfers"`
	Findings  map[string]int64 `json:"findings"`
	Incidents map[string]int64 `json:"incidents,omitempty"`
	// Expected is how many findings of a severity and above everyday traffic of this
	// volume would give by itself (contract, finding).
	Expected map[string]float64 `json:"expected_findings,omitempty"`
	LeftOut  map[string]int64   `json:"left_out,omitempty"` // what flags and print rules kept out of the output
	Version  string             `json:"version"`
	Notes    []string           `json:"notes,omitempty"`
}

// Records is everything that a run found, each kind in its order: by start,
// then id.
type Records struct {
	Transfers []*Transfer
	Accesses  []*Access
	Artifacts []*Artifact
	Findings  []*Finding
	Incidents []*Incident
	Coverage  []*Coverage // one an input, the one for all last
	Summary   Summary
}
