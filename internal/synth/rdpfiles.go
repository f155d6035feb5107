package synth

import (
	"encoding/binary"

	"waybill/internal/model"
)

// What crosses the channels of a Remote Desktop session: files of redirected drives and
// of the clipboard.

// rdpdr begins a message of the channel of drives (MS-RDPEFS 2.2.1.1).
func rdpdr(packet uint16, values ...uint32) pack {
	p := pack{}
	p.u16(0x4472, packet)
	p.u32(values...)
	return p
}

// Drive redirects the client's drive C: (MS-RDPEFS 1.3.1).
func (r *RDP) Drive() {
	hello := func(from Side, packet uint16) {
		p := rdpdr(packet)
		p.u16(1, 12)
		p.u32(7)
		r.message(from, rdpDrives, p)
	}
	hello(Server, 0x496E)
	hello(Client, 0x4343)
	name := append(utf16le(r.Name), 0, 0)
	p := rdpdr(0x434E, 1, 0, uint32(len(name)))
	p.bytes(name)
	r.message(Client, rdpDrives, p)
	device := rdpdr(0x4441, 1, 8, 1)
	device.bytes([]byte("C:\x00\x00\x00\x00\x00\x00"))
	device.u32(0)
	r.message(Client, rdpDrives, device)
	r.message(Server, rdpDrives, rdpdr(0x6472, 1, 0))
}

// The requests to a drive (MS-RDPEFS 2.2.1.4).
const (
	driveCreate = 0
	driveClose  = 2
	driveRead   = 3
	driveWrite  = 4
	driveQuery  = 5
)

// ask is a request of the server to the drive and its answer.
func (r *RDP) ask(file, major uint32, body, answer []byte) {
	r.completion++
	p := rdpdr(0x4952, 1, file, r.completion, major, 0)
	p.bytes(body)
	r.message(Server, rdpDrives, p)
	a := rdpdr(0x4943, 1, r.completion, 0)
	a.bytes(answer)
	r.message(Client, rdpDrives, a)
}

// driveUnit is what Windows reads and writes at a time.
const driveUnit = 64 << 10

// ReadDrive lets the server read a file of the client's drive.
func (r *RDP) ReadDrive(path string, content []byte) {
	id := r.openDrive(path, 1)
	var size pack
	size.u32(22)
	size.u64(uint64(len(content)+4095)&^4095, uint64(len(content)))
	size.u32(1)
	size.u8(0, 0)
	var class pack
	class.u32(5, 22)
	class.zero(24)
	r.ask(id, driveQuery, class, size)
	for at := 0; at < len(content); at += driveUnit {
		part := content[at:min(at+driveUnit, len(content))]
		var answer pack
		answer.u32(uint32(len(part)))
		answer.bytes(part)
		r.ask(id, driveRead, driveRange(driveUnit, at), answer)
	}
	r.ask(id, driveClose, make([]byte, 32), make([]byte, 4))
	r.moved(Client, model.Pull, path, content)
}

// WriteDrive lets the server write a file to the client's drive.
func (r *RDP) WriteDrive(path string, content []byte) {
	id := r.openDrive(path, 5)
	for at := 0; at < len(content); at += driveUnit {
		part := content[at:min(at+driveUnit, len(content))]
		r.ask(id, driveWrite, append(driveRange(len(part), at), part...), binary.LittleEndian.AppendUint32(nil, uint32(len(part))))
	}
	r.ask(id, driveClose, make([]byte, 32), make([]byte, 4))
	r.moved(Server, model.Push, path, content)
}

func driveRange(n, at int) []byte {
	var p pack
	p.u32(uint32(n))
	p.u64(uint64(at))
	p.zero(20)
	return p
}

func (r *RDP) openDrive(path string, disposition uint32) uint32 {
	r.files++
	name := append(utf16le(`\`+path), 0, 0)
	var p, answer pack
	p.u32(0x0012019F)
	p.u64(0)
	p.u32(0x80, 7, disposition, 0x40, uint32(len(name)))
	p.bytes(name)
	answer.u32(r.files)
	answer.u8(1)
	r.ask(0, driveCreate, p, answer)
	return r.files
}

// The messages of the clipboard (MS-RDPECLIP 2.2.1).
const (
	clipFormats     = 2
	clipFormatsDone = 3
	clipDataAsked   = 4
	clipData        = 5
	clipRangeAsked  = 8
	clipRange       = 9
	clipFiles       = 0xC0BC // the number that the owner gives FileGroupDescriptorW
)

func (r *RDP) clip(from Side, kind, flags uint16, body []byte) {
	var p pack
	p.u16(kind, flags)
	p.u32(uint32(len(body)))
	p.bytes(body)
	r.message(from, rdpClip, p)
}

// Paste copies a file by the clipboard, from the side that owns it to the other.
func (r *RDP) Paste(from Side, name string, content []byte) {
	to := from.other()
	formats := append(append(binary.LittleEndian.AppendUint32(nil, clipFiles), utf16le("FileGroupDescriptorW")...), 0, 0)
	r.clip(from, clipFormats, 0, formats)
	r.clip(to, clipFormatsDone, 1, nil)
	r.clip(to, clipDataAsked, 0, binary.LittleEndian.AppendUint32(nil, clipFiles))
	var list pack
	list.u32(1, 0x4064)
	list.zero(32)
	list.u32(0x20)
	list.zero(24)
	list.u32(0, uint32(len(content)))
	list.bytes(append(utf16le(name), make([]byte, 520)...)[:520])
	r.clip(from, clipData, 1, list)
	for at := 0; at < len(content); at += driveUnit {
		r.streams++
		var ask, answer pack
		ask.u32(r.streams, 0, 2, uint32(at), 0, driveUnit)
		answer.u32(r.streams)
		answer.bytes(content[at:min(at+driveUnit, len(content))])
		r.clip(to, clipRangeAsked, 0, ask)
		r.clip(from, clipRange, 1, answer)
	}
	operation := model.Push
	if from == Server {
		operation = model.Pull
	}
	r.moved(from, operation, name, content)
}
