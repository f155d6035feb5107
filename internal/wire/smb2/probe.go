package smb2

import (
	"bytes"

	"waybill/internal/wire"
)

// Probe tells SMB2 by the protocol ids behind length fields, on any port. A
// connection that begins with an SMB1 negotiation is SMB2 only if the server
// answers in SMB2.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return wire.No
	}
	verdict := wire.Maybe
	for s, b := range head {
		switch probeSide(b, c.FromStart[s]) {
		case wire.Yes:
			return wire.Yes
		case wire.No:
			verdict = wire.No
		}
	}
	return verdict
}

// probeSide judges the first bytes of one side.
func probeSide(b []byte, fromStart bool) wire.Verdict {
	v := probeStart(b)
	if fromStart || v == wire.Yes || len(b) >= 8 && string(b[4:8]) == "\xffSMB" {
		return v
	}
	middle := conn{client: -1}
	if _, found := middle.find(0, b); found {
		return wire.Yes
	}
	return wire.Maybe
}

// probeStart judges bytes that begin with a length field.
func probeStart(b []byte) wire.Verdict {
	for len(b) > 0 && b[0] >= 0x81 && b[0] <= 0x85 {
		if len(b) < frameLen {
			return wire.Maybe
		}
		if messageLen(b) > 0x1FFFF {
			return wire.No
		}
		b = b[min(len(b), frameLen+messageLen(b)):]
	}
	switch {
	case len(b) > 0 && b[0] != 0:
		return wire.No
	case len(b) < 8:
		return wire.Maybe
	}
	switch string(b[4:8]) {
	case "\xfeSMB", "\xfdSMB", "\xfcSMB":
		return wire.Yes
	case "\xffSMB":
		return probeSMB1(b)
	}
	return wire.No
}

// probeSMB1 judges an SMB1 message: only a negotiation that offers SMB2 may lead
// there (MS-SMB2 3.2.4.2.2.1).
func probeSMB1(b []byte) wire.Verdict {
	const command, flags = frameLen + 4, frameLen + 9
	if len(b) <= flags {
		return wire.Maybe
	}
	if b[command] != 0x72 || b[flags]&0x80 != 0 {
		return wire.No
	}
	if size := frameLen + messageLen(b); len(b) >= size {
		if !bytes.Contains(b[:size], []byte("SMB 2.")) {
			return wire.No
		}
	}
	return wire.Maybe
}
