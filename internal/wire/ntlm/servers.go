package ntlm

import (
	"waybill/internal/wire"
)

// Servers reports what servers call themselves when they challenge a client
// (MS-NLMP 2.2.1.2, 2.2.2.1), each name of an address once. The zero value is ready.
type Servers struct {
	said map[string]bool
}

const maxServers = 1 << 14

// Heard takes a server's token.
func (s *Servers) Heard(env wire.Env, c *wire.Conn, server wire.Side, t *Token, at wire.At) {
	host, object := t.serverName()
	if t.MessageType != Challenge || host == "" {
		return
	}
	ip := c.Ends[server].Addr
	key := ip.String() + "\x00" + host + "\x00" + object
	if s.said[key] {
		return
	}
	if s.said == nil || len(s.said) >= maxServers {
		s.said = map[string]bool{}
	}
	s.said[key] = true
	a := wire.Binding("ntlm", c, at, ip, "", host, object)
	a.Source.Port = c.Ends[server].Port
	env.Access(a)
}

// serverName is the longest name of the server's host, and its account in NetBIOS
// form.
func (t *Token) serverName() (host, object string) {
	info := &t.TargetInfo
	host, object = wire.Printable(info.DNSComputer), wire.Printable(info.NetBIOSComputer)
	if host == "" {
		host = object
	}
	if d := wire.Printable(info.NetBIOSDomain); d != "" && object != "" {
		object = d + `\` + object
	}
	return host, object
}
