package packet

import "encoding/binary"

// LinkType is a LINKTYPE_ value of the pcap formats
// (draft-ietf-opsawg-pcaplinktype).
type LinkType uint16

// The link types that are decoded.
const (
	Null      LinkType = 0
	Ethernet  LinkType = 1
	PPP       LinkType = 9
	RawDLT12  LinkType = 12 // DLT_RAW of most systems, written by mistake
	RawDLT14  LinkType = 14 // DLT_RAW of OpenBSD
	PPPSerial LinkType = 50
	PPPEther  LinkType = 51
	Raw       LinkType = 101
	CiscoHDLC LinkType = 104
	Loop      LinkType = 108
	LinuxSLL  LinkType = 113
	RawIPv4   LinkType = 228
	RawIPv6   LinkType = 229
	LinuxSLL2 LinkType = 276
)

// EtherTypes.
const (
	etherIPv4     = 0x0800
	etherARP      = 0x0806
	etherIPv6     = 0x86dd
	etherVLAN     = 0x8100
	etherQinQ     = 0x88a8
	etherQinQOld  = 0x9100
	etherMPLS     = 0x8847
	etherMPLSMany = 0x8848
	etherPPPoE    = 0x8864
	etherTransEth = 0x6558 // Ethernet in GRE or Geneve
	etherERSPAN2  = 0x88be
	etherERSPAN3  = 0x22eb
	etherPPP      = 0x880b
)

func be16(b []byte) int { return int(binary.BigEndian.Uint16(b)) }

// decodeLink decodes from a link header on; n is the real length of b.
func decodeLink(link LinkType, b []byte, n int, p *Packet, depth int) Outcome {
	switch link {
	case Ethernet:
		return decodeEthernet(b, n, p, depth)
	case Raw, RawDLT12, RawDLT14, RawIPv4, RawIPv6:
		return decodeIP(b, n, p, depth)
	case Null, Loop:
		return decodeNull(b, n, p, depth)
	case LinuxSLL:
		if len(b) < 16 {
			return Truncated
		}
		return decodeEtherType(be16(b[14:]), b[16:], n-16, p, depth)
	case LinuxSLL2:
		if len(b) < 20 {
			return Truncated
		}
		return decodeEtherType(be16(b), b[20:], n-20, p, depth)
	case PPP, PPPSerial:
		return decodePPP(b, n, p, depth)
	case PPPEther:
		return decodePPPoE(b, n, p, depth)
	case CiscoHDLC:
		if len(b) < 4 {
			return Truncated
		}
		return decodeEtherType(be16(b[2:]), b[4:], n-4, p, depth)
	}
	return UnknownLink
}

func decodeEthernet(b []byte, n int, p *Packet, depth int) Outcome {
	if depth > maxDepth {
		return TooDeep
	}
	if len(b) < 14 {
		return Truncated
	}
	copy(p.DstMAC[:], b)
	copy(p.SrcMAC[:], b[6:])
	p.HasMAC = true
	return decodeEtherType(be16(b[12:]), b[14:], n-14, p, depth)
}

// decodeEtherType decodes what follows an EtherType, or an IEEE 802.3 length.
func decodeEtherType(t int, b []byte, n int, p *Packet, depth int) Outcome {
	for labels := 0; labels < maxDepth; labels++ {
		switch t {
		case etherIPv4, etherIPv6:
			return decodeIP(b, n, p, depth)
		case etherARP:
			return decodeARP(b, p)
		case etherVLAN, etherQinQ, etherQinQOld:
			if len(b) < 4 {
				return Truncated
			}
			t, b, n = be16(b[2:]), b[4:], n-4
		case etherMPLS, etherMPLSMany:
			return decodeMPLS(b, n, p, depth)
		case etherPPPoE:
			return decodePPPoE(b, n, p, depth)
		case etherTransEth:
			return decodeEthernet(b, n, p, depth+1)
		default:
			if t > 1500 || len(b) < 8 || b[0] != 0xaa || b[1] != 0xaa {
				return NotIP
			}
			t, b, n = be16(b[6:]), b[8:], n-8 // LLC with SNAP
		}
	}
	return TooDeep
}

// decodeARP reads a request or reply of Ethernet and IPv4 (RFC 826).
func decodeARP(b []byte, p *Packet) Outcome {
	if len(b) < 28 {
		return Truncated
	}
	if be16(b[2:]) != etherIPv4 || b[4] != 6 || b[5] != 4 || be16(b[6:]) != 1 && be16(b[6:]) != 2 {
		return NotIP
	}
	copy(p.SrcMAC[:], b[8:14])
	p.Src, p.Dst = v4Mapped, v4Mapped
	copy(p.Src[12:], b[14:18])
	copy(p.Dst[12:], b[24:28])
	return ARP
}

// decodeMPLS skips the label stack (RFC 3032). What lies below is told by its
// first nibble; 0 is a control word before Ethernet (RFC 4385).
func decodeMPLS(b []byte, n int, p *Packet, depth int) Outcome {
	for {
		if len(b) < 5 {
			return Truncated
		}
		bottom := b[2]&1 != 0
		b, n = b[4:], n-4
		if bottom {
			break
		}
	}
	switch b[0] >> 4 {
	case 4, 6:
		return decodeIP(b, n, p, depth)
	case 0:
		if len(b) < 4 {
			return Truncated
		}
		if o := decodeEthernet(b[4:], n-4, p, depth+1); o != NotIP {
			return o
		}
		// No control word, but an address whose first digit is 0.
	}
	return decodeEthernet(b, n, p, depth+1)
}

// decodePPPoE decodes a session frame (RFC 2516, 4).
func decodePPPoE(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) < 6 {
		return Truncated
	}
	if b[0] != 0x11 || b[1] != 0 {
		return NotIP
	}
	return decodePPP(b[6:], n-6, p, depth)
}

// decodePPP decodes a PPP frame, with or without address and control field and
// with a protocol of one or two bytes (RFC 1661, 2 and 6.5; RFC 1662, 3.1).
func decodePPP(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b, n = b[2:], n-2
	}
	if len(b) < 2 {
		return Truncated
	}
	proto, size := be16(b), 2
	if b[0]&1 != 0 {
		proto, size = int(b[0]), 1
	}
	b, n = b[size:], n-size
	switch proto {
	case 0x0021, 0x0057:
		return decodeIP(b, n, p, depth)
	case 0x0281, 0x0283:
		return decodeMPLS(b, n, p, depth)
	}
	return NotIP
}

// decodeNull decodes BSD loopback: an address family in either byte order, of
// which only the IP version behind it is trusted.
func decodeNull(b []byte, n int, p *Packet, depth int) Outcome {
	if len(b) < 5 {
		return Truncated
	}
	if v := b[4] >> 4; v != 4 && v != 6 {
		return NotIP
	}
	return decodeIP(b[4:], n-4, p, depth)
}
