// Package ticket opens the service tickets of Kerberos (RFC 4120) with the keys of
// a keytab. In come the AP-REQ of a client and the AP-REP that answers it, as the
// security token of a logon carries them; out go the client's principal and the
// key that both ends agreed on. It asks no key distribution centre, guesses no key,
// and puts no key into an error.
package ticket

import (
	"fmt"
	"strings"

	"waybill/internal/wire/der"
)

// The tags of the messages (RFC 4120 5.3, 5.5, 5.10).
const (
	tagTicket        = 0x61
	tagAuthenticator = 0x62
	tagEncTicketPart = 0x63
	tagAPReq         = 0x6e
	tagAPRep         = 0x6f
	tagEncAPRepPart  = 0x7b

	tagInteger       = 0x02
	tagOctets        = 0x04
	tagGeneralString = 0x1b
	tagSequence      = 0x30
)

// The key usages (RFC 4120 7.5.1).
const (
	usageTicket        = 2
	usageAuthenticator = 11
	usageAPRep         = 12
)

func context(n byte) byte { return 0xa0 | n }

// Request is an AP-REQ (RFC 4120 5.5.1). It refers to the bytes that it was read from.
type Request struct {
	Service       string // that the ticket is for, as "cifs/server"
	Realm         string // of the service
	ticket        sealed
	authenticator sealed
}

// sealed is EncryptedData (RFC 4120 5.2.9).
type sealed struct {
	etype     int32
	kvno      uint32
	versioned bool // kvno is stated
	cipher    []byte
}

// Parse reads an AP-REQ.
func Parse(apReq []byte) (Request, bool) {
	fields, ok := message(apReq, tagAPReq)
	if !ok {
		return Request{}, false
	}
	ticket, ok := fields.Field(context(3), tagTicket).Child(tagSequence)
	if !ok {
		return Request{}, false
	}
	r := Request{
		Realm:         string(ticket.Field(context(1), tagGeneralString)),
		Service:       name(ticket.Field(context(2), tagSequence)),
		ticket:        encrypted(ticket.Field(context(3), tagSequence)),
		authenticator: encrypted(fields.Field(context(4), tagSequence)),
	}
	return r, len(r.ticket.cipher) > 0
}

// Sealed is what of the ticket is encrypted: the same bytes in every message that
// carries this ticket, and in no other ticket.
func (r *Request) Sealed() []byte { return r.ticket.cipher }

// Sealed is the same of a ticket by itself, the inside of its application tag, as
// replies carry it (RFC 4120 5.3).
func Sealed(ticket der.Run) []byte {
	fields, _ := ticket.Child(tagSequence)
	return encrypted(fields.Field(context(3), tagSequence)).cipher
}

// Ticket is an opened ticket.
type Ticket struct {
	User, Realm string // of the client
	key         Key
}

// Open decrypts the ticket of a request with the service's key. The error says
// which key is missing.
func (k *Keytab) Open(r *Request) (*Ticket, error) {
	keys := k.candidates(r)
	if len(keys) == 0 {
		return nil, fmt.Errorf("no key of type %s for %s", typeName(r.ticket.etype), r.principal())
	}
	for _, key := range keys {
		plain, ok := key.open(r.ticket, usageTicket)
		if !ok {
			continue
		}
		if t := readTicket(plain); t != nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("the keys of type %s do not fit the ticket for %s%s", typeName(r.ticket.etype), r.principal(), r.ticket.version())
}

func (r *Request) principal() string { return r.Service + "@" + r.Realm }

// version is the key version number for an error.
func (s *sealed) version() string {
	if !s.versioned {
		return ""
	}
	return fmt.Sprintf(", key version %d", s.kvno)
}

// readTicket reads an EncTicketPart (RFC 4120 5.3).
func readTicket(plain []byte) *Ticket {
	fields, ok := message(plain, tagEncTicketPart)
	if !ok {
		return nil
	}
	return &Ticket{
		key:   readKey(fields.Field(context(1), tagSequence)),
		Realm: string(fields.Field(context(2), tagGeneralString)),
		User:  name(fields.Field(context(3), tagSequence)),
	}
}

// Exchange is the use of an opened ticket in one AP-REQ.
type Exchange struct {
	ticket *Ticket
	subkey Key // the client's; none where it sent none
}

// Exchange opens the authenticator of a request with the ticket's key.
func (t *Ticket) Exchange(r *Request) Exchange {
	plain, _ := t.key.open(r.authenticator, usageAuthenticator)
	fields, _ := message(plain, tagAuthenticator)
	return Exchange{t, readKey(fields.Field(context(6), tagSequence))}
}

// SessionKey is the key that the two ends use: the server's sub-key, else the
// client's, else the ticket's (RFC 4121 2). apRep is the server's
// answer; nil where none was seen.
func (e *Exchange) SessionKey(apRep []byte) []byte {
	if key := e.ticket.serverKey(apRep); key.known() {
		return key.value
	}
	if e.subkey.known() {
		return e.subkey.value
	}
	return e.ticket.key.value
}

// serverKey is the sub-key in an AP-REP (RFC 4120 5.5.2).
func (t *Ticket) serverKey(apRep []byte) Key {
	fields, ok := message(apRep, tagAPRep)
	if !ok {
		return Key{}
	}
	plain, _ := t.key.open(encrypted(fields.Field(context(2), tagSequence)), usageAPRep)
	fields, _ = message(plain, tagEncAPRepPart)
	return readKey(fields.Field(context(2), tagSequence))
}

// message is the fields of a message with an application tag.
func message(b []byte, tag byte) (der.Run, bool) {
	v, _, ok := der.Run(b).Next()
	if !ok || v.Tag != tag {
		return nil, false
	}
	return v.Body.Child(tagSequence)
}

func encrypted(d der.Run) sealed {
	kvno := d.Field(context(1), tagInteger)
	return sealed{
		etype:     int32(integer(d.Field(context(0), tagInteger))),
		kvno:      uint32(integer(kvno)),
		versioned: len(kvno) > 0,
		cipher:    d.Field(context(2), tagOctets),
	}
}

// integer reads an integer of up to four bytes (X.690 8.3).
func integer(b der.Run) int64 {
	if len(b) == 0 || len(b) > 5 {
		return 0
	}
	n := int64(int8(b[0]))
	for _, c := range b[1:] {
		n = n<<8 | int64(c)
	}
	return n
}

// maxParts is how many parts a name may have.
const maxParts = 8

// name writes a principal's name (RFC 4120 5.2.2).
func name(d der.Run) string {
	var parts []string
	for rest := d.Field(context(1), tagSequence); len(parts) < maxParts; {
		v, more, ok := rest.Next()
		if !ok {
			break
		}
		parts = append(parts, string(v.Body))
		rest = more
	}
	return strings.Join(parts, "/")
}
