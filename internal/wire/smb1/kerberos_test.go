package smb1

import (
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/ticket/tickettest"
	"waybill/internal/wire/wiretest"
)

// logon adds SESSION_SETUP_ANDX messages with tokens (MS-SMB 2.2.4.6), a request and
// an answer each; all answers but the last ask for more.
func (s *script) logon(tokens ...[]byte) {
	for i := 0; i < len(tokens); i += 2 {
		status := uint32(statusMoreProcessing)
		if i == len(tokens)-2 {
			status = 0
		}
		ask, answer := tokens[i], tokens[i+1]
		words := le(andXWords, uint16(16644), uint16(50), uint16(0), uint32(0), uint16(len(ask)), uint32(0), uint32(0x80000000))
		s.exchange(status, 0, []part{{cmdSessionSetup, words, le(ask, s.text("Unix", len(ask)%2 == 0))}},
			[]part{{cmdSessionSetup, le(andXWords, uint16(0), uint16(len(answer))), answer}})
	}
}

// TestKerberos: the ticket names the user, also where its logon takes two rounds.
func TestKerberos(t *testing.T) {
	login := tickettest.Alice(18)
	ask, answer := tickettest.Init(login.APReq(t, login.TicketBytes(t))), login.APRep(t)
	for name, tokens := range map[string][][]byte{
		"one round":  {ask, tickettest.Resp(0, answer)},
		"two rounds": {ask, tickettest.Resp(1, answer), tickettest.Resp(1, nil), tickettest.Resp(0, nil)},
	} {
		keys, err := ticket.ParseKeytab(login.Keytab())
		if err != nil {
			t.Fatal(err)
		}
		s := &script{flags2: flags2Unicode}
		s.logon(tokens...)
		s.exchange(0, 7,
			[]part{{cmdTreeConnectX, le(andXWords, uint16(0), uint16(1)), le(byte(0), s.text(`\\SRV\data`, false), "A:", byte(0))}},
			[]part{{cmdTreeConnectX, le(andXWords, uint16(0)), le("A:", byte(0), s.text("NTFS", false))}})
		s.create(5, `\f.bin`, 0x2, 2, 0, 0)
		s.write(5, 0, []byte("content of a file"))
		c := wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:445")}}
		env := wiretest.Play(t, func(env wire.Env) wire.Protocol {
			env.(*wiretest.Env).Tickets = ticket.NewTable(keys, &content.Budget{Limit: 1 << 20})
			return New(env)
		}, c, 100, s.turns)
		if len(env.Transfers) != 1 || len(env.Accesses) == 0 {
			t.Fatalf("%s: %d transfers, %d accesses", name, len(env.Transfers), len(env.Accesses))
		}
		if x := env.Transfers[0]; x.User != "alice" || x.Domain != "LAB.TEST" || x.Auth != "kerberos" {
			t.Errorf("%s: of %s@%s by %s", name, x.User, x.Domain, x.Auth)
		}
		if a := env.Accesses[0]; a.What != "logon" || a.User != "alice" || a.Object != "cifs/files.lab.test" || a.Detail != "kerberos" || a.Status != "" {
			t.Errorf("%s: logon %+v", name, a.Access)
		}
	}
}
