package krb5

import (
	"strings"

	"waybill/internal/wire"
	"waybill/internal/wire/der"
)

// addressNetBIOS is the type of an address that is a NetBIOS name (RFC 4120 7.5.3).
const (
	addressNetBIOS = 20
)

// named reports the NetBIOS name that a client of Windows gives itself in its request
// (RFC 4120 5.4.1: addresses).
func (d *conn) named(from wire.Side, body der.Run, at wire.At) {
	rest := body.Field(context(9), tagSequence)
	for range 8 {
		v, more, ok := rest.Next()
		if !ok {
			return
		}
		rest = more
		if kind := v.Body.Field(context(0), tagInteger); v.Tag != tagSequence || len(kind) != 1 || kind[0] != addressNetBIOS {
			continue
		}
		host := strings.TrimRight(wire.Printable(string(v.Body.Field(context(1), tagOctets))), " ")
		ip := d.wire.Ends[from].Addr
		if key := "name\x00" + ip.String() + "\x00" + host; host != "" && !d.p.said[key] {
			d.p.said[key] = true
			d.p.env.Access(wire.Binding(channel, d.wire, at, ip, "", host, host))
		}
	}
}
