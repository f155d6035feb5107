package scan

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"waybill/internal/input"
	"waybill/internal/ledger"
	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winevent"
	"waybill/internal/telemetry/winhost"
	"waybill/internal/telemetry/winlog"
)

// spoolLimit bounds what of one compressed EVTX file is copied to a temporary file.
const spoolLimit = 4 << 30

// reading is what readers and the state of some hundreds of hosts take, beside what is found.
const reading = 128 << 20

// logSource is one log being read: its events in file order.
type logSource struct {
	in *input.Input
	due
	first   model.Time
	log     reader
	err     error    // of opening it, or damage of its container
	notKept error    // why --cache has nothing of it
	fault   string   // a panic of its reader; read after batches is closed
	damage  []string // of a log that is read
	batches chan batch
	spare   chan batch

	batch batch
	next  int
	rest  int64 // bytes behind the last event; read after batches is closed

	follow telemetry.Follower // of its records; nil for events of Windows

	host string         // whose logs these are, where events do not say
	zone *time.Location // of stamps without one; nil is UTC
	near model.Time     // of other inputs; 0 unknown

	start, end model.Time
	events     int64
	bytes      int64
	kinds      map[uint32]int64 // of events of Windows
	streams    map[string]int64 // of other records
	unverified map[string]bool  // what of them was read by forms that no real sample confirms
}

// batch is some records of a log in its order, whatever their form.
type batch interface {
	len() int
	at(i int) model.Time
	taken() int64 // bytes of the input
}

// reader gives batches of a log: io.EOF is the end.
type reader interface {
	empty() batch
	fill(b batch) error
	Damage() []string
}

// windowsLog and recordLog are the two forms of what logs hold.
type (
	windowsLog   struct{ winlog.Log }
	recordLog    struct{ telemetry.Log }
	windowsBatch struct{ winlog.Batch }
	recordBatch  struct{ telemetry.Batch }
)

func (l windowsLog) empty() batch           { return &windowsBatch{} }
func (l windowsLog) fill(b batch) error     { return l.Next(&b.(*windowsBatch).Batch) }
func (b *windowsBatch) len() int            { return len(b.Events) }
func (b *windowsBatch) at(i int) model.Time { return b.Events[i].Time }
func (b *windowsBatch) taken() int64        { return b.Bytes }

func (l recordLog) empty() batch           { return &recordBatch{} }
func (l recordLog) fill(b batch) error     { return l.Next(&b.(*recordBatch).Batch) }
func (b *recordBatch) len() int            { return len(b.Records) }
func (b *recordBatch) at(i int) model.Time { return b.Records[i].Time }
func (b *recordBatch) taken() int64        { return b.Bytes }

func newLogSource(in *input.Input, index int) *logSource {
	s := &logSource{in: in, due: due{index: int32(index)}, first: math.MinInt64, kinds: map[uint32]int64{}, streams: map[string]int64{}, unverified: map[string]bool{}}
	if t, ok := winlog.FirstTime(in.Kind, in.Head); ok {
		s.first = t
	}
	if f := formatOf(in.Kind); f != nil {
		s.first = firstTime(f, in.Head)
	}
	return s
}

// firstTime is the time of the first record of a head, where the record itself says it.
func firstTime(f *telemetry.Format, head []byte) (t model.Time) {
	defer func() {
		if recover() != nil { // the log is read again, and its faults are named then
			t = math.MinInt64
		}
	}()
	var b telemetry.Batch
	log := f.Open(bytes.NewReader(head[:min(len(head), 8<<10)]), telemetry.OpenOptions{})
	if log.Next(&b) == nil && b.Records[0].Time != 0 && !b.Records[0].Assumed {
		return b.Records[0].Time
	}
	return math.MinInt64
}

// begin opens the log and reads ahead.
func (s *logSource) begin(ctx context.Context, ahead int, o *Options) {
	s.batches, s.spare = make(chan batch, ahead), make(chan batch, ahead+1)
	path := s.cachePath(o)
	if log, f := kept(path); log != nil {
		s.log = windowsLog{log}
		s.readAhead(ctx, ahead, f, nil)
		return
	}
	r, size, err := s.open()
	s.err = err
	if r == nil {
		close(s.batches)
		return
	}
	if err != nil { // damaged in its container
		path = ""
	}
	if s.log, err = s.opened(r, size); err != nil {
		s.log, s.err = nil, err
		r.Close()
		close(s.batches)
		return
	}
	s.readAhead(ctx, ahead, r, newKeeper(path))
}

// opened gives the reader of the log's form.
func (s *logSource) opened(r io.Reader, size int64) (reader, error) {
	if f := formatOf(s.in.Kind); f != nil {
		return recordLog{f.Open(r, telemetry.OpenOptions{Zone: s.zone, Near: s.near, Written: writtenAt(s.in)})}, nil
	}
	log, err := winlog.Open(s.in.Kind, r, size, s.zone)
	return windowsLog{log}, err
}

// writtenAt is when an input was last written; 0 unknown.
func writtenAt(in *input.Input) model.Time {
	if in.Written.Unix() <= 0 {
		return 0
	}
	return model.Time(in.Written.UnixNano())
}

