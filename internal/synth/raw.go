package synth

import "waybill/internal/model"

// RawOptions say how content crosses a connection that is no protocol's.
type RawOptions struct {
	Port   uint16 // 4444 when 0
	Served bool   // the end that listens sends, and the other one fetches
	UDP    bool   // datagrams of up to Block bytes
	Block  int    // bytes of a datagram; 1,024 when 0
	// Greeting comes first, from the other side.
	Greeting []byte
	// Answer comes from the other side behind the content, and After is what the
	// sender says then.
	Answer, After []byte
	Reset         bool // the connection is broken off at the end
}

// Raw sends content as netcat does, and says so in the truth.
func (n *Net) Raw(client, server *Host, content []byte, o RawOptions) {
	if o.Port == 0 {
		o.Port = 4444
	}
	sender := Client
	m := moved(client, server, model.Push, "tcp", "", content)
	if o.Served {
		sender = Server
		m = moved(server, client, model.Pull, "tcp", "", content)
	}
	if o.UDP {
		m.Channel = "udp"
		n.rawDatagrams(client, server, sender, content, o)
	} else {
		n.rawStream(client, server, sender, content, o)
	}
	n.Truth.Moved = append(n.Truth.Moved, m)
}

func (n *Net) rawStream(client, server *Host, sender Side, content []byte, o RawOptions) {
	c := n.Dial(client, server, o.Port)
	for _, part := range []struct {
		from Side
		data []byte
	}{{sender.other(), o.Greeting}, {sender, content}, {sender.other(), o.Answer}, {sender, o.After}} {
		if len(part.data) > 0 {
			c.Send(part.from, part.data)
		}
	}
	if o.Reset {
		c.Reset(sender)
		return
	}
	c.CloseBy(sender)
}

func (n *Net) rawDatagrams(client, server *Host, sender Side, content []byte, o RawOptions) {
	if o.Block == 0 {
		o.Block = 1024
	}
	u := n.UDP(client, server, o.Port)
	if sender == Server {
		u.Client([]byte("get\n"))
	}
	for len(content) > 0 {
		k := min(o.Block, len(content))
		u.send(sender, content[:k])
		content = content[k:]
	}
}
