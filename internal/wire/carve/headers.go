package carve

import "encoding/binary"

// The functions here give the size that the first bytes of a file tell, 0 for none,
// and whether more of them are needed.

// sevenZipSize is the end of the header at the archive's end (7zFormat.txt,
// "SignatureHeader").
func sevenZipSize(b []byte) (n int64, more bool) {
	const head = 32
	if len(b) < head {
		return 0, true
	}
	off, size := binary.LittleEndian.Uint64(b[12:]), binary.LittleEndian.Uint64(b[20:])
	if off > 1<<40 || size > 1<<40 {
		return 0, false
	}
	return head + int64(off+size), false
}

// cabinetSize is cbCabinet (MS-CAB 2.1), or the end of the signature that stands
// behind the cabinet, whose place is in the reserved area of signed ones.
func cabinetSize(b []byte) (n int64, more bool) {
	const flagReserve, reserved = 4, 20
	if len(b) < 60 {
		return 0, true
	}
	le := binary.LittleEndian
	if n = int64(le.Uint32(b[8:])); n < 60 {
		return 0, false
	}
	if le.Uint16(b[30:])&flagReserve != 0 && le.Uint16(b[36:]) == reserved && le.Uint32(b[40:]) == 0x00100000 && int64(le.Uint32(b[44:])) == n {
		n += int64(le.Uint32(b[48:]))
	}
	return n, false
}

// peSize is the end of the last section (Microsoft PE format, "Section Table"), or
// of the certificates behind it.
func peSize(b []byte) (n int64, more bool) {
	if len(b) < 0x40 {
		return 0, true
	}
	le := binary.LittleEndian
	at := int64(le.Uint32(b[0x3c:]))
	if at > maxHeaders/2 {
		return 0, false
	}
	if int64(len(b)) < at+26 {
		return 0, true
	}
	if string(b[at:at+4]) != "PE\x00\x00" {
		return 0, false
	}
	sections, optional := min(int64(le.Uint16(b[at+6:])), 96), int64(le.Uint16(b[at+20:]))
	table := at + 24 + optional
	if int64(len(b)) < table+40*sections {
		return 0, true
	}
	for i := range sections {
		s := table + i*40
		n = max(n, int64(le.Uint32(b[s+16:]))+int64(le.Uint32(b[s+20:])))
	}
	directory := at + 24 + 96 + 4*8 // certificates of PE32
	if le.Uint16(b[at+24:]) == 0x20b {
		directory += 16
	}
	if directory+8 <= table {
		if off, size := int64(le.Uint32(b[directory:])), int64(le.Uint32(b[directory+4:])); off > 0 {
			n = max(n, off+size)
		}
	}
	return n, false
}

// elfSize is the end of the section headers (System V ABI, "ELF Header"), which
// linkers put last.
func elfSize(b []byte) (n int64, more bool) {
	if len(b) < 64 {
		return 0, true
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[5] == 2 {
		order = binary.BigEndian
	}
	if b[4] == 1 {
		return int64(order.Uint32(b[32:])) + int64(order.Uint16(b[46:]))*int64(order.Uint16(b[48:])), false
	}
	off := order.Uint64(b[40:])
	if off > 1<<40 {
		return 0, false
	}
	return int64(off) + int64(order.Uint16(b[58:]))*int64(order.Uint16(b[60:])), false
}

// Load commands of segments (Apple's mach-o/loader.h).
const (
	machoSegment   = 0x01
	machoSegment64 = 0x19
)

// machoSize is the end of the last segment, or of the last program of a fat file
// (mach-o/fat.h).
func machoSize(b []byte) (n int64, more bool) {
	if len(b) < 32 {
		return 0, true
	}
	if binary.BigEndian.Uint32(b) == 0xcafebabe {
		return fatSize(b)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 0xfe {
		order = binary.BigEndian
	}
	magic := order.Uint32(b)
	at, commands, size := 28, order.Uint32(b[16:]), order.Uint32(b[20:])
	if magic == 0xfeedfacf {
		at = 32
	}
	if size > maxHeaders/2 {
		return 0, false
	}
	if len(b) < at+int(size) {
		return 0, true
	}
	for rest := b[at : at+int(size)]; commands > 0 && len(rest) >= 8; commands-- {
		kind, size := order.Uint32(rest), order.Uint32(rest[4:])
		if size < 8 || int(size) > len(rest) {
			return 0, false
		}
		switch {
		case kind == machoSegment && size >= 40:
			n = max(n, int64(order.Uint32(rest[32:]))+int64(order.Uint32(rest[36:])))
		case kind == machoSegment64 && size >= 56 && order.Uint64(rest[40:]) < 1<<40 && order.Uint64(rest[48:]) < 1<<40:
			n = max(n, int64(order.Uint64(rest[40:])+order.Uint64(rest[48:])))
		}
		rest = rest[size:]
	}
	return n, false
}

func fatSize(b []byte) (n int64, more bool) {
	be := binary.BigEndian
	programs := int(be.Uint32(b[4:]))
	if programs > 44 {
		return 0, false
	}
	if len(b) < 8+20*programs {
		return 0, true
	}
	for i := range programs {
		p := b[8+20*i:]
		n = max(n, int64(be.Uint32(p[8:]))+int64(be.Uint32(p[12:])))
	}
	return n, false
}
