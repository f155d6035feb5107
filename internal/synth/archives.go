package synth

import (
	"encoding/binary"
	"hash/crc32"
)

// Programs and archives whose own headers tell how long they are. All hold random
// bytes, stored.

// ELFProgram is a 64-bit program for Linux whose section headers are its end (System
// V ABI, "ELF Header").
func (n *Net) ELFProgram(size int) []byte {
	const head, sections = 64 + 56, 3 * 64
	text := max(size-head-sections, 16) &^ 7
	var p pack
	p.bytes([]byte("\x7fELF\x02\x01\x01"))
	p.zero(9)
	p.u16(2, 0x3e)
	p.u32(1)
	p.u64(0x400078, 64, uint64(head+text))
	p.u32(0)
	p.u16(64, 56, 1, 64, 3, 2)
	p.u32(1, 5)
	p.u64(0, 0x400000, 0x400000, uint64(head+text), uint64(head+text), 0x1000)
	p.bytes(n.Bytes(text-16), []byte("\x00.text\x00.strtab\x00\x00"))
	p.zero(64)
	p.elfSection(1, 1, head, text-16)
	p.elfSection(7, 3, head+text-16, 16)
	return p
}

func (p *pack) elfSection(name, kind uint32, at, size int) {
	p.u32(name, kind)
	p.u64(0, 0, uint64(at), uint64(size))
	p.u32(0, 0)
	p.u64(1, 0)
}

// MachO is a 64-bit program for macOS of two segments (Apple's mach-o/loader.h).
func (n *Net) MachO(size int) []byte {
	const head = 32 + 2*72
	data := max(size-head, 32)
	text := data / 2
	var p pack
	p.u32(0xfeedfacf, 0x0100000C, 0, 2, 2, 2*72, 0, 0)
	p.machoSegment("__TEXT", 0, head+text)
	p.machoSegment("__LINKEDIT", head+text, data-text)
	p.bytes(n.Bytes(data))
	return p
}

func (p *pack) machoSegment(name string, at, size int) {
	var text [16]byte
	copy(text[:], name)
	p.u32(0x19, 72)
	p.bytes(text[:])
	p.u64(uint64(at), uint64(size), uint64(at), uint64(size))
	p.u32(5, 5, 0, 0)
}

// Script is a shell script of a size.
func (n *Net) Script(size int) []byte {
	return append([]byte("#!/bin/sh\n# "), n.Text(max(size-12, 0))...)
}

// SevenZip is an archive of one file (7zFormat.txt), stored.
func (n *Net) SevenZip(size int) []byte {
	data := n.Bytes(size)
	var h pack
	h.u8(1, 4, 6, 0, 1, 9) // streams: one packed
	h.sevenNumber(size)
	h.u8(0, 7, 0x0b, 1, 0, 1, 1, 0, 0x0c) // one folder of one coder that copies
	h.sevenNumber(size)
	h.u8(0x0a, 1)
	h.u32(crc32.ChecksumIEEE(data))
	name := append(utf16le("tool.bin"), 0, 0)
	h.u8(0, 0, 5, 1, 0x11, uint8(len(name)+1), 0)
	h.bytes(name)
	h.u8(0, 0)
	var start, p pack
	start.u64(uint64(size), uint64(len(h)))
	start.u32(crc32.ChecksumIEEE(h))
	p.bytes([]byte("7z\xbc\xaf\x27\x1c\x00\x04"))
	p.u32(crc32.ChecksumIEEE(start))
	p.bytes(start, data, h)
	return p
}

// sevenNumber is a number in the longest of the format's forms.
func (p *pack) sevenNumber(n int) {
	p.u8(0xFF)
	p.u64(uint64(n))
}

// RAR5 is an archive of one file (RAR 5.0 archive format).
func (n *Net) RAR5(size int) []byte {
	data := n.Bytes(size)
	p := pack("Rar!\x1a\x07\x01\x00")
	p.rar5Block(1, 0, 0)
	file := binary.AppendUvarint([]byte{2, 2}, uint64(size))
	file = binary.AppendUvarint(append(file, 4), uint64(size))
	file = binary.LittleEndian.AppendUint32(append(file, 0x20), crc32.ChecksumIEEE(data))
	p.rar5Block(append(file, "\x00\x00\x08tool.bin"...)...)
	p.bytes(data)
	p.rar5Block(5, 0, 0)
	return p
}

func (p *pack) rar5Block(body ...byte) {
	h := append(binary.AppendUvarint(nil, uint64(len(body))), body...)
	p.u32(crc32.ChecksumIEEE(h))
	p.bytes(h)
}

// RAR4 is an archive of one file as RAR 3 and 4 made it (technote.txt).
func (n *Net) RAR4(size int) []byte {
	data := n.Bytes(size)
	p := pack("Rar!\x1a\x07\x00")
	p.rar4Block(0x73, 0, make([]byte, 6))
	var file pack
	file.u32(uint32(size), uint32(size))
	file.u8(2)
	file.u32(crc32.ChecksumIEEE(data), 0x5A714800)
	file.u8(20, 0x30)
	file.u16(8)
	file.u32(0x20)
	file.bytes([]byte("tool.bin"))
	p.rar4Block(0x74, 0x8000, file)
	p.bytes(data)
	p.rar4Block(0x7b, 0x4000, nil)
	return p
}

func (p *pack) rar4Block(kind uint8, flags uint16, body []byte) {
	h := pack{kind}
	h.u16(flags, uint16(7+len(body)))
	h.bytes(body)
	p.u16(uint16(crc32.ChecksumIEEE(h)))
	p.bytes(h)
}

// Cabinet is a cabinet of one file (MS-CAB 2), stored.
func (n *Net) Cabinet(size int) []byte {
	const block, head = 32 << 10, 36 + 8 + 16 + 9
	blocks := (size + block - 1) / block
	var p pack
	p.bytes([]byte("MSCF"))
	p.u32(0, uint32(head+8*blocks+size), 0, 36+8, 0)
	p.u8(3, 1)
	p.u16(1, 1, 0, 7, 0)
	p.u32(head)
	p.u16(uint16(blocks), 0)
	p.u32(uint32(size), 0)
	p.u16(0, 0x5A71, 0x4800, 0x20)
	p.bytes([]byte("tool.bin\x00"))
	for left := n.Bytes(size); len(left) > 0; {
		k := min(len(left), block)
		p.u32(0) // no checksum
		p.u16(uint16(k), uint16(k))
		p.bytes(left[:k])
		left = left[k:]
	}
	return p
}

// Gzip is a text in the gzip format, which does not tell its size at the beginning.
func (n *Net) Gzip(size int) []byte { return compressed(n.Bytes(size)) }
