package ntlm

import (
	"bytes"
	"encoding/binary"
	"slices"
)

var signature = []byte("NTLMSSP\x00")

// Negotiate flags (MS-NLMP 2.2.2.5).
const (
	flagUnicode     = 1 << 0
	flagTargetInfo  = 1 << 23
	flagKeyExchange = 1 << 30
)

// The AV_PAIR ids that name something (MS-NLMP 2.2.2.1).
const (
	avEOL             = 0
	avNetBIOSComputer = 1
	avNetBIOSDomain   = 2
	avDNSComputer     = 3
	avDNSDomain       = 4
	avDNSForest       = 5
	avTargetName      = 9
)

// message is an NTLMSSP message from its signature on; reads past its end give
// zeros.
type message []byte

func (m message) u16(at int) int { return int(uint16(m.u32(at))) }

func (m message) u32(at int) uint32 {
	var b [4]byte
	if at < len(m) {
		copy(b[:], m[at:])
	}
	return binary.LittleEndian.Uint32(b[:])
}

// payload is the bytes that the fields (length, maximum, offset) at at point to;
// nil where they do not lie in the message.
func (m message) payload(at int) []byte {
	n, off := m.u16(at), int64(m.u32(at+4))
	if n == 0 || off+int64(n) > int64(len(m)) {
		return nil
	}
	return m[off : off+int64(n)]
}

// text is a payload as a string: in Unicode, or in the client's code page, of
// which only ASCII is sure.
func (m message) text(at int, unicode bool) string {
	if unicode {
		return utf16String(m.payload(at))
	}
	return octetString(m.payload(at))
}

// parseMessage reads an NTLMSSP message. It is false, and leaves t as it is,
// for bytes that are none.
func (t *Token) parseMessage(b []byte) bool {
	m := message(b)
	if len(m) < 12 || !bytes.HasPrefix(m, signature) {
		return false
	}
	switch m.u32(8) {
	case Negotiate:
		t.parseNegotiate(m)
	case Challenge:
		t.parseChallenge(m)
	case Authenticate:
		t.parseAuthenticate(m)
	default:
		return false
	}
	t.Mechanism, t.MessageType = NTLM, int(m.u32(8))
	return true
}

// parseNegotiate reads a NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1): its names are
// always in the code page of the client.
func (t *Token) parseNegotiate(m message) {
	t.Domain = m.text(16, false)
	t.Workstation = m.text(24, false)
}

// parseChallenge reads a CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2).
func (t *Token) parseChallenge(m message) {
	flags := m.u32(20)
	t.TargetName = m.text(12, flags&flagUnicode != 0)
	if flags&flagTargetInfo != 0 {
		t.parseTargetInfo(m.payload(40))
	}
}

// parseAuthenticate reads an AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3).
func (t *Token) parseAuthenticate(m message) {
	flags := m.flagsOfAuthenticate()
	unicode := flags&flagUnicode != 0
	t.Domain = m.text(28, unicode)
	t.User = m.text(36, unicode)
	t.Workstation = m.text(44, unicode)
	if flags&flagKeyExchange != 0 {
		t.EncryptedSessionKey = slices.Clone(m.payload(52))
	}
	// An NTLMv2_RESPONSE is a 16-byte proof and the client's challenge, whose
	// AV_PAIRs start at its byte 28 (MS-NLMP 2.2.2.7, 2.2.2.8).
	if response := m.payload(20); len(response) > 44 {
		t.parseTargetInfo(response[44:])
	}
}

// flagsOfAuthenticate gives the flags; a client of before Windows NT 4 SP 4 has
// none and starts its payload, in Unicode, where they would lie.
func (m message) flagsOfAuthenticate() uint32 {
	for at := 12; at < 52; at += 8 {
		if n, off := m.u16(at), m.u32(at+4); n > 0 && off < 64 {
			return flagUnicode
		}
	}
	return m.u32(60)
}

// parseTargetInfo reads a list of AV_PAIRs, always in Unicode.
func (t *Token) parseTargetInfo(b []byte) {
	names := map[uint16]*string{
		avNetBIOSComputer: &t.TargetInfo.NetBIOSComputer,
		avNetBIOSDomain:   &t.TargetInfo.NetBIOSDomain,
		avDNSComputer:     &t.TargetInfo.DNSComputer,
		avDNSDomain:       &t.TargetInfo.DNSDomain,
		avDNSForest:       &t.TargetInfo.DNSForest,
		avTargetName:      &t.Service,
	}
	for len(b) >= 4 {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if b = b[4:]; id == avEOL || n > len(b) {
			return
		}
		if name := names[id]; name != nil {
			*name = utf16String(b[:n])
		}
		b = b[n:]
	}
}
