package behaviour

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
)

//go:embed scenarios/*.txt
var files embed.FS

// What is expected of a row.
const (
	Detect   = "detect"
	Context  = "context"
	Negative = "negative"
	Benign   = "benign"
	everyday = "twin" // of a detect row
)

// Scenario is one row.
type Scenario struct {
	ID, Expect, What string

	related  []string
	let      [][2]string // names and what they may be, in order
	bind     map[string]string
	kinds    [][2]string // names of files and what they hold
	quiet    []string
	packets  bool
	single   bool
	allow    model.Severity // of a benign row
	must     model.Severity
	boundary bool
	volume   float64
	hours    [2]int
	twin     string
	change   map[string]string
	steps    []step
	worse    []step
}

// step is a verb and the words after it.
type step struct {
	verb string
	text string
	line string // where it stands
}

// Set is all scenarios.
type Set struct {
	Rows  []*Scenario
	twins map[string]*Scenario
}

// Load reads the scenarios of this package.
func Load() (*Set, error) {
	set := &Set{twins: map[string]*Scenario{}}
	names, err := files.ReadDir("scenarios")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range names {
		text, err := files.ReadFile(path.Join("scenarios", f.Name()))
		if err != nil {
			return nil, err
		}
		all, err := parse(f.Name(), string(text))
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			if seen[s.ID] {
				return nil, fmt.Errorf("%s: %s is there twice", f.Name(), s.ID)
			}
			seen[s.ID] = true
			set.add(s)
		}
	}
	return set, set.check()
}

func (set *Set) add(s *Scenario) {
	if s.Expect == everyday {
		set.twins[s.ID] = s
		return
	}
	set.Rows = append(set.Rows, s)
}

// check says whether every row has its twin.
func (set *Set) check() error {
	for _, s := range set.Rows {
		switch {
		case len(s.steps) == 0:
			return fmt.Errorf("%s has no steps", s.ID)
		case s.Expect == Detect && set.twins[s.twin] == nil:
			return fmt.Errorf("%s has no twin %q", s.ID, s.twin)
		case s.Expect == Benign && len(s.change)+len(s.worse) == 0:
			return fmt.Errorf("%s has no hostile change", s.ID)
		}
	}
	return nil
}

// parse reads a file of scenarios.
func parse(name, text string) ([]*Scenario, error) {
	var all []*Scenario
	for i, line := range strings.Split(text, "\n") {
		at := fmt.Sprintf("%s:%d", name, i+1)
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		if line[0] != '\t' {
			s, err := headline(trimmed)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
			all = append(all, s)
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("%s: a step before any headline", at)
		}
		if err := all[len(all)-1].add(at, trimmed); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
	}
	return all, nil
}

func headline(line string) (*Scenario, error) {
	id, rest, _ := strings.Cut(line, " ")
	expect, what, _ := strings.Cut(rest, " ")
	if !slices.Contains([]string{Detect, Context, Negative, Benign, everyday}, expect) || what == "" {
		return nil, fmt.Errorf("no headline: %q", line)
	}
	return &Scenario{ID: id, Expect: expect, What: what, bind: map[string]string{}, change: map[string]string{}, allow: model.Low, hours: [2]int{8, 17}, volume: 1}, nil
}

// add takes a line below a headline.
func (s *Scenario) add(at, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	if d := directives[word]; d != nil {
		return d(s, rest, at)
	}
	step, err := newStep(at, word, rest)
	s.steps = append(s.steps, step)
	return err
}

func newStep(at, word, rest string) (step, error) {
	if _, ok := Verbs[word]; !ok {
		return step{}, fmt.Errorf("no verb %q", word)
	}
	return step{word, rest, at}, nil
}

var directives map[string]func(s *Scenario, rest, at string) error

func init() { // a table in a variable would refer to itself
	directives = map[string]func(s *Scenario, rest, at string) error{
		"related": func(s *Scenario, rest, _ string) error { s.related = strings.Fields(rest); return nil },
		"let": func(s *Scenario, rest, _ string) error {
			name, values, ok := strings.Cut(rest, "=")
			s.let = append(s.let, [2]string{name, values})
			return wanted(ok, rest)
		},
		"bind":   func(s *Scenario, rest, _ string) error { return pairs(s.bind, rest) },
		"change": func(s *Scenario, rest, _ string) error { return pairs(s.change, rest) },
		"file": func(s *Scenario, rest, _ string) error {
			name, kind, ok := cutLast(rest)
			s.kinds = append(s.kinds, [2]string{name, kind})
			return wanted(ok, rest)
		},
		"quiet": func(s *Scenario, rest, _ string) error { s.quiet = strings.Fields(rest); return nil },
		"in":    func(s *Scenario, rest, _ string) error { s.packets = true; return wanted(rest == "packets", rest) },
		"one":   func(s *Scenario, rest, _ string) error { s.single = true; return wanted(rest == "finding", rest) },
		"allow": func(s *Scenario, rest, _ string) (err error) {
			s.boundary = true
			s.allow, err = model.ParseSeverity(rest)
			return err
		},
		"must": func(s *Scenario, rest, _ string) (err error) { s.must, err = model.ParseSeverity(rest); return err },
		"volume": func(s *Scenario, rest, _ string) (err error) {
			s.volume, err = strconv.ParseFloat(rest, 64)
			return err
		},
		"hours": func(s *Scenario, rest, _ string) error { return s.between(rest) },
		"twin":  func(s *Scenario, rest, _ string) error { s.twin = rest; return nil },
		"worse": func(s *Scenario, rest, at string) error {
			word, rest, _ := strings.Cut(rest, " ")
			step, err := newStep(at, word, rest)
			s.worse = append(s.worse, step)
			return err
		},
	}
}

func wanted(ok bool, rest string) error {
	if !ok {
		return fmt.Errorf("what is %q", rest)
	}
	return nil
}

func pairs(into map[string]string, rest string) error {
	for _, p := range strings.Fields(rest) {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return fmt.Errorf("what is %q", p)
		}
		into[name] = value
	}
	return nil
}

func (s *Scenario) between(rest string) (err error) {
	from, to, ok := strings.Cut(rest, "-")
	if !ok {
		return wanted(false, rest)
	}
	if s.hours[0], err = strconv.Atoi(from); err != nil {
		return err
	}
	s.hours[1], err = strconv.Atoi(to)
	return err
}

// cutLast cuts a text before its last word.
func cutLast(s string) (before, last string, ok bool) {
	i := strings.LastIndexByte(s, ' ')
	return s[:max(i, 0)], s[i+1:], i > 0
}
