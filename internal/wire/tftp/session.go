package tftp

import (
	"encoding/binary"
	"fmt"
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// session is one transfer.
type session struct {
	p        *Protocol
	t        *wire.Transfer
	file     *content.File
	asked    *wire.Conn     // the flow of the request
	server   *wire.AddrPort // known from its first answer
	client   wire.AddrPort
	write    bool
	want     options // what the request proposed
	answered bool
	over     bool

	block    int64 // bytes of a block
	window   int64
	size     int64 // as stated; -1 when it was not
	last     int64 // number of the latest block, counted through all wrap-arounds
	atOne    bool  // after 65535 comes 1, not 0
	acked    uint16
	final    int64 // end of the content, by the short block; -1 before it
	begun    bool
	netascii *netascii
}

// defaultBlock is the block size of RFC 1350.
const defaultBlock = 512

func newSession(f *flow, r request, from wire.Side, c wire.Chunk) *session {
	s := &session{p: f.p, file: f.p.env.File(content.Read), asked: f.conn, client: f.conn.Ends[from], write: r.write,
		want: r.options, block: defaultBlock, window: 1, size: r.options.size, final: -1}
	if !r.write {
		s.size = -1
	}
	if r.netascii {
		s.netascii = &netascii{file: s.file}
	}
	s.t = &wire.Transfer{Content: s.file, Conns: []*wire.Conn{f.conn}, What: "TFTP RRQ"}
	t := s.t
	t.ID = wire.ID("t", "tftp", f.conn, from, 0, f.ordinal, c.Data...)
	t.Channel, t.Path, t.Name = "tftp", r.name, r.name[strings.LastIndexAny(r.name, `/\`)+1:]
	t.Start, t.End = c.Time, c.Time
	t.Seen.Add(c.At)
	client, server := s.client.Endpoint(), f.conn.Ends[from.Other()].Endpoint()
	t.Source, t.Destination, t.Operation, t.Initiator = server, client, model.Pull, model.ByDestination
	if r.write {
		t.Source, t.Destination, t.Operation, t.Initiator = client, server, model.Push, model.BySource
		t.What = "TFTP WRQ"
	}
	if r.netascii {
		t.Notes = append(t.Notes, "netascii: line ends are those of the reader")
	}
	f.p.keep(s)
	return s
}

// datagram takes what follows the request.
func (s *session) datagram(conn *wire.Conn, from wire.Side, c wire.Chunk) {
	if s.over || len(c.Data) < 4 {
		return
	}
	fromClient := conn.Ends[from] == s.client
	if !fromClient && s.server == nil {
		s.meet(conn.Ends[from])
	}
	switch op := binary.BigEndian.Uint16(c.Data); {
	case op == opData && fromClient == s.write:
		s.data(c)
	case op == opAck && fromClient != s.write:
		s.acked, s.answered = binary.BigEndian.Uint16(c.Data[2:]), true
		s.t.Seen.Add(c.At)
	case op == opOAck && !fromClient:
		s.agree(c)
	case op == opError:
		s.failed(c)
	}
}

// meet notes the port that the server answers from.
func (s *session) meet(server wire.AddrPort) {
	s.server = &server
	if s.write {
		s.t.Destination = server.Endpoint()
	} else {
		s.t.Source = server.Endpoint()
	}
}

// agree takes the options that the server accepted; others are as without them.
func (s *session) agree(c wire.Chunk) {
	o, ok := parseOAck(c.Data)
	if !ok {
		return
	}
	s.answered = true
	s.t.Seen.Add(c.At)
	if o.blockSize > 0 {
		s.block = o.blockSize
	}
	if o.windowSize > 0 {
		s.window = o.windowSize
	}
	if o.size >= 0 {
		s.size = o.size
	}
}

// data takes a DATA packet.
func (s *session) data(c wire.Chunk) {
	s.answered = true
	number, payload := binary.BigEndian.Uint16(c.Data[2:]), c.Data[4:]
	if n := int64(len(payload) + c.Cut); n > s.block {
		if n > s.want.blockSize {
			return // longer than anything agreed on
		}
		s.block = s.want.blockSize // the OACK was not seen
	}
	s.t.Seen.Add(c.At)
	abs := s.place(number)
	if abs < 1 {
		return
	}
	s.last = max(s.last, abs)
	s.touch(c.Time)
	if s.netascii != nil {
		s.netascii.lost = s.netascii.lost || c.Cut > 0
		s.netascii.block(abs, payload)
	} else {
		s.file.Write((abs-1)*s.block, payload, c.Block)
	}
	if n := int64(len(payload) + c.Cut); n < s.block {
		s.final = (abs-1)*s.block + n
	}
	if s.final >= 0 && (s.netascii != nil || s.file.Covers(0, s.final)) {
		s.end("")
	}
}

// place counts a block number through wrap-arounds: the number nearest to the
// latest one. Servers go on at 0 or at 1; where blocks are acknowledged one by
// one and 1 follows 65535, it is 1.
func (s *session) place(number uint16) int64 {
	cycle := int64(1 << 16)
	if !s.atOne && s.last%cycle == cycle-1 && s.last > 0 && number == 1 && s.window == 1 {
		s.atOne = s.last == cycle-1
	}
	if !s.atOne {
		return s.last + int64(int16(number-uint16(s.last)))
	}
	cycle--
	at := (s.last-1)%cycle + 1
	d := (int64(number) - at + cycle + cycle/2) % cycle
	return s.last + d - cycle/2
}

// touch notes a packet with content.
func (s *session) touch(at model.Time) {
	if !s.begun {
		s.begun, s.t.Start, s.t.End = true, 0, 0
	}
	wire.Stretch(&s.t.Start, &s.t.End, at)
}

// failed takes an ERROR packet (RFC 1350 appendix).
func (s *session) failed(c wire.Chunk) {
	code := binary.BigEndian.Uint16(c.Data[2:])
	s.answered = true
	s.t.Seen.Add(c.At)
	switch {
	case code == 8: // options refused: the client asks again without them
		s.drop()
	case s.begun:
		s.close(fmt.Sprintf("broken off with error %d", code), model.Failed)
	case code == 2:
		s.close("refused: access violation", model.Denied)
	default:
		s.drop()
	}
}

// end closes the transfer; why says what came instead of the last block.
func (s *session) end(why string) {
	switch {
	case s.over:
	case s.final >= 0 || s.size >= 0 && s.begun && s.file.Covers(0, s.size):
		s.close("", model.Done)
	case s.begun:
		s.close(why, model.Interrupted)
	default:
		s.drop()
	}
}

// drop forgets a request that moved nothing.
func (s *session) drop() {
	s.over = true
	s.file.Abandon()
}

func (s *session) close(why, status string) {
	s.over = true
	e := content.End{Size: -1, Incomplete: why}
	switch {
	case s.netascii != nil:
		if s.netascii.lost {
			e.Incomplete = "blocks missing"
		}
	case s.final >= 0:
		e.Size = s.final
	case s.size >= 0:
		e.Size = s.size
	}
	s.file.Close(e)
	s.t.Status = status
	if status == model.Denied {
		s.t.Content, s.t.Completeness, s.t.BytesSeen = nil, model.Partial, new(int64)
	}
	s.t.Reason = why
	s.p.env.Transfer(s.t)
}
