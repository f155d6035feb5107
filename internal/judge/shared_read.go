package judge

import (
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// sharedRead marks programs that one host put on a share and many others opened there, as
// far as the server's audit alone tells (Security 5145): they were let in to read, and no
// log or packet shows that bytes moved. Reads of what nobody was seen to put there are
// everyday life, and not looked at.
func sharedRead() Analytic {
	return &rule[readers]{name: "shared-read", key: shelfOf, look: lookReaders, begins: putOnShare, able: needsShareAudit}
}

// readers are the hosts that opened what lies at one place of a share since it was put there.
type readers struct {
	Put    *landing `json:"put"`
	By     string   `json:"by"` // the account that put it, lower case
	Opened []letIn  `json:"opened"`
	Marked int      `json:"marked"` // hosts of the last mark
}

// letIn is a host that was let in to read.
type letIn struct {
	Host     string           `json:"host"`
	Name     string           `json:"name"` // as people call it
	Same     bool             `json:"same"` // under the account that put it
	Moved    bool             `json:"moved"`
	Evidence []model.Evidence `json:"evidence"`
}

// manyOpened is how many hosts let in to read are many: indexers, backup and scanners for
// viruses read everything.
const manyOpened = 5

// shelfOf keys what is put on shares and taken from there by its place.
func shelfOf(e Event) string {
	t := e.Transfer
	switch {
	case e.Access != nil:
		return e.Shelf
	case t == nil || !e.moved() || !e.Program:
		return ""
	case t.Operation == model.Push && (e.Usual.habit() || e.Usual.common(e.Time)):
		return ""
	}
	return shelf(&e.Facts, t)
}

// putOnShare says whether an event puts something on a share. What is read there before tells
// nothing: programs that ten thousand hosts read from shares every day would be 20 MiB.
func putOnShare(e Event) bool { return e.Transfer != nil && e.Transfer.Operation == model.Push }

func lookReaders(s readers, e Event) (readers, []Mark) {
	switch {
	case e.Access != nil:
		return s.read(e)
	case e.Transfer.Operation == model.Push:
		return readers{Put: e.landing(), By: e.User}, nil
	}
	s.note(letIn{Host: e.To, Moved: true}) // a transfer of its own tells it
	return s, nil
}

func (s readers) read(e Event) (readers, []Mark) {
	put := s.Put
	if put == nil || e.To == put.From || e.Time-put.Time > e.window() {
		return s, nil
	}
	s.note(letIn{Host: e.To, Name: e.Access.Source.Name(), Same: sameAccount(e.User, s.By), Evidence: e.Access.Evidence})
	same := s.hosts(func(o *letIn) bool { return o.Same && !o.Moved })
	all := s.hosts(func(o *letIn) bool { return !o.Moved })
	nats := s.nats(&e, len(same), len(all))
	if nats == 0 || len(all) == s.Marked {
		return s, nil
	}
	s.Marked = len(all)
	return s, []Mark{s.mark(e.Time, nats, same, all)}
}

// note adds a host, once.
func (s *readers) note(o letIn) {
	i := slices.IndexFunc(s.Opened, func(x letIn) bool { return x.Host == o.Host })
	switch {
	case i >= 0:
		x := &s.Opened[i]
		x.Moved, x.Same = x.Moved || o.Moved, x.Same || o.Same
	case len(s.Opened) < reachedMost:
		s.Opened = append(s.Opened, o)
	}
}

func (s *readers) hosts(which func(*letIn) bool) []*letIn {
	var out []*letIn
	for i := range s.Opened {
		if o := &s.Opened[i]; which(o) {
			out = append(out, o)
		}
	}
	return out
}

// nats is what it tells that so many hosts opened it. What lies in the policies of a domain
// every host reads: that it was put there says most of it. People read under accounts of
// their own; who takes along by himself what he put there hands it out.
func (s *readers) nats(e *Event, same, all int) float64 {
	policy := model.PolicyShare(s.Put.Share)
	switch {
	case policy && (all < manyOpened || scriptName(s.Put.Name)):
		return 0 // logon scripts
	case policy:
		return openedPolicy
	case same >= manyHosts:
		return openedSame
	case all >= manyOpened && e.Usual.Days < watched:
		return openedUnsure // people start tools of the house from shares every day
	case all >= manyOpened && e.Usual.hands():
		return sameLittle
	case all >= manyOpened:
		return openedMany
	}
	return 0
}

// mark names all of them, and the first in its text.
func (s *readers) mark(at model.Time, nats float64, same, all []*letIn) Mark {
	who := all
	if nats == openedSame {
		who = same
	}
	m := Mark{Family: "spread", Analytic: "shared-read", Transfer: s.Put.Transfer, Time: at, Nats: nats}
	var names []string
	for _, o := range who {
		m.Hosts = append(m.Hosts, o.Name)
		if len(names) < 8 {
			names = append(names, o.Name)
			m.Evidence = append(m.Evidence, o.Evidence...)
		}
	}
	m.Text = fmt.Sprintf("put on the share %s, and opened there by %d other hosts: %s", s.Put.Share, len(who), strings.Join(names, ", "))
	if len(who) > len(names) {
		m.Text += ", ..."
	}
	if nats == openedSame {
		m.Text += ", under the account that put it there"
	}
	m.Text += " (the server let them in to read; that bytes moved is not shown)"
	return m
}

// needsShareAudit says whether reads of shares were logged.
func needsShareAudit(c *model.Coverage) model.Ableness {
	if c.Events["security/5145"] == 0 {
		return model.Ableness{Able: "unable", Why: "no share access (Security 5145) was logged"}
	}
	return model.Ableness{Able: "able"}
}

// opens says of a read of what was put on a share who opened what; of others nothing.
func (j *Judge) opens(e *Event) {
	a := e.Access
	if a.What != "share-read" || len(j.facts.places) == 0 {
		return
	}
	t := model.Transfer{Operation: model.Pull, Initiator: model.ByDestination, Channel: "smb", Source: a.Destination, Destination: a.Source,
		Share: a.Share, Path: a.Object, User: a.User, Domain: a.Domain}
	from, to := j.book.Host(&t.Source), j.book.Host(&t.Destination)
	place := shelf(&Facts{From: from.Key, To: to.Key}, &t)
	if j.facts.places[place] == "" {
		return
	}
	t.Name = t.Path[strings.LastIndexAny(t.Path, `\/`)+1:]
	j.asked = j.lookup(&Event{Time: e.Time, Transfer: &t, Facts: j.facts.of(&t, "")})
	e.Shelf, e.Usual = place, &j.asked
	e.From, e.To, e.User = from.Key, to.Key, j.facts.accounts.of(&t)
}
