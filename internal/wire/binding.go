package wire

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// MAC writes a hardware address as people do.
func MAC(b []byte) string {
	parts := make([]string, len(b))
	for i, c := range b {
		parts[i] = fmt.Sprintf("%02x", c)
	}
	return strings.Join(parts, ":")
}

// Printable makes a name from the wire one of at most 255 bytes without control
// characters.
func Printable(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), 255)], "")
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// Binding starts an access that binds an address to hardware and a name, as a
// protocol shows it. c is nil where no flow carries it.
func Binding(channel string, c *Conn, at At, ip model.Addr, mac, host, object string) *Access {
	a := &Access{Conn: c}
	if c == nil {
		c = &Conn{Ends: [2]AddrPort{{Addr: ip}}}
	}
	a.ID = ID("a", channel, c, 0, 0, 0, []byte("address-binding\x00"+ip.String()+"\x00"+mac+"\x00"+host+"\x00"+object)...)
	a.Time, a.What, a.Channel, a.Object = at.Time, "address-binding", channel, object
	a.Source = model.Endpoint{IP: ip, MAC: mac, Host: host}
	a.Until = at.Time
	a.Seen.Add(at)
	return a
}
