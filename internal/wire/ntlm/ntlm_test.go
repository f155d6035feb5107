package ntlm

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// The messages of MS-NLMP 4.2.4.3 (NTLMv2).
var (
	challenge = unhex(`
		4e544c4d53535000 02000000 0c000c00 38000000 33828ae2 0123456789abcdef
		0000000000000000 24002400 44000000 060070170000000f
		530065007200760065007200
		02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000`)
	authenticate = unhex(`
		4e544c4d53535000 03000000 18001800 6c000000 54005400 84000000 0c000c00 48000000
		08000800 54000000 10001000 5c000000 10001000 d8000000 358288e2 0501280a0000000f
		44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
		86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa
		68cd0ab851e51c96aabc927bebef6a1c 0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
		02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000 00000000
		c5dad2544fc9799094ce1ce90bc9d03e`)
)

var (
	challengeToken = Token{
		Mechanism: NTLM, MessageType: Challenge, TargetName: "Server",
		TargetInfo: TargetInfo{NetBIOSComputer: "Server", NetBIOSDomain: "Domain"},
	}
	authenticateToken = Token{
		Mechanism: NTLM, MessageType: Authenticate,
		Domain: "Domain", User: "User", Workstation: "COMPUTER",
		EncryptedSessionKey: unhex("c5dad2544fc9799094ce1ce90bc9d03e"),
		TargetInfo:          TargetInfo{NetBIOSComputer: "Server", NetBIOSDomain: "Domain"},
	}
)

// tlv is a DER value with the body in parts.
func tlv(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	switch n := len(body); {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, body...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, body...)
	default:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, body...)
	}
}

func oid(s string) []byte { return tlv(tagOID, []byte(s)) }

const oidSPNEGO = "\x2b\x06\x01\x05\x05\x02"

func negTokenInit(mechToken []byte) []byte {
	mechs := tlv(context0, tlv(tagSequence, oid(oidKerberosMS), oid(oidKerberos), oid(oidNTLM)))
	token := tlv(context2, tlv(tagOctets, mechToken))
	return tlv(tagGSS, oid(oidSPNEGO), tlv(context0, tlv(tagSequence, mechs, token)))
}

func negTokenResp(token []byte) []byte {
	state := tlv(context0, []byte{0x0a, 1, 1})
	mech := tlv(context1, oid(oidNTLM))
	return tlv(context1, tlv(tagSequence, state, mech, tlv(context2, tlv(tagOctets, token)), tlv(context3, tlv(tagOctets, make([]byte, 16)))))
}

// serverHints is the NegTokenInit2 of a server's negotiate answer.
func serverHints() []byte {
	mechs := tlv(context0, tlv(tagSequence, oid(oidKerberosMS), oid(oidNTLM)))
	hint := tlv(context3, tlv(tagSequence, tlv(context0, tlv(tagGeneralString, []byte("not_defined_in_RFC4178@please_ignore")))))
	return tlv(tagGSS, oid(oidSPNEGO), tlv(context0, tlv(tagSequence, mechs, hint)))
}

func apReq(realm string, service ...string) []byte {
	var parts [][]byte
	for _, s := range service {
		parts = append(parts, tlv(tagGeneralString, []byte(s)))
	}
	name := tlv(tagSequence, tlv(context0, []byte{2, 1, 2}), tlv(context1, tlv(tagSequence, parts...)))
	ticket := tlv(tagTicket, tlv(tagSequence,
		tlv(context0, []byte{2, 1, 5}), tlv(context1, tlv(tagGeneralString, []byte(realm))), tlv(context2, name),
		tlv(context3, tlv(tagSequence, tlv(context2, tlv(tagOctets, make([]byte, 300)))))))
	return tlv(tagAPReq, tlv(tagSequence,
		tlv(context0, []byte{2, 1, 5}), tlv(context1, []byte{2, 1, 14}), tlv(context2, []byte{3, 5, 0, 0x20, 0, 0, 0}),
		tlv(context3, ticket)))
}

func kerberosGSS(oidOf string, req []byte) []byte {
	return tlv(tagGSS, oid(oidOf), []byte{1, 0}, req)
}

