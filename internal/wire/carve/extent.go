package carve

import (
	"bytes"
	"encoding/binary"
)

// extent tells where a file ends while its bytes come in order.
type extent struct {
	exact int64 // the end, once it is known; 0 before
	least int64 // of programs: the end of what their headers name; data may be appended

	tell func(x *extent, at int64, b []byte) // of the format; nil when nothing more is to be learned
	buf  []byte                              // what tell keeps
	from int64                               // offset of buf
	next int64                               // of formats that are lists of blocks: offset of the next one
}

// maxHeaders bounds how much of a file's headers is looked at.
const maxHeaders = 64 << 10

// take looks at the next bytes; those at 0 tell the format.
func (x *extent) take(at int64, b []byte) {
	if at == 0 {
		x.tell = formatOf(b)
	}
	if x.tell != nil {
		x.tell(x, at, b)
	}
}

// lose says that bytes were not seen: headers inside are not known then.
func (x *extent) lose(at, n int64) {
	if x.next > 0 && at+n > x.next {
		x.tell = nil
	}
	x.buf = nil
}

// formatOf gives what tells the end of a format by its first bytes.
func formatOf(b []byte) func(*extent, int64, []byte) {
	has := func(magic string) bool { return bytes.HasPrefix(b, []byte(magic)) }
	switch {
	case has("PK\x03\x04"), has("PK\x05\x06"):
		return (*extent).zip
	case has("Rar!\x1a\x07\x01\x00"):
		return func(x *extent, at int64, b []byte) { x.walk(at, b, 8, rar5Block) }
	case has("Rar!\x1a\x07\x00"):
		return func(x *extent, at int64, b []byte) { x.walk(at, b, 7, rar4Block) }
	case has("7z\xbc\xaf\x27\x1c"):
		return func(x *extent, at int64, b []byte) { x.header(at, b, &x.exact, sevenZipSize) }
	case has("MSCF\x00\x00\x00\x00"):
		return func(x *extent, at int64, b []byte) { x.header(at, b, &x.exact, cabinetSize) }
	case has("MZ"):
		return func(x *extent, at int64, b []byte) { x.header(at, b, &x.least, peSize) }
	case has("\x7fELF"):
		return func(x *extent, at int64, b []byte) { x.header(at, b, &x.least, elfSize) }
	case has("\xca\xfe\xba\xbe"), has("\xce\xfa\xed\xfe"), has("\xcf\xfa\xed\xfe"), has("\xfe\xed\xfa\xce"), has("\xfe\xed\xfa\xcf"):
		return func(x *extent, at int64, b []byte) { x.header(at, b, &x.least, machoSize) }
	}
	return nil
}

// header gathers the first bytes until they tell a size.
func (x *extent) header(at int64, b []byte, size *int64, tell func([]byte) (int64, bool)) {
	if at != int64(len(x.buf)) {
		x.tell, x.buf = nil, nil // a hole in the headers
		return
	}
	x.buf = append(x.buf, b[:min(len(b), maxHeaders-len(x.buf))]...)
	n, more := tell(x.buf)
	if more && len(x.buf) < maxHeaders {
		return
	}
	if n > 0 && n < 1<<40 {
		*size = n
	}
	x.tell, x.buf = nil, nil
}

// The end record of a ZIP file and those of 64 bits before it (APPNOTE.TXT 4.3.14
// to 4.3.16).
const (
	zipEnd      = "PK\x05\x06"
	zipEndLen   = 22
	zip64Len    = 56
	zip64Locate = 20
	zipWindow   = zip64Len + zip64Locate + zipEndLen
)

// zip looks for the end record whose directory ends where the record begins.
func (x *extent) zip(at int64, b []byte) {
	if at != x.from+int64(len(x.buf)) {
		x.buf = nil
	}
	if len(x.buf) == 0 {
		x.from = at
	}
	x.buf = append(x.buf, b...)
	for i := 0; ; i++ {
		n := bytes.Index(x.buf[i:], []byte(zipEnd))
		if n < 0 || i+n+zipEndLen > len(x.buf) {
			break
		}
		i += n
		if size := x.zipEnd(i); size > 0 {
			x.exact, x.tell, x.buf = size, nil, nil
			return
		}
	}
	drop := max(0, len(x.buf)-zipWindow)
	x.from += int64(drop)
	x.buf = append(x.buf[:0], x.buf[drop:]...)
}

