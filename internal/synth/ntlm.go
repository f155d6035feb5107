package synth

import (
	"strings"

	"waybill/internal/model"
)

// The object identifiers of SPNEGO (RFC 4178) and NTLM within it.
var (
	oidSPNEGO = []byte{0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02}
	oidNTLM   = []byte{0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a}
)

// ntlmFlags are those of a Windows 10 client (MS-NLMP 2.2.2.5).
const ntlmFlags = 0xE2888215

// ntlmVersion is Windows 10, build 19041, NTLM revision 15.
var ntlmVersion = []byte{10, 0, 0x61, 0x4A, 0, 0, 0, 15}

// der is one element of ASN.1's distinguished encoding.
func der(tag uint8, parts ...[]byte) []byte {
	body := []byte{}
	for _, p := range parts {
		body = append(body, p...)
	}
	out := []byte{tag}
	switch n := len(body); {
	case n < 0x80:
		out = append(out, uint8(n))
	case n < 0x100:
		out = append(out, 0x81, uint8(n))
	default:
		out = append(out, 0x82, uint8(n>>8), uint8(n))
	}
	return append(out, body...)
}

// negTokenInit carries a client's first token (RFC 4178 4.2.1).
func negTokenInit(token []byte) []byte {
	mechs := der(0xA0, der(0x30, oidNTLM))
	if token != nil {
		mechs = append(mechs, der(0xA2, der(0x04, token))...)
	}
	return der(0x60, oidSPNEGO, der(0xA0, der(0x30, mechs)))
}

// negTokenResp carries the later ones; state is accept-completed (0) or
// accept-incomplete (1).
func negTokenResp(state uint8, token []byte) []byte {
	body := der(0xA0, der(0x0A, []byte{state}))
	if token != nil {
		if state == 1 {
			body = append(body, der(0xA1, oidNTLM)...)
		}
		body = append(body, der(0xA2, der(0x04, token))...)
	}
	return der(0xA1, der(0x30, body))
}

// ntlmNegotiate is message type 1 (MS-NLMP 2.2.1.1).
func ntlmNegotiate() []byte {
	var p pack
	p.bytes([]byte("NTLMSSP\x00"))
	p.u32(1, ntlmFlags)
	p.zero(16) // no domain and workstation
	p.bytes(ntlmVersion)
	return p
}

// ntlmChallenge is message type 2 (MS-NLMP 2.2.1.2), with the server's names.
func (n *Net) ntlmChallenge(server, domain string) []byte {
	target := utf16le(domain)
	info := targetInfo(server, domain, n.Now)
	var p pack
	p.bytes([]byte("NTLMSSP\x00"))
	p.u32(2)
	p.ntlmField(len(target), 56)
	p.u32(ntlmFlags)
	p.bytes(n.Bytes(8))
	p.zero(8)
	p.ntlmField(len(info), 56+len(target))
	p.bytes(ntlmVersion, target, info)
	return p
}

// targetInfo is a list of AV_PAIRs (MS-NLMP 2.2.2.1).
func targetInfo(server, domain string, now model.Time) []byte {
	dns := strings.ToLower(domain) + ".example"
	var p pack
	for _, pair := range []struct {
		id    uint16
		value string
	}{{2, domain}, {1, server}, {4, dns}, {3, strings.ToLower(server) + "." + dns}} {
		v := utf16le(pair.value)
		p.u16(pair.id, uint16(len(v)))
		p.bytes(v)
	}
	p.u16(7, 8)
	p.u64(filetime(now))
	p.u32(0)
	return p
}

// ntlmAuthenticate is message type 3 (MS-NLMP 2.2.1.3). The responses are
// random: nobody checks them here.
func (n *Net) ntlmAuthenticate(user, domain, workstation string) []byte {
	fields := [][]byte{
		{0},                               // LM response of an anonymous user
		nil,                               // NT response
		utf16le(domain),                   // domain
		utf16le(user),                     // user
		utf16le(workstation), n.Bytes(16)} // workstation, session key
	if user != "" {
		fields[0], fields[1] = make([]byte, 24), n.ntlmV2Response()
	}
	var p pack
	p.bytes([]byte("NTLMSSP\x00"))
	p.u32(3)
	at := 88
	for _, f := range fields {
		p.ntlmField(len(f), at)
		at += len(f)
	}
	p.u32(ntlmFlags)
	p.bytes(ntlmVersion)
	p.bytes(n.Bytes(16)) // integrity code
	p.bytes(fields...)
	return p
}

// ntlmV2Response is a proof and a client challenge (MS-NLMP 2.2.2.8).
func (n *Net) ntlmV2Response() []byte {
	var p pack
	p.bytes(n.Bytes(16))
	p.u8(1, 1)
	p.zero(6)
	p.u64(filetime(n.Now))
	p.bytes(n.Bytes(8))
	p.zero(4)
	p.u32(0, 0)
	return p
}

// ntlmField is a length, a maximal length and an offset.
func (p *pack) ntlmField(size, at int) {
	p.u16(uint16(size), uint16(size))
	p.u32(uint32(at))
}

// filetime is a time in 100 ns since 1601 (MS-DTYP 2.3.3).
func filetime(t model.Time) uint64 { return uint64(t)/100 + 116444736000000000 }