func TestParse(t *testing.T) {
	negotiate := unhex(`4e544c4d53535000 01000000 07b208a2 03000300 2b000000 03000300 28000000
		0501280a0000000f 575331 434f52`)
	oem := unhex(`4e544c4d53535000 03000000 00000000 40000000 00000000 40000000 03000300 40000000
		04000400 43000000 02000200 47000000 00000000 49000000 02020000 444f4d 6a6fe962 5753`)
	// Before Windows NT 4 SP 4: no session key, no flags, payload from byte 52 on.
	old := unhex(`4e544c4d53535000 03000000 00000000 34000000 00000000 34000000 02000200 34000000
		04000400 36000000 02000200 3a000000 4400 75007600 5700`)
	outside := bytes.Clone(authenticate)
	copy(outside[40:], unhex("f0ffffff")) // user at 4 GiB
	copy(outside[28:], unhex("ffff"))     // domain of 64 KiB
	service := Token{Mechanism: Kerberos, Service: "cifs/fs1.corp.example", Realm: "CORP.EXAMPLE"}
	request := apReq("CORP.EXAMPLE", "cifs", "fs1.corp.example")
	tests := []struct {
		name string
		in   []byte
		want Token
		ok   bool
	}{
		{"bare challenge", challenge, challengeToken, true},
		{"bare authenticate", authenticate, authenticateToken, true},
		{"negotiate with names", negotiate, Token{Mechanism: NTLM, MessageType: Negotiate, Domain: "COR", Workstation: "WS1"}, true},
		{"code page", oem, Token{Mechanism: NTLM, MessageType: Authenticate, Domain: "DOM", User: "joéb", Workstation: "WS"}, true},
		{"without flags", old, Token{Mechanism: NTLM, MessageType: Authenticate, Domain: "D", User: "uv", Workstation: "W"}, true},
		{"SPNEGO init", negTokenInit(authenticate), authenticateToken, true},
		{"SPNEGO response", negTokenResp(challenge), challengeToken, true},
		{"SPNEGO response without token", tlv(context1, tlv(tagSequence, tlv(context1, oid(oidNTLM)))), Token{Mechanism: NTLM}, true},
		{"SPNEGO state only", unhex("a1073005a0030a0100"), Token{}, true},
		{"server hints", serverHints(), Token{}, true},
		{"Kerberos", kerberosGSS(oidKerberos, request), service, true},
		{"Kerberos in SPNEGO", negTokenInit(kerberosGSS(oidKerberos, request)), service, true},
		{"Kerberos without GSS", request, service, true},
		{"Kerberos answer", tlv(tagGSS, oid(oidKerberos), []byte{2, 0, 0x6f, 0}), Token{Mechanism: Kerberos, APRep: []byte{0x6f, 0}}, true},
		{"Kerberos cut short", request[:110], service, true},
		{"Kerberos cut in a name", request[:90], Token{Mechanism: Kerberos, Service: "cifs", Realm: "CORP.EXAMPLE"}, true},
		{"damaged frame", append([]byte{0x60, 0x85, 1, 2}, authenticate...), authenticateToken, true},
		{"fields outside", outside, Token{
			Mechanism: NTLM, MessageType: Authenticate, Workstation: "COMPUTER",
			EncryptedSessionKey: authenticateToken.EncryptedSessionKey, TargetInfo: authenticateToken.TargetInfo,
		}, true},
		{"signature alone", signature, Token{}, false},
		{"unknown message", unhex("4e544c4d53535000 09000000 00000000"), Token{}, false},
		{"empty", nil, Token{}, false},
		{"other bytes", []byte("GET / HTTP/1.1\r\n"), Token{}, false},
		{"layers without end", bytes.Repeat([]byte{0x60, 0x7f, 0x06, 0x01, 0x01}, 40), Token{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Parse(tt.in)
			if ok != tt.ok || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Parse = %+v, %v\nwant    %+v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// TestTargetName: a client that signs its target (MsvAvTargetName) names the
// service that it meant to reach.
func TestTargetName(t *testing.T) {
	pair := unhex("0900 0e00 63006900660073002f0061006200 0000 0000")
	m := bytes.Clone(authenticate[:0x6c])
	response := append(make([]byte, 44), pair...)
	copy(m[20:], []byte{byte(len(response)), 0, byte(len(response)), 0, 0x6c, 0, 0, 0})
	got, _ := Parse(append(m, response...))
	if got.Service != "cifs/ab" {
		t.Errorf("Service = %q, want cifs/ab", got.Service)
	}
}

func TestNamesAreBounded(t *testing.T) {
	got, ok := Parse(apReq(strings.Repeat("é", 2000), strings.Repeat("s", 511), strings.Repeat("€", 300)))
	if !ok || len(got.Realm) > maxName || len(got.Service) > maxName {
		t.Errorf("realm of %d, service of %d bytes; want at most %d", len(got.Realm), len(got.Service), maxName)
	}
	if !utf8.ValidString(got.Realm) || !strings.HasPrefix(got.Service, "sss") {
		t.Error("cut names are damaged")
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range [][]byte{
		challenge, authenticate, negTokenInit(authenticate), negTokenResp(challenge), serverHints(),
		apReq("R", "cifs", "h"), kerberosGSS(oidKerberos, apReq("R", "cifs", "h")), {0x60, 0x84, 0xff, 0xff, 0xff, 0xff},
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		got, ok := Parse(b)
		if !bytes.Equal(b, before) {
			t.Fatal("Parse changed its input")
		}
		if !ok && !reflect.DeepEqual(got, Token{}) {
			t.Fatalf("not ok, but %+v", got)
		}
		for _, s := range []string{
			got.Domain, got.User, got.Workstation, got.TargetName, got.Service, got.Realm, got.TargetInfo.DNSComputer,
		} {
			if !utf8.ValidString(s) || len(s) > maxName || strings.HasSuffix(s, "\x00") {
				t.Fatalf("name %q", s)
			}
		}
		if !bytes.HasPrefix(b, signature) || !ok || len(b) > 60000 {
			return
		}
		// A frame around a message changes nothing in what it says.
		if framed, _ := Parse(negTokenInit(b)); !reflect.DeepEqual(framed, got) {
			t.Fatalf("in SPNEGO %+v\nbare      %+v", framed, got)
		}
	})
}
