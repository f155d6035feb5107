package packet

import "encoding/binary"

// ChecksumOK verifies the TCP or UDP checksum over the pseudo-header
// (RFC 9293, 3.1; RFC 8200, 8.1). It is not known for a snapped segment or a
// UDP datagram without one.
func (p *Packet) ChecksumOK() (ok, known bool) {
	if len(p.Segment) < p.SegmentLen || len(p.Segment) < 8 {
		return false, false
	}
	if p.Proto == UDP && p.Segment[6] == 0 && p.Segment[7] == 0 {
		return false, false
	}
	sum := uint64(p.Proto) + uint64(p.SegmentLen)
	if isV4(p.Src[:]) && isV4(p.Dst[:]) {
		sum = add(add(sum, p.Src[12:]), p.Dst[12:])
	} else {
		sum = add(add(sum, p.Src[:]), p.Dst[:])
	}
	sum = add(sum, p.Segment)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return sum == 0xffff, true
}

func isV4(a []byte) bool {
	return binary.BigEndian.Uint64(a) == 0 && binary.BigEndian.Uint32(a[8:]) == 0xffff
}

// add adds the 16-bit words of b, two at a time: the carries fold in later
// (RFC 1071, 2).
func add(sum uint64, b []byte) uint64 {
	for ; len(b) >= 4; b = b[4:] {
		sum += uint64(binary.BigEndian.Uint32(b))
	}
	if len(b) >= 2 {
		sum += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	return sum
}
