package scan

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"waybill/internal/input"
	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
	"waybill/internal/telemetry/winhost"
	"waybill/internal/telemetry/winlog"
)

// spoolLimit bounds what of one compressed EVTX file is copied to a temporary file.
const spoolLimit = 4 << 30

// logSource is one log being read: its events in file order.
type logSource struct {
	in *input.Input
	due
	first   model.Time
	log     winlog.Log
	err     error  // of opening it, or damage of its container
	notKept error  // why --cache has nothing of it
	fault   string // a panic of its reader; read after batches is closed
	batches chan *winlog.Batch
	spare   chan *winlog.Batch

	batch *winlog.Batch
	next  int
	rest  int64 // bytes behind the last event; read after batches is closed

	host string         // whose logs these are, where events do not say
	zone *time.Location // of stamps without one; nil is UTC

	start, end model.Time
	events     int64
	bytes      int64
	kinds      map[uint32]int64
}

func newLogSource(in *input.Input, index int) *logSource {
	s := &logSource{in: in, due: due{index: int32(index)}, first: math.MinInt64, kinds: map[uint32]int64{}}
	if t, ok := winlog.FirstTime(in.Kind, in.Head); ok {
		s.first = t
	}
	return s
}

// begin opens the log and reads ahead.
func (s *logSource) begin(ctx context.Context, ahead int, o *Options) {
	s.batches, s.spare = make(chan *winlog.Batch, ahead), make(chan *winlog.Batch, ahead+1)
	for range ahead + 1 {
		s.spare <- &winlog.Batch{}
	}
	path := s.cachePath(o)
	if log, f := kept(path); log != nil {
		s.log = log
		go s.read(ctx, f, nil)
		return
	}
	r, size, err := s.open()
	if r == nil {
		s.err = err
		close(s.batches)
		return
	}
	s.err = err
	if s.log, err = winlog.Open(s.in.Kind, r, size, s.zone); err != nil {
		s.err = err
		r.Close()
		close(s.batches)
		return
	}
	if err != nil { // damaged in its container
		path = ""
	}
	go s.read(ctx, r, newKeeper(path))
}

func (s *logSource) open() (io.ReadCloser, int64, error) {
	if s.in.Kind == winlog.EVTX {
		r, size, err := s.in.OpenAt(spoolLimit)
		if r == nil {
			return nil, 0, err
		}
		return r, size, err
	}
	r, err := s.in.Open()
	return r, s.in.Size, err
}

func (s *logSource) read(ctx context.Context, r io.Closer, k *keeper) {
	defer close(s.batches)
	defer r.Close()
	whole := false
	defer func() { s.notKept = k.done(whole, s.log.Damage(), s.rest) }()
	for {
		b := <-s.spare
		if err := s.batchOf(b); err != nil {
			if s.rest = b.Bytes; err != io.EOF {
				s.err = err
			}
			whole = err == io.EOF && s.fault == ""
			return
		}
		k.batch(b)
		select {
		case s.batches <- b:
		case <-ctx.Done():
			return
		}
	}
}

// batchOf reads the next batch. A panic of a reader is a fault of the program: it
// ends the log, and is named.
func (s *logSource) batchOf(b *winlog.Batch) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.fault = fmt.Sprintf("%s: %v at %s", s.in.Name, r, where(debug.Stack()))
			err = io.EOF
		}
	}()
	return s.log.Next(b)
}

// ready makes sure that there is a next event and reports whether there is one.
func (s *logSource) ready() bool {
	for s.batch == nil || s.next >= len(s.batch.Events) {
		if s.batch != nil {
			s.spare <- s.batch
			s.batch = nil
		}
		b, ok := <-s.batches
		if !ok {
			s.bytes += s.rest
			return false
		}
		s.batch, s.next = b, 0
		s.bytes += b.Bytes
		s.stamp()
	}
	return true
}

