package eval

import (
	"bytes"
	_ "embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The scenario language (docs/scenarios.md).

// Action is one movement of a file, and what comes of it.
type Action struct {
	Push    bool
	Channel string
	Port    uint16
	Share   string
	Path    string
	Local   string // where a fetched file lies on the destination
	Content ContentSpec
	Account string
	Process string // on the host that opens the exchange
	Command string
	Writer  string // the process that writes on the destination
	Start   *StartSpec
}

// StartSpec is how a file is started where it went.
type StartSpec struct {
	How     string // service, task, wmi, winrm, process, unc (from the share), module
	Service string // its name, or the task's
	Image   string // what runs, where it is not the file itself
	Command string
	User    string // user, admin, account (that moved it), or a name
	Parent  string
	After   Range // seconds
	Chance  float64
}

// ContentSpec is what moves.
type ContentSpec struct {
	Type     string
	Size     Range
	Fresh    bool    // another content every time
	Pool     int     // so many contents
	Per      string  // one content for each job, event, n (place in the job) or dept
	Life     float64 // days until a content is replaced
	Original string  // name by its version resource
	Like     string  // row whose content it is
}

// Routine is something benign that happens every day.
type Routine struct {
	Row, What, Source string
	Volume            Range
	Per               string  // volume is for 1,000 hosts of this role
	ShareOf           float64 `yaml:"share_of"` // part of the volume that moves a file
	Bulk              bool    // much of it, and nothing that runs: thinned by --bulk
	Hours, Days       string
	Each              bool  // the hosts take turns
	Jobs              Range // hosts that one job reaches
	Over              time.Duration
	OneTarget         bool `yaml:"one_target"` // the files of a job go to one host
	From, To          string
	Boundary          bool // may show (benign.csv)
	Irreducible       bool // cannot be told from an intruder by form
	Then              *Then
	Action            `yaml:",inline"`
}

// Then is that others fetch what was put on a share.
type Then struct {
	Chance        float64
	Times, After  Range
	To            string
	Local, Writer string
	Start         *StartSpec
}

// Campaign is what an intruder does.
type Campaign struct {
	Name, Basis     string
	HeldOut         bool `yaml:"held_out"`
	Irreducible     bool
	From, To        string
	Hosts           Range
	Pace            Pace
	PerDay          int `yaml:"per_day"`
	Hours           string
	Account         string
	Relay           float64 // chance that a host which has the file passes it on
	Via             string  // a host in between
	Prime           int     // days of harmless files between the pairs before
	Names           string
	Renamed, Padded bool
	Content         ContentSpec
	Steps           []Step
}

// Step is an action of a campaign. Ends are source, target or via.
type Step struct {
	Once   bool
	Ends   []string
	Action `yaml:",inline"`
}

// Range is two numbers; sizes may bear k, M or G.
type Range [2]float64

// UnmarshalYAML reads [a, b] or a.
func (r *Range) UnmarshalYAML(n *yaml.Node) error {
	texts := []string{n.Value, n.Value}
	if n.Kind == yaml.SequenceNode {
		if err := n.Decode(&texts); err != nil || len(texts) != 2 {
			return fmt.Errorf("line %d: want [least, most]", n.Line)
		}
	}
	for i, s := range texts {
		v, err := quantity(s)
		if err != nil {
			return fmt.Errorf("line %d: %w", n.Line, err)
		}
		r[i] = v
	}
	if r[0] > r[1] {
		return fmt.Errorf("line %d: %g is more than %g", n.Line, r[0], r[1])
	}
	return nil
}

func quantity(s string) (float64, error) {
	factor := 1.0
	if n := len(s); n > 0 {
		if i := strings.IndexByte("kMG", s[n-1]); i >= 0 {
			factor, s = [...]float64{1e3, 1e6, 1e9}[i], s[:n-1]
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	return v * factor, err
}

// Pace is the least and the most time between two movements.
type Pace [2]time.Duration

// UnmarshalYAML reads [2m, 3h].
func (p *Pace) UnmarshalYAML(n *yaml.Node) error {
	var texts []string
	if err := n.Decode(&texts); err != nil || len(texts) != 2 {
		return fmt.Errorf("line %d: want [least, most]", n.Line)
	}
	for i, s := range texts {
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("line %d: %w", n.Line, err)
		}
		p[i] = d
	}
	return nil
}

// Parameter is a number of the network and where it comes from.
type Parameter struct {
	Value  float64
	Source string
}

// Parameters are what a world is made after.
type Parameters struct {
	Network map[string]Parameter
	Benign  []*Routine
}

//go:embed world.yaml
var worldYAML []byte

//go:embed campaigns.yaml
var campaignsYAML []byte

// DefaultParameters are those of the file that lies beside this one.
func DefaultParameters() *Parameters {
	p, err := ParseParameters(worldYAML)
	if err != nil {
		panic(err) // a test reads it
	}
	return p
}

// ParseParameters reads a file of parameters.
func ParseParameters(text []byte) (*Parameters, error) {
	p := &Parameters{}
	if err := strict(text, p); err != nil {
		return nil, err
	}
	for name, x := range p.Network {
		if x.Source == "" {
			return nil, fmt.Errorf("network %s: no source", name)
		}
	}
	for _, r := range p.Benign {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("%s (%s): %w", r.Row, r.What, err)
		}
	}
	return p, nil
}

// DefaultCampaigns are those of the file that lies beside this one.
func DefaultCampaigns() []*Campaign {
	all, err := ParseCampaigns(campaignsYAML)
	if err != nil {
		panic(err) // a test reads it
	}
	return all
}

// ParseCampaigns reads a file of campaigns.
func ParseCampaigns(text []byte) ([]*Campaign, error) {
	var all []*Campaign
	if err := strict(text, &all); err != nil {
		return nil, err
	}
	for _, c := range all {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("campaign %s: %w", c.Name, err)
		}
	}
	return all, nil
}

