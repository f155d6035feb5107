// Package evtx reads Windows event logs in the EVTX format. In comes a file that
// can be read anywhere; out come its events in the order of their record numbers,
// chunk by chunk, and what of it was damaged, with offsets. Chunks that are dirty,
// torn or out of place are read as far as they are whole, and nothing is left out
// without a word. It follows no link, renders no message and keeps nothing between
// chunks.
//
// The format: MS-EVEN6 2.2.12 to 2.2.17 for binary XML, and J. Metz's published
// description of the file, chunk and record headers.
package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sort"

	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
)

// Sizes of the format.
const (
	ChunkSize   = 64 << 10
	chunkHeader = 512
	fileHeader  = 4 << 10
	recordHead  = 24
	recordLeast = recordHead + 4
)

// Magic begins a file, chunkMagic a chunk.
const (
	Magic      = "ElfFile\x00"
	chunkMagic = "ElfChnk\x00"
)

var recordMagic = []byte{0x2a, 0x2a, 0, 0}

// Damage is what could not be read.
type Damage struct {
	Offset int64 // in the file
	Cause  string
}

func (d Damage) String() string { return fmt.Sprintf("offset %d: %s", d.Offset, d.Cause) }

// File is an open log.
type File struct {
	r      io.ReaderAt
	size   int64
	dirty  bool // it was open when it was copied: its last chunks' headers are behind
	chunks []place
	damage []Damage
}

// place is where a chunk is, and its first record's number.
type place struct {
	offset int64
	first  uint64
	length int // less than ChunkSize at a torn end
}

// Open finds the chunks of a file.
func Open(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, fileHeader)
	if n, err := r.ReadAt(head, 0); n < 128 {
		return nil, fmt.Errorf("offset 0: the file header is cut short: %w", err)
	}
	if string(head[:8]) != Magic {
		return nil, errors.New("offset 0: no EVTX file header")
	}
	f := &File{r: r, size: size, dirty: head[120]&1 != 0}
	if crc32.ChecksumIEEE(head[:120]) != binary.LittleEndian.Uint32(head[124:]) {
		f.note(0, "the file header has a wrong checksum")
	}
	start := int64(binary.LittleEndian.Uint16(head[40:]))
	if start == 0 {
		start = fileHeader
	}
	if err := f.find(start); err != nil {
		return nil, err
	}
	if known := int(binary.LittleEndian.Uint16(head[42:])); len(f.chunks) < known {
		f.note(size, "%d of the %d chunks that the file header counts are missing", known-len(f.chunks), known)
	}
	return f, nil
}

func (f *File) note(offset int64, format string, args ...any) {
	f.damage = append(f.damage, Damage{offset, fmt.Sprintf(format, args...)})
}

// Damage gives what was damaged so far, in the order of the file.
func (f *File) Damage() []Damage {
	sort.SliceStable(f.damage, func(i, j int) bool { return f.damage[i].Offset < f.damage[j].Offset })
	return f.damage
}

// Chunks is how many chunks there are.
func (f *File) Chunks() int { return len(f.chunks) }

// find looks for chunks where they belong and, where there is none, in steps of a
// sector. The log is a ring: chunks are put in the order of their records.
func (f *File) find(start int64) error {
	head := make([]byte, chunkHeader)
	var lost int64 = -1
	for at := start; at < f.size; {
		n, err := f.r.ReadAt(head, at)
		if err != nil && err != io.EOF {
			return fmt.Errorf("offset %d: %w", at, err)
		}
		if n < 128 || string(head[:8]) != chunkMagic {
			if lost < 0 && len(bytes.Trim(head[:n], "\x00")) > 0 {
				lost = at
			}
			at += 512
			continue
		}
		if lost >= 0 {
			f.note(lost, "%d bytes are no chunk", at-lost)
			lost = -1
		}
		length := int(min(ChunkSize, f.size-at))
		f.chunks = append(f.chunks, place{at, binary.LittleEndian.Uint64(head[24:]), length})
		at += int64(length)
	}
	if lost >= 0 {
		f.note(lost, "%d bytes at the end are no chunk", f.size-lost)
	}
	sort.SliceStable(f.chunks, func(i, j int) bool { return f.chunks[i].first < f.chunks[j].first })
	return nil
}

// Chunk is the decoded part of a log. It may be used again for another chunk.
type Chunk struct {
	Events []winevent.Event // all of them; those that are not read have no data
	Damage []Damage

	raw       []byte
	dirty     bool
	templates map[uint32]*template
	names     map[uint32]string
	texts     winevent.Texts
	text      []byte
	values    []value
}

