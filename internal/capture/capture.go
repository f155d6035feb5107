// Package capture reads packet captures: pcap with microseconds or nanoseconds
// in either byte order, and pcapng. In comes a stream of bytes, read in large
// blocks; out go batches of frames that point into these blocks, each with its
// time, number, link type and length on the wire, and a list of the damaged
// places. It never decodes a frame, orders frames by time, opens a file, maps
// memory, or fails because of what the bytes say: whatever can be read is given.
package capture

import (
	"strconv"

	"waybill/internal/model"
)

// LinkType says which header a frame starts with: a number of the LINKTYPE_
// registry at tcpdump.org.
type LinkType uint16

// The link types of networks that carry files.
const (
	LinkNull      LinkType = 0 // BSD loopback: address family in the byte order of the capturing host
	LinkEthernet  LinkType = 1
	LinkPPP       LinkType = 9
	LinkPPPSerial LinkType = 50  // PPP in HDLC-like framing, RFC 1662
	LinkRaw       LinkType = 101 // IPv4 or IPv6, told by the version
	LinkCiscoHDLC LinkType = 104
	LinkLoop      LinkType = 108 // OpenBSD loopback: address family in network byte order
	LinkLinuxSLL  LinkType = 113
	LinkIPv4      LinkType = 228
	LinkIPv6      LinkType = 229
	LinkLinuxSLL2 LinkType = 276
)

var linkNames = map[LinkType]string{
	LinkNull: "null", LinkEthernet: "ethernet", LinkPPP: "ppp", LinkPPPSerial: "ppp-hdlc",
	LinkRaw: "raw", LinkCiscoHDLC: "cisco-hdlc", LinkLoop: "loop", LinkLinuxSLL: "linux-sll",
	LinkIPv4: "ipv4", LinkIPv6: "ipv6", LinkLinuxSLL2: "linux-sll2",
}

func (l LinkType) String() string {
	if n, ok := linkNames[l]; ok {
		return n
	}
	return "link-type-" + strconv.Itoa(int(l))
}

// Frame is one captured packet.
type Frame struct {
	Time   model.Time // 0 where the capture does not say, or says what no clock can show
	Number uint64     // from 1; counts the packets that could be read
	Data   []byte     // the captured bytes, in the batch's block
	Len    int        // bytes on the wire, at least len(Data)
	Link   LinkType
}

// Batch is a run of frames that all lie in one block.
type Batch struct {
	Frames []Frame
	Block  *Block
}

// Release gives the batch's block back. Frames that are still needed must have
// been copied, or the block retained, before.
func (b *Batch) Release() {
	if b.Block != nil {
		b.Block.Release()
	}
	b.Block = nil
	b.Frames = b.Frames[:0]
}

// MaxFrame is the longest frame that is read, in bytes: the limit of libpcap and
// Wireshark for networks. A longer one is damage.
const MaxFrame = 262144

const maxBatch = 1024 // frames; more would not stay in the processor's cache

// Damage is a place where a capture could not be read.
type Damage struct {
	Offset  int64  // first byte that was lost, in the capture as read (unpacked)
	Cause   string // what is wrong there
	Skipped int64  // bytes that were left out; 0 where reading stopped before the first
}

func (d Damage) String() string {
	s := "at byte " + strconv.FormatInt(d.Offset, 10) + ": " + d.Cause
	if d.Skipped > 0 {
		s += " (" + strconv.FormatInt(d.Skipped, 10) + " bytes skipped)"
	}
	return s
}
