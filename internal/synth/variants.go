package synth

import (
	"math/rand/v2"
	"slices"

	"waybill/internal/model"
)

// The methods here turn a capture into what another sensor, or a worse one,
// would have written. Each gives a new capture; those with a seed always change
// the same frames for it.

// Ring cuts the capture into n files that follow each other.
func (c Capture) Ring(n int) []Capture {
	var out []Capture
	for i := range n {
		out = append(out, slices.Clone(c[i*len(c)/n:(i+1)*len(c)/n]))
	}
	return out
}

// Taps deals the conversations out to two sensors, whose files overlap in time.
func (c Capture) Taps() [2]Capture {
	var out [2]Capture
	for _, f := range c {
		out[f.Flow%2] = append(out[f.Flow%2], f)
	}
	return out
}

// Directions gives a file for each direction; the second sensor's clock is ahead.
func (c Capture) Directions(ahead model.Time) [2]Capture {
	var out [2]Capture
	for _, f := range c {
		if f.From == Server {
			f.Time += ahead
		}
		out[f.From] = append(out[f.From], f)
	}
	return out
}

// Only gives what one side sent.
func (c Capture) Only(side Side) Capture {
	return c.keep(func(f Frame) bool { return f.From == side })
}

// From gives the frames from the i-th on: a capture that began late.
func (c Capture) From(i int) Capture { return slices.Clone(c[i:]) }

// Drop loses frames at a rate.
func (c Capture) Drop(seed uint64, rate float64) Capture {
	rng := rand.New(rand.NewPCG(seed, 1))
	return c.keep(func(Frame) bool { return rng.Float64() >= rate })
}

// Duplicate shows frames twice, the copy up to eight frames later.
func (c Capture) Duplicate(seed uint64, rate float64) Capture {
	rng := rand.New(rand.NewPCG(seed, 2))
	var out Capture
	var late []Frame
	for _, f := range c {
		out = append(out, f)
		if rng.Float64() < rate {
			late = append(late, f)
		}
		if len(late) > 0 && rng.IntN(8) == 0 {
			late[0].Time = f.Time
			out, late = append(out, late[0]), late[1:]
		}
	}
	return append(out, late...)
}

// Reorder lets frames at a rate arrive up to three frames later.
func (c Capture) Reorder(seed uint64, rate float64) Capture {
	rng := rand.New(rand.NewPCG(seed, 3))
	out := slices.Clone(c)
	for i := range out {
		if rng.Float64() >= rate {
			continue
		}
		j := min(i+1+rng.IntN(3), len(out)-1)
		late, times := out[i], [2]model.Time{out[i].Time, out[j].Time}
		copy(out[i:j], out[i+1:j+1])
		out[j] = late
		out[i].Time, out[j].Time = times[0], times[1]
	}
	out.monotone()
	return out
}

// monotone makes the times rise again.
func (c Capture) monotone() {
	for i := 1; i < len(c); i++ {
		c[i].Time = max(c[i].Time, c[i-1].Time)
	}
}

// Snap cuts frames to n bytes.
func (c Capture) Snap(n int) Capture {
	out := slices.Clone(c)
	for i, f := range out {
		if len(f.Data) > n {
			out[i].Len, out[i].Data = max(f.Len, len(f.Data)), f.Data[:n]
		}
	}
	return out
}

func (c Capture) keep(which func(Frame) bool) Capture {
	var out Capture
	for _, f := range c {
		if which(f) {
			out = append(out, f)
		}
	}
	return out
}
