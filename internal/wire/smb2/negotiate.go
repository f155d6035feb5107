package smb2

import (
	"encoding/binary"

	"waybill/internal/wire/smbcrypt"
)

// wildcard is the dialect of a server's answer to an SMB1 negotiation, which a
// second, SMB2 one follows (MS-SMB2 2.2.4).
const wildcard = 0x2FF

// The negotiate contexts of dialect 3.1.1 that matter here (MS-SMB2 2.2.3.1).
const (
	contextEncryption  = 2
	contextCompression = 3
)

const (
	negotiateRequestLen  = 36
	negotiateResponseLen = 64
)

// negotiation is what a NEGOTIATE agreed on.
type negotiation struct {
	dialect        uint16
	client, server [16]byte // GUIDs
	cipher         uint16
	compression    bool
}

func (n *negotiation) known() bool { return n.dialect != 0 }

// sameEnds says that both were agreed on by the same client and server.
func (n *negotiation) sameEnds(o *negotiation) bool {
	return n.client == o.client && n.server == o.server && n.client != [16]byte{}
}

func (n *negotiation) dialectName() string {
	switch n.dialect {
	case 0x202:
		return "2.0.2"
	case 0x210:
		return "2.1"
	case 0x300:
		return "3.0"
	case 0x302:
		return "3.0.2"
	case 0x311:
		return "3.1.1"
	}
	return ""
}

func (c *conn) negotiateRequest(r *request, m fields) {
	c.preauth = smbcrypt.Preauth{}
	c.preauth.Update(m)
	if m.has(headerLen + negotiateRequestLen) {
		copy(c.negotiated.client[:], m[headerLen+12:])
	}
}

func (c *conn) negotiateResponse(h *header, m fields) {
	if isError(h.status) || !m.has(headerLen+negotiateResponseLen) {
		return
	}
	dialect := m.u16(headerLen + 4)
	if dialect == wildcard {
		return
	}
	n := &c.negotiated
	n.dialect = dialect
	copy(n.server[:], m[headerLen+8:headerLen+24])
	c.preauth.Update(m)
	switch {
	case dialect == 0x311:
		n.contexts(m, m.u32(headerLen+60), int(m.u16(headerLen+6)))
	case dialect >= 0x300:
		n.cipher = 1 // AES-128-CCM is the only one before 3.1.1
	}
}

// contexts reads the negotiate contexts of a 3.1.1 response.
func (n *negotiation) contexts(m fields, at uint32, count int) {
	for range min(count, 64) {
		size := uint32(m.u16(int(at) + 2))
		data := m.bytes(at+8, size)
		if data == nil {
			return
		}
		switch m.u16(int(at)) {
		case contextEncryption:
			if len(data) >= 4 && binary.LittleEndian.Uint16(data) > 0 {
				n.cipher = binary.LittleEndian.Uint16(data[2:])
			}
		case contextCompression:
			n.compression = len(data) >= 10 && binary.LittleEndian.Uint16(data[8:]) != 0
		}
		at += (8 + size + 7) &^ 7
	}
}

// multiProtocol is an SMB1 message on the connection. Only a negotiation that
// offers SMB2 precedes it; its client GUID comes with the SMB2 NEGOTIATE.
func (c *conn) multiProtocol(m []byte, at place) {
	if c.client < 0 && len(m) > 9 && m[4] == 0x72 {
		c.client = int(at.from)
		if m[9]&0x80 != 0 { // FLAGS_REPLY
			c.client = int(at.from.Other())
		}
	}
}
