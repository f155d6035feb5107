package ledger

import "waybill/internal/model"

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
	at := begin(t)
	return sameAddress(o.Source, t.Source) && b.hosts.MayBe(o.Destination, t.Destination, at) ||
		sameAddress(o.Destination, t.Destination) && b.hosts.MayBe(o.Source, t.Source, at)
}

func sameAddress(a, b model.Endpoint) bool { return a.IP.Known() && a.IP == b.IP }
