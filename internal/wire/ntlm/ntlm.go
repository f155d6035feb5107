// Package ntlm reads the security tokens of a logon for the names in them. In
// comes one token as a protocol carries it: SPNEGO (RFC 4178, MS-SPNG) in a
// GSS-API frame or without, a bare NTLMSSP message (MS-NLMP), or a Kerberos
// AP-REQ or AP-REP (RFC 4120); out go user, domain, workstation, server names, and
// the service that a Kerberos ticket is for. It never checks a logon, never derives
// a key, and never fails: what a damaged token still shows is given.
package ntlm

import (
	"bytes"

	"waybill/internal/wire"
	"waybill/internal/wire/der"
)

// The mechanisms of a Token.
const (
	NTLM     = "ntlm"
	Kerberos = "kerberos"
)

// The NTLM message types (MS-NLMP 2.2.1).
const (
	Negotiate    = 1 // client to server: what it can
	Challenge    = 2 // server to client: its names
	Authenticate = 3 // client to server: who logs on
)

// Token is what a security token says. All strings are valid UTF-8 of at most
// 512 bytes, without trailing NULs, empty where the token does not say.
type Token struct {
	// Mechanism is NTLM, Kerberos, or empty: a SPNEGO token that only lists
	// mechanisms, only reports a state, or carries another mechanism.
	Mechanism string
	// MessageType is the NTLM message: Negotiate, Challenge or Authenticate.
	MessageType int

	// Domain, User and Workstation are the client's, from an Authenticate
	// message (User and Workstation empty: anonymous) or, seldom, a Negotiate; the
	// first two from a Kerberos ticket that is known.
	Domain      string
	User        string
	Workstation string
	// EncryptedSessionKey is the session key that the client chose, encrypted
	// with RC4 under a key that the password gives; nil where none is exchanged.
	EncryptedSessionKey []byte

	// TargetName is the domain or server that a Challenge asks a logon for.
	TargetName string
	// TargetInfo is of a Challenge, or of the copy in an NTLMv2 response.
	TargetInfo TargetInfo

	// Service is the service that the client asks for, such as "cifs/server":
	// the name in a Kerberos ticket, or the target name in an NTLMv2 response.
	Service string
	// Realm is the Kerberos realm of the service.
	Realm string
	// Ticket is what is known of a Kerberos ticket, once Read.
	Ticket wire.Ticket
	// APRep is the server's AP-REP.
	APRep []byte

	apReq []byte // the client's AP-REQ, in the bytes that were read
}

// TargetInfo is the names of the server in AV_PAIRs (MS-NLMP 2.2.2.1).
type TargetInfo struct {
	NetBIOSComputer string
	NetBIOSDomain   string
	DNSComputer     string
	DNSDomain       string
	DNSForest       string
}

// Read reads a token as Parse does. The client of a Kerberos ticket is User and
// Domain where env knows it.
func Read(env wire.Env, token []byte) (Token, bool) {
	t, ok := read(token)
	if t.apReq != nil {
		t.Ticket = env.Ticket(t.apReq)
		t.User, t.Domain = t.Ticket.User, t.Ticket.Domain
		t.apReq = nil
	}
	return t, ok
}

// Parse reads a token. It is false where the bytes are none of the known forms.
func Parse(token []byte) (Token, bool) {
	t, ok := read(token)
	t.apReq = nil
	return t, ok
}

func read(token []byte) (Token, bool) {
	var t Token
	ok := t.parse(token, 4)
	if t.MessageType != 0 || t.Mechanism == Kerberos {
		return t, true
	}
	// A token whose frame is damaged may still hold a whole message.
	if at := bytes.Index(token, signature); at >= 0 && t.parseMessage(token[at:]) {
		return t, true
	}
	return t, ok
}

// parse reads one layer of a token; layers bounds how many may lie in it.
func (t *Token) parse(b []byte, layers int) bool {
	if layers == 0 || len(b) == 0 {
		return false
	}
	if bytes.HasPrefix(b, signature) {
		return t.parseMessage(b)
	}
	v, _, ok := der.Run(b).Next()
	if !ok {
		return false
	}
	switch v.Tag {
	case tagGSS:
		return t.parseGSS(v.Body, layers-1)
	case context0:
		return t.parseInit(v.Body, layers-1)
	case context1:
		return t.parseResp(v.Body, layers-1)
	case tagAPReq:
		t.apReq = b
		return t.parseAPReq(v.Body)
	case tagAPRep:
		return t.parseAPRep(b)
	}
	return false
}

// TicketFor is the service that a Kerberos ticket is for; empty with other mechanisms.
func (t *Token) TicketFor() string {
	if t.Mechanism != Kerberos {
		return ""
	}
	return wire.Printable(t.Service)
}

// LogonDetail is one line on how a client logged on: mechanism, the workstation
// that it says it is, and whether it is anonymous (MS-NLMP 2.2.1.3).
func (t *Token) LogonDetail() string {
	s := t.Mechanism
	if t.Workstation != "" {
		s += " from " + t.Workstation
	}
	if t.MessageType == Authenticate && t.User == "" {
		s += " anonymous"
	}
	return s
}
