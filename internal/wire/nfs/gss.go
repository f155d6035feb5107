package nfs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"waybill/internal/wire"
	"waybill/internal/wire/framed"
	"waybill/internal/wire/ntlm"
)

// The procedures and services of RPCSEC_GSS (RFC 2203 5).
const (
	gssData      = 0
	gssIntegrity = 2
	gssPrivacy   = 3
)

// gssContinue is the status of a logon that takes more messages (RFC 2203 5.2.3.1).
const gssContinue = 1

const (
	maxToken    = 64 << 10
	maxLogons   = 64   // under way on a connection
	maxContexts = 1024 // of a client at a server
	maxHandle   = 64   // bytes of a context's handle; servers use 4 to 16
)

// account is who a security context is of.
type account struct{ user, domain string }

// gss reads a credential of RPCSEC_GSS (RFC 2203 5.3.1).
func (x *xdr) gss() credential {
	x.u32() // version
	kind := x.u32()
	x.u32() // sequence number
	service := x.u32()
	return credential{gss: true, control: kind != gssData, handle: string(x.opaque(maxHandle)),
		wrapped: service == gssIntegrity && kind == gssData, sealed: service == gssPrivacy && kind == gssData}
}

// logon takes a call that asks for a security context (RFC 2203 5.2.2): its token says
// who asks.
func (d *conn) logon(c *call) {
	t, ok := ntlm.Read(d.p.env, c.args.opaque(maxToken))
	if !ok || t.TicketFor() == "" || len(d.logons) >= maxLogons {
		return
	}
	a := &wire.Access{Conn: d.wire}
	a.ID = wire.ID("a", channel, d.wire, c.m.From, c.id, 0, []byte("logon")...)
	a.Time, a.What, a.Channel, a.Object, a.Detail = c.m.First.Time, "logon", channel, t.TicketFor(), t.LogonDetail()
	a.Source, a.Destination = d.wire.Ends[c.m.From].Endpoint(), d.wire.Ends[c.m.From.Other()].Endpoint()
	a.User, a.Domain = t.User, t.Domain
	a.Seen.Merge(c.m.Seen)
	if d.logons == nil {
		d.logons = map[uint32]*wire.Access{}
	}
	d.logons[c.id] = a
	d.mounted(c)
}

// loggedOn takes the answer to it: the handle that calls of the context carry (RFC
// 2203 5.2.3.1). It says whether there was such a logon.
func (d *conn) loggedOn(id uint32, m *framed.Message) bool {
	a := d.logons[id]
	if a == nil {
		return false
	}
	delete(d.logons, id)
	a.Seen.Merge(m.Seen)
	x := xdr{b: m.Data, at: 8}
	a.Status = "refused"
	if x.accepted(&call{}) {
		handle, status := string(x.opaque(maxHandle)), x.u32()
		a.Status = ""
		if status > gssContinue {
			a.Status = fmt.Sprintf("error %08x", status)
		} else if len(d.at.accounts) < maxContexts && !x.bad {
			d.at.accounts[handle] = account{a.User, a.Domain}
			d.p.env.Unverified("nfs/kerberos")
		}
	}
	d.p.env.Access(a)
	return true
}

// unheard hands out the logons without an answer, in the order of their time.
func (d *conn) unheard() {
	all := slices.SortedFunc(maps.Values(d.logons), func(a, b *wire.Access) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID))
	})
	for _, a := range all {
		a.Status = "no answer seen"
		d.p.env.Access(a)
	}
	d.logons = nil
}
