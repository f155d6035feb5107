package prevent

import (
	"net/netip"

	"waybill/internal/model"
)

// Policy says which hosts may exchange files over what. It is the YAML file that
// `waybill prevent learn` writes and people edit.
type Policy struct {
	Version int `yaml:"version" json:"version"` // PolicyVersion
	// Learned says what it was made from; a policy made by hand has none.
	Learned *Learned `yaml:"learned,omitempty" json:"learned,omitempty"`
	// Management are the sources that may administer any host (networks, addresses or host
	// names). No target is written without one.
	Management []string    `yaml:"management" json:"management"`
	Groups     []Group     `yaml:"groups" json:"groups"`
	Services   []Service   `yaml:"services" json:"services"`
	Rules      []Rule      `yaml:"rules" json:"rules"`
	Exceptions []Exception `yaml:"exceptions" json:"exceptions"`
	// Indicators are what findings hold that intrusion prevention can look for.
	Indicators []Indicator `yaml:"indicators,omitempty" json:"indicators,omitempty"`
}

// PolicyVersion is the form of the policies that this program reads and writes.
const PolicyVersion = 1

// Learned says what a policy was made from.
type Learned struct {
	From  model.Time `yaml:"from" json:"from"`
	To    model.Time `yaml:"to" json:"to"`
	Days  int        `yaml:"days" json:"days"` // with moves (UTC)
	Moves int        `yaml:"moves" json:"moves"`
	// LeftOut is how many moves were not learned since a finding holds them.
	LeftOut int `yaml:"left_out,omitempty" json:"left_out,omitempty"`
	// Lost is how many were not learned since there are too many hosts or pairs.
	Lost int `yaml:"lost,omitempty" json:"lost,omitempty"`
	// Undenied is how many pairs only findings hold that have no rule, since there are too many.
	Undenied int `yaml:"undenied,omitempty" json:"undenied,omitempty"`
	// Management says where the management sources are from: Given or Proposed.
	Management string `yaml:"management" json:"management"`
}

// Group is hosts that do the same. A host is of the first group that names it.
type Group struct {
	Name string `yaml:"name" json:"name"`
	Role string `yaml:"role,omitempty" json:"role,omitempty"` // by which it was made; new hosts of the role belong to it
	Why  string `yaml:"why,omitempty" json:"why,omitempty"`
	// Networks hold all hosts of the group and none of another's.
	Networks []netip.Prefix `yaml:"networks,omitempty" json:"networks,omitempty"`
	Hosts    []Host         `yaml:"hosts,omitempty" json:"hosts,omitempty"`
}

// Host is a member of a group, with the addresses that it was seen with.
type Host struct {
	Name      string       `yaml:"name,omitempty" json:"name,omitempty"`
	Addresses []netip.Addr `yaml:"addresses,omitempty" json:"addresses,omitempty"`
}

// Service is what a filter tells by ports. Ports are as "tcp/445" or "tcp/49152-65535".
type Service struct {
	Name  string   `yaml:"name" json:"name"`
	Ports []string `yaml:"ports" json:"ports"`
}

// The actions of rules.
const (
	Allow     = "allow"
	Deny      = "deny"
	Candidate = "candidate" // never happened in the window: denied only with --strict
)

// Rule says what becomes of exchanges of files that hosts of one group open with hosts of
// another over a service. The first rule that fits counts; where none fits it is a candidate.
type Rule struct {
	// From and To are a group, a host of one (name or address), or AnyGroup.
	From    string `yaml:"from" json:"from"`
	To      string `yaml:"to" json:"to"`
	Service string `yaml:"service" json:"service"`
	Action  string `yaml:"action" json:"action"`
	// Directions are the ways that files went, seen from the client: push, pull. Ports do not
	// tell them apart: a filter opens both.
	Directions []string `yaml:"directions,omitempty,flow" json:"directions,omitempty"`
	Channels   []string `yaml:"channels,omitempty,flow" json:"channels,omitempty"`
	Why        string   `yaml:"why" json:"why"`
	Moves      int      `yaml:"moves,omitempty" json:"moves,omitempty"` // that it was learned from
	Pairs      int      `yaml:"pairs,omitempty" json:"pairs,omitempty"` // of hosts
	Days       int      `yaml:"days,omitempty" json:"days,omitempty"`
}

// AnyGroup stands for all hosts, also those of no group.
const AnyGroup = "any"

// Exception lets one client reach one server until a day, whatever the rules say.
type Exception struct {
	From    string `yaml:"from" json:"from"` // a group, host, address or network
	To      string `yaml:"to" json:"to"`
	Service string `yaml:"service" json:"service"`
	Owner   string `yaml:"owner" json:"owner"`
	Until   string `yaml:"until" json:"until"` // last day, as 2027-01-31
	Reason  string `yaml:"reason" json:"reason"`
}

// Indicator is something that a finding holds and a sensor can look for.
type Indicator struct {
	What     string         `yaml:"what" json:"what"` // sha256, md5, sha1, name, path, service-name, pipe
	Value    string         `yaml:"value" json:"value"`
	Channel  string         `yaml:"channel,omitempty" json:"channel,omitempty"` // on which it was seen
	Finding  string         `yaml:"finding" json:"finding"`                     // its id
	Analytic string         `yaml:"analytic" json:"analytic"`                   // the strongest
	Severity model.Severity `yaml:"severity" json:"severity"`
	// Techniques are those of ATT&CK that the finding names.
	Techniques []string `yaml:"techniques,omitempty,flow" json:"techniques,omitempty"`
	// Sealed says that the bytes went encrypted: a sensor on the wire will not see it.
	Sealed bool `yaml:"sealed,omitempty" json:"sealed,omitempty"`
}