// Read reads the i-th chunk. It may be called from several goroutines, each with
// a Chunk of its own.
func (f *File) Read(i int, c *Chunk) error {
	p := f.chunks[i]
	if c.raw == nil {
		c.raw = make([]byte, ChunkSize)
		c.templates, c.names = map[uint32]*template{}, map[uint32]string{}
	}
	clear(c.templates)
	clear(c.names)
	*c = Chunk{Events: c.Events[:0], raw: c.raw[:ChunkSize], templates: c.templates, names: c.names, texts: c.texts, text: c.text, values: c.values}
	n, err := f.r.ReadAt(c.raw[:p.length], p.offset)
	if err != nil && err != io.EOF {
		return fmt.Errorf("offset %d: %w", p.offset, err)
	}
	c.raw, c.dirty = c.raw[:n], f.dirty
	c.decode(p.offset)
	return nil
}

func (c *Chunk) note(offset int64, format string, args ...any) {
	if len(c.Damage) < 16 {
		c.Damage = append(c.Damage, Damage{offset, fmt.Sprintf(format, args...)})
	}
}

// decode reads all records of the chunk at an offset of the file.
func (c *Chunk) decode(base int64) {
	if len(c.raw) < chunkHeader {
		c.note(base, "the chunk is cut off in its header")
		return
	}
	end := c.check(base)
	at := chunkHeader
	for at+recordLeast <= end {
		size := int(binary.LittleEndian.Uint32(c.raw[at+4:]))
		if !bytes.Equal(c.raw[at:at+4], recordMagic) || size < recordLeast || at+size > len(c.raw) {
			next := c.resync(at+1, end)
			if next < 0 {
				if len(bytes.Trim(c.raw[at:end], "\x00")) > 0 {
					c.note(base+int64(at), "%d bytes of the chunk are no records", end-at)
				}
				return
			}
			c.note(base+int64(at), "%d bytes are no record", next-at)
			at = next
			continue
		}
		if copied := binary.LittleEndian.Uint32(c.raw[at+size-4:]); int(copied) != size {
			c.note(base+int64(at), "the record's two sizes differ, %d and %d", size, copied)
		}
		c.record(base, at, size)
		at += size
	}
}

// check looks at the checksums, and gives the end of the records.
func (c *Chunk) check(base int64) int {
	h := c.raw
	sum := crc32.Update(crc32.ChecksumIEEE(h[:120]), crc32.IEEETable, h[128:chunkHeader])
	headGood := sum == binary.LittleEndian.Uint32(h[124:])
	end := int(binary.LittleEndian.Uint32(h[48:]))
	if !headGood && !c.dirty {
		c.note(base, "the chunk header has a wrong checksum, and the log was closed")
	}
	if end < chunkHeader || end > ChunkSize {
		end = len(h)
	}
	if end > len(h) {
		c.note(base+int64(len(h)), "the chunk is cut off, %d bytes are missing", end-len(h))
		end = len(h)
	} else if headGood && crc32.ChecksumIEEE(h[chunkHeader:end]) != binary.LittleEndian.Uint32(h[52:]) {
		c.note(base+chunkHeader, "the chunk's records have a wrong checksum")
	}
	if !headGood {
		return len(h) // a dirty chunk has records that its header does not know
	}
	return end
}

// resync finds the next record.
func (c *Chunk) resync(at, end int) int {
	for at+recordLeast <= end {
		i := bytes.Index(c.raw[at:end], recordMagic)
		if i < 0 {
			return -1
		}
		at += i
		if at+recordLeast <= end {
			size := int(binary.LittleEndian.Uint32(c.raw[at+4:]))
			if size >= recordLeast && at+size <= len(c.raw) && int(binary.LittleEndian.Uint32(c.raw[at+size-4:])) == size {
				return at
			}
		}
		at++
	}
	return -1
}

// record decodes one record; a broken one costs itself.
func (c *Chunk) record(base int64, at, size int) {
	number := binary.LittleEndian.Uint64(c.raw[at+8:])
	written := fileTime(binary.LittleEndian.Uint64(c.raw[at+16:]))
	d := decoder{c: c, at: at + recordHead, end: at + size - 4}
	e := c.next()
	*e = winevent.Event{Record: number, Time: written, Offset: base + int64(at), Fields: e.Fields[:0]}
	if err := d.event(e); err != nil {
		c.note(base+int64(at), "record %d: %v", number, err)
		c.Events = c.Events[:len(c.Events)-1]
	}
}

// next gives an event to fill in, with the memory of an earlier chunk's.
func (c *Chunk) next() *winevent.Event {
	if len(c.Events) < cap(c.Events) {
		c.Events = c.Events[:len(c.Events)+1]
	} else {
		c.Events = append(c.Events, winevent.Event{})
	}
	return &c.Events[len(c.Events)-1]
}

// FirstTime is the time of the first record in a file, of which head is the start.
// A log that began again at its start has older records further on: it has none.
func FirstTime(head []byte) (model.Time, bool) {
	at := fileHeader + chunkHeader
	if len(head) < at+recordHead || string(head[:8]) != Magic || !bytes.Equal(head[at:at+4], recordMagic) ||
		binary.LittleEndian.Uint64(head[8:]) != 0 {
		return 0, false
	}
	t := fileTime(binary.LittleEndian.Uint64(head[at+16:]))
	return t, t != 0
}
