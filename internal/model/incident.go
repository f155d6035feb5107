package model

// Spread is the tree, or forest, along which an artifact went from host to host.
type Spread struct {
	Roots []string `json:"roots"` // hosts that nobody gave it to, "unknown" where no input shows the parent
	Edges []Edge   `json:"edges"` // in the order of time
	Depth int      `json:"depth"` // edges on the longest way from a root
	Hosts int      `json:"hosts"`
	First Time     `json:"first,omitzero"`
	Last  Time     `json:"last,omitzero"`
	// EarliestVisible is the first host that any input shows with it: a lead to the origin,
	// and no root by itself.
	EarliestVisible string `json:"earliest_visible,omitempty"`
}

// Edge says that a host had an artifact from another one.
type Edge struct {
	Parent     string `json:"parent"` // UnknownParent where no input shows it
	Child      string `json:"child"`
	Transfer   string `json:"transfer,omitempty"`
	Time       Time   `json:"time,omitzero"`
	Confidence string `json:"confidence"` // low, medium, high
}

// UnknownParent stands for a host that no input shows.
const UnknownParent = "unknown"

// Incident is findings that share hosts, artifacts or accounts.
type Incident struct {
	Kind       string   `json:"kind"` // "incident"
	ID         string   `json:"id"`
	Start      Time     `json:"start,omitzero"`
	End        Time     `json:"end,omitzero"`
	Title      string   `json:"title"`
	Severity   Severity `json:"severity"`
	Score      float64  `json:"score"` // nats: the sum of Reasons
	Techniques []string `json:"techniques,omitempty"`
	Findings   []string `json:"findings"`
	// Reasons are what the findings give to the score, the strongest first.
	Reasons   []Share  `json:"reasons"`
	Hosts     []string `json:"hosts"`
	Users     []string `json:"users,omitempty"`
	Artifacts []string `json:"artifacts,omitempty"`
	// Narrative is what happened, in the order of time.
	Narrative []Happening `json:"narrative"`
	// ActFirst is the hosts in the order in which to act.
	ActFirst []Target `json:"act_first,omitempty"`
	// EarliestVisible is the first holder that any input shows: a lead to the origin.
	EarliestVisible string `json:"earliest_visible,omitempty"`
	// CollectNext is the evidence that could change the score most, the first one most.
	CollectNext []string `json:"collect_next,omitempty"`
	Known       bool     `json:"known,omitempty"`
}

// Share is what one finding gives to the score of its incident.
type Share struct {
	Finding string  `json:"finding"`
	Nats    float64 `json:"nats"`
	Text    string  `json:"text"`
}

// Happening is one line of a narrative.
type Happening struct {
	Time Time   `json:"time"`
	Text string `json:"text"`
}

// Target is a host to act on, and why.
type Target struct {
	Host string `json:"host"`
	Role string `json:"role,omitempty"`
	Why  string `json:"why"`
}
