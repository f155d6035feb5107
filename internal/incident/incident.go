// Package incident puts findings together that belong to one intruder's work. In come
// the findings of a run, what moved and what else is evidence; out come incidents: what
// happened in the order of time, where to act first, where it came from as far as the
// inputs show, and which evidence to collect next. It judges no transfer, reads no input
// and never asks the clock; the order of what comes in does not matter.
package incident

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Input is what incidents are made of.
type Input struct {
	Findings  []*model.Finding
	Transfers []*model.Transfer // at least those of the findings
	Accesses  []*model.Access
	Artifacts []*model.Artifact
	// StartsLogged are the hosts, lower case, whose logs show what was started.
	StartsLogged map[string]bool
	// Window is how long a host that received something may take to pass something on;
	// 0 is a day.
	Window model.Time
	// Life is all that moved; nil where Transfers are that.
	Life *Life
}

// life is all that moved.
func (in *Input) life() *Life {
	if in.Life != nil {
		return in.Life
	}
	l := &Life{}
	for _, t := range in.Transfers {
		l.Add(t)
	}
	return l
}

// worth is the severity that makes an incident. Weaker findings may be part of one,
// as its context, and make none by themselves.
const worth = model.Medium

// Chain gives the incidents, in the order of their starts.
func Chain(in Input) []*model.Incident {
	members := newMembers(&in)
	known := in.knowledge(members)
	var out []*model.Incident
	for _, group := range groups(members, everydayOf(in.life(), members), cmp.Or(in.Window, day)) {
		out = append(out, newChain(known, group).record())
	}
	slices.SortFunc(out, func(a, b *model.Incident) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// member is a finding with what moved in it.
type member struct {
	*model.Finding
	moves      []*model.Transfer
	start, end model.Time
	actor      string   // key of the host that opened the exchanges; "" where several did
	giver      string   // key of the host that all of it came from
	file       string   // name of what moved, lower case
	account    string   // lower case; "" for the accounts of machines and of the system
	worthy     []string // its artifacts that are part of findings of worth
	serious    bool     // it is of worth, or its artifact is
	fetched    bool     // it fetched what a crowd of others fetched too
	group      int      // union-find: index of another member of the same group
}

func (m *member) core() bool { return m.Severity >= worth }

// newMembers ties findings to their transfers. They come in the order of their starts.
func newMembers(in *Input) []*member {
	wanted := map[string]*model.Transfer{}
	for _, f := range in.Findings {
		for _, id := range f.Transfers {
			wanted[id] = nil
		}
	}
	for _, t := range in.Transfers {
		if _, ok := wanted[t.ID]; ok {
			wanted[t.ID] = t
		}
	}
	var out []*member
	for _, f := range in.Findings {
		m := &member{Finding: f}
		for _, id := range f.Transfers {
			if t := wanted[id]; t != nil {
				m.moves = append(m.moves, t)
			}
		}
		m.whose()
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// knowledge is what the incidents look up.
type knowledge struct {
	artifacts    map[string]*model.Artifact
	writes       map[program][]*model.Access // files that programs with a connection wrote
	startsLogged map[string]bool
}

// program is one by its name on a host, both lower case.
type program struct{ host, name string }

func (in *Input) knowledge(members []*member) *knowledge {
	k := &knowledge{artifacts: map[string]*model.Artifact{}, writes: map[program][]*model.Access{}, startsLogged: in.StartsLogged}
	for _, m := range members {
		for _, a := range m.Artifacts {
			k.artifacts[a] = nil
		}
	}
	for _, a := range in.Artifacts {
		if _, wanted := k.artifacts[a.ID]; wanted {
			k.artifacts[a.ID] = a
		}
	}
	for _, a := range in.Accesses {
		if host := hostKey(a.Destination); a.What == "network-write" && host != "" {
			by := program{host, strings.ToLower(base(a.Command))}
			k.writes[by] = append(k.writes[by], a)
		}
	}
	return k
}

// whose fills in when it was and who acted: of what several hosts fetched, nobody.
func (m *member) whose() {
	slices.SortFunc(m.moves, func(a, b *model.Transfer) int {
		return cmp.Or(cmp.Compare(begin(a), begin(b)), cmp.Compare(a.ID, b.ID))
	})
	m.start = m.Start
	for _, t := range m.moves {
		m.start = cmp.Or(m.start, begin(t))
		m.file = cmp.Or(m.file, strings.ToLower(t.Name))
	}
	m.actor = same(m.moves, func(t *model.Transfer) string { return hostKey(t.Actor()) })
	m.giver = same(m.moves, func(t *model.Transfer) string { return hostKey(t.Source) })
	m.account = same(m.moves, personal)
	m.start = cmp.Or(m.start, m.Time)
	m.end = max(m.start, m.Time)
	for _, t := range m.moves {
		m.end = max(m.end, t.End)
		if t.Deleted != nil {
			m.end = max(m.end, t.Deleted.Time)
		}
		for _, x := range t.Executed {
			m.end = max(m.end, x.Time)
		}
	}
}

// same is what all of some transfers have in common, "" where they differ.
func same(all []*model.Transfer, of func(*model.Transfer) string) string {
	out := ""
	for i, t := range all {
		if i > 0 && of(t) != out {
			return ""
		}
		out = of(t)
	}
	return out
}

// begin is when a transfer began; of an arrival only the end is known.
func begin(t *model.Transfer) model.Time { return cmp.Or(t.Start, t.End) }

// hostKey is what a host is told by: its name where one is known, else its address.
func hostKey(e model.Endpoint) string { return strings.ToLower(e.Name()) }

// personal is the account of a transfer where it is somebody's, lower case.
func personal(t *model.Transfer) string { return ofPerson(strings.ToLower(t.Account())) }

// ofPerson is an account, lower case, unless it is a machine's, the system's or nobody's.
func ofPerson(account string) string {
	name := account[strings.LastIndexByte(account, '\\')+1:]
	switch {
	case strings.HasSuffix(name, "$"), strings.HasPrefix(account, `nt authority\`):
		return ""
	case name == "system", name == "anonymous", name == "anonymous logon", name == "guest", name == "nobody", name == "ftp":
		return ""
	}
	return account
}

// record makes the incident of a group of findings.
func (c *chain) record() *model.Incident {
	i := &model.Incident{Kind: "incident", ID: digest(c.members[0].ID), Start: c.members[0].start,
		Findings: []string{}, Hosts: []string{}}
	for _, m := range c.members {
		i.End = max(i.End, m.end)
		i.Known = i.Known || m.Known
		i.Findings = append(i.Findings, m.ID)
		i.Techniques = append(i.Techniques, m.Techniques...)
		i.Hosts = append(i.Hosts, m.Hosts...)
		if len(m.moves) == 0 || slices.ContainsFunc(m.moves, m.tells) {
			i.Users = append(i.Users, m.Users...)
		}
		i.Artifacts = append(i.Artifacts, m.Artifacts...)
	}
	for _, list := range []*[]string{&i.Techniques, &i.Hosts, &i.Users, &i.Artifacts} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	i.Reasons = c.shares()
	for _, s := range i.Reasons {
		i.Score += s.Nats
	}
	i.Severity = max(model.SeverityOf(i.Score), c.strongest.Severity)
	i.Title = c.title(len(i.Hosts))
	i.Narrative = c.narrative()
	i.ActFirst = c.actFirst()
	i.EarliestVisible = c.lead
	i.CollectNext = c.collectNext()
	return i
}

// title is that of the strongest finding, and how much more there is.
func (c *chain) title(hosts int) string {
	further := 0
	for _, m := range c.members {
		if m.core() && m != c.strongest {
			further++
		}
	}
	switch further {
	case 0:
		return c.strongest.Title
	case 1:
		return fmt.Sprintf("%s; 1 further finding, %d hosts in all", c.strongest.Title, hosts)
	}
	return fmt.Sprintf("%s; %d further findings, %d hosts in all", c.strongest.Title, further, hosts)
}

// digest is the id of an incident: of its first finding's.
func digest(first string) string {
	h := sha256.Sum256([]byte(first))
	return "i-" + hex.EncodeToString(h[:8])
}
