package prevent

import (
	"cmp"
	"slices"

	"waybill/internal/model"
)

// Move is an exchange that a filter between two hosts would have seen: a transfer, or an
// access on the way to one (a logon to a share, a call).
type Move struct {
	Time   model.Time
	Client model.Endpoint // who opened it
	Server model.Endpoint
	// Service is the name of what it goes over (Services), "" where ports do not tell.
	Service  string
	Channel  string
	Push     bool            // the file goes from the client to the server
	Transfer *model.Transfer // nil for an access
	Access   *model.Access   // nil for a transfer
	// Finding is the strongest one that holds the transfer, nil for none.
	Finding *model.Finding
}

// Bad says that a finding of low or above holds the move: it is never learned.
func (m *Move) Bad() bool {
	return m.Finding != nil && m.Finding.Suppressed == nil && m.Finding.Severity >= model.Low
}

// Moves are the exchanges that the records hold, in the order of time: those between hosts
// inside that were not refused. What has no time is none, since it belongs to no day.
func Moves(r *model.Records) []Move {
	strongest := byTransfer(r.Findings)
	out := make([]Move, 0, len(r.Transfers))
	for _, t := range r.Transfers {
		if m, ok := ofTransfer(t); ok {
			m.Finding = strongest[t.ID]
			out = append(out, m)
		}
	}
	for _, a := range r.Accesses {
		if m, ok := ofAccess(a); ok {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b Move) int { return cmp.Compare(a.Time, b.Time) })
	blame(out)
	return out
}

// nearby is how far from a transfer of a finding the accesses of the same two hosts are part
// of what the finding tells (an estimate; too much is safe, since it is only not learned).
const nearby = model.Time(3600e9)

// deeds are when a pair did what a finding tells, in the order of time.
type deeds struct {
	finding *model.Finding
	times   []model.Time
}

// near says whether one was within an hour of a time.
func (d *deeds) near(at model.Time) bool {
	i, _ := slices.BinarySearch(d.times, at-nearby)
	return i < len(d.times) && d.times[i] <= at+nearby
}

// blame gives accesses the strongest finding of the transfers that go with them.
func blame(moves []Move) {
	type pair struct{ client, server string }
	bad := map[pair][]*deeds{}
	for i := range moves {
		m := &moves[i]
		if !m.Bad() {
			continue
		}
		p := pair{m.Client.Name(), m.Server.Name()}
		at := slices.IndexFunc(bad[p], func(d *deeds) bool { return d.finding == m.Finding })
		if at < 0 {
			at = len(bad[p])
			bad[p] = append(bad[p], &deeds{finding: m.Finding})
		}
		bad[p][at].times = append(bad[p][at].times, m.Time)
	}
	for i := range moves {
		m := &moves[i]
		if m.Access == nil || len(bad) == 0 {
			continue
		}
		for _, d := range bad[pair{m.Client.Name(), m.Server.Name()}] {
			if d.near(m.Time) && (m.Finding == nil || m.Finding.Score < d.finding.Score) {
				m.Finding = d.finding
			}
		}
	}
}

// byTransfer is the strongest finding of each transfer.
func byTransfer(findings []*model.Finding) map[string]*model.Finding {
	out := map[string]*model.Finding{}
	for _, f := range findings {
		for _, id := range f.Transfers {
			if old := out[id]; old == nil || old.Score < f.Score {
				out[id] = f
			}
		}
	}
	return out
}

// ofTransfer is the exchange that a transfer was.
func ofTransfer(t *model.Transfer) (Move, bool) {
	if t.Scope != "" && t.Scope != model.ScopeInternal || t.Status == model.Denied || t.Status == model.Failed {
		return Move{}, false
	}
	m := Move{Time: max(t.Start, t.End), Channel: t.Channel, Transfer: t, Client: t.Destination, Server: t.Source}
	switch {
	case t.Initiator == model.BySource:
		m.Client, m.Server, m.Push = t.Source, t.Destination, true
	case t.Initiator == model.ByOther && t.Client != nil: // it told the server to copy
		m.Client, m.Server, m.Push = *t.Client, t.Destination, true
	}
	m.Service = ServiceOf(t.Channel, m.Server.Port)
	return m, m.Time != 0 && m.Client.Name() != m.Server.Name()
}

// asked are the accesses that one host has at another over a connection of its own.
var asked = map[string]bool{
	"share-connect": true, "share-read": true, "pipe-open": true, "rpc-call": true, "service-open": true, "service-create": true,
	"service-start": true, "service-change": true, "metadata": true, "peek": true, "dcom-activation": true, "dcom-exec": true,
	"wmi-exec": true, "winrm-exec": true, "rdp-session": true, "ssh-session": true, "task-create": true, "task-run": true,
}

// ofAccess is the exchange that an access was.
func ofAccess(a *model.Access) (Move, bool) {
	m := Move{Time: a.Time, Client: a.Source, Server: a.Destination, Channel: a.Channel, Access: a, Service: ServiceOf(a.Channel, a.Destination.Port)}
	return m, m.Time != 0 && asked[a.What] && m.Service != "" && m.Client.Name() != "" && m.Server.Name() != "" && m.Client.Name() != m.Server.Name()
}
