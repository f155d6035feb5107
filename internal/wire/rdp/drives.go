package rdp

import (
	"encoding/binary"
	"slices"
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// Messages of the device redirection channel (MS-RDPEFS 2.2.1.1).
const (
	coreComponent  = 0x4472
	announcedList  = 0x4441
	removedList    = 0x444d
	ioRequestID    = 0x4952
	ioCompletion   = 0x4943
	requestLen     = 24 // MS-RDPEFS 2.2.1.4
	completionLen  = 16 // 2.2.1.5
	parametersLen  = 32 // of most requests
	accessDenied   = 0xc0000022
	readRights     = 0x1 | 0x80000000 | 0x10000000 // data, generic, all: MS-SMB2 2.2.13.1.1
	writeRights    = 0x2 | 0x4 | 0x40000000
	deleteOnClose  = 0x1000 // MS-SMB2 2.2.13
	dispositionOpn = 1
	openIf         = 3
)

// Major functions (MS-RDPEFS 2.2.1.4) and classes of information (2.2.3.3.8 to
// 2.2.3.3.10) that tell of content.
const (
	majorCreate    = 0x0
	majorClose     = 0x2
	majorRead      = 0x3
	majorWrite     = 0x4
	majorQueryInfo = 0x5
	majorSetInfo   = 0x6
	majorDirectory = 0xc

	queryDirectory   = 1 // minor function
	standardInfo     = 5
	setRename        = 10
	setDisposition   = 13
	setEndOfFile     = 20
	entrySizeAt      = 40 // end of file in a directory's entry, MS-FSCC 2.4.8, 2.4.10, 2.4.14
	entryNameSizeAt  = 60
	directoryEntry   = 1
	fullEntry        = 2
	bothEntry        = 3
	maxRemembered    = 512
	maxPathBytes     = 4 << 10
	maxSettingsBytes = 1024
)

// entryNameAt is where an entry's name begins. In MS-RDPEFS 2.2.3.4.10 the entry with
// two names lacks the byte before the short one.
var entryNameAt = map[uint32]int{directoryEntry: 64, fullEntry: 68, bothEntry: 93}

// drives follows files on drives of the client that the server uses: reads carry
// bytes to the server, writes to the client.
type drives struct {
	d       *conn
	lost    bool
	devices map[uint32]*device
	files   map[fileKey]*redirected
	waiting map[ioKey]*ioRequest
	sizes   map[string]int64 // of files by device and path, as queries told
	ordinal int
}

type fileKey struct{ device, file uint32 }

type ioKey struct{ device, completion uint32 }

// ioRequest is a request of the server without the client's answer.
type ioRequest struct {
	major   uint32
	file    fileKey
	path    string
	rights  uint32
	off     int64
	data    []byte // charged to the budget
	fresh   bool
	erased  bool
	info    uint32
	setting []byte
}

// redirected is one open of a file on a redirected drive.
type redirected struct {
	key         fileKey
	number      int
	cost        int64
	path, was   string // was: before renames
	listing     string // what of the folder is asked for
	fresh       bool
	erased      bool
	read, write *content.File
	high, end   int64
	size        int64 // as a query said; -1
	short       int64 // end of file as a short read shows it; -1
	start       model.Time
	last        model.Time
	seen        wire.Packets
	seq         uint32
}

const maxWaiting = 4096

func newDrives(d *conn) *drives {
	return &drives{d: d, devices: map[uint32]*device{}, files: map[fileKey]*redirected{}, waiting: map[ioKey]*ioRequest{}, sizes: map[string]int64{}}
}

func (x *drives) message(from wire.Side, b []byte, c wire.Chunk) {
	le := binary.LittleEndian
	if len(b) < 8 || le.Uint16(b) != coreComponent {
		return
	}
	client := int(from) == x.d.client
	switch kind := le.Uint16(b[2:]); {
	case client && kind == announcedList:
		x.announced(b[4:])
	case client && kind == removedList:
		x.removed(b[4:])
	case !client && kind == ioRequestID && len(b) >= requestLen:
		if x.holdsFiles(le.Uint32(b[4:])) {
			x.request(b)
		}
	case client && kind == ioCompletion && len(b) >= completionLen:
		x.answer(b, c)
	}
}

// request takes what the server asks of the client (MS-RDPEFS 2.2.1.4).
func (x *drives) request(b []byte) {
	le := binary.LittleEndian
	r := &ioRequest{major: le.Uint32(b[16:]), file: fileKey{le.Uint32(b[4:]), le.Uint32(b[8:])}}
	body := b[requestLen:]
	if r.major != majorClose && len(body) < parametersLen {
		return
	}
	switch r.major {
	case majorCreate: // MS-RDPEFS 2.2.1.4.1
		r.rights = le.Uint32(body)
		disposition := le.Uint32(body[20:])
		r.fresh = disposition != dispositionOpn && disposition != openIf
		r.erased = le.Uint32(body[24:])&deleteOnClose != 0
		r.path = counted(body[28:], parametersLen-28)
	case majorRead: // 2.2.1.4.3
		r.info, r.off = le.Uint32(body), int64(le.Uint64(body[4:]))
	case majorWrite: // 2.2.1.4.4
		r.off = int64(le.Uint64(body[4:]))
		r.data = body[parametersLen:]
		r.data = r.data[:min(int64(len(r.data)), int64(le.Uint32(body)))]
	case majorSetInfo: // 2.2.3.3.9
		r.info = le.Uint32(body)
		r.setting = append([]byte(nil), body[parametersLen:min(len(body), parametersLen+maxSettingsBytes)]...)
	case majorQueryInfo: // 2.2.3.3.8
		r.info = le.Uint32(body)
	case majorDirectory: // 2.2.3.3.10
		if le.Uint32(b[20:]) != queryDirectory {
			return
		}
		r.info = le.Uint32(body)
		r.path = counted(body[5:], parametersLen-5)
	case majorClose:
	default:
		return
	}
	x.wait(ioKey{le.Uint32(b[4:]), le.Uint32(b[12:])}, r)
}

// counted reads a path whose length in bytes begins b; the path is at an offset.
func counted(b []byte, at int) string {
	n := int(min(binary.LittleEndian.Uint32(b), maxPathBytes))
	return utf16String(b[at:min(len(b), at+n)])
}

// cost is what a request or an open file takes of the budget.
func cost(path string, data []byte) int64 { return int64(256 + len(path) + len(data)) }

// wait keeps a request for its answer.
func (x *drives) wait(k ioKey, r *ioRequest) {
	x.forget(k)
	if len(x.waiting) >= maxWaiting || !x.d.p.env.Budget().Take(cost(r.path, r.data)) {
		x.lost = true
		return
	}
	r.data = append([]byte(nil), r.data...)
	x.waiting[k] = r
}

// forget drops a request that waits.
func (x *drives) forget(k ioKey) {
	if r := x.waiting[k]; r != nil {
		x.d.p.env.Budget().Give(cost(r.path, r.data))
		delete(x.waiting, k)
	}
}

// answer takes the client's answer to a request (MS-RDPEFS 2.2.1.5).
func (x *drives) answer(b []byte, c wire.Chunk) {
	le := binary.LittleEndian
	k := ioKey{le.Uint32(b[4:]), le.Uint32(b[8:])}
	r := x.waiting[k]
	if r == nil {
		return
	}
	switch status := le.Uint32(b[12:]); {
	case status == 0 && r.major == majorCreate:
		if len(b) >= completionLen+4 {
			x.open(fileKey{r.file.device, le.Uint32(b[completionLen:])}, r, c)
		}
	case status == 0:
		if f := x.files[r.file]; f != nil {
			x.completed(f, r, b[completionLen:], c)
		}
	case status == accessDenied && r.major == majorCreate && r.rights&(readRights|writeRights) != 0:
		x.denied(r, c)
	}
	x.forget(k)
}

// completed takes what the client did.
func (x *drives) completed(f *redirected, r *ioRequest, b []byte, c wire.Chunk) {
	le := binary.LittleEndian
	wire.Stretch(&f.start, &f.last, c.Time)
	f.seen.Add(c.At)
	switch {
	case r.major == majorClose:
		x.finish(f, wire.FIN)
	case len(b) < 4:
	case r.major == majorRead:
		x.wasRead(f, r, b[4:min(int64(len(b)), 4+int64(le.Uint32(b)))])
	case r.major == majorWrite:
		x.wasWritten(f, r, r.data[:min(int64(len(r.data)), int64(le.Uint32(b)))])
	case r.major == majorSetInfo:
		x.set(f, r)
	case r.major == majorQueryInfo && r.info == standardInfo && len(b) >= 4+16: // MS-FSCC 2.4.41
		f.size = int64(le.Uint64(b[4+8:]))
		x.remember(f.key.device, f.path, f.size)
	case r.major == majorDirectory:
		x.entry(f, r, b[4:])
	}
}

func (x *drives) wasRead(f *redirected, r *ioRequest, data []byte) {
	if f.read == nil {
		f.read = x.d.p.env.File(content.Read)
	}
	f.read.Write(r.off, data, nil)
	if len(data) < int(r.info) {
		f.short = max(f.short, r.off+int64(len(data)))
	}
}

func (x *drives) wasWritten(f *redirected, r *ioRequest, data []byte) {
	if f.write == nil {
		f.write = x.d.p.env.File(content.Write)
	}
	f.write.Begin()
	f.write.Write(r.off, data, nil)
	f.high = max(f.high, r.off+int64(len(data)))
}

func (x *drives) set(f *redirected, r *ioRequest) {
	switch {
	case r.info == setEndOfFile && len(r.setting) >= 8:
		f.end = int64(binary.LittleEndian.Uint64(r.setting))
		if f.write != nil && f.end >= 0 {
			f.write.Truncate(f.end)
			f.high = min(f.high, f.end)
		}
	case r.info == setRename && len(r.setting) >= 6: // MS-RDPEFS 2.2.3.3.9.1
		if name := counted(r.setting[2:], 4); name != "" {
			if f.was == "" {
				f.was = f.path
			}
			f.path = name
		}
	case r.info == setDisposition: // without a value it means to delete
		f.erased = len(r.setting) == 0 || r.setting[0] != 0
	}
}

// entry takes one entry of a folder: the size of a file that may be read next.
func (x *drives) entry(f *redirected, r *ioRequest, b []byte) {
	if r.path != "" {
		f.listing = r.path
	}
	at, ok := entryNameAt[r.info]
	if !ok || len(b) < at {
		return
	}
	n := int(min(binary.LittleEndian.Uint32(b[entryNameSizeAt:]), uint32(len(b)-at)))
	folder := f.listing[:len(f.listing)-len(fileshare.LastElement(f.listing))]
	x.remember(f.key.device, folder+utf16String(b[at:at+n]), int64(binary.LittleEndian.Uint64(b[entrySizeAt:])))
}

// remember keeps the size of a file.
func (x *drives) remember(device uint32, path string, size int64) {
	if len(x.sizes) >= maxRemembered {
		clear(x.sizes)
	}
	x.sizes[sizeKey(device, path)] = size
}

// sizeKey names a file alike, whichever slashes a server uses.
func sizeKey(device uint32, path string) string {
	path = strings.ToLower(strings.ReplaceAll(strings.TrimLeft(path, `\/`), "/", `\`))
	return string(binary.LittleEndian.AppendUint32(nil, device)) + path
}

func (x *drives) open(k fileKey, r *ioRequest, c wire.Chunk) {
	if old := x.files[k]; old != nil {
		x.finish(old, wire.FIN)
	}
	if len(x.files) >= maxWaiting || !x.d.p.env.Budget().Take(cost(r.path, nil)) {
		x.lost = true
		return
	}
	x.ordinal++
	f := &redirected{key: k, number: x.ordinal, path: r.path, cost: cost(r.path, nil), fresh: r.fresh, erased: r.erased, end: -1, size: -1, short: -1, seq: c.Seq, start: c.Time, last: c.Time}
	f.seen.Add(c.At)
	x.files[k] = f
}

// end reports what is still open when the connection ends.
func (x *drives) end(how wire.Ending) {
	var open []*redirected
	for _, f := range x.files {
		open = append(open, f)
	}
	slices.SortFunc(open, func(a, b *redirected) int { return a.number - b.number })
	for _, f := range open {
		x.finish(f, how)
	}
	for k := range x.waiting {
		x.forget(k)
	}
}
