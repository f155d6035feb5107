package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
	"waybill/internal/wire/smbcrypt"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/ticket/tickettest"
)

func parseKeytab(t testing.TB, b []byte) *ticket.Keytab {
	t.Helper()
	k, err := ticket.ParseKeytab(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeytab: sessions of the user's own server are opened whole, with whom they were
// of, in every dialect and cipher.
func TestKeytab(t *testing.T) {
	for _, tt := range []struct {
		name            string
		dialect, cipher uint16
		etype           int32
	}{
		{"AES-128-GCM", 0x311, smbcrypt.AES128GCM, 17},
		{"AES-128-CCM", 0x311, smbcrypt.AES128CCM, 19},
		{"AES-256-GCM", 0x311, smbcrypt.AES256GCM, 18},
		{"AES-256-CCM", 0x311, smbcrypt.AES256CCM, 20},
		{"AES-256-GCM with a key of 16 bytes", 0x311, smbcrypt.AES256GCM, 23},
		{"3.0", 0x300, smbcrypt.AES128CCM, 18},
		{"plain", 0x311, 0, 18},
	} {
		t.Run(tt.name, func(t *testing.T) {
			login := tickettest.Alice(tt.etype)
			var sent []byte
			c := synth.Record(5, func(n *synth.Net) {
				sent = n.Bytes(300_000)
				k := &synth.Kerberos{Token: tickettest.Init(login.APReq(t, login.TicketBytes(t))), Answer: tickettest.Resp(0, login.APRep(t)),
					Key: login.FromServer.Value, Cipher: tt.cipher}
				s := n.SMB(n.Host("WS-31", "10.20.1.31"), n.Host("FILES", "10.20.0.5"), synth.SMBOptions{Dialect: tt.dialect, Kerberos: k})
				s.Tree("Data").Put("up.bin", sent)
				s.Tree("Data").Get("down.bin", sent)
				s.Logoff()
			}).Capture
			dir := captureFile(t, c)
			sum := sha256.Sum256(sent)
			opened := run(t, Options{Paths: []string{dir}, Keytab: parseKeytab(t, login.Keytab())})
			whole := 0
			for _, x := range opened.Transfers {
				if x.SHA256 == hex.EncodeToString(sum[:]) && x.User == "alice" && x.Domain == "LAB.TEST" && x.Auth == "kerberos" && x.Session.Encrypted == (tt.cipher != 0) {
					whole++
				}
			}
			last := opened.Coverage[len(opened.Coverage)-1]
			if whole != 2 || len(opened.Transfers) != 2 || last.Blind["encrypted-smb3"] != 0 {
				t.Errorf("%d whole of %d transfers, blind %v: %+v", whole, len(opened.Transfers), last.Blind, opened.Transfers)
			}
			if last.Tickets == nil || last.Tickets.Opened != 1 || len(last.Tickets.Unopened) != 0 {
				t.Errorf("tickets %+v", last.Tickets)
			}
			for _, a := range opened.Accesses {
				if a.What == "logon" && (a.User != "alice" || a.Domain != "LAB.TEST" || a.Object != "cifs/files.lab.test") {
					t.Errorf("logon %+v", a)
				}
			}
		})
	}
}

// TestKeytabOfOthers: a keytab that does not fit changes nothing, and that is said.
func TestKeytabOfOthers(t *testing.T) {
	login := tickettest.Alice(18)
	c := synth.Record(5, func(n *synth.Net) {
		k := &synth.Kerberos{Token: tickettest.Init(login.APReq(t, login.TicketBytes(t))), Answer: tickettest.Resp(0, login.APRep(t)),
			Key: login.FromServer.Value, Cipher: smbcrypt.AES128GCM}
		s := n.SMB(n.Host("WS-31", "10.20.1.31"), n.Host("FILES", "10.20.0.5"), synth.SMBOptions{Kerberos: k})
		s.Tree("Data").Put("up.bin", n.Bytes(300_000))
		s.Logoff()
	}).Capture
	dir := captureFile(t, c)
	without := run(t, Options{Paths: []string{dir}})
	other := tickettest.Keytab(tickettest.Entry{Principal: "cifs/other@LAB.TEST", Version: 1, Key: tickettest.NewKey(18, 9)})
	with := run(t, Options{Paths: []string{dir}, Keytab: parseKeytab(t, other)})
	if a, b := without.Transfers, with.Transfers; len(a) != 1 || len(b) != 1 || a[0].ID != b[0].ID || b[0].Completeness != model.Opaque || b[0].User != "" {
		t.Errorf("without %+v, with %+v", a, b)
	}
	tickets := with.Coverage[len(with.Coverage)-1].Tickets
	for why, n := range tickets.Unopened {
		if n != 1 || !strings.Contains(why, "do not fit the ticket for cifs/files.lab.test@LAB.TEST, key version 2") {
			t.Errorf("%d: %s", n, why)
		}
	}
	if tickets.Opened != 0 || len(tickets.Unopened) != 1 {
		t.Errorf("tickets %+v", tickets)
	}
}
