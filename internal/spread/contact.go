package spread

import "waybill/internal/model"

// contact is two hosts that spoke over something that can carry a file, or at whose
// beginning one was let in.
type contact struct {
	at       model.Time
	ends     [2]uint32 // hosts
	previous [2]uint64 // of each end, by number; 0 for none
	carries  bool
}

// lead is a host that was in contact with one where a file came to be from nowhere.
type lead struct {
	movement uint32
	host     uint32
	at       model.Time
	carries  bool
}

// Bounds of what is remembered of contacts.
const (
	contactsKept            = 4      // movements for each of them
	contactReach model.Time = 3600e9 // before the file
	leadsMost               = 64     // hosts
	leadsWalk               = 4096   // contacts looked at
)

// contacts are the last ones, and the last of each host.
type contacts struct {
	most uint64
	ring []contact
	next uint64   // number of the next one; the first is 1
	last []uint64 // by host
}

// carrying are accesses that say whether one end can give the other a file by them;
// those that let somebody in without saying how come after.
var carrying = map[string]bool{
	"share-connect": true, "share-read": true, "network-write": true, "ssh-session": true, "rdp-session": true, "rsync": true, "pipe-open": true,
	"winrm-exec": true, "peek": true, "metadata": true, "refused-open": true,
	"logon": false, "service-create": false, "service-start": false, "service-change": false, "task-create": false, "task-run": false,
	"wmi-exec": false, "dcom-exec": false, "rpc-call": false,
}

// Contact takes an access between two hosts: a parent of a file that no record names is
// one of those that were in contact when it came.
func (b *Book) Contact(a *model.Access) {
	b.pass(a.Time)
	if carries, ok := carrying[a.What]; ok {
		b.meet(b.places.of(&a.Source), b.places.of(&a.Destination), a.Time, carries)
	}
}

// meet notes a contact between two places.
func (b *Book) meet(from, to uint32, at model.Time, carries bool) {
	if from != 0 && to != 0 {
		b.contacts.add(b.places.at[from].same, b.places.at[to].same, at, carries)
	}
}

func (c *contacts) add(from, to uint32, at model.Time, carries bool) {
	if from == to || at == 0 {
		return
	}
	if c.next == 0 {
		c.next = 1
	}
	if n := int(max(from, to)) + 1; n > len(c.last) {
		c.last = append(c.last, make([]uint64, n-len(c.last))...)
	}
	x := contact{at: at, ends: [2]uint32{from, to}, previous: [2]uint64{c.last[from], c.last[to]}, carries: carries}
	if uint64(len(c.ring)) < c.most {
		c.ring = append(fitted(c.ring, int(c.most)-1), x)
	} else {
		c.ring[(c.next-1)%c.most] = x
	}
	c.last[from], c.last[to] = c.next, c.next
	c.next++
}

// each visits the contacts of a host, the last one first, while visit says so.
func (c *contacts) each(host uint32, visit func(other uint32, x *contact) bool) {
	if int(host) >= len(c.last) {
		return
	}
	for n, walked := c.last[host], 0; n != 0 && n+c.most >= c.next && walked < leadsWalk; walked++ {
		x := &c.ring[(n-1)%c.most]
		side := 0
		if x.ends[1] == host {
			side = 1
		}
		if !visit(x.ends[1-side], x) {
			return
		}
		n = x.previous[side]
	}
}

// pass lets time pass: what came from nowhere is followed up once all contacts of its
// time are known.
func (b *Book) pass(at model.Time) {
	b.now = max(b.now, at)
	n := 0
	for n < len(b.pending) && b.movements[b.pending[n]].end+b.set.Slack < b.now {
		b.follow(b.pending[n])
		n++
	}
	b.pending = b.pending[n:]
}

// follow notes who was in contact with the host of a movement when the file came.
func (b *Book) follow(n uint32) {
	m := &b.movements[n]
	known := len(b.leads)
	b.contacts.each(b.places.at[m.to].same, func(other uint32, x *contact) bool {
		if x.at < m.end-contactReach || len(b.leads)-known == leadsMost {
			return false
		}
		if x.at <= m.end+b.set.Slack {
			b.lead(known, lead{n, other, x.at, x.carries})
		}
		return true
	})
}

// lead notes a host once: by its latest contact that can carry a file, else the latest.
func (b *Book) lead(from int, l lead) {
	for i := from; i < len(b.leads); i++ {
		if o := &b.leads[i]; o.host == l.host {
			if l.carries && !o.carries {
				*o = l
			}
			return
		}
	}
	b.leads = append(b.leads, l)
}
