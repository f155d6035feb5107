package scan

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
	"waybill/internal/wire/ticket/tickettest"
)

// end is an end of a connection.
func end(ip string, port uint16) model.Endpoint {
	return model.Endpoint{IP: model.AddrOf(netip.MustParseAddr(ip)), Port: port}
}

func seconds(n int) model.Time { return model.Time(n) * 1e9 }

// TestKerberosUsers: where a logon's own ticket is not known, another one that the same
// address got for the service before names it and what its connection did.
func TestKerberosUsers(t *testing.T) {
	got := func(at int, from, user, service string) *model.Access {
		return &model.Access{What: "kerberos-ticket", Detail: "TGS-REP", Time: seconds(at), Source: end(from, 999), User: user, Domain: "CORP", Object: service}
	}
	granted := []*model.Access{
		got(1, "10.0.0.1", "anna", "cifs/srv1.corp.local"), got(2, "10.0.0.1", "bob", "ldap/dc1"), got(3, "10.0.0.1", "eve", "cifs/srv2"),
		got(4, "10.0.0.7", "mallory", "cifs/srv1.corp.local"), got(5, "10.0.0.1", "WELLKNOWN/ANONYMOUS", "cifs/srv3"), got(6, "10.0.0.1", "carl", "cifs/srv2"),
	}
	server := end("10.0.0.2", 445)
	for _, c := range []struct {
		name, service, user, note string
		at                        int
		status                    string
		logons                    int
	}{
		{"by address and service", "CIFS/srv1.corp.local", "anna", "user by another ticket that the client got", 10, "", 1},
		{"several people", "cifs/srv2", "carl", "user by another ticket that the client got; others got one too", 10, "", 1},
		{"the last one before", "cifs/srv2", "eve", "user by another ticket that the client got", 5, "", 1},
		{"a hidden client", "cifs/srv3", "", "", 10, "", 1},
		{"another service", "cifs/srv4", "", "", 10, "", 1},
		{"before", "cifs/srv1.corp.local", "", "", 0, "", 1},
		{"too late", "cifs/srv1.corp.local", "", "", 50_000, "", 1},
		{"refused", "cifs/srv1.corp.local", "", "", 10, "STATUS_LOGON_FAILURE", 1},
		{"several sessions on a connection", "cifs/srv1.corp.local", "", "", 10, "", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := end("10.0.0.1", 50_000)
			r := &Records{}
			r.Accesses = append(r.Accesses, granted...)
			for i := range c.logons {
				r.Accesses = append(r.Accesses, &model.Access{What: "logon", Time: seconds(c.at), Source: client, Destination: server, Status: c.status,
					Detail: "kerberos", Object: []string{c.service, "cifs/srv2"}[i]})
			}
			share := &model.Access{What: "share-connect", Time: seconds(c.at + 1), Source: client, Destination: server}
			elsewhere := &model.Access{What: "share-connect", Time: seconds(c.at + 1), Source: end("10.0.0.1", 50_001), Destination: server}
			r.Accesses = append(r.Accesses, share, elsewhere)
			push := &model.Transfer{Auth: "kerberos", Start: seconds(c.at + 2), Initiator: model.BySource, Source: client, Destination: server}
			pull := &model.Transfer{Auth: "kerberos", Start: seconds(c.at + 2), Initiator: model.ByDestination, Source: server, Destination: client}
			ntlm := &model.Transfer{Auth: "ntlm", Start: seconds(c.at + 2), Initiator: model.BySource, Source: client, Destination: server}
			r.Transfers = []*model.Transfer{push, pull, ntlm}
			r.nameKerberosUsers()
			if push.User != c.user || pull.User != c.user || share.User != c.user || strings.Join(push.Notes, "") != c.note {
				t.Errorf("push %q pull %q access %q, notes %q; want %q", push.User, pull.User, share.User, push.Notes, c.user)
			}
			if ntlm.User != "" || elsewhere.User != "" {
				t.Errorf("named too: %q %q", ntlm.User, elsewhere.User)
			}
		})
	}
}

// TestKerberosManyUsers: tickets of an address that thousands share cost no more for it.
func TestKerberosManyUsers(t *testing.T) {
	r := &Records{}
	const n = 60_000
	for i := range n {
		r.Accesses = append(r.Accesses, &model.Access{What: "kerberos-ticket", Detail: "TGS-REP", Time: seconds(i), Source: end("10.0.0.1", 999),
			User: "same", Domain: "CORP", Object: "cifs/srv"})
	}
	for i := range n {
		r.Accesses = append(r.Accesses, &model.Access{What: "logon", Detail: "kerberos", Time: seconds(n), Source: end("10.0.0.1", uint16(i)), Destination: end("10.0.0.2", 445), Object: "cifs/srv"})
	}
	r.nameKerberosUsers() // squared it would be minutes
	if a := r.Accesses[len(r.Accesses)-1]; a.User != "same" {
		t.Errorf("%+v", a)
	}
}

// TestTicketsBeforeTheTime: --from leaves records out, not what they say of others. The
// very ticket that was given out is no guess.
func TestTicketsBeforeTheTime(t *testing.T) {
	login := tickettest.Alice(18)
	given := login.TicketBytes(t)
	beforeTheTime(t, login, given, given, "[]")
	beforeTheTime(t, login, given, login.TicketBytes(t), "[user by another ticket that the client got]")
}

func beforeTheTime(t *testing.T, login tickettest.Login, given, shown []byte, want string) {
	scene := synth.Record(5, func(n *synth.Net) {
		host, files := n.Host("WS-31", "10.20.1.31"), n.Host("FILES", "10.20.0.5")
		c := n.Dial(host, n.Host("KDC", "10.20.0.1"), 88)
		reply := login.TGSRep(t, given)
		c.Send(synth.Server, append([]byte{0, 0, byte(len(reply) >> 8), byte(len(reply))}, reply...))
		c.Close()
		n.Now += 600_000_000_000
		k := &synth.Kerberos{Token: tickettest.Init(login.APReq(t, shown)), Answer: tickettest.Resp(0, login.APRep(t))}
		s := n.SMB(host, files, synth.SMBOptions{Kerberos: k})
		s.Tree("Data").Put("up.bin", n.Bytes(30_000))
		s.Logoff()
	})
	r := run(t, Options{Paths: []string{captureFile(t, scene.Capture)}, From: synth.Begin + 300_000_000_000})
	if len(r.Transfers) != 1 || r.Transfers[0].User != "alice" || fmt.Sprint(r.Transfers[0].Notes) != want {
		t.Fatalf("%+v", r.Transfers)
	}
	for _, a := range r.Accesses {
		if a.Time < synth.Begin+300_000_000_000 {
			t.Errorf("%s at %v is before the time asked for", a.What, a.Time)
		}
		if a.User != "alice" {
			t.Errorf("%s of %q", a.What, a.User)
		}
	}
}