// ReadCampaigns reads all campaigns of a folder.
func ReadCampaigns(dir fs.FS) ([]*Campaign, error) {
	var all []*Campaign
	names, err := fs.Glob(dir, "*.y*ml")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no *.yaml with campaigns")
	}
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		c, err := ParseCampaigns(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, c...)
	}
	return all, nil
}

func strict(text []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	return d.Decode(into)
}

var channels = []string{"smb", "http", "webdav", "bits", "ftp", "tftp", "ssh", "rdp", "winrm", "tls", "tcp", "pipe"}

func (a *Action) check() error {
	if !slices.Contains(channels, a.Channel) {
		return fmt.Errorf("unknown channel %q", a.Channel)
	}
	if a.Start != nil && !slices.Contains([]string{"service", "task", "wmi", "winrm", "process", "unc", "module"}, a.Start.How) {
		return fmt.Errorf("unknown start %q", a.Start.How)
	}
	return nil
}

func (r *Routine) check() error {
	switch {
	case r.Row == "" || r.Source == "" || r.Volume[1] == 0:
		return fmt.Errorf("row, source and volume are needed")
	case !selectors[r.From] && !selectors[strings.TrimPrefix(r.From, "same:")]:
		return fmt.Errorf("unknown hosts %q", r.From)
	case !selectors[r.To] && !selectors[strings.TrimPrefix(r.To, "same:")]:
		return fmt.Errorf("unknown hosts %q", r.To)
	case !hourNames[r.Hours]:
		return fmt.Errorf("unknown hours %q", r.Hours)
	}
	return r.Action.check()
}

func (c *Campaign) check() error {
	switch {
	case c.Name == "" || len(c.Steps) == 0 || c.Hosts[1] < 1:
		return fmt.Errorf("name, steps and hosts are needed")
	case !selectors[c.From]:
		return fmt.Errorf("unknown hosts %q", c.From)
	case !selectors[c.To]:
		return fmt.Errorf("unknown hosts %q", c.To)
	case c.Via != "" && !selectors[c.Via]:
		return fmt.Errorf("unknown hosts %q", c.Via)
	}
	for i := range c.Steps {
		s := &c.Steps[i]
		if len(s.Ends) == 0 {
			s.Ends = []string{"source", "target"}
		}
		for _, e := range s.Ends {
			if len(s.Ends) != 2 || e != "source" && e != "target" && (e != "via" || c.Via == "") {
				return fmt.Errorf("step %d: ends are two of source, target and via", i+1)
			}
		}
		if s.Account == "" {
			s.Account = c.Account
		}
		if s.Content.Type == "" {
			s.Content = c.Content
			s.Content.Per = "campaign"
		}
		if err := s.Action.check(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}
