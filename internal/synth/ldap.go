package synth

import "fmt"

// LDAP is a connection to a directory (RFC 4511).
type LDAP struct {
	net            *Net
	client, server *Host
	conn           *Conn
	id             uint8
}

// LDAP opens a connection to port 389 of a server.
func (n *Net) LDAP(client, server *Host) *LDAP {
	return &LDAP{net: n, client: client, server: server, conn: n.Dial(client, server, 389)}
}

// The operations and results that are used (RFC 4511 4.1.9, 4.2, 4.5).
const (
	ldapBind         = 0x60
	ldapBindResponse = 0x61
	ldapUnbind       = 0x42
	ldapSearch       = 0x63
	ldapEntry        = 0x64
	ldapDone         = 0x65

	LDAPSuccess            = 0
	ldapInProgress         = 14
	LDAPInvalidCredentials = 49
)

// Bind logs on with a name and a password.
func (l *LDAP) Bind(name, password string, result uint8) {
	l.bind(name, der(0x80, []byte(password)), result, nil)
}

// Negotiate logs on with NTLM in SPNEGO (MS-ADTS 5.1.1.1.2).
func (l *LDAP) Negotiate(domain, user string, result uint8) {
	sasl := func(token []byte) []byte {
		return der(0xA3, der(0x04, []byte("GSS-SPNEGO")), der(0x04, token))
	}
	challenge := negTokenResp(1, l.net.ntlmChallenge(l.server.Name, domain))
	l.bind("", sasl(negTokenInit(ntlmNegotiate())), ldapInProgress, challenge)
	l.bind("", sasl(negTokenResp(1, l.net.ntlmAuthenticate(user, domain, l.client.Name))), result, nil)
}

func (l *LDAP) bind(name string, auth []byte, result uint8, token []byte) {
	l.id++
	l.send(Client, der(ldapBind, der(0x02, []byte{3}), der(0x04, []byte(name)), auth))
	answer := [][]byte{der(0x0A, []byte{result}), der(0x04), der(0x04)}
	if token != nil {
		answer = append(answer, der(0x87, token))
	}
	l.send(Server, der(ldapBindResponse, answer...))
}

// Search asks for entries and gets them, each of about 300 bytes.
func (l *LDAP) Search(base string, entries int) {
	l.id++
	none := der(0x02, []byte{0})
	l.send(Client, der(ldapSearch, der(0x04, []byte(base)), der(0x0A, []byte{2}), der(0x0A, []byte{0}), none, none,
		der(0x01, []byte{0}), der(0x87, []byte("objectClass")), der(0x30)))
	for i := range entries {
		value := der(0x31, der(0x04, l.net.Bytes(200)))
		l.send(Server, der(ldapEntry, der(0x04, fmt.Appendf(nil, "cn=%d,%s", i, base)),
			der(0x30, der(0x30, der(0x04, []byte("objectGUID")), value))))
	}
	l.send(Server, der(ldapDone, der(0x0A, []byte{0}), der(0x04), der(0x04)))
}

// Close leaves the directory.
func (l *LDAP) Close() {
	l.id++
	l.send(Client, []byte{ldapUnbind, 0})
	l.conn.Close()
}

func (l *LDAP) send(from Side, op []byte) {
	l.conn.Send(from, der(0x30, der(0x02, []byte{l.id}), op))
}
