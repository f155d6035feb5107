package synth

// run is the READs or WRITEs of a stretch of one file, some of them in flight.
type run struct {
	o       *Open
	data    []byte // to write; nil when reading
	base    int64  // offset of data
	next    int64
	end     int64
	waiting []ioRequest
}

// ioRequest is a READ or WRITE that waits for its answer.
type ioRequest struct {
	ch   *channel
	id   uint64
	at   int64
	size int64
}

func (o *Open) reading(from, to int64) *run {
	o.read = append(o.read, span{from, to})
	return &run{o: o, next: from, end: to}
}

func (o *Open) writing(at int64, data []byte) *run {
	o.put(at, data)
	return &run{o: o, data: data, base: at, next: at, end: at + int64(len(data))}
}

// together goes through several runs in turns until all are done.
func together(runs ...*run) {
	for busy := true; busy; {
		busy = false
		for _, r := range runs {
			busy = r.step() || busy
		}
	}
}

// step asks for what may be in flight, then answers one request. It says
// whether there was anything to do.
func (r *run) step() bool {
	s := r.o.t.s
	for r.next < r.end && len(r.waiting) < s.InFlight {
		r.ask()
	}
	if len(r.waiting) == 0 {
		return false
	}
	i := 0
	if s.Shuffle {
		i = s.net.Intn(len(r.waiting))
	}
	q := r.waiting[i]
	r.waiting = append(r.waiting[:i], r.waiting[i+1:]...)
	r.answer(q)
	return true
}

// ask sends the next request on the channel whose turn it is.
func (r *run) ask() {
	s := r.o.t.s
	q := ioRequest{ch: s.next(), at: r.next, size: min(int64(s.IOSize), r.end-r.next)}
	m := smbMessage{command: smbRead, tree: r.o.t.id, charge: uint16((q.size + 65535) / 65536)}
	if r.data == nil {
		m.body = readRequest(r.o.id, q.at, int(q.size))
	} else {
		m.command, m.body = smbWrite, writeRequest(r.o.id, q.at, int(q.size))
		m.data = r.data[q.at-r.base:][:q.size]
	}
	q.id = q.ch.ask(m)
	r.waiting = append(r.waiting, q)
	r.next += q.size
}

// answer sends the answer to a request, after an interim one when async.
func (r *run) answer(q ioRequest) {
	m := smbMessage{command: smbRead, tree: r.o.t.id, id: q.id}
	if r.data == nil {
		m.body, m.data = readResponse(int(q.size)), r.o.content[q.at:][:q.size]
	} else {
		m.command, m.body = smbWrite, writeResponse(int(q.size))
	}
	if r.o.Async {
		m.async, m.flags = q.ch.pending(m.command, q.id), smbAsync
		r.o.t.s.net.Sleep(2_000_000)
	}
	q.ch.answer(m)
}
