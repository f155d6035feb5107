package rdp

import (
	"encoding/binary"
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// Messages of the device redirection channel (MS-RDPEFS 2.2).
const (
	coreComponent = 0x4472
	ioRequestID   = 0x4952
	ioCompletion  = 0x4943

	majorCreate  = 0
	majorClose   = 2
	majorRead    = 3
	majorWrite   = 4
	majorSetInfo = 6

	setEndOfFile = 20
	setRename    = 10
)

// drives follows files on drives of the client that the server uses: reads carry
// bytes to the server, writes to the client.
type drives struct {
	d       *conn
	lost    bool
	files   map[fileKey]*redirected
	order   []*redirected
	waiting map[ioKey]*ioRequest
	ordinal int
}

type fileKey struct{ device, file uint32 }

type ioKey struct{ device, completion uint32 }

// ioRequest is a request of the server without the client's answer.
type ioRequest struct {
	major   uint32
	file    fileKey
	path    string
	off     int64
	data    []byte
	fresh   bool
	info    uint32
	setting []byte
}

// redirected is one open of a file on a redirected drive.
type redirected struct {
	key         fileKey
	path        string
	fresh       bool
	read, write *content.File
	high, end   int64
	short       int64 // end of file as a short read shows it; -1
	start       model.Time
	last        model.Time
	seen        wire.Packets
	seq         uint32
	done        bool
}

const maxWaiting = 4096

func (x *drives) message(b []byte, c wire.Chunk) {
	le := binary.LittleEndian
	if len(b) < 16 || le.Uint16(b) != coreComponent {
		return
	}
	switch le.Uint16(b[2:]) {
	case ioRequestID:
		if len(b) >= 24 && len(x.waiting) < maxWaiting {
			x.request(b, c)
		}
	case ioCompletion:
		k := ioKey{le.Uint32(b[4:]), le.Uint32(b[8:])}
		r := x.waiting[k]
		delete(x.waiting, k)
		if r != nil && le.Uint32(b[12:]) == 0 {
			x.completed(r, b[16:], c)
		}
	}
}

// request takes what the server asks of the client (MS-RDPEFS 2.2.1.4).
func (x *drives) request(b []byte, c wire.Chunk) {
	le := binary.LittleEndian
	r := &ioRequest{major: le.Uint32(b[16:]), file: fileKey{le.Uint32(b[4:]), le.Uint32(b[8:])}}
	body := b[24:]
	switch r.major {
	case majorCreate: // MS-RDPEFS 2.2.1.4.1
		if len(body) < 32 {
			return
		}
		disposition := le.Uint32(body[20:])
		r.fresh = disposition != 1 && disposition != 3
		n := int(min(le.Uint32(body[28:]), 4096))
		r.path = utf16String(body[32:min(len(body), 32+n)])
	case majorRead, majorWrite: // 2.2.1.4.3, 2.2.1.4.4
		if len(body) < 32 {
			return
		}
		r.off = int64(le.Uint64(body[4:]))
		if r.major == majorWrite {
			n := int(min(le.Uint32(body), maxPart))
			r.data = append([]byte(nil), body[32:min(len(body), 32+n)]...)
		} else {
			r.info = le.Uint32(body)
		}
	case majorSetInfo: // 2.2.3.3.9
		if len(body) < 32 {
			return
		}
		r.info = le.Uint32(body)
		r.setting = append([]byte(nil), body[32:min(len(body), 32+1024)]...)
	case majorClose:
	default:
		return
	}
	x.waiting[ioKey{le.Uint32(b[4:]), le.Uint32(b[12:])}] = r
}

// completed takes what the client did (MS-RDPEFS 2.2.1.5).
func (x *drives) completed(r *ioRequest, b []byte, c wire.Chunk) {
	le := binary.LittleEndian
	if r.major == majorCreate {
		if len(b) >= 4 {
			x.open(fileKey{r.file.device, le.Uint32(b)}, r, c)
		}
		return
	}
	f := x.files[r.file]
	if f == nil {
		return
	}
	wire.Stretch(&f.start, &f.last, c.Time)
	f.seen.Add(c.At)
	switch r.major {
	case majorClose:
		x.finish(f, wire.FIN)
	case majorRead:
		if len(b) < 4 {
			return
		}
		if f.read == nil {
			f.read = x.d.p.env.File(content.Read)
		}
		n := min(int(le.Uint32(b)), len(b)-4)
		f.read.Write(r.off, b[4:4+n], nil)
		if uint32(n) < r.info {
			f.short = max(f.short, r.off+int64(n))
		}
	case majorWrite:
		if f.write == nil {
			f.write = x.d.p.env.File(content.Write)
		}
		f.write.Begin()
		f.write.Write(r.off, r.data, nil)
		f.high = max(f.high, r.off+int64(len(r.data)))
	case majorSetInfo:
		x.set(f, r)
	}
}

func (x *drives) set(f *redirected, r *ioRequest) {
	switch {
	case r.info == setEndOfFile && len(r.setting) >= 8:
		f.end = int64(binary.LittleEndian.Uint64(r.setting))
		if f.write != nil && f.end >= 0 {
			f.write.Truncate(f.end)
		}
	case r.info == setRename && len(r.setting) >= 6:
		if name := utf16String(r.setting[6:]); name != "" {
			f.path = name
		}
	}
}

func (x *drives) open(k fileKey, r *ioRequest, c wire.Chunk) {
	if old := x.files[k]; old != nil {
		x.finish(old, wire.FIN)
	}
	if len(x.files) >= maxWaiting {
		return
	}
	f := &redirected{key: k, path: r.path, fresh: r.fresh, end: -1, short: -1, seq: c.Seq, start: c.Time, last: c.Time}
	f.seen.Add(c.At)
	x.files[k] = f
	x.order = append(x.order, f)
}

// finish reports what moved of a file.
func (x *drives) finish(f *redirected, how wire.Ending) {
	if f.done {
		return
	}
	f.done = true
	delete(x.files, f.key)
	client := wire.Side(max(x.d.client, 0))
	if f.read != nil {
		e := content.End{Size: f.short}
		if f.short < 0 {
			e.Incomplete = "the file's size is not known"
		}
		x.emit(f, f.read, client, e)
	}
	if f.write != nil {
		e := content.End{Size: max(f.high, f.end), ZeroFill: f.fresh && how == wire.FIN && !x.lost}
		if how != wire.FIN && f.end < 0 {
			e.Incomplete = "interrupted: " + how.String()
		}
		x.emit(f, f.write, client.Other(), e)
	}
}

func (x *drives) emit(f *redirected, file *content.File, from wire.Side, e content.End) {
	x.ordinal++
	t := x.d.moved(from, strings.TrimPrefix(f.path, `\`), f.seq, x.ordinal)
	t.Start, t.End, t.Seen, t.What = f.start, f.last, f.seen, "RDP drive redirection"
	t.Notes = append(t.Notes, "over a redirected drive of the client")
	// The server asks for each byte: it pulls from the client, and pushes to it.
	t.Initiator, t.Operation = model.ByDestination, model.Pull
	if from == wire.Side(max(x.d.client, 0)).Other() {
		t.Initiator, t.Operation = model.BySource, model.Push
	}
	if x.lost && e.Incomplete == "" && e.Size >= 0 && !file.Covers(0, e.Size) {
		e.Incomplete = "messages were lost"
	}
	file.Close(e)
	t.Content = file
	x.d.p.env.Transfer(t)
}

func (x *drives) end(how wire.Ending) {
	for _, f := range x.order {
		x.finish(f, how)
	}
}
