package capture

import (
	"math"
	"math/bits"

	"waybill/internal/model"
)

const second = 1_000_000_000 // nanoseconds

// clock turns an interface's stamps into nanoseconds.
type clock struct {
	resolution byte  // top bit set: a unit is 2^-n s, else 10^-n s
	offset     int64 // seconds to add
}

// time is 0, unknown, for what lies before 1970 or after 2262.
func (c clock) time(ticks uint64) model.Time {
	const most = math.MaxInt64 / second
	ns, ok := c.nanoseconds(ticks)
	if !ok || c.offset > most || c.offset < -most {
		return 0
	}
	return model.Time(max(int64(ns)+c.offset*second, 0)) // a sum past 2262 wraps below 0
}

var powersOfTen = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
	1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// nanoseconds is not ok when the result does not fit 63 bits.
func (c clock) nanoseconds(ticks uint64) (ns uint64, ok bool) {
	n := int(c.resolution & 0x7F)
	var hi, lo uint64
	switch {
	case c.resolution&0x80 != 0:
		hi, lo = bits.Mul64(ticks, second)
		lo = shiftRight(hi, lo, n)
		hi = shiftRight(0, hi, n)
	case n <= 9:
		hi, lo = bits.Mul64(ticks, powersOfTen[9-n])
	case n-9 < len(powersOfTen):
		lo = ticks / powersOfTen[n-9]
	}
	return lo, hi == 0 && lo <= math.MaxInt64
}

// shiftRight gives the lower half of a 128-bit number shifted by n.
func shiftRight(hi, lo uint64, n int) uint64 {
	if n >= 64 {
		return hi >> (n - 64)
	}
	return lo>>n | hi<<(64-n)
}

// Options of an interface description.
const (
	endOfOptions    = 0
	stampResolution = 9  // if_tsresol
	stampOffset     = 14 // if_tsoffset
	microseconds    = 6  // the resolution where none is stated
)

// clockOf reads the options of an interface.
func clockOf(e endian, options []byte) clock {
	c := clock{resolution: microseconds}
	for len(options) >= 4 {
		code, n := e.u16(options), int(e.u16(options[2:]))
		options = options[4:]
		if code == endOfOptions || n > len(options) {
			break
		}
		if code == stampResolution && n == 1 {
			c.resolution = options[0]
		}
		if code == stampOffset && n == 8 {
			c.offset = int64(e.u64(options))
		}
		options = options[min((n+3)&^3, len(options)):]
	}
	return c
}
