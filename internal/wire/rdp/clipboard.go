package rdp

import (
	"encoding/binary"
	"slices"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// Messages of the clipboard channel (MS-RDPECLIP 2.2.1).
const (
	clipFormatData   = 5
	clipFileRequest  = 8
	clipFileResponse = 9

	clipHeader     = 8
	clipFailed     = 2
	clipWantsSize  = 1
	descriptorSize = 592 // FILEDESCRIPTORW, MS-RDPECLIP 2.2.5.2.3.1
)

// clipboard follows files that are pasted: one end lists them, the other asks for
// their bytes.
type clipboard struct {
	d        *conn
	lost     bool
	files    [2][]*pasted // that a side offers, by their place in the list
	requests []clipRequest
	ordinal  int
}

// pasted is one file of a list.
type pasted struct {
	name       string
	size       int64
	file       *content.File
	start, end model.Time
	seen       wire.Packets
	seq        uint32
}

type clipRequest struct {
	from   wire.Side
	stream uint32
	index  int
	off    int64
	bytes  bool
}

func (x *clipboard) message(from wire.Side, b []byte, c wire.Chunk) {
	if len(b) < clipHeader {
		return
	}
	le := binary.LittleEndian
	kind, flags := le.Uint16(b), le.Uint16(b[2:])
	body := b[clipHeader:min(len(b), clipHeader+int(min(le.Uint32(b[4:]), maxPart)))]
	switch kind {
	case clipFormatData:
		x.listed(from, body)
	case clipFileRequest:
		if len(body) >= 24 {
			x.requests = append(x.requests[max(0, len(x.requests)-255):], clipRequest{from: from, stream: le.Uint32(body),
				index: int(int32(le.Uint32(body[4:]))), off: int64(uint64(le.Uint32(body[16:]))<<32 | uint64(le.Uint32(body[12:]))),
				bytes: le.Uint32(body[8:])&clipWantsSize == 0})
		}
	case clipFileResponse:
		if len(body) >= 4 {
			x.answered(from, le.Uint32(body), body[4:], flags&clipFailed != 0, c)
		}
	}
}

// listed takes a list of files: data of 592 bytes each behind a count.
func (x *clipboard) listed(from wire.Side, b []byte) {
	le := binary.LittleEndian
	if len(b) < 4 {
		return
	}
	n := int(le.Uint32(b))
	if n < 1 || n > 4096 || len(b)-4 < n*descriptorSize {
		return
	}
	x.emit(from)
	for i := range n {
		f := b[4+i*descriptorSize:][:descriptorSize]
		p := &pasted{size: int64(uint64(le.Uint32(f[64:]))<<32 | uint64(le.Uint32(f[68:]))), name: utf16String(f[72:592])}
		x.files[from] = append(x.files[from], p)
	}
}

// answered takes bytes of a file.
func (x *clipboard) answered(from wire.Side, stream uint32, data []byte, failed bool, c wire.Chunk) {
	i := slices.IndexFunc(x.requests, func(r clipRequest) bool { return r.stream == stream && r.from != from })
	if i < 0 {
		return
	}
	r := x.requests[i]
	x.requests = slices.Delete(x.requests, i, i+1)
	if failed || !r.bytes || r.index < 0 || r.index >= len(x.files[from]) {
		return
	}
	p := x.files[from][r.index]
	if p.file == nil {
		p.file, p.seq = x.d.p.env.File(content.Read), c.Seq
	}
	p.file.Write(r.off, data, nil)
	wire.Stretch(&p.start, &p.end, c.Time)
	p.seen.Add(c.At)
}

// emit reports the files that a side gave, and forgets its list.
func (x *clipboard) emit(from wire.Side) {
	for _, p := range x.files[from] {
		if p.file == nil {
			continue
		}
		x.ordinal++
		t := x.d.moved(from, p.name, p.seq, x.ordinal)
		t.Start, t.End, t.Seen, t.What = p.start, p.end, p.seen, "RDP clipboard"
		t.Notes = append(t.Notes, "by the clipboard")
		e := content.End{Size: p.size}
		if x.lost && !p.file.Covers(0, p.size) {
			e.Incomplete = "messages were lost"
		}
		p.file.Close(e)
		t.Content = p.file
		x.d.p.env.Transfer(t)
	}
	x.files[from] = nil
}

func (x *clipboard) end(wire.Ending) {
	x.emit(0)
	x.emit(1)
}

// moved starts the transfer of a file that a side gave.
func (d *conn) moved(from wire.Side, path string, seq uint32, ordinal int) *wire.Transfer {
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}}
	t.ID = wire.ID("t", channel, d.wire, from, seq, ordinal, []byte(path)...)
	t.Channel, t.Path, t.Name, t.Status = channel, path, fileshare.LastElement(path), model.Done
	t.Source, t.Destination = d.wire.Ends[from].Endpoint(), d.wire.Ends[from.Other()].Endpoint()
	t.Operation, t.Initiator = model.Push, model.BySource
	if int(from) != d.client {
		t.Operation, t.Initiator = model.Pull, model.ByDestination
	}
	t.User = d.cookie
	t.Session = &model.Session{Dialect: d.security, Workstation: d.name, Channels: 1}
	return t
}
