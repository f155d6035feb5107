package synth

import (
	"encoding/binary"

	"waybill/internal/model"
)

// smbHeaderLen is the length of the header before each body: offsets in bodies
// count from the header's first byte.
const smbHeaderLen = 64

var smbDialects = []uint16{0x0202, 0x0210, 0x0300, 0x0302, 0x0311}

// negotiateRequest offers all dialects up to the session's (MS-SMB2 2.2.3).
func negotiateRequest(s *Session) []byte {
	var dialects pack
	for _, d := range smbDialects {
		if d <= s.Dialect {
			dialects.u16(d)
		}
	}
	var p pack
	p.u16(36, uint16(len(dialects)/2), 1, 0)
	p.u32(s.capabilities())
	p.bytes(s.guids[Client])
	if s.Dialect < 0x0311 {
		p.zero(8)
		p.bytes(dialects)
		return p
	}
	offset := (smbHeaderLen + 36 + len(dialects) + 7) &^ 7
	contexts, count := negotiateContexts(s, []uint16{2, 1, 4, 3})
	p.u32(uint32(offset))
	p.u16(count, 0)
	p.bytes(dialects)
	p.zero(offset - smbHeaderLen - len(p))
	p.bytes(contexts)
	return p
}

// negotiateResponse chooses the session's dialect (MS-SMB2 2.2.4).
func negotiateResponse(s *Session) []byte {
	token := negTokenInit(nil)
	var p pack
	p.u16(65, 1, s.Dialect)
	contexts, count := []byte(nil), uint16(0)
	if s.Dialect >= 0x0311 {
		contexts, count = negotiateContexts(s, []uint16{s.cipher()})
	}
	p.u16(count)
	p.bytes(s.guids[Server])
	p.u32(s.capabilities())
	ioMax := uint32(8 << 20)
	if s.Dialect == 0x0202 {
		ioMax = 64 << 10
	}
	p.u32(ioMax, ioMax, ioMax)
	p.u64(filetime(s.net.Now), 0)
	p.u16(smbHeaderLen+64, uint16(len(token)))
	offset := (smbHeaderLen + 64 + len(token) + 7) &^ 7
	if count == 0 {
		p.u32(0)
		p.bytes(token)
		return p
	}
	p.u32(uint32(offset))
	p.bytes(token)
	p.zero(offset - smbHeaderLen - len(p))
	p.bytes(contexts)
	return p
}

// cipher is what the server chooses: AES-128-GCM where nobody cares.
func (s *Session) cipher() uint16 {
	if s.Kerberos != nil && s.Kerberos.Cipher != 0 {
		return s.Kerberos.Cipher
	}
	return 2
}

// capabilities are DFS, leasing, large MTU, multichannel and encryption, as far
// as the dialect has them (MS-SMB2 2.2.3).
func (s *Session) capabilities() uint32 {
	switch {
	case s.Dialect >= 0x0300:
		return 0x4F
	case s.Dialect >= 0x0210:
		return 0x07
	}
	return 0x01
}

// negotiateContexts are those for integrity, encryption with the given ciphers
// and, when allowed, compression (MS-SMB2 2.2.3.1).
func negotiateContexts(s *Session, ciphers []uint16) ([]byte, uint16) {
	var integrity, encryption, compression, all pack
	integrity.u16(1, 32, 1)
	integrity.bytes(s.net.Bytes(32))
	encryption.u16(uint16(len(ciphers)))
	encryption.u16(ciphers...)
	compression.u16(5, 0)
	compression.u32(1)
	compression.u16(1, 2, 3, 4, 5)
	contexts := []pack{integrity, encryption}
	if s.AllowsCompression {
		contexts = append(contexts, compression)
	}
	for i, c := range contexts {
		all.align(8)
		all.u16(uint16(i+1), uint16(len(c)), 0, 0)
		all.bytes(c)
	}
	return all, uint16(len(contexts))
}

// setupRequest is MS-SMB2 2.2.5; binding asks for another channel.
func setupRequest(binding bool, token []byte) []byte {
	var p pack
	p.u16(25)
	flags := uint8(0)
	if binding {
		flags = 1
	}
	p.u8(flags, 1)
	p.u32(1, 0)
	p.u16(smbHeaderLen+24, uint16(len(token)))
	p.u64(0)
	p.bytes(token)
	return p
}

// setupResponse is MS-SMB2 2.2.6.
func setupResponse(token []byte) []byte {
	var p pack
	p.u16(9, 0, smbHeaderLen+8, uint16(len(token)))
	p.bytes(token)
	return p
}

// treeRequest is MS-SMB2 2.2.9.
func treeRequest(share string) []byte {
	path := utf16le(share)
	var p pack
	p.u16(9, 0, smbHeaderLen+8, uint16(len(path)))
	p.bytes(path)
	return p
}

// treeResponse is MS-SMB2 2.2.10; kind is 1 for a disk, 2 for pipes, 3 for a printer.
func treeResponse(kind uint8) []byte {
	var p pack
	p.u16(16)
	p.u8(kind, 0)
	p.u32(0x30, 0, 0x001F01FF)
	return p
}

// createRequest is MS-SMB2 2.2.13.
func createRequest(path string, access uint32, disposition Disposition) []byte {
	name := utf16le(path)
	var p pack
	p.u16(57)
	p.u8(0, 0)
	p.u32(2)
	p.u64(0, 0)
	p.u32(access, 0x80, 7, uint32(disposition), 0x40)
	p.u16(smbHeaderLen+56, uint16(len(name)))
	p.u32(0, 0)
	p.bytes(name)
	if len(name) == 0 {
		p.u8(0)
	}
	return p
}

