package synth

import (
	"encoding/binary"
	"strings"
)

// KDC is a client's exchanges with a key distribution centre (RFC 4120).
type KDC struct {
	Realm string
	TCP   bool // each exchange is a connection; else it is two datagrams

	net            *Net
	client, server *Host
}

// KDC names the centre that a client asks.
func (n *Net) KDC(client, server *Host, realm string) *KDC {
	return &KDC{Realm: realm, net: n, client: client, server: server}
}

// The messages by their types, which are their application tags (RFC 4120 5.10).
const (
	krbASReq  = 10
	krbASRep  = 11
	krbTGSReq = 12
	krbTGSRep = 13
	krbError  = 30
)

// The errors that logins meet (RFC 4120 7.5.9).
const (
	KerberosUnknownClient = 6
	KerberosWrongPassword = 24
	KerberosMorePreauth   = 25
)

// Login gets a ticket for tickets: without proof, which is refused, then with it.
func (k *KDC) Login(user string) {
	k.exchange(k.asReq(user, false), k.refusal(KerberosMorePreauth, k.service("krbtgt/"+k.Realm)))
	k.exchange(k.asReq(user, true), k.reply(krbASRep, user, "krbtgt/"+k.Realm))
	k.note("AS-REQ", user, "krbtgt/"+k.Realm, "")
	k.note("AS-REP", user, "krbtgt/"+k.Realm, "")
}

// Refused is a login that fails with an error.
func (k *KDC) Refused(user string, code int) {
	k.exchange(k.asReq(user, true), k.refusal(code, k.service("krbtgt/"+k.Realm)))
	k.note("AS-REQ", user, "krbtgt/"+k.Realm, "")
	k.note("KRB-ERROR", user, "krbtgt/"+k.Realm, map[int]string{
		KerberosUnknownClient: "KDC_ERR_C_PRINCIPAL_UNKNOWN", KerberosWrongPassword: "KDC_ERR_PREAUTH_FAILED",
	}[code])
}

// Ticket gets one for a service, as in "cifs/fs-01.corp.example".
func (k *KDC) Ticket(user, service string) {
	k.exchange(k.tgsReq(service), k.reply(krbTGSRep, user, service))
	k.note("TGS-REP", user, service, "")
}

func (k *KDC) note(detail, user, service, status string) {
	k.net.seen(k.client, k.server, Seen{What: "kerberos-ticket", Channel: "kerberos", Object: service, User: user, Detail: detail, Status: status})
}

// exchange is a request and its answer; over TCP each has its length before it (RFC
// 4120 7.2.2).
func (k *KDC) exchange(request, answer []byte) {
	if !k.TCP {
		u := k.net.UDP(k.client, k.server, 88)
		u.Client(request)
		u.Server(answer)
		return
	}
	c := k.net.Dial(k.client, k.server, 88)
	c.Client(be32(nil, uint32(len(request))), request)
	c.Server(be32(nil, uint32(len(answer))), answer)
	c.Close()
}

// application is a message (RFC 4120 5.10).
func application(kind uint8, fields ...[]byte) []byte {
	return der(0x60|kind, der(0x30, fields...))
}

// field is a field of a sequence by its tag.
func field(n uint8, parts ...[]byte) []byte { return der(0xA0|n, parts...) }

// derInt is a non-negative INTEGER.
func derInt(n uint32) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0}, n)
	for len(b) > 1 && b[0] == 0 && b[1] < 0x80 {
		b = b[1:]
	}
	return der(0x02, b)
}

func derText(s string) []byte  { return der(0x1B, []byte(s)) }
func derTime(s string) []byte  { return der(0x18, []byte(s)) }
func derBits(b ...byte) []byte { return der(0x03, append([]byte{0}, b...)) }

// principal is a PrincipalName (RFC 4120 5.2.2).
func principal(kind uint32, name string) []byte {
	var parts [][]byte
	for s := range strings.SplitSeq(name, "/") {
		parts = append(parts, derText(s))
	}
	return der(0x30, field(0, derInt(kind)), field(1, der(0x30, parts...)))
}

func (k *KDC) service(name string) []byte { return principal(2, name) }

// sealed is EncryptedData with AES-256 (RFC 4120 5.2.9) of a size.
func (k *KDC) sealed(size int) []byte {
	return der(0x30, field(0, derInt(18)), field(2, der(0x04, k.net.Bytes(size))))
}

// padata is one PA-DATA (RFC 4120 5.2.7).
func padata(kind uint32, value []byte) []byte {
	return der(0x30, field(1, derInt(kind)), field(2, der(0x04, value)))
}

// body is a KDC-REQ-BODY (RFC 4120 5.4.1).
func (k *KDC) body(cname []byte, service string) []byte {
	fields := [][]byte{field(0, derBits(0x40, 0x81, 0x00, 0x10))}
	if cname != nil {
		fields = append(fields, field(1, cname))
	}
	fields = append(fields, field(2, derText(k.Realm)), field(3, k.service(service)),
		field(5, derTime("20370913024805Z")), field(7, derInt(uint32(k.net.random())>>1)),
		field(8, der(0x30, derInt(18), derInt(17), derInt(23))))
	return der(0x30, fields...)
}

func (k *KDC) asReq(user string, proof bool) []byte {
	pac := padata(128, der(0x30, field(0, der(0x01, []byte{0xFF}))))
	data := [][]byte{pac}
	if proof {
		data = [][]byte{padata(2, k.sealed(56)), pac}
	}
	return application(krbASReq, field(1, derInt(5)), field(2, derInt(krbASReq)),
		field(3, der(0x30, data...)), field(4, k.body(principal(1, user), "krbtgt/"+k.Realm)))
}

// ticket is a Ticket (RFC 4120 5.3).
func (k *KDC) ticket(service string) []byte {
	return application(1, field(0, derInt(5)), field(1, derText(k.Realm)), field(2, k.service(service)), field(3, k.sealed(1024)))
}

func (k *KDC) tgsReq(service string) []byte {
	apReq := application(14, field(0, derInt(5)), field(1, derInt(14)), field(2, derBits(0, 0, 0, 0)),
		field(3, k.ticket("krbtgt/"+k.Realm)), field(4, k.sealed(180)))
	return application(krbTGSReq, field(1, derInt(5)), field(2, derInt(krbTGSReq)),
		field(3, der(0x30, padata(1, apReq))), field(4, k.body(nil, service)))
}

// reply is a KDC-REP (RFC 4120 5.4.2).
func (k *KDC) reply(kind uint8, user, service string) []byte {
	return application(kind, field(0, derInt(5)), field(1, derInt(uint32(kind))), field(3, derText(k.Realm)),
		field(4, principal(1, user)), field(5, k.ticket(service)), field(6, k.sealed(260)))
}

// refusal is a KRB-ERROR (RFC 4120 5.9.1) as Windows sends it: without the client.
func (k *KDC) refusal(code int, service []byte) []byte {
	return application(krbError, field(0, derInt(5)), field(1, derInt(krbError)), field(4, derTime("20260317090000Z")),
		field(5, derInt(123456)), field(6, derInt(uint32(code))), field(9, derText(k.Realm)), field(10, service))
}
