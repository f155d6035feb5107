// Package nfs decodes NFS versions 2 (RFC 1094), 3 (RFC 1813) and 4.0 to 4.2
// (RFC 7530, 8881, 7862) with the mount protocol, over ONC RPC (RFC 5531) on TCP
// and UDP. In come connections and datagrams; out go transfers, each one file
// between one client and one server in one direction, and accesses: mounts,
// refusals, renames and removals as they matter to a transfer.
//
// State belongs to the client and the server: file handles have the names that
// look-ups, creations and listings gave them. Bytes written count when the
// server says so. It never follows a handle that it has not seen named by more
// than its bytes.
package nfs

import (
	"encoding/binary"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/framed"
)

const channel = "nfs"

// RPC programs (IANA, RFC 1833, 1813).
const (
	progPortmap = 100000
	progNFS     = 100003
	progMount   = 100005
	progNLM     = 100021
)

// idle ends what one client does with one file in versions 2 and 3, which have
// no open (contract, transfer).
const idle = model.Time(60e9)

// Bounds of what is kept.
const (
	maxServers = 4096
	maxHandles = 1 << 16
	maxFlows   = 8192
	maxPending = 4096
)

type protocol struct {
	env   wire.Env
	pairs map[pair]*mounted // state by client and server
	order []*mounted

	layouts layouts
}

// pair is a client and a server.
type pair struct{ client, server model.Addr }

// New makes the decoder of NFS.
func New(env wire.Env) wire.Protocol {
	return &protocol{env: env, pairs: map[pair]*mounted{}}
}

func (p *protocol) Name() string { return channel }

// The parts of a record and a call (RFC 5531 9, 11).
const (
	markLen  = 4
	callLen  = 24
	replyLen = 12
	lastMark = 0x80000000
)

// maxRecord bounds one record: reads and writes of 1 MiB and their frames.
const maxRecord = 4 << 20

// Probe asks for a call of one of the programs that files are shared by.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	verdict := wire.No
	for _, b := range head {
		if !c.UDP {
			if len(b) == 0 {
				continue
			}
			if len(b) < markLen+callLen {
				verdict = wire.Maybe
				continue
			}
			if !wholeRecord(b) {
				return wire.No
			}
			b = b[markLen:]
		}
		if isCall(b) {
			return wire.Yes
		}
		if isReply(b) {
			verdict = wire.Maybe // the call was perhaps not captured, or comes later
		} else if len(b) > 0 {
			return wire.No
		}
	}
	return verdict
}

func wholeRecord(b []byte) bool {
	n := binary.BigEndian.Uint32(b) &^ lastMark
	return n >= replyLen && n <= maxRecord
}

func isCall(b []byte) bool {
	if len(b) < callLen {
		return false
	}
	be := binary.BigEndian
	prog, vers := be.Uint32(b[12:]), be.Uint32(b[16:])
	if be.Uint32(b[4:]) != 0 || be.Uint32(b[8:]) != 2 {
		return false
	}
	return prog == progNFS && vers >= 2 && vers <= 4 || (prog == progMount || prog == progPortmap) && vers >= 1 && vers <= 4
}

func isReply(b []byte) bool {
	return len(b) >= replyLen && binary.BigEndian.Uint32(b[4:]) == 1 && binary.BigEndian.Uint32(b[8:]) <= 1
}

// Open makes the decoder of a connection or a flow of datagrams.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c, calls: map[uint32]*call{}}
	for i := range d.halves {
		d.halves[i] = framed.NewReader(&record, p.env, wire.Side(i), c.FromStart[i], d.record, d.lost)
		d.halves[i].Bulk(d.bulk)
	}
	return d
}

// record is the record marking of RFC 5531 11. Records of several fragments are
// put together by conn.
var record = framed.Format{
	Head:   markLen,
	Needed: 256, // the header and what names the data of a read or write
	Length: func(b []byte) int {
		n := binary.BigEndian.Uint32(b) &^ lastMark
		if n > maxRecord || n == 0 {
			return -1
		}
		return markLen + int(n)
	},
	Find: func(b []byte) int {
		for i := 0; i+markLen+callLen <= len(b); i++ {
			if b[i]&0x80 != 0 && wholeRecord(b[i:]) && (isCall(b[i+markLen:]) || isSuccess(b[i+markLen:])) {
				return i
			}
		}
		return -1
	},
}

// isSuccess is a reply that was accepted, with a verifier of nothing, and that
// succeeded: strict enough to be found among other bytes.
func isSuccess(b []byte) bool {
	if len(b) < 24 || !isReply(b) {
		return false
	}
	for _, at := range [...]int{8, 12, 16, 20} {
		if binary.BigEndian.Uint32(b[at:]) != 0 {
			return false
		}
	}
	return true
}

// Flush ends what outlives connections.
func (p *protocol) Flush(at wire.At) {
	for _, m := range p.order {
		m.finish(wire.EndOfCapture)
	}
}

// mounted gives the state of a client and a server.
func (p *protocol) mounted(client, server model.Addr) *mounted {
	k := pair{client, server}
	m := p.pairs[k]
	if m != nil {
		return m
	}
	if len(p.order) >= maxServers {
		old := p.order[0]
		p.order = p.order[1:]
		old.finish(wire.Dropped)
		delete(p.pairs, old.pair)
	}
	m = &mounted{p: p, pair: k, names: newNames(p.env.Budget()), flows: map[flowKey]*flow{}, accounts: map[string]account{}}
	p.pairs[k] = m
	p.order = append(p.order, m)
	return m
}
