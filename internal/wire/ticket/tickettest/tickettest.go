// Package tickettest makes Kerberos tickets, and keytabs that open them, for tests.
// In go names and keys, out come the messages of a logon (RFC 4120) by themselves
// and in SPNEGO (RFC 4178). Only tests import it; it reads nothing.
package tickettest

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/crypto"
)

// Key is a key of an encryption type.
type Key struct {
	Type  int32
	Value []byte
}

var keySizes = map[int32]int{16: 24, 17: 16, 18: 32, 19: 16, 20: 32, 23: 16}

// NewKey is a key whose bytes are all b.
func NewKey(etype int32, b byte) Key {
	return Key{etype, bytes.Repeat([]byte{b}, keySizes[etype])}
}

// Login is one logon of a user at a service.
type Login struct {
	User, Domain   string
	Service, Realm string // of the server
	Version        int    // of its key
	Server         Key    // the service's key
	Ticket         Key    // in the ticket
	FromClient     Key    // sub-keys; zero for none
	FromServer     Key
}

// Alice logs on to the file server with keys of one type; both ends make sub-keys.
func Alice(etype int32) Login {
	return Login{User: "alice", Domain: "LAB.TEST", Service: "cifs/files.lab.test", Realm: "LAB.TEST", Version: 2,
		Server: NewKey(etype, 0x51), Ticket: NewKey(etype, 0x52), FromClient: NewKey(etype, 0x53), FromServer: NewKey(etype, 0x54)}
}

// Keytab is a keytab with the service's key.
func (l Login) Keytab() []byte {
	return Keytab(Entry{l.Service + "@" + l.Realm, l.Version, l.Server})
}

// Entry is a key in a keytab.
type Entry struct {
	Principal string
	Version   int
	Key
}

// Keytab writes a keytab (MIT's keytab file format, version 2).
func Keytab(entries ...Entry) []byte {
	file := []byte{5, 2}
	for _, e := range entries {
		name, realm, _ := strings.Cut(e.Principal, "@")
		parts := strings.Split(name, "/")
		b := binary.BigEndian.AppendUint16(nil, uint16(len(parts)))
		for _, s := range append([]string{realm}, parts...) {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
		}
		b = append(b, 0, 0, 0, 1, 0, 0, 0, 0, byte(e.Version))
		b = binary.BigEndian.AppendUint16(b, uint16(e.Type))
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(e.Value))), e.Value...)
		b = binary.BigEndian.AppendUint32(b, uint32(e.Version))
		file = append(binary.BigEndian.AppendUint32(file, uint32(len(b))), b...)
	}
	return file
}

// TicketBytes is the ticket (RFC 4120 5.3).
func (l Login) TicketBytes(t testing.TB) []byte {
	inside := tlv(0x63, tlv(0x30, field(0, tlv(0x03, []byte{0, 0x40, 0, 0, 0})), field(1, l.Ticket.der()),
		field(2, text(l.Domain)), field(3, principal(l.User))))
	return tlv(0x61, tlv(0x30, field(0, number(5)), field(1, text(l.Realm)), field(2, principal(l.Service)),
		field(3, seal(t, l.Server, l.Version, 2, inside))))
}

// APReq logs on with a ticket (RFC 4120 5.5.1).
func (l Login) APReq(t testing.TB, ticket []byte) []byte {
	fields := [][]byte{field(0, number(5)), field(1, text(l.Domain)), field(2, principal(l.User))}
	if l.FromClient.Value != nil {
		fields = append(fields, field(6, l.FromClient.der()))
	}
	return tlv(0x6e, tlv(0x30, field(0, number(5)), field(1, number(14)), field(2, tlv(0x03, []byte{0, 0x20, 0, 0, 0})),
		field(3, ticket), field(4, seal(t, l.Ticket, 0, 11, tlv(0x62, tlv(0x30, fields...))))))
}

// APRep answers it (RFC 4120 5.5.2).
func (l Login) APRep(t testing.TB) []byte {
	fields := [][]byte{field(0, tlv(0x18, []byte("20260317090000Z"))), field(1, number(7))}
	if l.FromServer.Value != nil {
		fields = append(fields, field(2, l.FromServer.der()))
	}
	return tlv(0x6f, tlv(0x30, field(0, number(5)), field(1, number(15)),
		field(2, seal(t, l.Ticket, 0, 12, tlv(0x7b, tlv(0x30, fields...))))))
}

// TGSRep brings the client its ticket (RFC 4120 5.4.2).
func (l Login) TGSRep(t testing.TB, ticket []byte) []byte {
	return tlv(0x6d, tlv(0x30, field(0, number(5)), field(1, number(13)), field(3, text(l.Domain)), field(4, principal(l.User)),
		field(5, ticket), field(6, seal(t, l.Ticket, 0, 8, []byte("what only the client reads")))))
}

var (
	oidSPNEGO   = tlv(0x06, []byte("\x2b\x06\x01\x05\x05\x02"))
	oidKerberos = tlv(0x06, []byte("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"))
)

// GSS is a message in Kerberos' own frame (RFC 4121 4.1).
func GSS(message []byte) []byte {
	kind := []byte{1, 0}
	if message[0] == 0x6f {
		kind[0] = 2
	}
	return tlv(0x60, oidKerberos, kind, message)
}

// Init is the client's first SPNEGO token.
func Init(apReq []byte) []byte {
	return tlv(0x60, oidSPNEGO, tlv(0xa0, tlv(0x30, field(0, tlv(0x30, oidKerberos)), field(2, tlv(0x04, GSS(apReq))))))
}

// Resp is a SPNEGO token that goes on, with a state; apRep may be nil.
func Resp(state byte, apRep []byte) []byte {
	fields := [][]byte{field(0, tlv(0x0a, []byte{state})), field(1, oidKerberos)}
	if apRep != nil {
		fields = append(fields, field(2, tlv(0x04, GSS(apRep))))
	}
	return tlv(0xa1, tlv(0x30, fields...))
}

// seal is EncryptedData (RFC 4120 5.2.9); version 0 is left out.
func seal(t testing.TB, k Key, version int, usage uint32, plain []byte) []byte {
	t.Helper()
	suite, err := crypto.GetEtype(k.Type)
	if err != nil {
		t.Fatal(err)
	}
	_, sealed, err := suite.EncryptMessage(k.Value, plain, usage)
	if err != nil {
		t.Fatal(err)
	}
	fields := [][]byte{field(0, number(int(k.Type)))}
	if version != 0 {
		fields = append(fields, field(1, number(version)))
	}
	return tlv(0x30, append(fields, field(2, tlv(0x04, sealed)))...)
}

func (k Key) der() []byte {
	return tlv(0x30, field(0, number(int(k.Type))), field(1, tlv(0x04, k.Value)))
}

func principal(name string) []byte {
	var parts [][]byte
	for _, s := range strings.Split(name, "/") {
		parts = append(parts, text(s))
	}
	return tlv(0x30, field(0, number(1)), field(1, tlv(0x30, parts...)))
}

func text(s string) []byte { return tlv(0x1b, []byte(s)) }

func number(n int) []byte { return tlv(0x02, []byte{byte(n)}) }

func field(n byte, value []byte) []byte { return tlv(0xa0|n, value) }

// tlv is a value with its tag and length (X.690 8.1).
func tlv(tag byte, parts ...[]byte) []byte {
	b := bytes.Join(parts, nil)
	head := []byte{tag, byte(len(b))}
	if len(b) >= 0x80 {
		head = []byte{tag, 0x82, byte(len(b) >> 8), byte(len(b))}
	}
	return append(head, b...)
}
