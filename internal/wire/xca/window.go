package xca

// window is the output of one payload: what was there before base belongs to
// others, and no more than max bytes come after it.
type window struct {
	buf  []byte
	base int
	max  int
}

func (w *window) room() int { return max(w.max-(len(w.buf)-w.base), 0) }

func (w *window) full() bool { return w.room() == 0 }

// literal appends a byte; the caller has seen that there is room.
func (w *window) literal(c byte) { w.buf = append(w.buf, c) }

// literals appends bytes, as many as there is room for.
func (w *window) literals(b []byte) {
	w.buf = append(w.buf, b[:min(len(b), w.room())]...)
}

// match repeats n bytes that start distance bytes back. They may overlap the
// bytes they make; then the period repeats.
func (w *window) match(distance int, n int64) fault {
	if distance <= 0 || distance > len(w.buf)-w.base {
		return tooFar
	}
	if n > int64(w.room()) {
		return tooLong
	}
	for left := int(n); left > 0; {
		from := len(w.buf) - distance
		run := min(left, distance)
		w.buf = append(w.buf, w.buf[from:from+run]...)
		left -= run
		distance += run // a multiple of the period, so that runs double
	}
	return ""
}
