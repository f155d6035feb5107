package smb1

import (
	"encoding/binary"
	"unicode/utf16"

	"waybill/internal/wire/fileshare"
	"waybill/internal/wire/framed"
)

// headerLen is the length of the header (MS-CIFS 2.2.3.1).
const headerLen = 32

// Commands (MS-CIFS 2.2.2.1).
const (
	cmdOpen           = 0x02
	cmdCreate         = 0x03
	cmdClose          = 0x04
	cmdDelete         = 0x06
	cmdRename         = 0x07
	cmdRead           = 0x0a
	cmdWrite          = 0x0b
	cmdCreateNew      = 0x0f
	cmdLockAndRead    = 0x13
	cmdWriteAndUnlock = 0x14
	cmdReadRaw        = 0x1a
	cmdWriteRaw       = 0x1d
	cmdWriteComplete  = 0x20
	cmdTransaction    = 0x25
	cmdCopy           = 0x29
	cmdMove           = 0x2a
	cmdWriteAndClose  = 0x2c
	cmdOpenAndX       = 0x2d
	cmdReadAndX       = 0x2e
	cmdWriteAndX      = 0x2f
	cmdTransaction2   = 0x32
	cmdTreeConnect    = 0x70
	cmdTreeDisconnect = 0x71
	cmdNegotiate      = 0x72
	cmdSessionSetup   = 0x73
	cmdLogoff         = 0x74
	cmdTreeConnectX   = 0x75
	cmdNTTransact     = 0xa0
	cmdNTCreate       = 0xa2
	cmdNTRename       = 0xa5
	cmdNone           = 0xff
)

// Flags (MS-CIFS 2.2.3.1).
const (
	flagReply = 0x80

	flags2Signed   = 0x0004
	flags2NTStatus = 0x4000
	flags2Unicode  = 0x8000
)

const statusMoreProcessing = 0xC0000016

// message is one message: its header, and the bytes from the header on.
type message struct {
	framed.Message // without the length field
	b              []byte
	command        byte
	status         uint32 // as NT status, also where it was sent as a DOS error
	flags2         uint16
	tree           uint16
	user           uint16
	id             uint32 // multiplex id and process id
}

func parse(f *framed.Message) (m message, ok bool) {
	b := f.Data
	m.Message, m.b = *f, b
	if len(b) < headerLen+3 || string(b[:4]) != magic {
		return m, false
	}
	le := binary.LittleEndian
	m = message{Message: *f, b: b, command: b[4], status: le.Uint32(b[5:]), flags2: le.Uint16(b[10:]),
		tree: le.Uint16(b[24:]), user: le.Uint16(b[28:]), id: uint32(le.Uint16(b[30:]))<<16 | uint32(le.Uint16(b[26:]))}
	if m.flags2&flags2NTStatus == 0 && m.status != 0 {
		m.status = dosError(b[5], le.Uint16(b[7:]))
	}
	return m, true
}

// content says that the message is content behind a known head: a hole in it costs no
// more than its bytes.
func (m *message) content() bool {
	switch m.command {
	case cmdRead, cmdLockAndRead, cmdWrite, cmdWriteAndUnlock, cmdWriteAndClose, cmdWriteRaw:
		return true
	case cmdReadAndX, cmdWriteAndX:
		return m.b[headerLen+1] == cmdNone
	}
	return false
}

func (m *message) reply() bool { return m.b[9]&flagReply != 0 }

func (m *message) unicode() bool { return m.flags2&flags2Unicode != 0 }

func (m *message) failed() bool { return m.status>>30 == 3 }

// dosErrors are the NT statuses of DOS errors that opens meet, by class and code
// (MS-CIFS 2.2.2.4).
var dosErrors = map[uint32]uint32{
	0x010002: 0xC000000F, 0x010003: 0xC000003A, 0x010005: 0xC0000022, 0x010006: 0xC0000008, 0x010020: 0xC0000043,
	0x010021: 0xC0000054, 0x010026: 0xC0000011, 0x010041: 0xC00000CA, 0x010050: 0xC0000035, 0x0100b7: 0xC0000035,
	0x020002: 0xC000006D, 0x020004: 0xC0000022, 0x020006: 0xC00000CC, 0x030013: 0xC00000A2,
}

