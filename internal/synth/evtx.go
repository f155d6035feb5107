package synth

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"
	"unicode/utf16"
)

// EVTX writes the records as an event log file: chunks of 64 KiB, a template for
// each kind of event in a chunk, and typed values (MS-EVEN6 2.2.12; J. Metz,
// Windows XML Event Log format).
func (l Logs) EVTX() []byte {
	w := evtxWriter{}
	for i := range l {
		if !w.record(&l[i]) {
			w.flush()
			w.record(&l[i])
		}
	}
	w.flush()
	return append(w.header(), w.file...)
}

type evtxWriter struct {
	file   []byte
	chunks int

	chunk       []byte // the one being filled, from its header
	names       map[string]int
	templates   map[string]int
	first, last uint64
	lastAt      int
	begun       bool
	number      uint64 // of records in the file
}

const evtxChunk = 64 << 10

// record adds a record, or reports that the chunk is full.
func (w *evtxWriter) record(r *Logged) bool {
	if !w.begun {
		w.chunk, w.names, w.templates = make([]byte, 512, evtxChunk), map[string]int{}, map[string]int{}
		w.first, w.begun = w.number+1, true
	}
	at := len(w.chunk)
	w.number++
	w.bytes([]byte{0x2a, 0x2a, 0, 0})
	w.u32(0)
	w.u64(w.number)
	w.u64(fileTime(r))
	w.event(r)
	for len(w.chunk)%8 != 4 {
		w.bytes([]byte{0})
	}
	size := uint32(len(w.chunk) - at + 4)
	w.u32(size)
	if len(w.chunk) > evtxChunk {
		// It goes into the next chunk, with its names and templates.
		w.chunk = w.chunk[:at]
		w.number--
		return false
	}
	binary.LittleEndian.PutUint32(w.chunk[at+4:], size)
	w.last, w.lastAt = w.number, at
	return true
}

func fileTime(r *Logged) uint64 { return uint64(r.Time)/100 + 116444736000000000 }

func (w *evtxWriter) bytes(b []byte) { w.chunk = append(w.chunk, b...) }
func (w *evtxWriter) u16(n int)      { w.chunk = binary.LittleEndian.AppendUint16(w.chunk, uint16(n)) }
func (w *evtxWriter) u32(n uint32)   { w.chunk = binary.LittleEndian.AppendUint32(w.chunk, n) }
func (w *evtxWriter) u64(n uint64)   { w.chunk = binary.LittleEndian.AppendUint64(w.chunk, n) }

func (w *evtxWriter) text(s string) {
	for _, u := range utf16.Encode([]rune(s)) {
		w.u16(int(u))
	}
}

// event writes the binary XML of a record: an instance of the template of its kind.
func (w *evtxWriter) event(r *Logged) {
	w.bytes([]byte{0x0f, 1, 1, 0, 0x0c, 1})
	key := r.Provider + r.Channel + strconv.Itoa(r.ID)
	for _, d := range r.Data {
		key += "\x00" + d[0]
	}
	w.u32(uint32(len(w.templates) + 1))
	offset, known := w.templates[key]
	if !known {
		offset = len(w.chunk) + 4
	}
	w.u32(uint32(offset))
	if !known {
		w.templates[key] = offset
		w.template(r)
	}
	w.values(r)
}

// template writes the definition of a kind of event. The first five substitutions
// are those of System, then come the data.
func (w *evtxWriter) template(r *Logged) {
	w.u32(0)
	w.bytes(make([]byte, 16))
	size := len(w.chunk)
	w.u32(0)
	w.bytes([]byte{0x0f, 1, 1, 0})
	w.element("Event", "", "", func() {
		w.element("System", "", "", func() {
			w.element("Provider", "Name", r.Provider, nil)
			w.element("EventID", "", "", func() { w.substitution(0, 0x06) })
			w.element("Keywords", "", "", func() { w.substitution(1, 0x15) })
			w.timeCreated(2)
			w.element("EventRecordID", "", "", func() { w.substitution(3, 0x0a) })
			w.element("Channel", "", "", func() { w.fixed(r.Channel) })
			w.element("Computer", "", "", func() { w.substitution(4, 0x01) })
		})
		w.element("EventData", "", "", func() {
			for i, d := range r.Data {
				attr := "Name"
				if d[0] == "" { // as classic sources write it
					attr = ""
				}
				w.element("Data", attr, d[0], func() { w.substitution(5+i, 0x01) })
			}
		})
	})
	w.bytes([]byte{0})
	binary.LittleEndian.PutUint32(w.chunk[size:], uint32(len(w.chunk)-size-4))
}

// element writes an element with one attribute or none.
func (w *evtxWriter) element(name, attr, value string, content func()) {
	token := byte(0x01)
	if attr != "" {
		token |= 0x40
	}
	w.bytes([]byte{token, 0xff, 0xff})
	size := w.hole()
	w.name(name)
	if attr != "" {
		list := w.hole()
		w.bytes([]byte{0x06})
		w.name(attr)
		w.fixed(value)
		w.fill(list)
	}
	w.end(size, content)
}

