package rdp

import (
	"encoding/binary"
	"slices"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// Messages of the clipboard channel (MS-RDPECLIP 2.2.1).
const (
	clipFormatData   = 5
	clipFileRequest  = 8
	clipFileResponse = 9
	clipLock         = 10
	clipUnlock       = 11

	clipHeader     = 8
	clipFailed     = 2
	clipWantsSize  = 1
	descriptorSize = 592 // FILEDESCRIPTORW, MS-RDPECLIP 2.2.5.2.3.1
	hasSize        = 0x40

	maxListed   = 4096 // files of one list
	maxRequests = 256
	maxLocks    = 16
)

// clipboard follows files that are pasted: one end lists them, the other asks for
// their bytes.
type clipboard struct {
	d        *conn
	lost     bool
	lists    [2]*fileList            // that a side offers
	locked   [2]map[uint32]*fileList // lists of a side that the other one still uses, by its lock
	kept     []*fileList             // all lists not yet reported, the oldest first
	requests []clipRequest
	ordinal  int
}

// fileList is what one end had on its clipboard.
type fileList struct {
	from  wire.Side
	files []*pasted
}

// pasted is one file of a list.
type pasted struct {
	name       string
	size       int64 // -1 when it was not said
	file       *content.File
	start, end model.Time
	seen       wire.Packets
	seq        uint32
}

type clipRequest struct {
	from   wire.Side
	stream uint32
	file   *pasted
	off    int64
	most   int
	bytes  bool
}

func (x *clipboard) message(from wire.Side, b []byte, c wire.Chunk) {
	if len(b) < clipHeader {
		return
	}
	le := binary.LittleEndian
	kind, flags := le.Uint16(b), le.Uint16(b[2:])
	body := b[clipHeader:min(len(b), clipHeader+int(min(le.Uint32(b[4:]), maxPart)))]
	switch {
	case kind == clipFormatData:
		x.listed(from, body)
	case kind == clipFileRequest && len(body) >= 24:
		x.asked(from, body)
	case kind == clipFileResponse && len(body) >= 4:
		x.answered(from, le.Uint32(body), body[4:], flags&clipFailed != 0, c)
	case kind == clipLock && len(body) >= 4:
		x.lock(from, le.Uint32(body))
	case kind == clipUnlock && len(body) >= 4:
		if l := x.locked[from.Other()]; l != nil {
			delete(l, le.Uint32(body))
		}
	}
}

// lock keeps the other side's list: requests that name the lock mean it, whatever
// comes on the clipboard later (MS-RDPECLIP 2.2.4.1).
func (x *clipboard) lock(from wire.Side, id uint32) {
	owner := from.Other()
	if x.lists[owner] == nil {
		return
	}
	if x.locked[owner] == nil || len(x.locked[owner]) >= maxLocks {
		x.locked[owner] = map[uint32]*fileList{}
	}
	x.locked[owner][id] = x.lists[owner]
}

// listed takes a list of files: data of 592 bytes each behind a count.
func (x *clipboard) listed(from wire.Side, b []byte) {
	le := binary.LittleEndian
	if len(b) < 4 {
		return
	}
	n := int(le.Uint32(b))
	if n < 1 || n > maxListed || len(b)-4 != n*descriptorSize || !x.d.p.env.Budget().Take(int64(n*descriptorSize)) {
		return
	}
	l := &fileList{from: from}
	for i := range n {
		f := b[4+i*descriptorSize:][:descriptorSize]
		p := &pasted{size: -1, name: utf16String(f[72:592])}
		if le.Uint32(f)&hasSize != 0 {
			p.size = int64(uint64(le.Uint32(f[64:]))<<32 | uint64(le.Uint32(f[68:])))
		}
		l.files = append(l.files, p)
	}
	x.lists[from] = l
	x.kept = append(x.kept, l)
	x.settle()
}

// settle reports the lists that nobody can ask for any more.
func (x *clipboard) settle() {
	x.kept = slices.DeleteFunc(x.kept, func(l *fileList) bool {
		if x.lists[l.from] == l {
			return false
		}
		for _, k := range x.locked[l.from] {
			if k == l {
				return false
			}
		}
		x.emit(l, wire.FIN)
		return true
	})
}

// asked takes a request for a file's size or bytes (MS-RDPECLIP 2.2.5.3).
func (x *clipboard) asked(from wire.Side, b []byte) {
	le := binary.LittleEndian
	l := x.lists[from.Other()]
	if len(b) >= 28 {
		if k := x.locked[from.Other()][le.Uint32(b[24:])]; k != nil {
			l = k
		}
	}
	i := int(int32(le.Uint32(b[4:])))
	if l == nil || i < 0 || i >= len(l.files) {
		return
	}
	x.requests = append(x.requests[max(0, len(x.requests)-maxRequests+1):], clipRequest{from: from, stream: le.Uint32(b), file: l.files[i],
		off: int64(uint64(le.Uint32(b[16:]))<<32 | uint64(le.Uint32(b[12:]))), most: int(le.Uint32(b[20:])), bytes: le.Uint32(b[8:])&clipWantsSize == 0})
}

// answered takes a file's size or bytes.
func (x *clipboard) answered(from wire.Side, stream uint32, data []byte, failed bool, c wire.Chunk) {
	i := slices.IndexFunc(x.requests, func(r clipRequest) bool { return r.stream == stream && r.from != from })
	if i < 0 {
		return
	}
	r := x.requests[i]
	x.requests = slices.Delete(x.requests, i, i+1)
	p := r.file
	switch {
	case failed:
		return
	case !r.bytes:
		if len(data) >= 8 {
			p.size = max(-1, int64(binary.LittleEndian.Uint64(data)))
		}
		return
	case p.file == nil:
		p.file, p.seq = x.d.p.env.File(content.Read), c.Seq
	}
	data = data[:min(len(data), r.most)]
	p.file.Write(r.off, data, nil)
	if len(data) < r.most && p.size < 0 {
		p.size = r.off + int64(len(data))
	}
	wire.Stretch(&p.start, &p.end, c.Time)
	p.seen.Add(c.At)
}

// emit reports the files of a list of which bytes moved.
func (x *clipboard) emit(l *fileList, how wire.Ending) {
	x.d.p.env.Budget().Give(int64(len(l.files) * descriptorSize))
	for _, p := range l.files {
		if p.file == nil {
			continue
		}
		x.ordinal++
		t := x.d.moved(l.from, p.name, p.seq, x.ordinal)
		t.Start, t.End, t.Seen, t.What = p.start, p.end, p.seen, "RDP clipboard"
		t.Notes = append(t.Notes, "by the clipboard")
		e := content.End{Size: p.size}
		switch {
		case p.size < 0:
			e.Incomplete = "the file's size is not known"
		case x.lost && !p.file.Covers(0, p.size):
			e.Incomplete = "messages were lost"
		}
		if how != wire.FIN && (e.Incomplete != "" || !p.file.Covers(0, p.size)) {
			t.Status = model.Interrupted
		}
		p.file.Close(e)
		t.Content = p.file
		x.d.p.env.Transfer(t)
	}
}

func (x *clipboard) end(how wire.Ending) {
	for _, l := range x.kept {
		x.emit(l, how)
	}
	x.kept = nil
}
