package synth

import (
	"bytes"
	"slices"

	"waybill/internal/model"
)

// The link types of frames (tcpdump.org/linktypes.html).
const (
	LinkNull     = 0
	LinkEthernet = 1
	LinkPPP      = 9
	LinkRaw      = 101
	LinkCHDLC    = 104
	LinkLoop     = 108
	LinkSLL      = 113
	LinkSLL2     = 276
)

// Side is one of the two ends of a conversation.
type Side uint8

// The sides of a conversation: who opened it, and who was called.
const (
	Client Side = iota
	Server
)

func (s Side) other() Side { return s ^ 1 }

// Frame is one packet as a capture holds it.
type Frame struct {
	Time model.Time
	Data []byte
	Len  int    // length on the wire; more than len(Data) when it was snapped
	Link uint16 // link type of Data
	Tap  int    // which interface of a pcapng saw it
	Flow int    // number of the conversation, from 1; 0 is none
	From Side   // who of the conversation sent it
}

// Capture is a list of frames in the order of capture.
type Capture []Frame

// Sort orders the frames by time; those of the same time keep their order.
func (c Capture) Sort() {
	slices.SortStableFunc(c, func(a, b Frame) int { return int(a.Time - b.Time) })
}

// Bytes is the sum of the frames' lengths.
func (c Capture) Bytes() int64 {
	n := int64(0)
	for _, f := range c {
		n += int64(len(f.Data))
	}
	return n
}

// FrameWriter takes frames in the order of capture.
type FrameWriter interface {
	Frame(Frame) error
}

// WriteTo gives all frames to w.
func (c Capture) WriteTo(w FrameWriter) error {
	for _, f := range c {
		if err := w.Frame(f); err != nil {
			return err
		}
	}
	return nil
}

// PCAP is the capture as a pcap file with microseconds, little-endian.
func (c Capture) PCAP() []byte {
	var b bytes.Buffer
	w := NewPCAP(&b, PCAPOptions{})
	return finish(&b, c.WriteTo(w), w.Flush())
}

// PCAPNG is the capture as a pcapng file.
func (c Capture) PCAPNG(o PCAPNGOptions) []byte {
	var b bytes.Buffer
	w := NewPCAPNG(&b, o)
	return finish(&b, c.WriteTo(w), w.Flush())
}

// finish gives what was written to memory, where only a mixture of link types
// in one pcap can fail: a mistake of the caller.
func finish(b *bytes.Buffer, errs ...error) []byte {
	for _, err := range errs {
		if err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}
