package eval

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/incident"
	"waybill/internal/judge"
	"waybill/internal/ledger"
	"waybill/internal/model"
	"waybill/internal/scan"
	"waybill/internal/spread"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/sensor"
	"waybill/internal/telemetry/winhost"
)

// chain is the way from records to findings, as a scan goes it: what hosts log is
// followed day by day, the ledger makes one transfer of a movement, the judge looks at
// all of them in the order of time.
type chain struct {
	w        *World
	hosts    *identity.Table
	follow   *winhost.Hosts
	sensor   telemetry.Follower
	inputs   []string
	interest map[string]bool
	logged   map[string]bool // hosts that log starts
	roles    identity.Roles
	judge    *judge.Judge
	hostile  map[string]*model.Transfer // those of campaigns: their trees are looked at
	waiting  []judge.Event              // of the next day
	story    incident.Input             // of what incidents are made
	weighed  func([]judge.Mark, []*model.Transfer)
}

func newChain(w *World) *chain {
	c := &chain{w: w, hosts: &identity.Table{}, logged: map[string]bool{}, hostile: map[string]*model.Transfer{}}
	for _, l := range w.labels {
		c.inputs = append(c.inputs, labelName(l))
	}
	c.story = incident.Input{StartsLogged: c.logged, Life: &incident.Life{}}
	c.judge = judge.New(judge.Settings{StartsLogged: c.logged, Closed: c.closed, Spread: spread.Settings{Contents: 1 << 19, Movements: 1 << 21}})
	return c
}

// closed keeps what moved in a finding.
func (c *chain) closed(f *model.Finding, marks []judge.Mark, all []*model.Transfer) {
	if f != nil {
		c.story.Findings = append(c.story.Findings, f)
		c.story.Transfers = append(c.story.Transfers, all...)
	}
	if c.weighed != nil {
		c.weighed(marks, all)
	}
}

// morning begins a day: what hosts logged yesterday is decided.
func (c *chain) morning() {
	c.interest = map[string]bool{}
	o := telemetry.FollowerOptions{Inputs: c.inputs, Interest: c.interest}
	c.follow, c.sensor = winhost.New(o), sensor.New(o)
}

// event takes an event of a Windows host, or a row of Zeek.
func (c *chain) event(e *Logged) {
	if e.row != nil {
		c.sensor.Record(e.row)
		return
	}
	c.follow.Event(&e.Event)
}

// bind says what a capture shows of who has which address.
func (c *chain) bind(w *World, from model.Time, t Tier) {
	if !t.Capture {
		return
	}
	for _, h := range w.All {
		c.hosts.Add(identity.Binding{Addr: h.IP, Host: h.FQDN(), MAC: h.MAC, First: from, Last: from + day, Lease: h.client()})
	}
}

// noted takes the names of files that a capture shows: their starts are looked for.
func (c *chain) noted(all []*model.Transfer) {
	for _, t := range all {
		if t.Name != "" {
			c.interest[strings.ToLower(t.Name)] = true
		}
	}
}

// evening ends a day, and gives its transfers and accesses.
func (c *chain) evening(seen *Seen) ([]*model.Transfer, []*model.Access) {
	found := c.follow.Close()
	sensed := c.sensor.Close()
	c.follow, c.sensor = nil, nil // the judge needs the room
	scan.NameUsers(sensed)
	found.Add(sensed)
	for _, b := range found.Bindings {
		c.hosts.Add(identity.Binding{Addr: b.Addr, Host: b.Host, MAC: b.MAC, First: b.First, Last: b.Last, Weak: b.Weak, Lease: b.Lease})
	}
	all := ledger.Join(append(seen.Transfers, found.Transfers...), c.hosts)
	starts := make([]ledger.Start, 0, len(found.Starts))
	for _, s := range found.Starts {
		starts = append(starts, ledger.Start{Host: *s.Host, Image: s.Image, Execution: s.Execution})
	}
	accesses := append(append(seen.Accesses, found.Accesses...), found.Reads...)
	for _, a := range accesses {
		c.hosts.Complete(&a.Source, a.Time)
		c.hosts.Complete(&a.Destination, a.Time)
	}
	ledger.Confirm(all, found.Reads, c.hosts)
	ledger.Tie(all, starts, c.hosts)
	for _, t := range all {
		t.Scope = model.ScopeInternal
		t.Techniques = []string{"T1570"}
	}
	for h := range found.StartsLogged {
		c.logged[h] = true
	}
	c.fillRoles(all, accesses, found.Uses)
	c.remember(all, accesses)
	c.judged(all, accesses)
	return all, accesses
}

// remember keeps what incidents are told from.
func (c *chain) remember(transfers []*model.Transfer, accesses []*model.Access) {
	for _, t := range transfers {
		c.story.Life.Add(t)
	}
	for _, a := range accesses {
		if a.What == "network-write" { // the only ones that incidents tell
			c.story.Accesses = append(c.story.Accesses, a)
		}
	}
}

// fillRoles says what the hosts of a day are for, by what they were seen doing until then.
func (c *chain) fillRoles(transfers []*model.Transfer, accesses []*model.Access, uses []telemetry.Use) {
	for _, t := range transfers {
		c.roles.Observe(t)
	}
	for _, a := range accesses {
		c.roles.ObserveAccess(a)
	}
	for _, u := range uses {
		a := model.Access{Time: u.Time, What: u.What, Channel: u.Channel, User: u.Account, Source: model.Endpoint{IP: u.From}, Destination: *u.Host}
		c.hosts.Complete(&a.Source, a.Time)
		c.hosts.Complete(&a.Destination, a.Time)
		c.roles.ObserveAccess(&a)
	}
	for _, t := range transfers {
		c.roles.Fill(&t.Source)
		c.roles.Fill(&t.Destination)
		if l := labelOf(t.Evidence, c.w.labels); l != nil && l.Campaign != nil {
			c.hostile[t.ID] = t
		}
	}
	for _, a := range accesses {
		c.roles.Fill(&a.Source)
		c.roles.Fill(&a.Destination)
	}
}

// judged gives the judge a day in the order of time. What ends after midnight waits for
// the next day.
func (c *chain) judged(transfers []*model.Transfer, accesses []*model.Access) {
	all := c.waiting
	for _, t := range transfers {
		all = append(all, judge.Event{Time: t.End, Transfer: t})
	}
	for _, a := range accesses {
		all = append(all, judge.Event{Time: a.Time, Access: a})
	}
	slices.SortStableFunc(all, func(a, b judge.Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(idOf(a), idOf(b)))
	})
	midnight := Epoch + model.Time(c.w.hour)*hour
	n := 0
	for ; n < len(all) && (all[n].Time < midnight || c.w.Done()); n++ {
		c.judge.Step(all[n])
	}
	c.waiting = slices.Clone(all[n:])
}

func idOf(e judge.Event) string {
	if e.Transfer != nil {
		return e.Transfer.ID
	}
	return e.Access.ID
}

// close gives what was judged, the contents that campaigns moved, and the incidents.
func (c *chain) close() ([]*model.Finding, []*model.Artifact, []*model.Incident) {
	findings := c.judge.Close()
	artifacts := c.judge.Artifacts(func(id string) *model.Transfer { return c.hostile[id] })
	c.story.Artifacts = artifacts
	return findings, artifacts, incident.Chain(c.story)
}