// zipEnd is the size of the file whose end record is at i of the window; 0 when the
// record is another file's, stored inside.
func (x *extent) zipEnd(i int) int64 {
	le := binary.LittleEndian
	record, at := x.buf[i:], x.from+int64(i)
	size, offset := int64(le.Uint32(record[12:])), int64(le.Uint32(record[16:]))
	end := at + zipEndLen + int64(le.Uint16(record[20:]))
	if offset+size == at {
		return end
	}
	if i < zip64Len+zip64Locate {
		return 0
	}
	locator, record64 := x.buf[i-zip64Locate:], x.buf[i-zip64Locate-zip64Len:]
	if string(locator[:4]) != "PK\x06\x07" || string(record64[:4]) != "PK\x06\x06" {
		return 0
	}
	at -= zip64Locate + zip64Len
	if le.Uint64(locator[8:]) != uint64(at) || le.Uint64(record64[40:])+le.Uint64(record64[48:]) != uint64(at) {
		return 0
	}
	return end
}

// block is one header of an archive that is a list of blocks.
type block struct {
	size int64 // with its data
	last bool
	bad  bool // cannot be read: encrypted, damaged
	more bool // more bytes are needed
}

// maxBlockHead is more than the header of a block has that is needed here.
const maxBlockHead = 64

// walk goes from block to block, the first at an offset.
func (x *extent) walk(at int64, b []byte, first int64, parse func([]byte) block) {
	x.next = max(x.next, first)
	for {
		skip := x.next + int64(len(x.buf)) - at
		if skip > int64(len(b)) {
			return
		}
		b := b[skip:]
		x.buf = append(x.buf, b[:min(len(b), maxBlockHead-len(x.buf))]...)
		p := parse(x.buf)
		switch {
		case p.more && len(x.buf) < maxBlockHead:
			return
		case p.more, p.bad, p.size <= 0, p.size > 1<<40:
			x.tell, x.buf = nil, nil
			return
		case p.last:
			x.exact, x.tell, x.buf = x.next+p.size, nil, nil
			return
		}
		x.next += p.size
		x.buf = x.buf[:copy(x.buf, x.buf[min(int(p.size), len(x.buf)):])]
	}
}

// rar5Block reads a block of RAR 5.0 (RAR 5.0 archive format, "General archive block
// format"): checksum, size, type, flags, sizes of the extra and data areas.
func rar5Block(b []byte) block {
	const flagExtra, flagData, typeEncryption, typeEnd = 1, 2, 4, 5
	if len(b) < 5 {
		return block{more: true}
	}
	at := 4
	next := func() (v uint64) {
		n, k := binary.Uvarint(b[min(at, len(b)):])
		if k <= 0 {
			at = len(b) + 1
			return 0
		}
		at += k
		return n
	}
	size := next()
	body := at
	kind, flags := next(), next()
	if flags&flagExtra != 0 {
		next()
	}
	data := uint64(0)
	if flags&flagData != 0 {
		data = next()
	}
	switch {
	case at > len(b):
		return block{more: true}
	case kind == typeEncryption, size > 2<<20, data > 1<<40, at-body > int(size):
		return block{bad: true}
	}
	return block{size: int64(body) + int64(size) + int64(data), last: kind == typeEnd}
}

// rar4Block reads a block of RAR 1.5 to 4 (technote.txt of unRAR): checksum, type,
// flags, size, and the size of data behind it.
func rar4Block(b []byte) block {
	const fileHead, endHead, subHead = 0x74, 0x7b, 0x7a
	if len(b) < 7 {
		return block{more: true}
	}
	le := binary.LittleEndian
	kind, flags, size := b[2], le.Uint16(b[3:]), int64(le.Uint16(b[5:]))
	if kind < 0x72 || kind > endHead || size < 7 {
		return block{bad: true}
	}
	if kind == 0x73 && flags&0x80 != 0 { // the headers are encrypted
		return block{bad: true}
	}
	if flags&0x8000 != 0 {
		if len(b) < 11 {
			return block{more: true}
		}
		data := int64(le.Uint32(b[7:]))
		least := int64(11)
		if (kind == fileHead || kind == subHead) && flags&0x100 != 0 {
			if len(b) < 36 {
				return block{more: true}
			}
			data += int64(le.Uint32(b[32:])) << 32
			least = 36
		}
		if size < least {
			return block{bad: true}
		}
		size += data
	}
	return block{size: size, last: kind == endHead}
}
