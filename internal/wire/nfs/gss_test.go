package nfs

import (
	"fmt"
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/ticket/tickettest"
	"waybill/internal/wire/wiretest"
)

// gss adds a call of a security context, and its reply.
func (s *script) gss(kind, service, proc int, handle string, args, results []byte) {
	s.xid++
	cred := pack(1, kind, s.xid, service, handle)
	s.turns = append(s.turns,
		wiretest.Turn{From: 0, Data: s.record(pack(s.xid, 0, 2, progNFS, s.version, proc, 6, cred, 6, "mic", raw(args)))},
		wiretest.Turn{From: 1, Data: s.record(pack(s.xid, 1, 0, 6, "mic", 0, raw(results)))})
}

// protected is a body with a sequence number and a checksum (RFC 2203 5.3.2.2).
func protected(b []byte) []byte { return pack(pack(7, raw(b)), "checksum") }

// secured begins a security context and reads in it, with integrity.
func secured(t testing.TB) *script {
	login := tickettest.Alice(18)
	s := &script{version: 3}
	s.gss(1, 2, 0, "", pack(tickettest.GSS(login.APReq(t, login.TicketBytes(t)))), pack("ctx1", 0, 0, 128, tickettest.GSS(login.APRep(t))))
	s.gss(0, 2, v3Read, "ctx1", protected(pack(fileHandle, uint64(0), 700)), protected(pack(0, attr3(700), 700, 1, pattern(700))))
	return s
}

// TestKerberosUsers: the ticket that a security context begins with names who reads in
// it, plain or with integrity, on other connections too.
func TestKerberosUsers(t *testing.T) {
	login := tickettest.Alice(18)
	login.Service = "nfs/files.lab.test"
	keys, err := ticket.ParseKeytab(login.Keytab())
	if err != nil {
		t.Fatal(err)
	}
	begin := pack(tickettest.GSS(login.APReq(t, login.TicketBytes(t))))
	for _, tt := range []struct {
		name, status string
		service      int
		answer       []byte
		user         string
	}{
		{"plain", "", 1, pack("ctx1", 0, 0, 128, tickettest.GSS(login.APRep(t))), "LAB.TEST/alice"},
		{"integrity", "", 2, pack("ctx1", 0, 0, 128, tickettest.GSS(login.APRep(t))), "LAB.TEST/alice"},
		{"another handle", "", 1, pack("ctx2", 0, 0, 128, ""), "/"},
		{"refused", "error 000d0000", 1, pack("", 0xd0000, 0, 0, ""), "/"},
	} {
		for _, udp := range []bool{false, true} {
			s := &script{version: 3, udp: udp}
			s.gss(1, tt.service, 0, "", begin, tt.answer)
			wrap := func(b []byte) []byte { return b }
			if tt.service == gssIntegrity {
				wrap = protected
			}
			s.gss(0, tt.service, v3Lookup, "ctx1", wrap(pack(dirHandle, "read.me")), wrap(pack(0, fileHandle, attr3(700), 0)))
			s.gss(0, tt.service, v3Read, "ctx1", wrap(pack(fileHandle, uint64(0), 700)), wrap(pack(0, attr3(700), 700, 1, pattern(700))))
			c := wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:900"), wiretest.Addr("10.0.0.2:2049")}, UDP: udp}
			env := wiretest.Play(t, func(env wire.Env) wire.Protocol {
				env.(*wiretest.Env).Tickets = ticket.NewTable(keys, &content.Budget{Limit: 1 << 20})
				return New(env)
			}, c, 100, s.turns)
			if len(env.Transfers) != 1 {
				t.Fatalf("%s: %d transfers", tt.name, len(env.Transfers))
			}
			x := env.Transfers[0]
			if got := env.Result(x); !got.Whole || x.Name != "read.me" || x.Auth != "kerberos" || x.Domain+"/"+x.User != tt.user {
				t.Errorf("%s: %+v %+v", tt.name, x.Transfer, got)
			}
			if len(env.Accesses) != 1 {
				t.Fatalf("%s: %d accesses", tt.name, len(env.Accesses))
			}
			a := env.Accesses[0]
			want := "logon LAB.TEST/alice nfs/files.lab.test kerberos " + tt.status
			if got := fmt.Sprintf("%s %s/%s %s %s %s", a.What, a.Domain, a.User, a.Object, a.Detail, a.Status); got != want {
				t.Errorf("%s: %q, want %q", tt.name, got, want)
			}
		}
	}
	// A logon whose answer the capture lacks.
	s := &script{version: 3}
	s.gss(1, 1, 0, "", begin, nil)
	s.turns = s.turns[:1]
	if env := s.play(t, 0); len(env.Accesses) != 1 || env.Accesses[0].Status != "no answer seen" || env.Accesses[0].User != "" {
		t.Errorf("%+v", env.Accesses)
	}
}
