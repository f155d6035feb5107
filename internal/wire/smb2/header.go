package smb2

import (
	"encoding/binary"
	"unicode/utf16"
)

// The commands of MS-SMB2 2.2.1.
const (
	cmdNegotiate      = 0
	cmdSessionSetup   = 1
	cmdLogoff         = 2
	cmdTreeConnect    = 3
	cmdTreeDisconnect = 4
	cmdCreate         = 5
	cmdClose          = 6
	cmdFlush          = 7
	cmdRead           = 8
	cmdWrite          = 9
	cmdLock           = 10
	cmdIoctl          = 11
	cmdCancel         = 12
	cmdEcho           = 13
	cmdQueryDirectory = 14
	cmdChangeNotify   = 15
	cmdQueryInfo      = 16
	cmdSetInfo        = 17
	cmdOplockBreak    = 18
)

// The header's flags (MS-SMB2 2.2.1.1).
const (
	flagResponse = 0x1
	flagAsync    = 0x2
	flagRelated  = 0x4
	flagSigned   = 0x8

	// knownFlags are those that are defined; others make a header implausible.
	knownFlags = 0x3000_007F
)

// headerLen is the length of every SMB2 header.
const headerLen = 64

// noMessage is the message id of what a server sends unasked (oplock breaks).
const noMessage = ^uint64(0)

// header is an SMB2 message header. Tree is absent (0) in async ones.
type header struct {
	status  uint32
	command uint16
	flags   uint32
	next    uint32
	message uint64
	tree    uint32
	session uint64
}

func (h *header) response() bool { return h.flags&flagResponse != 0 }
func (h *header) related() bool  { return h.flags&flagRelated != 0 }

// interim says that the message is no answer yet, only word that one will come
// (MS-SMB2 3.3.4.4).
func (h *header) interim() bool {
	return h.status == statusPending
}

// parseHeader reads a header; false when b holds none.
func parseHeader(b []byte) (header, bool) {
	if len(b) < headerLen || string(b[:4]) != "\xfeSMB" || binary.LittleEndian.Uint16(b[4:]) != headerLen {
		return header{}, false
	}
	h := header{
		status:  binary.LittleEndian.Uint32(b[8:]),
		command: binary.LittleEndian.Uint16(b[12:]),
		flags:   binary.LittleEndian.Uint32(b[16:]),
		next:    binary.LittleEndian.Uint32(b[20:]),
		message: binary.LittleEndian.Uint64(b[24:]),
		session: binary.LittleEndian.Uint64(b[40:]),
	}
	if h.flags&flagAsync == 0 {
		h.tree = binary.LittleEndian.Uint32(b[36:])
	}
	return h, true
}

// bodySizes are the StructureSize fields of the commands' requests and
// responses (MS-SMB2 2.2.3 to 2.2.38).
var bodySizes = [...][2]uint16{
	cmdNegotiate:      {36, 65},
	cmdSessionSetup:   {25, 9},
	cmdLogoff:         {4, 4},
	cmdTreeConnect:    {9, 16},
	cmdTreeDisconnect: {4, 4},
	cmdCreate:         {57, 89},
	cmdClose:          {24, 60},
	cmdFlush:          {24, 4},
	cmdRead:           {49, 17},
	cmdWrite:          {49, 17},
	cmdLock:           {48, 4},
	cmdIoctl:          {57, 49},
	cmdCancel:         {4, 4},
	cmdEcho:           {4, 4},
	cmdQueryDirectory: {33, 9},
	cmdChangeNotify:   {32, 9},
	cmdQueryInfo:      {41, 9},
	cmdSetInfo:        {33, 2},
	cmdOplockBreak:    {24, 24},
}

// errorBody is the StructureSize of an error response (MS-SMB2 2.2.2).
const errorBody = 9

// fields reads little-endian fields at fixed places of one message, counted
// from its header's first byte. What lies outside reads as 0: callers check the
// length once, by the fixed part of the body.
type fields []byte

func (f fields) has(n int) bool { return len(f) >= n }

func (f fields) u8(at int) uint8 {
	if at >= len(f) {
		return 0
	}
	return f[at]
}

func (f fields) u16(at int) uint16 {
	if at+2 > len(f) {
		return 0
	}
	return binary.LittleEndian.Uint16(f[at:])
}

func (f fields) u32(at int) uint32 {
	if at+4 > len(f) {
		return 0
	}
	return binary.LittleEndian.Uint32(f[at:])
}

func (f fields) u64(at int) uint64 {
	if at+8 > len(f) {
		return 0
	}
	return binary.LittleEndian.Uint64(f[at:])
}

// i64 is a size or offset; what cannot be one reads as -1.
func (f fields) i64(at int) int64 {
	return max(int64(f.u64(at)), -1)
}

func (f fields) fileID(at int) fileID {
	return fileID{f.u64(at), f.u64(at + 8)}
}

// bytes gives n bytes at off; nil when they are not all there.
func (f fields) bytes(off, n uint32) []byte {
	if uint64(off)+uint64(n) > uint64(len(f)) {
		return nil
	}
	return f[off : off+n : off+n]
}

// text decodes UTF-16LE.
func text(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
