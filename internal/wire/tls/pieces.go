package tls

// pieces is a handshake message that comes in pieces of any order: QUIC's CRYPTO
// frames (RFC 9000 19.6), fragments of DTLS (RFC 6347 4.2.3).
type pieces struct {
	b    []byte
	have []bool
}

// put adds the bytes at an offset. It reports false where there is no memory for them.
func (p *pieces) put(g *greeting, off uint64, data []byte) bool {
	if off > maxHello || int(off)+len(data) > maxHello {
		return true // more than hellos have: a client's second flight
	}
	if grow := int(off) + len(data) - len(p.b); grow > 0 {
		if !g.charge(2 * grow) {
			return false
		}
		p.b, p.have = append(p.b, make([]byte, grow)...), append(p.have, make([]bool, grow)...)
	}
	copy(p.b[off:], data)
	for i := range data {
		p.have[int(off)+i] = true
	}
	return true
}

// start is what is there without a hole from the first byte on.
func (p *pieces) start() []byte {
	for i, there := range p.have {
		if !there {
			return p.b[:i]
		}
	}
	return p.b
}
