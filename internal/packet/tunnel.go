package packet

// UDP ports of tunnels (IANA; 8472 is what Linux and VMware used for VXLAN).
const (
	portVXLAN    = 4789
	portVXLANOld = 8472
	portGeneve   = 6081
	portTeredo   = 3544
)

func tunnelPort(port uint16) bool {
	switch port {
	case portVXLAN, portVXLANOld, portGeneve, portTeredo:
		return true
	}
	return false
}

// decodeUDPTunnel tries the tunnel of the ports. It takes only what decodes as
// one down to an IP packet; all else stays a datagram.
func decodeUDPTunnel(src, dst uint16, b []byte, n int, p *Packet, depth int) (Outcome, bool) {
	outer := *p
	p.Tunnels++
	o := NotIP
	switch {
	case dst == portVXLAN || dst == portVXLANOld:
		o = decodeVXLAN(b, n, p, depth)
	case dst == portGeneve:
		o = decodeGeneve(b, n, p, depth)
	case src == portTeredo || dst == portTeredo:
		o = decodeTeredo(b, n, p, depth)
	}
	if o == NotIP || o == Malformed {
		*p = outer
		return o, false
	}
	return o, true
}

// decodeVXLAN decodes RFC 7348, 5: the flag I and reserved zeros before the VNI.
func decodeVXLAN(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) < 8 || b[0]&0x08 == 0 || b[7] != 0 {
		return NotIP
	}
	return decodeEthernet(b[8:], n-8, p, depth)
}

// decodeGeneve decodes RFC 8926, 3.4.
func decodeGeneve(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) < 8 || b[0]>>6 != 0 || b[7] != 0 {
		return NotIP
	}
	size := 8 + int(b[0]&0x3f)*4
	if size > len(b) {
		return Truncated
	}
	return decodeEtherType(be16(b[2:]), b[size:], n-size, p, depth)
}

// decodeTeredo decodes IPv6 behind the authentication and origin indications
// (RFC 4380, 5.1.1).
func decodeTeredo(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 {
		size := 13 + int(b[2]) + int(b[3])
		if size > len(b) {
			return NotIP
		}
		b, n = b[size:], n-size
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 {
		b, n = b[8:], n-8
	}
	if len(b) < 40 || b[0]>>4 != 6 {
		return NotIP
	}
	return decodeIPv6(b, n, p, depth)
}

// decodeGRE decodes RFC 2784 and 2890, PPTP's version 1 (RFC 2637, 4.1), and
// the three ERSPAN types (draft-foschiano-erspan).
func decodeGRE(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) < 4 {
		return Truncated
	}
	p.Tunnels++
	flags, proto := be16(b), be16(b[2:])
	size, sequence := 4, flags&0x1000 != 0
	if flags&0xc000 != 0 {
		size += 4 // checksum or routing
	}
	if flags&0x2000 != 0 {
		size += 4
	}
	if sequence {
		size += 4
	}
	version := flags & 7
	if version == 1 && flags&0x0080 != 0 {
		size += 4 // acknowledgement
	}
	if len(b) < size {
		return Truncated
	}
	b, n = b[size:], n-size
	switch {
	case version == 1:
		if proto != etherPPP || !sequence {
			return OtherIP
		}
		return decodePPP(b, n, p, depth)
	case proto == etherERSPAN2 && !sequence:
		return decodeEthernet(b, n, p, depth) // type I has no header
	case proto == etherERSPAN2:
		return decodeERSPAN(8, b, n, p, depth)
	case proto == etherERSPAN3:
		if len(b) >= 12 && b[11]&1 != 0 {
			return decodeERSPAN(20, b, n, p, depth) // platform-specific sub-header
		}
		return decodeERSPAN(12, b, n, p, depth)
	}
	return decodeEtherType(proto, b, n, p, depth)
}

func decodeERSPAN(size int, b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) < size {
		return Truncated
	}
	return decodeEthernet(b[size:], n-size, p, depth)
}
