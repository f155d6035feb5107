// Package rpc reports remote procedure calls (C706, MS-RPCE) as accesses. In come
// the bytes of named pipes, which the SMB decoders give it, and of connections
// over TCP, which it finds by their content on any port; out go the operations
// that were called and what they made or started: services, tasks, WMI methods,
// DCOM activations. It opens nothing that is sealed and makes no transfer.
package rpc

import (
	"waybill/internal/wire"
	"waybill/internal/wire/dcerpc"
	"waybill/internal/wire/ntlm"
)

// channel is the name of connections over TCP.
const channel = "dcerpc"

type protocol struct {
	env     wire.Env
	ports   endpoints
	servers ntlm.Servers
}

// NewProtocol makes the decoder of DCE-RPC over TCP (ncacn_ip_tcp).
func NewProtocol(env wire.Env) wire.Protocol { return &protocol{env: env, ports: endpoints{}} }

func (p *protocol) Name() string { return channel }

// Probe asks for the header of a message with its length, or, in the middle of a
// connection, for a port that an endpoint mapper told.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return wire.No
	}
	if _, _, ok := p.ports.server(c); ok && joinedLate(c) {
		return wire.Yes
	}
	verdict := wire.No
	for _, b := range head {
		switch {
		case len(b) >= 16 && !dcerpc.Starts(b):
			return wire.No
		case len(b) >= 16:
			verdict = wire.Yes
		case len(b) > 0 && b[0] != 5:
			return wire.No
		case len(b) > 0 && verdict == wire.No:
			verdict = wire.Maybe
		}
	}
	return verdict
}

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c, client: -1}
	if c.Opened {
		d.client = 0
	}
	d.calls = New(p.env, &dcerpc.Services{}, d.access)
	d.calls.Tokens(d.token)
	d.calls.Endpoints(d.mapped)
	return d
}

// Flush has nothing to end: all state belongs to connections.
func (p *protocol) Flush(wire.At) {}

// conn is one connection over TCP.
type conn struct {
	p       *protocol
	wire    *wire.Conn
	client  int // the client's side; -1 until known
	calls   *Calls
	at      wire.Chunk // being fed
	from    wire.Side
	ordinal int
	over    bool
	assumed bool // an endpoint mapper told what the connection is for

	user, domain string
}

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	if !d.assumed && joinedLate(d.wire) {
		d.assume()
	}
	if d.client < 0 {
		d.learn(from, c.Data)
	}
	d.at, d.from, d.ordinal = c, from, 0
	d.calls.Feed(int(from) == d.client, c.Data)
}

// assume takes an endpoint mapper's word for what is called.
func (d *conn) assume() {
	server, iface, ok := d.p.ports.server(d.wire)
	if !ok {
		return
	}
	d.assumed = true
	if d.client < 0 {
		d.client = int(server.Other())
	}
	d.calls.Assume(iface)
}

// mapped takes the answer of an endpoint mapper.
func (d *conn) mapped(found []dcerpc.Endpoint) {
	d.p.ports.add(d.wire.Ends[wire.Side(max(d.client, 0)).Other()], found)
}

// learn tells the client by what it sends: requests and binds have kinds that
// answers do not have.
func (d *conn) learn(from wire.Side, b []byte) {
	d.client = int(from)
	if len(b) > 2 && (b[2] == 2 || b[2] == 3 || b[2] == 12 || b[2] == 13 || b[2] == 15) {
		d.client = int(from.Other())
	}
}

func (d *conn) Gap(from wire.Side, n int64, at wire.At) {
	d.calls.Lost(int(from) == d.client)
}

func (d *conn) End(wire.Side, wire.Ending, wire.At) {
	if !d.over {
		d.over = true
		return
	}
	d.calls.Close()
}

// access starts an access of the message that is being fed.
func (d *conn) access(what string) *wire.Access {
	client := wire.Side(max(d.client, 0))
	a := &wire.Access{Conn: d.wire}
	d.ordinal++
	a.ID = wire.ID("a", channel, d.wire, d.from, d.at.Seq, d.ordinal, []byte(what)...)
	a.Time, a.What, a.Channel = d.at.Time, what, channel
	a.Source, a.Destination = d.wire.Ends[client].Endpoint(), d.wire.Ends[client.Other()].Endpoint()
	a.User, a.Domain = d.user, d.domain
	a.Seen.Add(d.at.At)
	return a
}

// token reports whom the client logs on as.
func (d *conn) token(fromClient bool, token []byte) {
	if !fromClient {
		t, _ := ntlm.Parse(token)
		d.p.servers.Heard(d.p.env, d.wire, d.from, &t, d.at.At)
		return
	}
	t, ok := ntlm.Read(d.p.env, token)
	if !ok || t.MessageType != ntlm.Authenticate && t.TicketFor() == "" {
		return
	}
	d.user, d.domain = t.User, t.Domain
	a := d.access("logon")
	a.Detail, a.Object = t.LogonDetail(), t.TicketFor()
	d.p.env.Access(a)
}
