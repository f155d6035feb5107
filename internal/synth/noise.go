package synth

import (
	"encoding/binary"
	"strings"
)

// Traffic that carries no file anybody can see.

// DNS asks a server for a name's address and gets it.
func (n *Net) DNS(client, server *Host, name string, answer *Host) {
	id, u := uint16(n.random()), n.UDP(client, server, 53)
	kind, address := uint16(1), answer.Addr.AsSlice()
	if answer.Addr.Is6() {
		kind = 28
	}
	question := []byte{}
	for _, label := range strings.Split(name, ".") {
		question = append(append(question, uint8(len(label))), label...)
	}
	question = be16(append(question, 0), kind, 1)
	u.Client(append(be16(nil, id, 0x0100, 1, 0, 0, 0), question...))
	b := append(be16(nil, id, 0x8180, 1, 1, 0, 0), question...)
	b = be32(be16(b, 0xC00C, kind, 1), 3600)
	u.Server(append(be16(b, uint16(len(address))), address...))
}

// The record types of TLS (RFC 8446 5.1).
const (
	tlsChange    = 20
	tlsHandshake = 22
	tlsData      = 23
)

// tlsContent is the most content of a record (RFC 8446 5.1); type and tag follow it.
const tlsContent = 16 << 10

// TLS is an exchange that looks like TLS 1.3 to port 443: a client hello with
// the server's name, and random bytes of the given sizes.
func (n *Net) TLS(client, server *Host, name string, sent, received int) {
	c := n.Dial(client, server, 443)
	c.Client(tlsRecord(tlsHandshake, n.clientHello(name)))
	hello := append([]byte{3, 3}, n.Bytes(32)...)
	hello = append(append(hello, 32), n.Bytes(32)...)
	hello = append(hello, 0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4)
	c.Server(tlsRecord(tlsHandshake, tlsMessage(2, hello)), tlsRecord(tlsChange, []byte{1}), tlsRecord(tlsData, n.Bytes(2800)))
	c.Client(tlsRecord(tlsChange, []byte{1}), tlsRecord(tlsData, n.Bytes(53)))
	for ; sent > 0; sent -= tlsContent {
		c.Client(tlsRecord(tlsData, n.Bytes(min(sent, tlsContent)+17)))
	}
	for ; received > 0; received -= tlsContent {
		c.Server(tlsRecord(tlsData, n.Bytes(min(received, tlsContent)+17)))
	}
	c.Close()
}

// clientHello has the extensions server_name and supported_versions.
func (n *Net) clientHello(name string) []byte {
	sni := be16(nil, 0, uint16(len(name)+5), uint16(len(name)+3))
	sni = append(be16(append(sni, 0), uint16(len(name))), name...)
	extensions := append(sni, 0, 43, 0, 3, 2, 3, 4)
	b := append([]byte{3, 3}, n.Bytes(32)...)
	b = append(append(b, 32), n.Bytes(32)...)
	b = append(b, 0, 4, 0x13, 0x01, 0x13, 0x02, 1, 0)
	b = be16(b, uint16(len(extensions)))
	return tlsMessage(1, append(b, extensions...))
}

func tlsMessage(kind uint8, body []byte) []byte {
	b := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(b, uint32(len(body)))
	b[0] = kind
	return append(b, body...)
}

func tlsRecord(kind uint8, body []byte) []byte {
	return append(be16([]byte{kind, 3, 3}, uint16(len(body))), body...)
}