func (s *logSource) readAhead(ctx context.Context, ahead int, r io.Closer, k *keeper) {
	for range ahead + 1 {
		s.spare <- s.log.empty()
	}
	go s.read(ctx, r, k)
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
			if s.rest = b.taken(); err != io.EOF {
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
func (s *logSource) batchOf(b batch) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.fault = fmt.Sprintf("%s: %v at %s", s.in.Name, r, where(debug.Stack()))
			err = io.EOF
		}
	}()
	return s.log.fill(b)
}

// ready makes sure that there is a next event and reports whether there is one.
func (s *logSource) ready() bool {
	for s.batch == nil || s.next >= s.batch.len() {
		if s.batch != nil {
			s.spare <- s.batch
			s.batch = nil
		}
		b, ok := <-s.batches
		if !ok {
			s.bytes += s.rest
			s.done()
			return false
		}
		s.batch, s.next = b, 0
		s.bytes += b.taken()
		s.stamp()
	}
	return true
}

// done lets go of what reading took, half a megabyte a log: a run has hundreds.
func (s *logSource) done() {
	if s.log != nil {
		s.damage = s.log.Damage()
	}
	s.log, s.batches, s.spare, s.follow = nil, nil, nil, nil
}

// stamp sets when the next event is due.
func (s *logSource) stamp() {
	if n := s.batch.len(); s.next < n {
		s.advance(s.batch.at(s.next), s.batch.at(min(s.next+1, n-1)))
	}
}

// logs reads all logs of a run.
type logs struct {
	o       Options
	sources []*logSource
	hosts   *winhost.Hosts
	follow  map[string]telemetry.Follower // by family
	done    int64
	total   int64
	before  int64 // bytes that the captures were
	twins   int64
	faults  []string
	room    telemetry.Room

	joined   ledger.Stats
	clocks   *ledger.Clocks
	renamed  []model.Renamed
	hostLogs []model.LogCoverage
	never    []string

	startsLogged map[string]bool // hosts that log process starts
	listed       []model.Listed  // files on hosts whose content moved
}

func newLogs(o Options, inputs []*input.Input, interest map[string]bool, near model.Time, before int64) *logs {
	l := &logs{o: o, before: before, room: telemetry.Room{Limit: o.Memory - min(o.Memory/2, reading)}}
	var names []string
	for i, in := range inputs {
		s := newLogSource(in, i)
		s.host, s.zone = o.hostOf(in.Name), o.zoneOf(in.Name)
		l.sources = append(l.sources, s)
		names = append(names, in.Name)
		l.total += max(in.Size, 0)
	}
	for _, s := range l.sources {
		near = cmp.Or(near, max(s.first, 0))
	}
	for _, s := range l.sources {
		s.near = near
	}
	fo := telemetry.FollowerOptions{Inputs: names, Interest: interest, SyncApps: o.SyncApps, Room: &l.room, Parts: o.All || o.From != 0 || o.To != 0,
		Inside: func(a model.Addr) bool { return o.inside(model.Endpoint{IP: a}, nil) }}
	l.hosts, l.follow = winhost.New(fo), map[string]telemetry.Follower{}
	for family, open := range followers {
		l.follow[family] = open(fo)
	}
	for _, s := range l.sources {
		if f := formatOf(s.in.Kind); f != nil {
			s.follow = l.follow[f.Family]
		}
	}
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
		l.give(s)
		if s.next++; s.next < s.batch.len() {
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

// give hands the next record to who follows it.
func (l *logs) give(s *logSource) {
	switch b := s.batch.(type) {
	case *windowsBatch:
		l.event(s, &b.Events[s.next])
	case *recordBatch:
		l.record(s, &b.Records[s.next])
	}
}

// record takes a record that is no event of Windows.
func (l *logs) record(s *logSource, r *telemetry.Record) {
	r.Input = s.index
	if r.Host == "" {
		r.Host = s.host
	}
	l.o.setClock(r.Host, &r.Time, &r.Assumed)
	s.saw(r.Time)
	s.streams[r.Stream]++
	l.guard(s, r.Line, 0, func() { s.follow.Record(r) })
	if r.Unverified != "" {
		s.unverified[strings.Clone(r.Unverified)] = true
	}
}

// saw counts a record and stretches the time of its log.
func (s *logSource) saw(t model.Time) {
	s.events++
	if t != 0 && (s.start == 0 || t < s.start) {
		s.start = t
	}
	s.end = max(s.end, t)
}

func (l *logs) event(s *logSource, e *winevent.Event) {
	e.Input = s.index
	if e.Computer == "" {
		e.Computer = s.host
	}
	l.o.setClock(e.Computer, &e.Time, &e.Assumed)
	s.saw(e.Time)
	if e.Wanted() {
		s.kinds[e.Kind()]++
	}
	l.guard(s, e.Line, e.Record, func() {
		if !l.hosts.Event(e) {
			l.twins++
		}
	})
}

// guard gives a record to its follower. A panic is a fault of the program: it is
// named and costs the record.
func (l *logs) guard(s *logSource, line int, record uint64, give func()) {
	defer func() {
		if r := recover(); r != nil && len(l.faults) < maxFaults {
			l.faults = append(l.faults, fmt.Sprintf("%s: record %d line %d: %v at %s", s.in.Name, record, line, r, where(debug.Stack())))
		}
	}()
	give()
}

func (l *logs) progress(s *logSource) {
	l.done += s.batch.taken()
	if l.o.Progress != nil {
		l.o.Progress(Progress{Read: l.before + l.done, Total: l.before + l.total})
	}
}