func (w *evtxWriter) end(size int, content func()) {
	if content == nil {
		w.bytes([]byte{0x03})
	} else {
		w.bytes([]byte{0x02})
		content()
		w.bytes([]byte{0x04})
	}
	w.fill(size)
}

func (w *evtxWriter) timeCreated(index int) {
	w.bytes([]byte{0x41, 0xff, 0xff})
	size := w.hole()
	w.name("TimeCreated")
	list := w.hole()
	w.bytes([]byte{0x06})
	w.name("SystemTime")
	w.substitution(index, 0x11)
	w.fill(list)
	w.end(size, nil)
}

func (w *evtxWriter) hole() int {
	w.u32(0)
	return len(w.chunk) - 4
}

func (w *evtxWriter) fill(at int) {
	binary.LittleEndian.PutUint32(w.chunk[at:], uint32(len(w.chunk)-at-4))
}

func (w *evtxWriter) substitution(index int, kind byte) {
	w.bytes([]byte{0x0e})
	w.u16(index)
	w.bytes([]byte{kind})
}

func (w *evtxWriter) fixed(s string) {
	w.bytes([]byte{0x05, 0x01})
	w.u16(len(utf16.Encode([]rune(s))))
	w.text(s)
}

// name refers to a name, which is written at its first use.
func (w *evtxWriter) name(s string) {
	if at, ok := w.names[s]; ok {
		w.u32(uint32(at))
		return
	}
	at := len(w.chunk) + 4
	w.names[s] = at
	w.u32(uint32(at))
	w.u32(0)
	hash := uint32(0)
	for _, u := range utf16.Encode([]rune(s)) {
		hash = hash*65599 + uint32(u)
	}
	w.u16(int(hash & 0xffff))
	w.u16(len(s))
	w.text(s)
	w.u16(0)
}

// values writes the substitutions: sizes and types, then the bytes.
func (w *evtxWriter) values(r *Logged) {
	type typed struct {
		kind byte
		raw  []byte
	}
	le := binary.LittleEndian
	all := []typed{{0x06, le.AppendUint16(nil, uint16(r.ID))}, {0x15, le.AppendUint64(nil, r.keywords())}, {0x11, le.AppendUint64(nil, fileTime(r))},
		{0x0a, le.AppendUint64(nil, r.Record)}, {0x01, utf16Bytes(r.Computer)}}
	for _, d := range r.Data {
		switch n, err := strconv.ParseUint(d[1], 0, 64); {
		case err == nil && strings.HasPrefix(d[1], "0x"):
			all = append(all, typed{0x15, le.AppendUint64(nil, n)})
		case err == nil && n < 1<<32 && strconv.FormatUint(n, 10) == d[1]:
			all = append(all, typed{0x08, le.AppendUint32(nil, uint32(n))})
		default:
			all = append(all, typed{0x01, utf16Bytes(d[1])})
		}
	}
	w.u32(uint32(len(all)))
	for _, v := range all {
		w.u16(len(v.raw))
		w.bytes([]byte{v.kind, 0})
	}
	for _, v := range all {
		w.bytes(v.raw)
	}
	w.bytes([]byte{0})
}

func utf16Bytes(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

// flush ends a chunk: header, checksums, padding.
func (w *evtxWriter) flush() {
	if !w.begun {
		return
	}
	le, h := binary.LittleEndian, w.chunk
	free := len(h)
	copy(h, "ElfChnk\x00")
	le.PutUint64(h[8:], w.first)
	le.PutUint64(h[16:], w.last)
	le.PutUint64(h[24:], w.first)
	le.PutUint64(h[32:], w.last)
	le.PutUint32(h[40:], 128)
	le.PutUint32(h[44:], uint32(w.lastAt))
	le.PutUint32(h[48:], uint32(free))
	le.PutUint32(h[52:], crc32.ChecksumIEEE(h[512:free]))
	le.PutUint32(h[124:], crc32.Update(crc32.ChecksumIEEE(h[:120]), crc32.IEEETable, h[128:512]))
	w.file = append(append(w.file, h...), make([]byte, evtxChunk-free)...)
	w.chunks++
	w.begun = false
}

// header is the file's.
func (w *evtxWriter) header() []byte {
	le, h := binary.LittleEndian, make([]byte, 4096)
	copy(h, "ElfFile\x00")
	le.PutUint64(h[16:], uint64(max(w.chunks-1, 0)))
	le.PutUint64(h[24:], w.number+1)
	le.PutUint32(h[32:], 128)
	le.PutUint16(h[36:], 1)
	le.PutUint16(h[38:], 3)
	le.PutUint16(h[40:], 4096)
	le.PutUint16(h[42:], uint16(w.chunks))
	le.PutUint32(h[124:], crc32.ChecksumIEEE(h[:120]))
	return h
}
