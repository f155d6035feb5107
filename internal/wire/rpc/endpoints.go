package rpc

import (
	"waybill/internal/wire"
	"waybill/internal/wire/dcerpc"
)

// maxEndpoints bounds the ports that are remembered.
const maxEndpoints = 1 << 14

// endpoints remembers which interface is behind a port, as endpoint mappers say: it
// tells the calls of connections whose bind was not captured. A port of several
// interfaces tells nothing.
type endpoints map[wire.AddrPort]string

func (m endpoints) add(server wire.AddrPort, found []dcerpc.Endpoint) {
	for _, e := range found {
		at := wire.AddrPort{Addr: server.Addr, Port: e.Port}
		known, ok := m[at]
		switch {
		case ok && known != e.Interface:
			m[at] = ""
		case !ok && len(m) < maxEndpoints:
			m[at] = e.Interface
		}
	}
}

// server is the end of a connection that is known.
func (m endpoints) server(c *wire.Conn) (side wire.Side, iface string, ok bool) {
	for s, end := range c.Ends {
		if iface, ok = m[end]; ok {
			return wire.Side(s), iface, true
		}
	}
	return 0, "", false
}

// joinedLate says whether the beginning of a connection is missing.
func joinedLate(c *wire.Conn) bool { return !c.FromStart[0] && !c.FromStart[1] }
