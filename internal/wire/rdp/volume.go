package rdp

import "waybill/internal/model"

// Sizes of what a static channel carries. Messages are cut into pieces of 1,600
// bytes (CHANNEL_CHUNK_LENGTH, MS-RDPBCGR 2.2.6.1), each in a packet and a TLS
// record of its own: so do mstsc, Windows, xrdp, rdesktop and FreeRDP. Around a
// piece come TPKT, X.224, MCS and the channel's header, together 22 or 23 bytes,
// and 17 to 65 bytes of TLS.
const (
	pieceLen   = 1600
	fullLeast  = pieceLen + 22 + 17
	fullMost   = pieceLen + 23 + 65
	ioHead     = 56 // of a write request, MS-RDPEFS 2.2.1.4.4; a read's answer has 20
	enoughSame = 4
	// soundMost is twice what sound of 48 kHz, 16 bits and two channels takes a
	// second. Sound comes in messages of one size, too.
	soundMost = 400_000
)

// volume tells copies from screens and sound by the lengths of TLS records. A
// message of a channel is a run of full records and a shorter one. Screens
// (MS-RDPEGFX over a dynamic channel) make such runs, of a new length each time.
// A copy asks for or gives a file in units, all of one length up to the last.
type volume struct {
	full   int // length of a full record
	pieces int // full records of the message under way
	began  model.Time

	last    message
	since   model.Time // when the first of these began
	until   model.Time
	inRow   int64
	carried int64 // bytes of all messages of more than one piece

	alike   int64 // bytes of messages of one length in a row, as a copy makes them
	units   int64
	largest int64 // the largest unit of these
	sound   int64 // bytes of messages of one length, no faster than sound
}

// message is the shape of a message of a channel.
type message struct{ pieces, tail int }

// record takes the length of the next record.
func (v *volume) record(n int, at model.Time) {
	isFull := n >= fullLeast && n <= fullMost
	switch {
	case isFull && (v.pieces == 0 || n == v.full):
		if v.pieces == 0 {
			v.began = at
		}
		v.full = n
		v.pieces++
	case v.pieces > 0 && n > v.full: // of something else
		v.message(0, at)
	case v.pieces > 0:
		v.message(n, at)
	}
}

// message ends the message under way.
func (v *volume) message(tail int, at model.Time) {
	m := message{v.pieces, tail}
	v.pieces = 0
	v.carried += v.size(m)
	if m != v.last {
		v.endRow()
		v.last, v.since = m, v.began
	}
	v.inRow++
	v.until = at
}

// size is what a message carries.
func (v *volume) size(m message) int64 {
	return int64(m.pieces*pieceLen + max(0, m.tail-(v.full-pieceLen)))
}

// endRow judges the messages of one length that came in a row.
func (v *volume) endRow() {
	n, size := v.inRow, v.size(v.last)
	v.inRow = 0
	if n < enoughSame {
		return
	}
	took := int64(v.until - v.since)
	if took > 0 && float64(n*size)/float64(took)*1e9 < soundMost {
		v.sound += n * size
		return
	}
	v.alike += n * (size - ioHead)
	v.units += n
	v.largest = max(v.largest, size)
}

// lose says that bytes were lost.
func (v *volume) lose() {
	v.endRow()
	v.pieces, v.last = 0, message{}
}
