package synth

import "slices"

// rpcInterface is an interface by its UUID and version.
type rpcInterface struct {
	uuid    uuid
	version uint32 // the minor version in the upper half
}

// The transfer syntaxes NDR (C706 14) and NDR64 (MS-RPCE 2.2.4.12).
var (
	ndr   = rpcInterface{uuid{0x8a885d04, 0x1ceb, 0x11c9, [8]byte{0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}}, 2}
	ndr64 = rpcInterface{uuid{0x71710533, 0xbeba, 0x4937, [8]byte{0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c, 0xcc, 0x36}}, 1}
)

// The DCE-RPC packet types (C706 12.6.4.1, MS-RPCE 2.2.2.5) and flags.
const (
	rpcRequest   = 0
	rpcResponse  = 2
	rpcFault     = 3
	rpcBind      = 11
	rpcBindAck   = 12
	rpcAlter     = 14
	rpcAlterResp = 15
	rpcAuth3     = 16

	rpcFirst     = 1
	rpcLast      = 2
	rpcHasObject = 0x80
)

// The security of a conversation (MS-RPCE 2.2.1.1.7, 2.2.1.1.8).
const (
	rpcNTLM = 10
	// RPCIntegrity signs what is called, RPCPrivacy encrypts it.
	RPCIntegrity = 5
	RPCPrivacy   = 6
)

// RPCOptions say how calls are written. The zero value is little-endian NDR, whole
// messages and nobody who logs on.
type RPCOptions struct {
	BigEndian bool
	NDR64     bool
	Fragment  int // bytes of parameters in a message; 0 is all of them
	// Security is RPCIntegrity or RPCPrivacy of the user's NTLM logon.
	Security     uint8
	User, Domain string
}

// RPC is a conversation of remote procedure calls over a named pipe or TCP.
type RPC struct {
	RPCOptions
	net            *Net
	client, server *Host
	carrier        rpcCarrier
	calls          uint32
	contexts       []rpcInterface
	object         *uuid // of the calls, when they are DCOM's
}

// rpcCarrier takes messages there and back.
type rpcCarrier interface {
	bound(request, response []byte)  // a bind and its answer; response may be nil
	called(request, response []byte) // the fragments of both
	end()
}

// RPC opens a connection over TCP.
func (n *Net) RPC(client, server *Host, port uint16, o RPCOptions) *RPC {
	return &RPC{RPCOptions: o, net: n, client: client, server: server, carrier: rpcConn{n.Dial(client, server, port)}}
}

// Close ends the conversation.
func (c *RPC) Close() { c.carrier.end() }

// rpcConn carries calls over TCP, the way of most ends: a write a message.
type rpcConn struct{ *Conn }

func (c rpcConn) bound(request, response []byte)  { c.called(request, response) }
func (c rpcConn) called(request, response []byte) { c.Client(request); c.Server(response) }
func (c rpcConn) end()                            { c.Close() }

// bind agrees on interfaces, each a context by its place, and logs the user on.
func (c *RPC) bind(interfaces ...rpcInterface) {
	c.calls++
	kind, answer := uint8(rpcBind), uint8(rpcBindAck)
	if c.contexts != nil {
		kind, answer = rpcAlter, rpcAlterResp
	}
	first := uint16(len(c.contexts))
	c.contexts = append(c.contexts, interfaces...)
	var negotiate, challenge []byte
	if c.Security != 0 && kind == rpcBind {
		negotiate, challenge = ntlmNegotiate(), c.net.ntlmChallenge(c.server.Name, c.Domain)
	}
	c.carrier.bound(c.pdu(kind, c.proposal(first, interfaces), negotiate), c.pdu(answer, c.accepted(len(interfaces)), challenge))
	if negotiate != nil {
		c.carrier.bound(c.pdu(rpcAuth3, []byte{0, 0, 0, 0}, c.net.ntlmAuthenticate(c.User, c.Domain, c.client.Name)), nil)
	}
}

// syntax is the transfer syntax of the conversation.
func (c *RPC) syntax() rpcInterface {
	if c.NDR64 {
		return ndr64
	}
	return ndr
}

// proposal is the body of a bind (C706 12.6.4.3).
func (c *RPC) proposal(first uint16, interfaces []rpcInterface) []byte {
	s := stub{big: c.BigEndian}
	s.u16(4280, 4280)
	s.u32(0)
	s.u8(uint8(len(interfaces)), 0, 0, 0)
	for i, x := range interfaces {
		s.u16(first + uint16(i))
		s.u8(1, 0)
		for _, x := range [2]rpcInterface{x, c.syntax()} {
			s.uuid(x.uuid)
			s.u32(x.version)
		}
	}
	return s.b
}