// createResponse is MS-SMB2 2.2.14; action is 1 opened, 2 created, 3 overwritten.
func createResponse(o *Open, action uint32) []byte {
	var p pack
	p.u16(89, 0)
	p.u32(action)
	p.fileTimes(o.t.s.stamp)
	p.u64(uint64(o.size+4095)&^4095, uint64(o.size))
	p.u32(o.attributes(), 0)
	p.u64(o.id[0], o.id[1])
	p.u32(0, 0)
	return p
}

// fileTimes are creation, access, write and change.
func (p *pack) fileTimes(t model.Time) {
	p.u64(filetime(t), filetime(t), filetime(t), filetime(t))
}

// closeRequest is MS-SMB2 2.2.15; attributes asks for sizes and times.
func closeRequest(id [2]uint64, attributes bool) []byte {
	var p pack
	flags := uint16(0)
	if attributes {
		flags = 1
	}
	p.u16(24, flags)
	p.u32(0)
	p.u64(id[0], id[1])
	return p
}

// closeResponse is MS-SMB2 2.2.16.
func closeResponse(o *Open, attributes bool) []byte {
	var p pack
	if !attributes {
		p.u16(60)
		p.zero(58)
		return p
	}
	p.u16(60, 1)
	p.u32(0)
	p.fileTimes(o.t.s.stamp)
	p.u64(uint64(o.size+4095)&^4095, uint64(o.size))
	p.u32(o.attributes())
	return p
}

// readRequest is MS-SMB2 2.2.19.
func readRequest(id [2]uint64, offset int64, size int) []byte {
	var p pack
	p.u16(49)
	p.u8(0x50, 0)
	p.u32(uint32(size))
	p.u64(uint64(offset), id[0], id[1])
	p.u32(0, 0, 0, 0)
	p.u8(0)
	return p
}

// readResponse is MS-SMB2 2.2.20, without its data.
func readResponse(size int) []byte {
	var p pack
	p.u16(17)
	p.u8(smbHeaderLen+16, 0)
	p.u32(uint32(size), 0, 0)
	return p
}

// writeRequest is MS-SMB2 2.2.21, without its data.
func writeRequest(id [2]uint64, offset int64, size int) []byte {
	var p pack
	p.u16(49, smbHeaderLen+48)
	p.u32(uint32(size))
	p.u64(uint64(offset), id[0], id[1])
	p.u32(0, 0, 0, 0)
	return p
}

// writeResponse is MS-SMB2 2.2.22.
func writeResponse(size int) []byte {
	var p pack
	p.u16(17, 0)
	p.u32(uint32(size), 0, 0)
	return p
}

// setInfoRequest is MS-SMB2 2.2.39 for information of a file.
func setInfoRequest(id [2]uint64, class uint8, info []byte) []byte {
	var p pack
	p.u16(33)
	p.u8(1, class)
	p.u32(uint32(len(info)))
	p.u16(smbHeaderLen+32, 0)
	p.u32(0)
	p.u64(id[0], id[1])
	p.bytes(info)
	return p
}

// queryInfoRequest is MS-SMB2 2.2.37 for information of a file.
func queryInfoRequest(id [2]uint64, class uint8, size uint32) []byte {
	var p pack
	p.u16(41)
	p.u8(1, class)
	p.u32(size, 0, 0, 0, 0)
	p.u64(id[0], id[1])
	return p
}

// outputResponse is the form of QUERY_INFO's and QUERY_DIRECTORY's responses
// (MS-SMB2 2.2.38, 2.2.34).
func outputResponse(output []byte) []byte {
	var p pack
	p.u16(9, smbHeaderLen+8)
	p.u32(uint32(len(output)))
	p.bytes(output)
	return p
}

// queryDirectoryRequest is MS-SMB2 2.2.33, for FileIdBothDirectoryInformation.
func queryDirectoryRequest(id [2]uint64, pattern string) []byte {
	name := utf16le(pattern)
	var p pack
	p.u16(33)
	p.u8(37, 0)
	p.u32(0)
	p.u64(id[0], id[1])
	p.u16(smbHeaderLen+32, uint16(len(name)))
	p.u32(65536)
	p.bytes(name)
	return p
}

// directory is a list of FileIdBothDirectoryInformation (MS-FSCC 2.4.22).
func directory(stamp model.Time, names []string) []byte {
	var all pack
	last := 0
	for i, name := range names {
		all.align(8)
		if i > 0 {
			binary.LittleEndian.PutUint32(all[last:], uint32(len(all)-last))
		}
		last = len(all)
		n := utf16le(name)
		all.u32(0, uint32(i))
		all.fileTimes(stamp)
		all.u64(uint64(len(name)), 4096)
		all.u32(0x80, uint32(len(n)), 0)
		all.u8(0, 0)
		all.zero(24)
		all.u16(0)
		all.u64(uint64(i + 1))
		all.bytes(n)
	}
	return all
}

// ioctlRequest is MS-SMB2 2.2.31 for a file system control.
func ioctlRequest(id [2]uint64, code uint32, input []byte) []byte {
	var p pack
	p.u16(57, 0)
	p.u32(code)
	p.u64(id[0], id[1])
	p.u32(smbHeaderLen+56, uint32(len(input)), 0, 0, 0, 4280, 1, 0)
	p.bytes(input)
	return p
}

// ioctlResponse is MS-SMB2 2.2.32.
func ioctlResponse(id [2]uint64, code uint32, output []byte) []byte {
	var p pack
	p.u16(49, 0)
	p.u32(code)
	p.u64(id[0], id[1])
	p.u32(smbHeaderLen+48, 0, smbHeaderLen+48, uint32(len(output)), 0, 0)
	p.bytes(output)
	return p
}

// errorBody is MS-SMB2 2.2.2.
func errorBody() []byte { return []byte{9, 0, 0, 0, 0, 0, 0, 0, 0} }
