package stream

import (
	"hash/maphash"

	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/wire"
)

// datagramsKept is how many datagrams of a flow are remembered.
const datagramsKept = 64

// datagrams remembers the last datagrams of a flow, to know one that another
// sensor saw too.
type datagrams struct {
	next int
	all  [datagramsKept]copyOf
}

// copyOf is a datagram that was seen.
type copyOf struct {
	sum   uint64
	time  model.Time
	input int32
	used  bool // it has met its copy, or the place is empty
}

var sumSeed = maphash.MakeSeed()

// repeated says whether another input brought the same datagram within the time
// that sensors' clocks may differ. Each datagram meets one copy: one that is
// really sent twice is seen twice by both sensors.
func (f *Flow) repeated(p *packet.Packet, at wire.At) bool {
	if f.datagrams == nil {
		f.datagrams = &datagrams{}
		for i := range f.datagrams.all {
			f.datagrams.all[i].used = true
		}
	}
	d := f.datagrams
	sum := maphash.Bytes(sumSeed, p.Payload) ^ uint64(p.SrcPort)<<48
	for i := range d.all {
		x := &d.all[i]
		if !x.used && x.sum == sum && x.input != at.Input && max(at.Time-x.time, x.time-at.Time) <= waitTime {
			x.used = true
			return true
		}
	}
	d.all[d.next] = copyOf{sum: sum, time: at.Time, input: at.Input}
	d.next = (d.next + 1) % datagramsKept
	return false
}
