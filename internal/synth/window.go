package synth

// window is a stretch of a file that goes in requests of a size, some of them in
// flight.
type window struct {
	net       *Net
	next, end int64
	size      int64
	inFlight  int
	shuffle   bool // the server answers in any order
	// ask sends the request for n bytes at an offset, and gives what sends its answer.
	ask     func(at, n int64) func()
	waiting []func()
}

// step asks for what may be in flight, then answers one request. It says
// whether there was anything to do.
func (w *window) step() bool {
	for w.next < w.end && len(w.waiting) < max(w.inFlight, 1) {
		n := min(w.size, w.end-w.next)
		w.waiting = append(w.waiting, w.ask(w.next, n))
		w.next += n
	}
	if len(w.waiting) == 0 {
		return false
	}
	i := 0
	if w.shuffle {
		i = w.net.Intn(len(w.waiting))
	}
	answer := w.waiting[i]
	w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
	answer()
	return true
}

// inTurns goes through several windows in turns until all are done.
func inTurns(windows ...*window) {
	for busy := true; busy; {
		busy = false
		for _, w := range windows {
			busy = w.step() || busy
		}
	}
}