// accepted is the body of the answer to a bind, which takes all of it (C706
// 12.6.4.4).
func (c *RPC) accepted(n int) []byte {
	address := []byte("\\PIPE\\ntsvcs\x00")
	s := stub{big: c.BigEndian}
	s.u16(4280, 4280)
	s.u32(0x5C71)
	s.u16(uint16(len(address)))
	s.raw(address)
	s.align(4)
	s.u8(uint8(n), 0, 0, 0)
	for range n {
		s.u16(0, 0)
		s.uuid(c.syntax().uuid)
		s.u32(c.syntax().version)
	}
	return s.b
}

// call is one call of a context's operation: fill writes the parameters, answer
// the results.
func (c *RPC) call(context int, opnum uint16, fill, answer func(*stub)) {
	c.calls++
	c.carrier.called(c.request(uint16(context), opnum, c.written(fill)), c.response(uint16(context), c.written(answer)))
}

// refused is a call that the server answers with a fault (C706 12.6.4.7).
func (c *RPC) refused(context int, opnum uint16, status uint32, fill func(*stub)) {
	c.calls++
	s := stub{big: c.BigEndian}
	s.u32(32)
	s.u16(uint16(context), 0)
	s.u32(status, 0)
	c.carrier.called(c.request(uint16(context), opnum, c.written(fill)), c.pdu(rpcFault, s.b, nil))
}

// written is what fill writes in the form of the conversation; random bytes of as
// many where it is encrypted.
func (c *RPC) written(fill func(*stub)) []byte {
	s := stub{big: c.BigEndian, wide: c.NDR64}
	fill(&s)
	if c.Security == RPCPrivacy {
		return c.net.Bytes(len(s.b))
	}
	return s.b
}

func (c *RPC) request(context, opnum uint16, params []byte) []byte {
	return c.fragments(rpcRequest, params, func(s *stub, left int) {
		s.u32(uint32(left))
		s.u16(context, opnum)
		if c.object != nil {
			s.uuid(*c.object)
		}
	})
}

func (c *RPC) response(context uint16, results []byte) []byte {
	return c.fragments(rpcResponse, results, func(s *stub, left int) {
		s.u32(uint32(left))
		s.u16(context, 0)
	})
}

// fragments cuts parameters into messages (C706 12.6.2).
func (c *RPC) fragments(kind uint8, params []byte, head func(s *stub, left int)) []byte {
	size := c.Fragment
	if size == 0 {
		size = max(len(params), 1)
	}
	flags := uint8(rpcFirst)
	var out []byte
	for {
		n := min(size, len(params))
		s := stub{big: c.BigEndian}
		head(&s, len(params))
		s.raw(params[:n])
		if params = params[n:]; len(params) == 0 {
			flags |= rpcLast
		}
		if c.object != nil && kind == rpcRequest {
			flags |= rpcHasObject
		}
		out = append(out, c.signed(kind, flags, s.b)...)
		if len(params) == 0 {
			return out
		}
		flags = 0
	}
}

// signed is a message of a call with what the security adds: padding and a
// signature (MS-RPCE 2.2.2.11; MS-NLMP 2.2.2.9 has 16 bytes).
func (c *RPC) signed(kind, flags uint8, body []byte) []byte {
	if c.Security == 0 {
		return c.message(kind, flags, body, nil)
	}
	return c.message(kind, flags, body, c.net.Bytes(16))
}

// pdu is a message that is not cut.
func (c *RPC) pdu(kind uint8, body, auth []byte) []byte {
	return c.message(kind, rpcFirst|rpcLast, body, auth)
}

// message adds the common header (C706 12.6.3.1) and a trailer with the bytes of
// authentication.
func (c *RPC) message(kind, flags uint8, body, auth []byte) []byte {
	body = slices.Clone(body)
	if auth != nil {
		padding := -len(body) & 3
		body = append(body, make([]byte, padding)...)
		body = append(body, rpcNTLM, c.Security, uint8(padding), 0)
		body = append(body, 0, 0, 0, 0)
	}
	s := stub{big: c.BigEndian}
	s.u8(5, 0, kind, flags)
	if c.BigEndian {
		s.u8(0, 0, 0, 0)
	} else {
		s.u8(0x10, 0, 0, 0)
	}
	s.u16(uint16(16+len(body)+len(auth)), uint16(len(auth)))
	s.u32(c.calls)
	s.raw(body, auth)
	return s.b
}
