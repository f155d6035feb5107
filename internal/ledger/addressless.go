package ledger

import (
	"strings"

	"waybill/internal/model"
)

// onlyOne gives the movement that t may be an observation of where the address of one
// end is known to nobody: a server's log seldom holds its own. It has to be the only
// one of that name, size and time, and the other end has to be known.
func (b *book) onlyOne(t *entry, keys []thing) *entry {
	if t.t.Source.IP.Known() && t.t.Destination.IP.Known() {
		return nil
	}
	var one nearest
	for _, k := range keys {
		if k.connection {
			continue
		}
		b.each(k.sum, func(e *entry) {
			if e != t && b.alike(e, t) && b.mayBe(e.t, t.t) {
				one.offer(e, t)
			}
		})
	}
	if one.others > 0 {
		return nil
	}
	return one.e
}

func (b *book) mayBe(o, t *model.Transfer) bool {
	if o.Size != nil && t.Size != nil && *o.Size != *t.Size || o.Operation != t.Operation {
		return false
	}
	at, pushed := begin(t), o.Initiator == model.BySource
	return b.sameButFor(&o.Source, &t.Source, &o.Destination, &t.Destination, pushed, at) ||
		b.sameButFor(&o.Destination, &t.Destination, &o.Source, &t.Source, !pushed, at) || b.crossed(o, t, at) || halves(o, t)
}

// halves says whether two may be what the hosts at both ends logged of one movement, where
// neither knows the other: a session that a variable holds, a logon among many.
func halves(o, t *model.Transfer) bool {
	if unknownEnd(o.Source) {
		o, t = t, o
	}
	if !unknownEnd(o.Destination) || !unknownEnd(t.Source) || unknownEnd(o.Source) || unknownEnd(t.Destination) || o.Channel != t.Channel || o.Channel == "unknown" || o.Path == "" {
		return false
	}
	name, under := strings.CutPrefix(strings.ToLower(t.Path), strings.ToLower(o.Path))
	return under && (name == "" || strings.EqualFold(name, t.Name))
}

func unknownEnd(e model.Endpoint) bool { return !e.IP.Known() && e.Host == "" }

// crossed says whether two may be what the hosts at both ends logged of one movement, each
// with its own name and the other's address: nobody else knows either.
func (b *book) crossed(o, t *model.Transfer, at model.Time) bool {
	return o.Path != "" && o.Path == t.Path && o.Source.IP.Known() != o.Destination.IP.Known() &&
		b.hosts.MayBe(o.Source, t.Source, at) && b.hosts.MayBe(o.Destination, t.Destination, at)
}

// sameButFor says whether two records agree on one end, and may on the other, of which one
// has no address. Where both say the client's port nothing is asked of the server's name:
// it has some that only others know (aliases, DFS), and a client's port is seldom used twice
// within the time in question.
func (b *book) sameButFor(known, alike, end, other *model.Endpoint, client bool, at model.Time) bool {
	switch {
	case known.IP.Known() && known.IP == alike.IP:
	case known.Host != "" && alike.Host != "" && b.hosts.MayBe(*end, *other, at):
		same, _ := b.hosts.Same(*known, *alike, at)
		return same
	default:
		return false
	}
	if client && known.Port != 0 && alike.Port != 0 {
		return known.Port == alike.Port && end.IP.Known() != other.IP.Known()
	}
	return b.hosts.MayBe(*end, *other, at)
}
