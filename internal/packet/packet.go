// Package packet finds the innermost TCP or UDP header of a captured frame. In
// comes one frame with its link type; out come addresses, ports, sequence
// numbers and the payload, which lies in the frame. It unwraps VLANs, labels
// and tunnels on the way, keeps no state, allocates nothing, and checks a
// checksum only when asked.
package packet

import "waybill/internal/model"

// IP protocol numbers that a Packet can carry.
const (
	TCP = 6
	UDP = 17

	ESP    = 50 // RFC 4303; only with Outcome OtherIP
	ICMPv6 = 58 // likewise
)

// TCP flags (RFC 9293, 3.1).
const (
	FIN = 0x01
	SYN = 0x02
	RST = 0x04
	PSH = 0x08
	ACK = 0x10
)

// Packet is the innermost TCP segment, UDP datagram or IP fragment of a frame.
// All slices lie in the frame.
type Packet struct {
	Src, Dst         model.Addr
	SrcPort, DstPort uint16
	Proto            uint8 // TCP, UDP, or the protocol of a fragment
	Flags            uint8 // of TCP
	Seq, Ack         uint32

	Payload    []byte // as captured: shorter than Len when snapped; with OtherIP what the IP header carries
	Len        int    // real length of the payload
	Segment    []byte // transport header and payload, as captured
	SegmentLen int    // real length of the segment

	SrcMAC, DstMAC [6]byte // of the innermost Ethernet header
	HasMAC         bool
	Tunnels        uint8 // how many tunnels were unwrapped

	Fragment Fragment // only with Outcome Fragmented
}

// Fragment is a part of an IP datagram.
type Fragment struct {
	ID     uint32
	Offset int  // in bytes
	More   bool // not the last one
	Data   []byte
	V6     bool
}

// Outcome says what a frame turned out to be.
type Outcome uint8

// The outcomes of Decode.
const (
	Segment     Outcome = iota // TCP or UDP, decoded
	Fragmented                 // a part of a datagram, in Packet.Fragment
	OtherIP                    // IP with another protocol
	NotIP                      // LLDP, ...
	Truncated                  // the snap length cut a header off
	Malformed                  // a header contradicts itself
	TooDeep                    // more tunnels than anybody nests
	ARP                        // RFC 826 for IPv4: Src and SrcMAC are the sender's, Dst the address asked for
	UnknownLink                // a link type that is not decoded
)

func (o Outcome) String() string {
	return [...]string{"segment", "fragment", "other IP protocol", "not IP", "header cut off", "malformed", "too many tunnels", "ARP", "unknown link type"}[o]
}

// maxDepth bounds the tunnels in tunnels.
const maxDepth = 8

// Decode decodes a frame of frameLen bytes, of which frame was captured.
func Decode(link LinkType, frame []byte, frameLen int, p *Packet) Outcome {
	*p = Packet{}
	return decodeLink(link, frame, max(frameLen, len(frame)), p, 0)
}

// DecodeIP decodes an IP packet of realLen bytes, of which b was captured.
func DecodeIP(b []byte, realLen int, p *Packet) Outcome {
	*p = Packet{}
	return decodeIP(b, max(realLen, len(b)), p, 0)
}
