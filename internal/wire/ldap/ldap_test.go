package ldap

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/ticket/tickettest"
	"waybill/internal/wire/wiretest"
)

func tlv(tag byte, parts ...[]byte) []byte {
	b := bytes.Join(parts, nil)
	if len(b) < 0x80 {
		return append([]byte{tag, byte(len(b))}, b...)
	}
	return append([]byte{tag, 0x84, 0, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

func msg(id byte, op []byte) []byte { return tlv(0x30, tlv(0x02, []byte{id}), op) }

func octets(s string) []byte { return tlv(0x04, []byte(s)) }

func bindRequest(id byte, name string, auth []byte) []byte {
	return msg(id, tlv(opBind, tlv(0x02, []byte{3}), octets(name), auth))
}

func simple(id byte, name, password string) []byte {
	return bindRequest(id, name, tlv(authSimple, []byte(password)))
}

func sasl(id byte, mechanism, credentials string) []byte {
	return bindRequest(id, "", tlv(authSASL, octets(mechanism), octets(credentials)))
}

func answer(id, code byte, diagnostic string) []byte {
	return msg(id, tlv(opBindResponse, tlv(0x0a, []byte{code}), octets(""), octets(diagnostic)))
}

// ntlmMessage is an NTLMSSP message: 1, or 3 with names (MS-NLMP 2.2.1).
func ntlmMessage(kind byte, domain, user, station string) string {
	m := append([]byte("NTLMSSP\x00"), kind, 0, 0, 0)
	if kind != 3 {
		return string(append(m, make([]byte, 28)...))
	}
	m = append(m, make([]byte, 52)...)
	for i, s := range []string{domain, user, station} {
		at := 28 + 8*i
		m[at], m[at+2], m[at+4] = byte(len(s)), byte(len(s)), byte(len(m))
		m = append(m, s...)
	}
	return string(m)
}

var conn1 = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.9:389")}}

func ask(b []byte) wiretest.Turn { return wiretest.Turn{From: 0, Data: b} }
func say(b []byte) wiretest.Turn { return wiretest.Turn{From: 1, Data: b} }

func search(id byte, n int) []byte {
	return msg(id, tlv(0x63, octets(strings.Repeat("dc=corp,", n))))
}

const badPassword = "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 52e, v4563\x00"

var kerberos = tickettest.Alice(18)

// scripts are conversations with the logons that they show.
func scripts(t testing.TB) []struct {
	name  string
	turns []wiretest.Turn
	want  []string
} {
	k := kerberos
	apReq := k.APReq(t, k.TicketBytes(t))
	return []struct {
		name  string
		turns []wiretest.Turn
		want  []string
	}{
		{"simple", []wiretest.Turn{ask(simple(1, "cn=anna,dc=corp", "hunter2")), say(answer(1, 0, "")), ask(search(2, 900))},
			[]string{"cn=anna,dc=corp | simple | success"}},
		{"refused", []wiretest.Turn{ask(simple(1, `CORP\anna`, "hunter2")), say(answer(1, 49, badPassword)),
			ask(simple(2, "anna@corp.example", "hunter2")), say(answer(2, 49, ""))},
			[]string{"CORP/anna | simple | invalidCredentials, data 52e", "corp.example/anna | simple | invalidCredentials"}},
		{"anonymous", []wiretest.Turn{ask(simple(1, "", "")), say(answer(1, 0, "")), ask(simple(2, "cn=x", "")), say(answer(2, 53, ""))},
			[]string{" | simple anonymous | success", "cn=x | simple without a password | unwillingToPerform"}},
		{"no answer", []wiretest.Turn{ask(simple(1, "cn=a", "p")), ask(simple(2, "cn=b", "p"))},
			[]string{"cn=a | simple | no answer seen", "cn=b | simple | no answer seen"}},
		{"NTLM in SASL", []wiretest.Turn{ask(sasl(1, "GSS-SPNEGO", ntlmMessage(1, "", "", ""))), say(answer(1, 14, "")),
			ask(sasl(2, "GSS-SPNEGO", ntlmMessage(3, "CORP", "anna", "WS1"))), say(answer(2, 0, ""))},
			[]string{"CORP/anna | ntlm from WS1 | success"}},
		{"NTLM refused at once", []wiretest.Turn{ask(sasl(1, "GSS-SPNEGO", ntlmMessage(1, "", "", ""))), say(answer(1, 7, ""))},
			[]string{" | sasl GSS-SPNEGO | authMethodNotSupported"}},
		{"Sicily", []wiretest.Turn{ask(bindRequest(1, "", tlv(0x89))), say(answer(1, 0, "")),
			ask(bindRequest(2, "NTLM", tlv(authSicilyNegotiate, []byte(ntlmMessage(1, "", "", ""))))), say(answer(2, 0, "")),
			ask(bindRequest(3, "", tlv(authSicilyResponse, []byte(ntlmMessage(3, "CORP", "anna", "WS1"))))), say(answer(3, 49, ""))},
			[]string{"CORP/anna | ntlm from WS1 | invalidCredentials"}},
		{"Kerberos with confirmation", []wiretest.Turn{ask(sasl(1, "GSSAPI", string(tickettest.GSS(apReq)))), say(answer(1, 14, "")),
			ask(sasl(2, "GSSAPI", "")), say(answer(2, 14, "")), ask(sasl(3, "GSSAPI", "wrapped")), say(answer(3, 0, ""))},
			[]string{"LAB.TEST/alice | kerberos | success"}},
		{"Kerberos in SPNEGO", []wiretest.Turn{ask(sasl(1, "GSS-SPNEGO", string(tickettest.Init(apReq)))), say(answer(1, 0, ""))},
			[]string{"LAB.TEST/alice | kerberos | success"}},
		{"passwords in SASL", []wiretest.Turn{ask(sasl(1, "PLAIN", "\x00anna\x00hunter2")), say(answer(1, 0, "")),
			ask(sasl(2, "DIGEST-MD5", "")), say(answer(2, 14, "")), ask(sasl(3, "DIGEST-MD5", `username="bob",realm="r",response=hunter2`)), say(answer(3, 49, "")),
			ask(sasl(4, "EXTERNAL", "u:eve")), say(answer(4, 0, "")), ask(sasl(5, "OTHER", "hunter2")), say(answer(5, 0, ""))},
			[]string{"anna | sasl PLAIN | success", "bob | sasl DIGEST-MD5 | invalidCredentials", "eve | sasl EXTERNAL | success", " | sasl OTHER | success"}},
	}
}

func logons(env *wiretest.Env) []string {
	var got []string
	for _, a := range env.Accesses {
		who := a.User
		if a.Domain != "" {
			who = a.Domain + "/" + who
		}
		got = append(got, fmt.Sprintf("%s | %s | %s", who, a.Detail, a.Status))
	}
	return got
}

func open(t testing.TB) func(wire.Env) wire.Protocol {
	keys, err := ticket.ParseKeytab(kerberos.Keytab())
	if err != nil {
		t.Fatal(err)
	}
	return func(env wire.Env) wire.Protocol {
		env.(*wiretest.Env).Tickets = ticket.NewTable(keys, &content.Budget{Limit: 1 << 20})
		return New(env)
	}
}

func TestBinds(t *testing.T) {
	for _, tt := range scripts(t) {
		for _, size := range []int{0, 1, 7, 1400} {
			env := wiretest.Play(t, open(t), conn1, size, tt.turns)
			if got := logons(env); !slices.Equal(got, tt.want) {
				t.Errorf("%s in segments of %d: got %q, want %q", tt.name, size, got, tt.want)
			}
			for _, a := range env.Accesses {
				if all := fmt.Sprintf("%+v", a.Access); strings.Contains(all, "hunter2") {
					t.Errorf("%s: a password is shown: %s", tt.name, all)
				}
				if a.What != "logon" || a.Channel != "ldap" || a.Source.IP != conn1.Ends[0].Addr || a.Destination.Port != 389 || a.ID == "" {
					t.Errorf("%s: %+v", tt.name, a.Access)
				}
			}
		}
	}
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCaptured: the exact bytes of real programs.
func TestCaptured(t *testing.T) {
	keys, err := ticket.ParseKeytab(unhex(t, capturedKeytab))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range captured {
		var turns []wiretest.Turn
		for i, s := range tt.turns {
			turns = append(turns, wiretest.Turn{From: wire.Side(i % 2), Data: unhex(t, s)})
		}
		env := wiretest.Play(t, func(env wire.Env) wire.Protocol {
			env.(*wiretest.Env).Tickets = ticket.NewTable(keys, &content.Budget{Limit: 1 << 20})
			return New(env)
		}, conn1, 64, turns)
		if got := logons(env); !slices.Equal(got, []string{tt.want}) || env.BlindSeen["unknown-protocol"] != 0 {
			t.Errorf("got %q, blind %v, want %q", got, env.BlindSeen, tt.want)
		}
	}
}

// TestLayers: what comes after a security layer began is passed over; without one,
// what is no LDAP is an unknown protocol.
func TestLayers(t *testing.T) {
	noise := bytes.Repeat([]byte{0, 0, 0, 40, 0x30, 0x05, 9}, 500)
	for _, tt := range []struct {
		name  string
		begin []wiretest.Turn
		blind bool
	}{
		{"StartTLS", []wiretest.Turn{ask(msg(1, tlv(opExtended, tlv(0x80, []byte(startTLS))))), say(msg(1, tlv(0x78, tlv(0x0a, []byte{0}), octets(""), octets(""))))}, false},
		{"SASL", []wiretest.Turn{ask(sasl(1, "GSSAPI", "x")), say(answer(1, 0, ""))}, false},
		{"nothing announced", []wiretest.Turn{ask(simple(1, "a", "b")), say(answer(1, 0, ""))}, true},
	} {
		env := wiretest.Play(t, New, conn1, 100, append(tt.begin, ask(noise), say(noise)))
		n, all := env.BlindSeen["unknown-protocol"], int64(2*len(noise))
		if n > all || tt.blind && n < all-400 || !tt.blind && n != 0 || env.BlindSeen["around-loss"] > 200 {
			t.Errorf("%s: blind %v", tt.name, env.BlindSeen)
		}
	}
}

// TestLoss: after a hole the next logon is found; one with a hole in it is not.
func TestLoss(t *testing.T) {
	env := wiretest.New(t)
	p := New(env)
	l := env.Dial(p, conn1.Ends[0], conn1.Ends[1])
	first := simple(1, "cn=one,dc=corp", "p")
	l.Send(0, first[:len(first)-6], 0)
	l.Lose(0, 6)
	l.Lose(0, 1000)
	l.Send(0, slices.Concat([]byte("in the middle of something"), search(3, 20), simple(4, "cn=two", "p"), search(5, 20)), 0)
	l.Send(1, answer(4, 0, ""), 0)
	l.End(wire.FIN)
	env.Done()
	if got := logons(env); !slices.Equal(got, []string{"cn=two | simple | success"}) || env.BlindSeen["unknown-protocol"] != 0 {
		t.Errorf("got %q, blind %v", got, env.BlindSeen)
	}
}

func TestProbe(t *testing.T) {
	good := simple(1, "cn=a", "p")
	for _, tt := range []struct {
		name string
		udp  bool
		head [2][]byte
		want wire.Verdict
	}{
		{"bind", false, [2][]byte{good, nil}, wire.Yes},
		{"answer only", false, [2][]byte{nil, answer(1, 0, "")}, wire.Yes},
		{"long form of lengths", false, [2][]byte{search(1, 900), nil}, wire.Yes},
		{"little of it", false, [2][]byte{good[:5], nil}, wire.Maybe},
		{"UDP", true, [2][]byte{good, nil}, wire.No},
		{"SNMP", false, [2][]byte{msg(0, octets("public, and so on and on")), nil}, wire.No},
		{"a certificate", false, [2][]byte{tlv(0x30, tlv(0x30, make([]byte, 40))), nil}, wire.No},
		{"a key", false, [2][]byte{msg(0, tlv(0x02, make([]byte, 40))), nil}, wire.No},
		{"text", false, [2][]byte{[]byte("GET / HTTP/1.1\r\n"), nil}, wire.No},
	} {
		c := conn1
		c.UDP = tt.udp
		if got := New(wiretest.New(t)).Probe(&c, tt.head); got != tt.want {
			t.Errorf("%s: verdict %d, want %d", tt.name, got, tt.want)
		}
	}
}

func FuzzLDAP(f *testing.F) {
	var seeds [][]wiretest.Turn
	for _, s := range scripts(f) {
		seeds = append(seeds, s.turns)
	}
	wiretest.Fuzz(f, New, conn1, seeds...)
}
