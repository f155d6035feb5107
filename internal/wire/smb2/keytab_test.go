package smb2

import (
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/smbcrypt"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/ticket/tickettest"
)

// setupMessages are SESSION_SETUP requests and responses that carry tokens, all but
// the last asking for more.
func (p *peer) setupMessages(tokens ...[]byte) {
	id := p.session
	p.session = 0
	for i := 0; i < len(tokens); i += 2 {
		mid := p.ask(cmdSessionSetup, append(le("2:25 1:0 1:1 4:0 4:0 2:88 2:%d 8:0", len(tokens[i])), tokens[i]...))
		p.session = id
		status := uint32(statusMoreProcessing)
		if i == len(tokens)-2 {
			status = 0
		}
		p.reply(mid, cmdSessionSetup, status, append(le("2:9 2:0 2:72 2:%d", len(tokens[i+1])), tokens[i+1]...))
	}
}

// TestKerberosKey: the key comes from the ticket, however the tokens are spread over
// the set-up, and opens the messages after it.
func TestKerberosKey(t *testing.T) {
	login := tickettest.Alice(18)
	ticketBytes := login.TicketBytes(t)
	ask, answer := tickettest.Init(login.APReq(t, ticketBytes)), login.APRep(t)
	clientOnly := login
	clientOnly.FromServer = tickettest.Key{}
	b := pattern(20_000, 1)
	for _, tt := range []struct {
		name   string
		tokens [][]byte
		key    []byte
	}{
		{"one exchange", [][]byte{ask, tickettest.Resp(0, answer)}, login.FromServer.Value},
		{"choice of mechanism confirmed", [][]byte{ask, tickettest.Resp(1, answer), tickettest.Resp(1, nil), tickettest.Resp(0, nil)}, login.FromServer.Value},
		{"no key of the server", [][]byte{ask, tickettest.Resp(0, clientOnly.APRep(t))}, login.FromClient.Value},
		{"raw Kerberos", [][]byte{tickettest.GSS(login.APReq(t, ticketBytes)), tickettest.GSS(answer)}, login.FromServer.Value},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{}
			p := s.dial(clientEnd, serverEnd)
			p.negotiate(0x311, append(le("2:2 2:4 4:0"), le("2:1 2:4")...))
			p.setupMessages(tt.tokens...)
			var hash smbcrypt.Preauth
			for _, st := range s.steps[:len(s.steps)-1] {
				hash.Update(st.data[4:])
			}
			toServer, toClient := smbcrypt.DeriveKeys(0x311, tt.key, hash.Sum(), smbcrypt.AES256GCM)
			from := len(s.steps)
			p.connect(share, 1)
			p.pushed(1, "f", b)
			for i := from; i < len(s.steps); i++ {
				k := [2][]byte{toServer, toClient}[s.steps[i].from]
				out, err := smbcrypt.Seal(smbcrypt.AES256GCM, k, p.session, make([]byte, 16), s.steps[i].data[4:])
				if err != nil {
					t.Fatal(err)
				}
				s.steps[i].data = frame(out)
			}
			p.end(wire.FIN)
			keys, err := ticket.ParseKeytab(login.Keytab())
			if err != nil {
				t.Fatal(err)
			}
			how := plainly
			how.tickets = ticket.NewTable(keys, &content.Budget{Limit: 1 << 20})
			got := s.play(t, how).want(whole("push", share+`\f`, b))
			if x := got.Transfers[0]; x.User != "alice" || x.Domain != "LAB.TEST" || x.Auth != "kerberos" {
				t.Errorf("of %s@%s by %s", x.User, x.Domain, x.Auth)
			}
			if a := got.Accesses[0]; a.What != "logon" || a.User != "alice" || a.Object != "cifs/files.lab.test" || a.Detail != "kerberos" {
				t.Errorf("logon %+v", a.Access)
			}
		})
	}
}

// TestRefusedTicket: a refused logon names its user too, and leads to no session.
func TestRefusedTicket(t *testing.T) {
	login := tickettest.Alice(18)
	s := &script{}
	p := s.dial(clientEnd, serverEnd)
	p.negotiate(0x311)
	token := tickettest.Init(login.APReq(t, login.TicketBytes(t)))
	mid := p.ask(cmdSessionSetup, append(le("2:25 1:0 1:1 4:0 4:0 2:88 2:%d 8:0", len(token)), token...))
	p.reply(mid, cmdSessionSetup, 0xC000006D, nil)
	p.end(wire.FIN)
	keys, err := ticket.ParseKeytab(login.Keytab())
	if err != nil {
		t.Fatal(err)
	}
	how := plainly
	how.tickets = ticket.NewTable(keys, &content.Budget{Limit: 1 << 20})
	got := s.play(t, how)
	if len(got.Accesses) != 1 || got.Accesses[0].User != "alice" || got.Accesses[0].Status == "" || got.Accesses[0].Object != "cifs/files.lab.test" {
		t.Errorf("got %+v", got.Accesses)
	}
}
