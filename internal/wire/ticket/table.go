package ticket

import (
	"crypto/sha256"
	"strings"

	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/der"
)

// The bounds of what a Table keeps.
const (
	maxKnown  = 1 << 15 // tickets of a generation, of which there are two
	knownCost = 256     // bytes of budget that one takes
	maxWhy    = 256     // different reasons
)

// Table is all that is known of the tickets of a network: whom the key distribution
// centre gave them to, and what the keytab opens. It answers for wire.Env.
type Table struct {
	// Opened counts the logons whose ticket was opened, Unopened the others by the
	// reason, where there is a keytab.
	Opened   int64
	Unopened map[string]int64

	keytab     *Keytab
	budget     *content.Budget
	young, old map[digest]*known
}

type digest [sha256.Size]byte

// known is what is known of one ticket.
type known struct {
	user, domain string
	ticket       *Ticket // opened
	why          string  // it was not
}

// grantingService begins the name of the service that tickets for others are got
// with: no logon at a server of the user's (RFC 4120 7.3).
const grantingService = "krbtgt/"

// NewTable makes a Table; without a keytab it knows tickets only by who got them.
func NewTable(keytab *Keytab, budget *content.Budget) *Table {
	return &Table{Unopened: map[string]int64{}, keytab: keytab, budget: budget, young: map[digest]*known{}}
}

// Issued takes a ticket out of the reply that brought it. The same bytes in a logon
// then tell who logs on, since only its owner can use it.
func (t *Table) Issued(ticket []byte, user, domain string) {
	b := Sealed(der.Run(ticket))
	if len(b) == 0 {
		return
	}
	if k := t.keep(sha256.Sum256(b)); k != nil && k.ticket == nil {
		k.user, k.domain = user, domain
	}
}

// Ticket looks an AP-REQ up, and opens its ticket where the keytab can.
func (t *Table) Ticket(apReq []byte) (out wire.Ticket) {
	r, ok := Parse(apReq)
	if !ok || t.keytab == nil && len(t.young)+len(t.old) == 0 {
		return out
	}
	k := t.find(sha256.Sum256(r.ticket.cipher))
	if t.keytab != nil && !strings.HasPrefix(r.Service, grantingService) {
		k = t.open(&r, k)
	}
	if k == nil {
		return out
	}
	out.User, out.Domain = k.user, k.domain
	if k.ticket != nil {
		x := k.ticket.Exchange(&r)
		out.Key = x.SessionKey
	}
	return out
}

// open opens a ticket the first time that it is met, and counts each use.
func (t *Table) open(r *Request, k *known) *known {
	if k == nil || k.ticket == nil && k.why == "" {
		opened, err := t.keytab.Open(r)
		if k == nil {
			k = t.keep(sha256.Sum256(r.ticket.cipher))
		}
		if k == nil {
			k = &known{} // no room to remember it
		}
		if err != nil {
			k.why = wire.Printable(err.Error())
		} else {
			k.ticket, k.user, k.domain = opened, wire.Printable(opened.User), wire.Printable(opened.Realm)
		}
	}
	t.count(k)
	return k
}

func (t *Table) count(k *known) {
	why := k.why
	if why == "" {
		t.Opened++
		return
	}
	if t.Unopened[why] == 0 && len(t.Unopened) >= maxWhy {
		why = "others"
	}
	t.Unopened[why]++
}

func (t *Table) find(d digest) *known {
	if k := t.young[d]; k != nil {
		return k
	}
	return t.old[d]
}

// keep gives a ticket its place; nil when there is no room.
func (t *Table) keep(d digest) *known {
	if k := t.find(d); k != nil {
		return k
	}
	if !t.room() {
		return nil
	}
	k := &known{}
	t.young[d] = k
	return k
}

// room takes the place of one more ticket. Where there is none, the older
// generation is forgotten.
func (t *Table) room() bool {
	if len(t.young) < maxKnown && t.budget.Take(knownCost) {
		return true
	}
	t.budget.Give(knownCost * int64(len(t.old)))
	t.old, t.young = t.young, map[digest]*known{}
	return t.budget.Take(knownCost)
}
