package synth

// TLSConn is an open TLS 1.3 connection, whose hello is a browser's. All behind the
// hellos is random bytes, as it is for everybody who has no keys.
type TLSConn struct {
	net  *Net
	conn *Conn
}

// OpenTLS connects to a server's port. Without a name the hello names no server, as
// when it is encrypted.
func (n *Net) OpenTLS(client, server *Host, port uint16, name string) *TLSConn {
	return n.TLSOver(n.Dial(client, server, port), name)
}

// TLSOver begins TLS on a connection on which others spoke before.
func (n *Net) TLSOver(c *Conn, name string) *TLSConn {
	t := &TLSConn{n, c}
	t.conn.Client(tlsRecord(tlsHandshake, tlsMessage(1, n.browserHello(name, 1, "\x02h2\x08http/1.1"))))
	t.conn.Server(tlsRecord(tlsHandshake, tlsMessage(2, n.serverHello())), tlsRecord(tlsChange, []byte{1}), tlsRecord(tlsData, n.Bytes(2800)))
	t.conn.Client(tlsRecord(tlsChange, []byte{1}), tlsRecord(tlsData, n.Bytes(53)))
	return t
}

// Send carries content of a side with a short message before it, as a request or an
// answer has.
func (t *TLSConn) Send(from Side, size int) {
	t.conn.Send(from.other(), tlsRecord(tlsData, t.net.Bytes(180)))
	t.conn.Send(from, tlsRecord(tlsData, t.net.Bytes(240)))
	for ; size > 0; size -= 1 << 14 {
		t.conn.Send(from, tlsRecord(tlsData, t.net.Bytes(min(size, 1<<14)+17)))
	}
}

// Close ends the connection.
func (t *TLSConn) Close() { t.conn.Close() }

// Sealed notes in the truth that content of a size crossed an encrypted exchange.
func (n *Net) Sealed(source, destination *Host, operation, channel string, size int) {
	n.Truth.Moved = append(n.Truth.Moved, sealed(source, destination, operation, channel, size))
}

// tlsGrease is a value that only tests that others are ignored (RFC 8701).
const tlsGrease = 0x4a4a

// browserHello is a client's hello (RFC 8446 4.1.2) with the suites and extensions of a
// browser. shares is how many key shares of a post-quantum group's size it has.
func (n *Net) browserHello(name string, shares int, protocols string) []byte {
	ext := func(b []byte, kind uint16, body []byte) []byte {
		return append(be16(b, kind, uint16(len(body))), body...)
	}
	e := ext(nil, tlsGrease, nil)
	if name != "" {
		e = ext(e, 0, append(be16(append(be16(nil, uint16(len(name)+3)), 0), uint16(len(name))), name...))
	}
	e = ext(e, 23, nil)
	e = ext(e, 0xff01, []byte{0})
	e = ext(e, 10, be16(nil, 8, tlsGrease, 0x11ec, 29, 23))
	e = ext(e, 11, []byte{1, 0})
	e = ext(e, 16, append(be16(nil, uint16(len(protocols))), protocols...))
	e = ext(e, 5, []byte{1, 0, 0, 0, 0})
	e = ext(e, 13, be16(nil, 16, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))
	share := append(be16(nil, 29, 32), n.Bytes(32)...)
	for range shares {
		share = append(append(be16(nil, 0x11ec, 1216), n.Bytes(1216)...), share...)
	}
	e = ext(e, 51, append(be16(nil, uint16(len(share))), share...))
	e = ext(e, 45, []byte{1, 1})
	e = ext(e, 43, append([]byte{6}, be16(nil, tlsGrease, 0x0304, 0x0303)...))
	e = ext(e, 27, []byte{2, 0, 2})
	b := append([]byte{3, 3}, n.Bytes(32)...)
	b = append(append(b, 32), n.Bytes(32)...)
	b = be16(b, 32, tlsGrease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035)
	return append(be16(append(b, 1, 0), uint16(len(e))), e...)
}

// serverHello agrees on TLS 1.3 (RFC 8446 4.1.3).
func (n *Net) serverHello() []byte {
	b := append([]byte{3, 3}, n.Bytes(32)...)
	b = append(append(b, 32), n.Bytes(32)...)
	b = append(b, 0x13, 0x01, 0)
	share := append(be16(nil, 51, 36, 29, 32), n.Bytes(32)...)
	return append(append(be16(b, uint16(6+len(share))), 0, 43, 0, 2, 3, 4), share...)
}

// ESP is a packet of IPsec (RFC 4303 2) with an index, a number, and what looks random.
func (n *Net) ESP(from, to *Host, index uint32, number, size int) {
	b := append(be32(nil, index, uint32(number)), n.Bytes(size)...)
	from.ipID++
	f := appendIP(appendEthernet(nil, from, to), from.Addr, to.Addr, from.ipID, 50, len(b))
	n.frame(append(f, b...), n.nextFlow(), Client)
}