// stamp sets when the next event is due.
func (s *logSource) stamp() {
	if events := s.batch.Events; s.next < len(events) {
		s.advance(events[s.next].Time, events[min(s.next+1, len(events)-1)].Time)
	}
}

// logs reads all logs of a run.
type logs struct {
	o       Options
	sources []*logSource
	hosts   *winhost.Hosts
	done    int64
	total   int64
	before  int64 // bytes that the captures were
	twins   int64
	faults  []string

	hostLogs []model.LogCoverage
	never    []string

	startsLogged map[string]bool // hosts that log process starts
}

func newLogs(o Options, inputs []*input.Input, interest map[string]bool, before int64) *logs {
	l := &logs{o: o, before: before}
	var names []string
	for i, in := range inputs {
		s := newLogSource(in, i)
		s.host, s.zone = o.hostOf(in.Name), o.zoneOf(in.Name)
		l.sources = append(l.sources, s)
		names = append(names, in.Name)
		l.total += max(in.Size, 0)
	}
	l.hosts = winhost.New(winhost.Options{Inputs: names, Interest: interest, Inside: func(a model.Addr) bool { return o.inside(model.Endpoint{IP: a}, nil) }})
	return l
}

// run takes the events of all logs in the order of time.
func (l *logs) run(ctx context.Context) error {
	readers, stop := context.WithCancel(ctx)
	defer stop()
	waiting := slices.Clone(l.sources)
	slices.SortStableFunc(waiting, func(a, b *logSource) int { return cmp.Compare(a.first, b.first) })
	ahead := 2
	if len(waiting) > 64 {
		ahead = 1
	}
	var open byDue[*logSource]
	for ctx.Err() == nil {
		for len(waiting) > 0 && (len(open) == 0 || waiting[0].first <= open[0].key) {
			s := waiting[0]
			waiting = waiting[1:]
			s.begin(readers, ahead, &l.o)
			if s.ready() {
				heap.Push(&open, s)
			}
		}
		if len(open) == 0 {
			break
		}
		until := model.Time(math.MaxInt64)
		for i := 1; i < len(open) && i <= 2; i++ {
			until = min(until, open[i].key)
		}
		if len(waiting) > 0 {
			until = min(until, waiting[0].first)
		}
		if l.take(open[0], until) {
			heap.Fix(&open, 0)
		} else {
			heap.Pop(&open)
		}
	}
	return ctx.Err()
}

// take handles events of s up to a key, one at least. It reports whether s has more.
func (l *logs) take(s *logSource, until model.Time) bool {
	for {
		l.event(s, &s.batch.Events[s.next])
		if s.next++; s.next < len(s.batch.Events) {
			s.stamp()
		} else {
			l.progress(s)
			if !s.ready() {
				return false
			}
		}
		if s.key >= until {
			return true
		}
	}
}

func (l *logs) event(s *logSource, e *winevent.Event) {
	e.Input = s.index
	if e.Computer == "" {
		e.Computer = s.host
	}
	if len(l.o.Clocks) > 0 {
		l.o.setClock(e)
	}
	s.events++
	if e.Time != 0 && (s.start == 0 || e.Time < s.start) {
		s.start = e.Time
	}
	s.end = max(s.end, e.Time)
	if e.Wanted() {
		s.kinds[e.Kind()]++
	}
	l.guard(s, e)
}

// guard gives an event to its host. A panic is a fault of the program: it is named
// and costs the event.
func (l *logs) guard(s *logSource, e *winevent.Event) {
	defer func() {
		if r := recover(); r != nil && len(l.faults) < maxFaults {
			l.faults = append(l.faults, fmt.Sprintf("%s: record %d line %d: %v at %s", s.in.Name, e.Record, e.Line, r, where(debug.Stack())))
		}
	}()
	if !l.hosts.Event(e) {
		l.twins++
	}
}

func (l *logs) progress(s *logSource) {
	l.done += s.batch.Bytes
	if l.o.Progress != nil {
		l.o.Progress(Progress{Read: l.before + l.done, Total: l.before + l.total})
	}
}