func dosError(class byte, code uint16) uint32 {
	if s, ok := dosErrors[uint32(class)<<16|uint32(code)]; ok {
		return s
	}
	return 0xC0000001
}

// block is the parameters and data of one command of a chain (MS-CIFS 2.2.3.4).
type block struct {
	m       *message
	command byte
	words   []byte
	bytes   []byte
	at      int // where bytes begin, from the header
}

// blocks gives the commands of the chain (MS-CIFS 2.2.3.4), at most 8.
func (m *message) blocks() []block {
	var out []block
	at, command := headerLen, m.command
	for len(out) < 8 && at+3 <= len(m.b) {
		n := int(m.b[at]) * 2
		if at+1+n+2 > len(m.b) {
			if n > 0 && at+1+n <= len(m.b) { // a message without byte count
				out = append(out, block{m: m, command: command, words: m.b[at+1 : at+1+n], at: len(m.b)})
			}
			break
		}
		x := block{m: m, command: command, words: m.b[at+1 : at+1+n], at: at + 1 + n + 2}
		count := int(binary.LittleEndian.Uint16(m.b[at+1+n:]))
		x.bytes = m.b[x.at:min(x.at+count, len(m.b))]
		out = append(out, x)
		if !andX(command) || n < 4 || x.words[0] == cmdNone {
			break
		}
		next := int(x.u16(2))
		if next < x.at {
			break
		}
		command, at = x.words[0], next
	}
	return out
}

func andX(command byte) bool {
	switch command {
	case cmdOpenAndX, cmdReadAndX, cmdWriteAndX, cmdSessionSetup, cmdLogoff, cmdTreeConnectX, cmdNTCreate, 0x24:
		return true
	}
	return false
}

// u16 is the number at a byte offset of the words; 0 past their end.
func (x *block) u16(at int) uint16 {
	if at+2 > len(x.words) {
		return 0
	}
	return binary.LittleEndian.Uint16(x.words[at:])
}

func (x *block) u32(at int) uint32 {
	if at+4 > len(x.words) {
		return 0
	}
	return binary.LittleEndian.Uint32(x.words[at:])
}

func (x *block) u64(at int) uint64 { return uint64(x.u32(at)) | uint64(x.u32(at+4))<<32 }

// span is the bytes of the message from an offset that counts from its header.
func (x *block) span(at, n int) []byte {
	b := x.m.b
	if at < headerLen || at > len(b) || n < 0 {
		return nil
	}
	return b[at:min(at+n, len(b))]
}

// texts gives the strings in the data from an offset in it on: UTF-16 aligned to
// the header, or OEM bytes, each ended by a NUL (MS-CIFS 2.2.1.1).
func (x *block) texts(at int, unicode bool, most int) []string {
	var out []string
	for len(out) < most && at < len(x.bytes) {
		var s string
		s, at = x.text(at, unicode)
		out = append(out, s)
	}
	return out
}

func (x *block) text(at int, unicode bool) (string, int) {
	b := x.bytes
	if unicode && (x.at+at)%2 == 1 {
		at++
	}
	if at >= len(b) {
		return "", len(b)
	}
	n := ended(b[at:], unicode)
	s := decode(b[at:at+n], unicode)
	if unicode {
		n++
	}
	return s, at + n + 1
}

// ended is the length of a string up to its NUL.
func ended(b []byte, unicode bool) int {
	step := 1
	if unicode {
		step = 2
	}
	n := 0
	for n+step <= len(b) && (b[n] != 0 || unicode && b[n+1] != 0) {
		n += step
	}
	return n
}

// maxText bounds a name.
const maxText = 4096

// decode reads a name; OEM bytes that are no ASCII are taken for Latin 1.
func decode(b []byte, unicode bool) string {
	b = b[:min(len(b), maxText)]
	if unicode {
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		return string(utf16.Decode(units))
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// core gives the string behind a buffer format byte (MS-CIFS 2.2.1.1), and
// where the next begins.
func (x *block) core(at int) (string, int) {
	if at >= len(x.bytes) {
		return "", at
	}
	return x.text(at+1, x.m.unicode())
}

func (m *message) statusName() string { return fileshare.StatusName(m.status) }
