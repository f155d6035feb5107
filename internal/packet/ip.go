package packet

import (
	"encoding/binary"

	"waybill/internal/model"
)

// IP protocols and extension headers on the way.
const (
	protoHopByHop = 0
	protoIPIP     = 4
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoDestOpts = 60
	protoMPLS     = 137
	protoEther    = 143 // SRv6, Ethernet
)

var v4Mapped = model.Addr{10: 0xff, 11: 0xff}

// decodeIP decodes from an IP header on; n is the real length of b.
func decodeIP(b []byte, n int, p *Packet, depth int) Outcome {
	if depth > maxDepth {
		return TooDeep
	}
	if len(b) < 20 {
		return Truncated
	}
	switch b[0] >> 4 {
	case 4:
		return decodeIPv4(b, n, p, depth)
	case 6:
		return decodeIPv6(b, n, p, depth)
	}
	return Malformed
}

func decodeIPv4(b []byte, n int, p *Packet, depth int) Outcome {
	header := int(b[0]&0xf) * 4
	if header < 20 {
		return Malformed
	}
	if len(b) < header {
		return Truncated
	}
	// A total length of 0 is normal where the network card segments: the frame
	// gives the length. A length above the frame's is cut by the snap length.
	total := be16(b[2:])
	if total == 0 {
		total = n
	}
	if total < header {
		return Malformed
	}
	b = b[:min(total, len(b))]
	p.Src, p.Dst = v4Mapped, v4Mapped
	copy(p.Src[12:], b[12:16])
	copy(p.Dst[12:], b[16:20])
	frag := be16(b[6:])
	if frag&0x3fff != 0 {
		p.Proto = b[9]
		p.Fragment = Fragment{ID: uint32(be16(b[4:])), Offset: frag & 0x1fff * 8, More: frag&0x2000 != 0, Data: b[header:]}
		return whole(total-header, p)
	}
	return decodeTransport(b[9], b[header:], total-header, p, depth)
}

// whole refuses a fragment that the snap length cut.
func whole(n int, p *Packet) Outcome {
	if len(p.Fragment.Data) < n {
		return Truncated
	}
	return Fragmented
}

func decodeIPv6(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) < 40 {
		return Truncated
	}
	copy(p.Src[:], b[8:24])
	copy(p.Dst[:], b[24:40])
	next, size := b[6], be16(b[4:])
	if size == 0 {
		size = n - 40 // a jumbogram (RFC 2675), or segmentation offload
	}
	if size < 0 {
		return Malformed
	}
	b = b[40:]
	return decodeExtensions(next, b[:min(size, len(b))], size, p, depth)
}

// decodeExtensions walks the extension headers (RFC 8200, 4).
func decodeExtensions(next uint8, b []byte, n int, p *Packet, depth int) Outcome {
	for range 16 {
		size := 0
		switch next {
		case protoHopByHop, protoRouting, protoDestOpts:
			if len(b) < 8 {
				return Truncated
			}
			size = 8 + int(b[1])*8
		case protoAH:
			if len(b) < 8 {
				return Truncated
			}
			size = 8 + int(b[1])*4
		case protoFragment:
			if len(b) < 8 {
				return Truncated
			}
			if frag := be16(b[2:]); frag&0xfff9 != 0 {
				p.Proto = b[0]
				p.Fragment = Fragment{ID: binary.BigEndian.Uint32(b[4:]), Offset: frag & 0xfff8, More: frag&1 != 0, Data: b[8:], V6: true}
				return whole(n-8, p)
			}
			size = 8 // an atomic fragment (RFC 6946)
		default:
			return decodeTransport(next, b, n, p, depth)
		}
		if size > n {
			return Malformed
		}
		if size > len(b) {
			return Truncated
		}
		next, b, n = b[0], b[size:], n-size
	}
	return TooDeep
}

// decodeTransport decodes what an IP header carries.
func decodeTransport(proto uint8, b []byte, n int, p *Packet, depth int) Outcome {
	switch proto {
	case TCP:
		return decodeTCP(b, n, p)
	case UDP:
		return decodeUDP(b, n, p, depth)
	case protoIPIP, protoIPv6:
		p.Tunnels++
		return decodeIP(b, n, p, depth+1)
	case protoGRE:
		return decodeGRE(b, n, p, depth+1)
	case protoMPLS:
		return decodeMPLS(b, n, p, depth+1)
	case protoEther:
		return decodeEthernet(b, n, p, depth+1)
	case protoHopByHop, protoRouting, protoFragment, protoAH, protoDestOpts:
		return Malformed // IPv6 headers in IPv4
	}
	p.Proto, p.Payload, p.Len = proto, b, n
	return OtherIP
}

func decodeTCP(b []byte, n int, p *Packet) Outcome {
	if len(b) < 20 {
		return Truncated
	}
	header := int(b[12]>>4) * 4
	if header < 20 || header > n {
		return Malformed
	}
	if header > len(b) {
		return Truncated
	}
	p.Proto = TCP
	p.SrcPort, p.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	p.Seq, p.Ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	p.Flags = b[13]
	p.Payload, p.Len = b[header:], n-header
	p.Segment, p.SegmentLen = b, n
	return Segment
}

func decodeUDP(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) < 8 {
		return Truncated
	}
	size := be16(b[4:])
	if size == 0 {
		size = n // a jumbogram (RFC 2675), or segmentation offload
	}
	if size < 8 || size > n {
		return Malformed
	}
	b = b[:min(size, len(b))]
	src, dst := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	if tunnelPort(src) || tunnelPort(dst) {
		if o, ok := decodeUDPTunnel(src, dst, b[8:], size-8, p, depth+1); ok {
			return o
		}
	}
	p.Proto, p.SrcPort, p.DstPort = UDP, src, dst
	p.Payload, p.Len = b[8:], size-8
	p.Segment, p.SegmentLen = b, size
	return Segment
}
