package capture

// After damage a reader goes on where the bytes look like records again: where
// a chain of credible records starts. One header alone proves nothing, and the
// payload of a packet may itself be a capture that someone copied; such a chain
// breaks at the end of the packet, so a chain must lead past the end that the
// damaged record claimed.
const (
	chainBeyond = 2       // credible records that have to start past the claimed end
	chainMin    = 3       // credible records in a row that are enough past the claimed end
	chainMax    = 32      // records in a row that are enough anywhere; bounds the work for one position
	lookAhead   = 1 << 20 // bytes that a chain may need: more than chainMin records of maxCredible
	// maxCredible bounds a record that a chain may hold: a frame with its options.
	maxCredible = MaxFrame + 65536
)

// hole is a damaged place whose end is being looked for.
type hole struct {
	open  bool
	from  int64 // offset of the first byte lost
	past  int64 // a chain must lead beyond this offset
	cause string
}

// lose opens a hole at pos: the search for its end starts one byte on. past is
// the offset, in the capture, of the end that the damaged record claimed.
func (r *Reader) lose(past int64, cause string) {
	r.hole = hole{open: true, from: r.offset(), past: past, cause: cause}
	r.pos = min(r.pos+1, len(r.buf))
}

// seek looks for the end of the hole; want is as in format.cut.
func (r *Reader) seek() (want int) {
	to := len(r.buf)
	if !r.ended {
		to -= lookAhead
	}
	if q := r.find(r.pos, to, int(r.hole.past-r.base)); q >= 0 {
		r.pos = q
		r.closeHole()
		return 0
	}
	if !r.ended {
		r.pos = max(r.pos, to)
		return 2 * lookAhead
	}
	r.pos = len(r.buf)
	r.closeHole()
	r.finish("")
	return 0
}

func (r *Reader) closeHole() {
	r.lost(r.hole.from, r.offset()-r.hole.from, r.hole.cause)
	r.hole = hole{}
}

// find gives the first position in buf[from:to] at which a chain starts that
// leads to past or beyond, or exactly to the end of the capture; -1 for none.
func (r *Reader) find(from, to, past int) int {
	for p := from; p < to; p++ {
		if r.chain(p, past) {
			return p
		}
	}
	return -1
}

func (r *Reader) chain(p, past int) bool {
	beyond := 0 // records that start past the claimed end: the last of others can reach over it
	for n := 0; n < chainMax; n++ {
		if n >= chainMin && beyond >= chainBeyond {
			return true
		}
		if r.ended && p == len(r.buf) {
			return n > 0
		}
		size := r.format.credible(r.buf[p:], n == 0)
		if size == 0 || size > len(r.buf)-p {
			return false
		}
		if p >= past {
			beyond++
		}
		p += size
	}
	return true
}
