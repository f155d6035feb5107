package synth

import (
	"encoding/binary"
	"fmt"
)

// xdr is external data representation being put together (RFC 4506).
type xdr []byte

func (x *xdr) u32(vs ...uint32) { *x = be32(*x, vs...) }

func (x *xdr) u64(vs ...uint64) {
	for _, v := range vs {
		*x = binary.BigEndian.AppendUint64(*x, v)
	}
}

// opaque adds bytes with their length, padded to four.
func (x *xdr) opaque(b []byte) {
	x.u32(uint32(len(b)))
	x.fixed(b)
}

// fixed adds bytes whose length is known, padded to four.
func (x *xdr) fixed(bs ...[]byte) {
	for _, b := range bs {
		*x = append(append(*x, b...), padding(len(b))...)
	}
}

func (x *xdr) text(s string) { x.opaque([]byte(s)) }

// numbers are words as they are sent.
func numbers(vs ...uint32) []byte { return be32(nil, vs...) }

// padding is what follows n bytes up to a multiple of four.
func padding(n int) []byte { return make([]byte, -n&3) }

// The RPC programs (RFC 1833, 1813).
const (
	progPortmap = 100000
	progNFS     = 100003
	progMount   = 100005
)

// sunRPC is ONC RPC (RFC 5531) over one connection or one flow of datagrams.
type sunRPC struct {
	tcp        *Conn
	udp        *UDP
	xid        uint32
	credential []byte // with its flavor and length
	fragment   int    // bytes of a record's fragments over TCP; 0 is one fragment
	again      bool   // every fourth call as a datagram is sent twice
}

// authSys is a credential of flavor AUTH_SYS (RFC 5531 appendix A).
func authSys(machine string, uid, gid uint32) []byte {
	var body, x xdr
	body.u32(0x5A17)
	body.text(machine)
	body.u32(uid, gid, 1, gid)
	x.u32(1)
	x.opaque(body)
	return x
}

// ask sends a call and gives what sends its answer.
func (r *sunRPC) ask(program, version, procedure uint32, arguments ...[]byte) (answer func(results ...[]byte)) {
	r.xid++
	xid, head := r.xid, xdr{}
	head.u32(xid, 0, 2, program, version, procedure)
	head.fixed(r.credential)
	head.u32(0, 0)
	parts := append([][]byte{head}, arguments...)
	r.send(Client, parts)
	if r.again && r.udp != nil && xid%4 == 0 {
		r.send(Client, parts)
	}
	return func(results ...[]byte) {
		r.send(Server, append([][]byte{numbers(xid, 1, 0, 0, 0, 0)}, results...))
	}
}

// call sends a call and its answer.
func (r *sunRPC) call(program, version, procedure uint32, arguments, results []byte) {
	r.ask(program, version, procedure, arguments)(results)
}

// send sends a message: as a datagram, or as a record in fragments (RFC 5531 11).
func (r *sunRPC) send(from Side, parts [][]byte) {
	if r.udp != nil {
		r.udp.send(from, join(parts...))
		return
	}
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if r.fragment == 0 || size <= r.fragment {
		r.tcp.Send(from, append([][]byte{numbers(0x80000000 | uint32(size))}, parts...)...)
		return
	}
	var b []byte
	for rest := join(parts...); len(rest) > 0; {
		n := min(r.fragment, len(rest))
		mark := uint32(n)
		if n == len(rest) {
			mark |= 0x80000000
		}
		b = append(be32(b, mark), rest[:n]...)
		rest = rest[n:]
	}
	r.tcp.Send(from, b)
}

// null is the procedure that does nothing, with which clients begin.
func (r *sunRPC) null(program, version uint32) { r.call(program, version, 0, nil, nil) }

// getPort asks the port mapper for a program's port (RFC 1833 3.2).
func (n *Net) getPort(client, server *Host, program, version, protocol, port uint32) {
	r := &sunRPC{udp: n.UDP(client, server, 111), xid: uint32(n.random()), credential: numbers(0, 0)}
	r.call(progPortmap, 2, 3, numbers(program, version, protocol, 0), numbers(port))
}

// reserved is the host's next port below 1024, as mount programs use.
func (h *Host) reserved() uint16 { return 660 + h.ephemeral()%300 }

// universal is an address and port as version 4 names them (RFC 5665 5.2.3.3).
func universal(h *Host, port uint16) string {
	return fmt.Sprintf("%s.%d.%d", h.Addr, port>>8, port&0xFF)
}
