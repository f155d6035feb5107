package tls

import (
	"waybill/internal/model"
	"waybill/internal/wire"
)

// Clients keep connections open and send one file after the other over them. So the
// volume of a file is that of a burst, and not of its connection.
const (
	burstPause model.Time = 5e9 // without content ends one
	burstLeast            = 32 << 10
	maxBursts             = 1024 // of one connection
)

// burst is content that came without a pause.
type burst struct {
	large       [2]int64
	first, last wire.At
}

func (b *burst) add(from wire.Side, n int64, at wire.At) {
	if b.large == [2]int64{} {
		b.first = at
	}
	b.large[from] += n
	b.last = at
}

// pause ends the burst when its last content is long past.
func (d *conn) pause(now model.Time) {
	if d.burst.last.Time != 0 && now-d.burst.last.Time > burstPause {
		d.flushBurst()
	}
}

// flushBurst keeps a burst that carried a file's worth.
func (d *conn) flushBurst() {
	b := d.burst
	d.burst = burst{}
	if max(b.large[0], b.large[1]) < burstLeast || len(d.bursts) == maxBursts {
		return
	}
	out := wire.Burst{Start: b.first.Time, End: max(b.first.Time, b.last.Time)}
	for side, n := range b.large {
		out.Content[side] = carried(n)
	}
	out.Seen.Add(b.first)
	out.Seen.Add(b.last)
	d.bursts = append(d.bursts, out)
}
