package winhost

import (
	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
)

// channel is what one log of the host covers.
type channel struct {
	name        string
	first, last model.Time
	events      int64
	records     [2]uint64
	kinds       map[uint32]int64 // provider and id
}

// cover counts an event for coverage.
func (h *host) cover(e *winevent.Event) {
	c := h.channels[e.Channel]
	if c == nil {
		c = &channel{name: e.Channel, first: e.Time, last: e.Time, records: [2]uint64{e.Record, e.Record}, kinds: map[uint32]int64{}}
		h.channels[e.Channel] = c
	}
	c.events++
	if e.Time != 0 {
		c.first, c.last = min(c.first, e.Time), max(c.last, e.Time)
	}
	if e.Record != 0 {
		c.records[0], c.records[1] = min(c.records[0], e.Record), max(c.records[1], e.Record)
	}
	if e.Wanted() {
		c.kinds[uint32(e.Provider)<<16|uint32(e.ID)]++
	}
}
