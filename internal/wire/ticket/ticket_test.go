package ticket

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"

	"waybill/internal/content"
	"waybill/internal/wire/ticket/tickettest"
)

var etypes = []int32{16, 17, 18, 19, 20, 23}

func mustKeytab(t testing.TB, b []byte) *Keytab {
	t.Helper()
	k, err := ParseKeytab(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustParse(t testing.TB, b []byte) Request {
	t.Helper()
	r, ok := Parse(b)
	if !ok {
		t.Fatalf("no AP-REQ: %x", b)
	}
	return r
}

// TestReal: a logon of smbclient at smbd (Samba 4.17, MIT's KDC 1.20), each with a key
// of another type. The session key is what opened the sessions' messages.
func TestReal(t *testing.T) {
	for _, tt := range realLogons {
		t.Run(tt.name, func(t *testing.T) {
			r := mustParse(t, unhex(tt.apReq))
			if r.Service != "cifs/files.lab.test" || r.Realm != "LAB.TEST" {
				t.Errorf("for %s in %s", r.Service, r.Realm)
			}
			opened, err := mustKeytab(t, unhex(tt.keytab)).Open(&r)
			if err != nil {
				t.Fatal(err)
			}
			if opened.User != "alice" || opened.Realm != "LAB.TEST" {
				t.Errorf("of %s@%s", opened.User, opened.Realm)
			}
			x := opened.Exchange(&r)
			if got := hex.EncodeToString(x.SessionKey(unhex(tt.apRep))); got != tt.key {
				t.Errorf("session key %s, want %s", got, tt.key)
			}
		})
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// TestSessionKey: the server's sub-key, else the client's, else the ticket's.
func TestSessionKey(t *testing.T) {
	for _, etype := range etypes {
		both := tickettest.Alice(etype)
		one, none := both, both
		one.FromServer = tickettest.Key{}
		none.FromServer, none.FromClient = tickettest.Key{}, tickettest.Key{}
		for _, tt := range []struct {
			name     string
			login    tickettest.Login
			answered bool
			want     []byte
		}{
			{"both", both, true, both.FromServer.Value},
			{"no answer", both, false, both.FromClient.Value},
			{"client's", one, true, both.FromClient.Value},
			{"ticket's", none, true, both.Ticket.Value},
		} {
			r := mustParse(t, tt.login.APReq(t, tt.login.TicketBytes(t)))
			opened, err := mustKeytab(t, tt.login.Keytab()).Open(&r)
			if err != nil {
				t.Fatalf("%s, %s: %v", typeName(etype), tt.name, err)
			}
			var apRep []byte
			if tt.answered {
				apRep = tt.login.APRep(t)
			}
			x := opened.Exchange(&r)
			if got := x.SessionKey(apRep); !bytes.Equal(got, tt.want) || opened.User != "alice" || opened.Realm != "LAB.TEST" {
				t.Errorf("%s, %s: key %x of %s@%s, want %x", typeName(etype), tt.name, got, opened.User, opened.Realm, tt.want)
			}
		}
	}
}

// TestWhichKey: all keys of the type are tried, those of the service first; what
// cannot be opened is named.
func TestWhichKey(t *testing.T) {
	login := tickettest.Alice(18)
	wrong := tickettest.NewKey(18, 0x66)
	entry := func(principal string, version int, k tickettest.Key) tickettest.Entry {
		return tickettest.Entry{Principal: principal, Version: version, Key: k}
	}
	many := []tickettest.Entry{}
	for i := range 100 {
		many = append(many, entry("cifs/other@LAB.TEST", 2, tickettest.NewKey(18, byte(0x80+i))))
	}
	tests := []struct {
		name    string
		entries []tickettest.Entry
		want    string // of the error
	}{
		{"the service", []tickettest.Entry{entry("cifs/files.lab.test@LAB.TEST", 2, login.Server)}, ""},
		{"another version", []tickettest.Entry{entry("cifs/files.lab.test@LAB.TEST", 9, login.Server)}, ""},
		{"the host's account", append(many, entry("FILES$@LAB.TEST", 2, login.Server)), ""},
		{"an alias", []tickettest.Entry{entry("nfs/alias@LAB.TEST", 2, wrong), entry("host/alias@LAB.TEST", 2, login.Server)}, ""},
		{"an old key", []tickettest.Entry{entry("cifs/files.lab.test@LAB.TEST", 1, wrong)},
			"the keys of type aes256-cts-hmac-sha1-96 do not fit the ticket for cifs/files.lab.test@LAB.TEST, key version 2"},
		{"another type", []tickettest.Entry{entry("cifs/files.lab.test@LAB.TEST", 2, tickettest.NewKey(17, 0x51))},
			"no key of type aes256-cts-hmac-sha1-96 for cifs/files.lab.test@LAB.TEST"},
	}
	r := mustParse(t, login.APReq(t, login.TicketBytes(t)))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := mustKeytab(t, tickettest.Keytab(tt.entries...))
			opened, err := k.Open(&r)
			switch {
			case tt.want == "" && (err != nil || opened.User != "alice"):
				t.Errorf("%+v, %v", opened, err)
			case tt.want != "" && (err == nil || err.Error() != tt.want):
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if n := len(k.candidates(&r)); n > maxTries {
				t.Errorf("%d keys are tried", n)
			}
		})
	}
}

// TestDamagedTicket: no byte of the encrypted part may differ, and nothing that is
// cut short is opened.
func TestDamagedTicket(t *testing.T) {
	for _, etype := range etypes {
		login := tickettest.Alice(etype)
		k := mustKeytab(t, login.Keytab())
		whole := login.APReq(t, login.TicketBytes(t))
		r := mustParse(t, whole)
		for n := range len(r.ticket.cipher) {
			cut := r
			cut.ticket.cipher = r.ticket.cipher[:n]
			if _, err := k.Open(&cut); err == nil {
				t.Errorf("%s: %d bytes are opened", typeName(etype), n)
			}
		}
		at := bytes.Index(whole, r.ticket.cipher) + 20
		whole[at] ^= 1
		if r := mustParse(t, whole); err(k.Open(&r)) == nil {
			t.Errorf("%s: a changed ticket is opened", typeName(etype))
		}
	}
}

func err(_ *Ticket, err error) error { return err }

// TestKeytabOfLibrary: the library writes the same keys.
func TestKeytabOfLibrary(t *testing.T) {
	kt := keytab.New()
	key := types.EncryptionKey{KeyType: 18, KeyValue: tickettest.NewKey(18, 7).Value}
	if e := kt.AddEntry("cifs/files.lab.test", "LAB.TEST", "secret", time.Unix(1e9, 0), 3, 18); e != nil {
		t.Fatal(e)
	}
	kt.Entries[0].Key = key
	b, e := kt.Marshal()
	if e != nil {
		t.Fatal(e)
	}
	got := mustKeytab(t, b).all[18]
	if len(got) != 1 || got[0].principal != "cifs/files.lab.test@LAB.TEST" || got[0].kvno != 3 || !bytes.Equal(got[0].value, key.KeyValue) {
		t.Errorf("got %+v", got)
	}
}

func TestParseKeytab(t *testing.T) {
	one := tickettest.Entry{Principal: "cifs/a@R", Version: 300, Key: tickettest.NewKey(17, 0x41)}
	two := tickettest.Entry{Principal: "B$@R", Version: 1, Key: tickettest.NewKey(23, 0x42)}
	good := tickettest.Keytab(one, two)
	hole := append([]byte{5, 2, 0xff, 0xff, 0xff, 0xfc, 1, 2, 3, 4}, good[2:]...)
	for name, b := range map[string][]byte{"plain": good, "a hole": hole, "zeros behind": append(bytes.Clone(good), 0, 0, 0, 0, 9, 9),
		"twice": append(bytes.Clone(good), good[2:]...)} {
		k := mustKeytab(t, b)
		if len(k.all[17]) != 1 || len(k.all[23]) != 1 || k.all[17][0].kvno != 300 || k.all[23][0].principal != "B$@R" {
			t.Errorf("%s: %+v", name, k.all)
		}
	}
	cut := bytes.Clone(good)
	cut[2+4+1] = 9 // nine parts of a name
	for _, tt := range []struct {
		name, want string
		b          []byte
	}{
		{"nothing", "this is no keytab", nil},
		{"text", "this is no keytab", []byte("# a keytab")},
		{"version 1", "version 1", []byte{5, 1, 0, 0}},
		{"no entry", "no key of a known encryption type", []byte{5, 2}},
		{"DES only", "no key of a known encryption type", tickettest.Keytab(tickettest.Entry{Principal: "a@R", Key: tickettest.Key{Type: 3, Value: []byte("AAAAAAAA")}})},
		{"short key", "no key of a known encryption type", tickettest.Keytab(tickettest.Entry{Principal: "a@R", Key: tickettest.Key{Type: 17, Value: []byte("AAAAAAAA")}})},
		{"cut", "entry 2, at byte 53", good[:len(good)-1]},
		{"inside", "entry 1, at byte 2: it ends in the middle", cut},
		{"size of two gigabytes", "it is to have 2147483648 bytes", []byte{5, 2, 0x80, 0, 0, 0, 1}},
	} {
		_, err := ParseKeytab(tt.b)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: the error shows a key: %v", tt.name, err)
		}
	}
}

func FuzzParseKeytab(f *testing.F) {
	f.Add(tickettest.Alice(18).Keytab())
	f.Add([]byte{5, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParseKeytab(b)
		if err != nil {
			return
		}
		n := 0
		for etype, list := range k.all {
			for _, e := range list {
				if n++; len(e.value) != encryptions[etype].key {
					t.Errorf("a key of %d bytes for %s", len(e.value), typeName(etype))
				}
			}
		}
		if n == 0 {
			t.Error("no key and no error")
		}
	})
}

// FuzzTicket: any bytes in the place of the two messages; what is opened is what was
// sealed.
func FuzzTicket(f *testing.F) {
	var entries []tickettest.Entry
	for _, etype := range etypes {
		l := tickettest.Alice(etype)
		entries = append(entries, tickettest.Entry{Principal: "cifs/files.lab.test@LAB.TEST", Version: 2, Key: l.Server})
		f.Add(l.APReq(f, l.TicketBytes(f)), l.APRep(f), l.TicketBytes(f)[2:])
	}
	k, err := ParseKeytab(tickettest.Keytab(entries...))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, apReq, apRep, ticket []byte) {
		budget := &content.Budget{Limit: 1 << 20}
		table := NewTable(k, budget)
		table.Issued(ticket, "bob", "R")
		got := table.Ticket(apReq)
		if key := got.SessionKey(apRep); key != nil && got.User != "alice" {
			t.Errorf("a key of %d bytes for %q", len(key), got.User)
		}
		if n := table.Opened + int64(len(table.Unopened)); n > 1 {
			t.Errorf("one logon counts %d times", n)
		}
	})
}
