package ntlm

import (
	"encoding/binary"
	"slices"

	"waybill/internal/wire/der"
)

// The object identifiers of mechanisms, in DER without tag and length.
const (
	oidNTLM       = "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a" // 1.3.6.1.4.1.311.2.2.10
	oidKerberos   = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"     // 1.2.840.113554.1.2.2
	oidKerberosMS = "\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"     // 1.2.840.48018.1.2.2, a slip that stayed
	oidUserToUser = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03" // 1.2.840.113554.1.2.2.3
)

func mechanism(oid der.Run) string {
	switch string(oid) {
	case oidNTLM:
		return NTLM
	case oidKerberos, oidKerberosMS, oidUserToUser:
		return Kerberos
	}
	return ""
}

// parseGSS reads the inside of a GSS-API initial token (RFC 2743 3.1): the
// mechanism, SPNEGO or another, then what the mechanism says.
func (t *Token) parseGSS(b der.Run, layers int) bool {
	oid, rest, ok := b.Next()
	if !ok || oid.Tag != tagOID {
		return false
	}
	if mechanism(oid.Body) == Kerberos {
		t.parseKerberos(rest)
		return true
	}
	return t.parse(rest, layers)
}

// parseInit reads a NegTokenInit (RFC 4178 4.2.1), or the server's NegTokenInit2
// with hints (MS-SPNG 2.2.1), which lists mechanisms and says no more.
func (t *Token) parseInit(b der.Run, layers int) bool {
	fields, ok := b.Child(tagSequence)
	if ok {
		t.parseInner(fields.Field(context2, tagOctets), layers)
	}
	return ok
}

// parseResp reads a NegTokenResp (RFC 4178 4.2.2).
func (t *Token) parseResp(b der.Run, layers int) bool {
	fields, ok := b.Child(tagSequence)
	if ok {
		t.Mechanism = mechanism(fields.Field(context1, tagOID))
		t.parseInner(fields.Field(context2, tagOctets), layers)
	}
	return ok
}

// parseInner reads the token of the mechanism that SPNEGO carries. A client's
// first guess may be a Kerberos token in its own GSS-API frame.
func (t *Token) parseInner(token der.Run, layers int) {
	negotiated := t.Mechanism
	if !t.parse(token, layers) {
		t.Mechanism = negotiated
	}
}

// parseKerberos reads a Kerberos token after its mechanism (RFC 4121 4.1): two
// bytes say which message follows, 01 00 is AP-REQ and 02 00 AP-REP.
func (t *Token) parseKerberos(b der.Run) {
	t.Mechanism = Kerberos
	if len(b) < 2 {
		return
	}
	kind := binary.BigEndian.Uint16(b)
	switch v, _, _ := b[2:].Next(); {
	case kind == 0x0100 && v.Tag == tagAPReq:
		t.apReq = b[2:]
		t.parseAPReq(v.Body)
	case kind == 0x0200 && v.Tag == tagAPRep:
		t.parseAPRep(b[2:])
	}
}

// maxAPRep bounds an AP-REP; real ones have about 150 bytes.
const maxAPRep = 4 << 10

// parseAPRep keeps the server's answer (RFC 4120 5.5.2), which is all encrypted.
func (t *Token) parseAPRep(b der.Run) bool {
	t.Mechanism = Kerberos
	if len(b) <= maxAPRep {
		t.APRep = slices.Clone(b)
	}
	return true
}

// parseAPReq reads the ticket of an AP-REQ (RFC 4120 5.5.1): the service and its
// realm, which are in clear. Who the client is lies in the encrypted part.
func (t *Token) parseAPReq(b der.Run) bool {
	fields, ok := b.Child(tagSequence)
	if !ok {
		return false
	}
	t.Mechanism = Kerberos
	ticket, ok := fields.Field(context3, tagTicket).Child(tagSequence)
	if !ok {
		return true
	}
	t.Realm = octetString(ticket.Field(context1, tagGeneralString))
	name := ticket.Field(context2, tagSequence)
	parts := name.Field(context1, tagSequence)
	for i := 0; i < 4; i++ {
		part, rest, ok := parts.Next()
		if !ok {
			break
		}
		if i > 0 {
			t.Service += "/"
		}
		t.Service += octetString(part.Body)
		parts = rest
	}
	t.Service = clip(t.Service)
	return true
}
