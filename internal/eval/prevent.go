package eval

import (
	"cmp"
	"slices"

	"waybill/internal/model"
	"waybill/internal/prevent"
)

// Prevented is how filters did that were learned, day by day, from what the sensors of a tier
// saw. They are tried on what truly happened, also on what no sensor saw.
type Prevented struct {
	Days       int       // on which they were in force
	Legitimate Tried     // all files that moved and are no campaign's
	Seen       Tried     // those of them that a sensor saw, as records have them
	Campaigns  []Stopped // in the order of the world
	Rows       []Loud    // benign rows by what would have been blocked: Medium with --strict, High without
	Err        error
}

// Tried counts files by what became of them.
type Tried struct {
	All, Blocked, Strict, Unjudged int
	MayShow                        int // of those blocked: of rows that look as an intruder's do
}

// Stopped is what became of a campaign: hosts that had its file, and where it was started, by
// what was in force: nothing, the policy, the strict policy.
type Stopped struct {
	*Running
	Hosts, Starts [3]int
}

// guard keeps what the trial needs.
type guard struct {
	steps   []step
	records model.Records
}

// step is a movement with the addresses that its ends had then.
type step struct {
	*Move
	client, server model.Endpoint
}

// happened notes a movement.
func (g *guard) happened(m *Move) {
	if g == nil || m.Channel == "pipe" { // calls move no file
		return
	}
	end := func(h *Host) model.Endpoint { return model.Endpoint{Host: h.FQDN(), IP: h.IP} }
	g.steps = append(g.steps, step{m, end(m.client()), end(m.server())})
}

// saw notes what the sensors made of a day.
func (g *guard) saw(transfers []*model.Transfer, accesses []*model.Access) {
	if g != nil {
		g.records.Transfers = append(g.records.Transfers, transfers...)
		g.records.Accesses = append(g.records.Accesses, accesses...)
	}
}

// try lets all that happened go through the filters of its day.
func (g *guard) try(r *Result, findings []*model.Finding) *Prevented {
	g.records.Findings = findings
	p := &Prevented{}
	filters := map[int]*prevent.Filter{}
	moves := prevent.Moves(&g.records)
	p.Err = prevent.Rolling(moves, prevent.LearnOptions{}, func(day []prevent.Move, _ *prevent.Policy, f *prevent.Filter) {
		d := dayOf(day[0].Time)
		if f == nil || d < r.World.Learn || d >= r.World.Days {
			return
		}
		filters[d] = f
		for i := range day {
			m := &day[i]
			if m.Transfer == nil {
				continue
			}
			if l := r.label(m.Transfer.ID); l == nil || l.Campaign == nil {
				p.Seen.count(f.Decide(m), l)
			}
		}
	})
	p.Days = len(filters)
	p.everyday(g.steps, filters)
	p.campaigns(r, g.steps, filters)
	return p
}

func (t *Tried) count(d prevent.Decision, l *Label) {
	t.All++
	switch {
	case d.Outcome == prevent.Unjudged:
		t.Unjudged++
	case !d.Passes(false):
		t.Blocked++
		t.Strict++
		if l != nil && (l.Boundary || l.Irreducible) {
			t.MayShow++
		}
	case !d.Passes(true):
		t.Strict++
	}
}

// decide asks the filter of the day of a movement; ok is false where none was in force.
func (s *step) decide(filters map[int]*prevent.Filter, channel string) (d prevent.Decision, ok bool) {
	f := filters[dayOf(s.Time)]
	if f == nil {
		return d, false
	}
	port := s.Port
	if channel == "tls" {
		channel, port = "tcp", cmp.Or(port, 443)
	}
	m := prevent.Move{Time: s.Time, Client: s.client, Server: s.server, Channel: channel, Push: s.Push, Service: prevent.ServiceOf(channel, port)}
	return f.Decide(&m), true
}

func (p *Prevented) everyday(steps []step, filters map[int]*prevent.Filter) {
	rows := map[string]*Loud{}
	for i := range steps {
		s := &steps[i]
		if s.Label.Campaign != nil || s.client.Host == s.server.Host {
			continue
		}
		d, ok := s.decide(filters, s.Channel)
		if !ok {
			continue
		}
		p.Legitimate.count(d, s.Label)
		if d.Passes(true) {
			continue
		}
		row := rows[s.Label.Row]
		if row == nil {
			row = &Loud{Row: s.Label.Row}
			rows[s.Label.Row] = row
		}
		row.Medium++
		if !d.Passes(false) {
			row.High++
		}
	}
	for _, name := range sorted(rows) {
		p.Rows = append(p.Rows, *rows[name])
	}
	slices.SortStableFunc(p.Rows, func(a, b Loud) int { return cmp.Or(cmp.Compare(b.High, a.High), cmp.Compare(b.Medium, a.Medium)) })
}

// campaigns lets each spread again.
func (p *Prevented) campaigns(r *Result, steps []step, filters map[int]*prevent.Filter) {
	of := map[*Running][]step{}
	for _, s := range steps {
		if c := s.Label.Campaign; c != nil && slices.Contains(c.Moves, s.Move) {
			of[c] = append(of[c], s)
		}
	}
	for _, c := range r.World.Running {
		if len(of[c]) > 0 {
			p.Campaigns = append(p.Campaigns, spreads(c, of[c], filters))
		}
	}
}

// starters are the channels over which files are started from elsewhere.
var starters = map[string]string{"service": "smb", "task": "dcerpc", "wmi": "dcerpc", "winrm": "winrm"}

// spreads follows the file of a campaign from host to host: it comes to one when the movement
// passes and its source has the file, and is started when the call passes, too.
func spreads(c *Running, steps []step, filters map[int]*prevent.Filter) Stopped {
	out := Stopped{Running: c}
	for force := range out.Hosts {
		holders, started, known := map[*Host]bool{}, map[*Host]bool{}, map[*Host]bool{}
		for i := range steps {
			s := &steps[i]
			if !known[s.Source] {
				known[s.Source], holders[s.Source] = true, true // it had the file before
				out.Hosts[force]--
			}
			known[s.Destination] = true
			if !holders[s.Source] || !s.goes(filters, s.Channel, force) {
				continue
			}
			holders[s.Destination] = true
			if s.Start != nil && (starters[s.Start.How] == "" || s.goes(filters, starters[s.Start.How], force)) {
				started[s.Destination] = true
			}
		}
		out.Hosts[force] += len(holders)
		out.Starts[force] = len(started)
	}
	return out
}

// goes says whether a filter in force lets a movement pass: none (0), the policy (1), the strict one (2).
func (s *step) goes(filters map[int]*prevent.Filter, channel string, force int) bool {
	if force == 0 {
		return true
	}
	d, ok := s.decide(filters, channel)
	return !ok || d.Passes(force == 2)
}
