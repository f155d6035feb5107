package spread

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"waybill/internal/model"
)

// stream makes transfers of a network without end: documents mostly, of which one in
// five is exchanged again; programs now and then; updates that all hosts get.
type stream struct {
	r     *rand.Rand
	hosts []model.Endpoint
	n     int
	at    model.Time
	proof []model.Evidence
	old   [64]string
	t     model.Transfer
	size  int64
}

func newStream(hosts int) *stream {
	s := &stream{r: rand.New(rand.NewPCG(1, uint64(hosts))), at: 1e18, proof: []model.Evidence{{Input: "tap.pcap"}}}
	for i := range hosts {
		s.hosts = append(s.hosts, model.Endpoint{Host: fmt.Sprintf("host-%d.corp.example", i), IP: model.Addr{10: 255, 11: 255, 12: 10, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}})
	}
	return s
}

// next gives the next transfer, in the same place as the last one. 200 a host and day.
func (s *stream) next() *model.Transfer {
	s.n++
	s.at += 86400e9 / model.Time(200*len(s.hosts))
	s.size = 10000 + int64(s.n%7919)
	s.t = model.Transfer{ID: fmt.Sprintf("t-%016x", s.n), Start: s.at, End: s.at, Status: model.Done, Completeness: model.Whole, Size: &s.size, Evidence: s.proof,
		Source: s.hosts[s.r.IntN(len(s.hosts))], Destination: s.hosts[s.r.IntN(len(s.hosts))], Type: "office", Name: "report.docx"}
	switch k := s.r.IntN(100); {
	case k < 2:
		s.t.Type, s.t.Name = "pe", "tool.exe"
		fallthrough
	case k < 60:
		s.t.SHA256 = fmt.Sprintf("%064x", s.n)
		s.old[s.n%len(s.old)] = s.t.SHA256
	case k < 75:
		s.t.SHA256 = s.old[s.r.IntN(len(s.old))]
	case k < 85:
		s.t.Type, s.t.Name, s.t.SHA256 = "pe", "update.cab", fmt.Sprintf("%064x", s.n/100000)
	default:
		s.t.Size, s.t.Type = nil, "" // what logs say without size and hash
	}
	return &s.t
}

// TestBounded sees that a long stream stays within the bounds, and that a program which
// is passed on one host a day is not forgotten over it.
func TestBounded(t *testing.T) {
	set := Settings{Contents: 4096, Movements: 8192}
	b := New(set)
	s := newStream(500)
	slow := func(from, to int) *model.Transfer {
		x := file(fmt.Sprintf("t-%016x", 1<<40+to), fmt.Sprint("S", from), fmt.Sprint("S", to), "sha256=slow size=777 name=slow.exe type=pe")
		x.Start, x.End = s.at, s.at
		return x
	}
	key := ""
	for i := range 600_000 {
		if i%100_000 == 0 { // a day
			key = b.Add(slow(i/100_000, i/100_000+1))
		}
		b.Add(s.next())
	}
	if len(b.contents) > set.Contents+1 || len(b.movements) > set.Movements+1 || len(b.places.at) > 2*set.Movements+set.Movements/2 || b.index.Len() > 8*set.Contents || b.holders.Len() > set.Movements {
		t.Errorf("%d contents, %d movements, %d places, %d keys, %d holders", len(b.contents), len(b.movements), len(b.places.at), b.index.Len(), b.holders.Len())
	}
	if cap(b.contents) > set.Contents+1 || cap(b.movements) > set.Movements+1 {
		t.Errorf("room for %d contents and %d movements", cap(b.contents), cap(b.movements))
	}
	if f := b.Forgotten(); f.Contents == 0 || f.Movements == 0 {
		t.Errorf("nothing was forgotten: %+v", f)
	}
	for _, a := range b.Artifacts(none) {
		if a.ID == b.Artifact(key) {
			if a.Spread.Depth != 6 || len(a.Spread.Edges) != 6 {
				t.Errorf("the slow one: %+v", a.Spread)
			}
			return
		}
	}
	t.Error("the slow one is forgotten")
}

// TestForgottenKeepsTheRest compares the artifacts of a book that had to make room with
// those of one that keeps everything: each that it still has is the same.
func TestForgottenKeepsTheRest(t *testing.T) {
	small, all := New(Settings{Contents: 200, Movements: 300}), New(Settings{All: true})
	s := newStream(20)
	for range 5000 {
		x := *s.next()
		if x.Name == "update.cab" {
			continue
		}
		small.Add(&x)
		all.Add(&x)
	}
	full := map[string]*model.Artifact{}
	for _, a := range all.Artifacts(none) {
		full[a.ID] = a
	}
	same := 0
	for _, a := range small.Artifacts(none) {
		b := full[a.ID]
		if b == nil {
			t.Fatalf("%s is no artifact", a.ID)
		}
		if len(a.Sightings) == len(b.Sightings) {
			if got, want := fmt.Sprintf("%+v %+v", a.Sightings, *a.Spread), fmt.Sprintf("%+v %+v", b.Sightings, *b.Spread); got != want {
				t.Fatalf("%s\ninstead of\n%s", got, want)
			}
			same++
		}
	}
	if same < 50 {
		t.Errorf("%d are complete", same)
	}
}

// TestRenumbered: what was known of a file that came from nowhere is still known when
// hosts, movements and contents have got other numbers.
func TestRenumbered(t *testing.T) {
	b := New(Settings{Contents: 200, Movements: 300})
	s := newStream(2000)
	for range 500 {
		b.Add(s.next())
	}
	at := func(t *model.Transfer) *model.Transfer {
		t.Start, t.End = s.at, s.at
		return t
	}
	b.Add(at(file("t-1", "A", "B", "sha256=aa size=9 name=x.exe type=pe")))
	b.Contact(&model.Access{Time: s.at + 1e9, What: "share-connect", Source: model.Endpoint{Host: "B"}, Destination: model.Endpoint{Host: "C"}})
	last := at(file("t-2", "", "C", "sha256=aa size=9 name=x.exe type=pe"))
	b.Add(last)
	b.Keep(last)
	b.Contact(&model.Access{Time: s.at + 2*DefaultSlack, What: "logon", Source: model.Endpoint{Host: "Y"}, Destination: model.Endpoint{Host: "Z"}})
	for range 5000 {
		b.Add(s.next())
	}
	for _, a := range b.Artifacts(none) {
		if a.ID == b.Add(last) {
			if got := inWords(a.Spread); got != "A>B high, B>C medium; A" {
				t.Error(got)
			}
			return
		}
	}
	t.Error("forgotten")
}

// TestCrowd: of what everybody gets so many arrivals are kept, and no more.
func TestCrowd(t *testing.T) {
	b := New(Settings{})
	for i := range 2 * mostHolders {
		b.Add(file(fmt.Sprintf("t-%016x", i), "S", fmt.Sprint("H", i), "sha256=aa size=9"))
		b.Add(file(fmt.Sprintf("t-%016x", i+1<<20), "S", fmt.Sprint("H", i/2), "sha256=aa size=9"))
	}
	a := b.Artifacts(none)[0]
	if n := a.Spread.Hosts; n < mostHolders || n > mostHolders+crowd || len(a.Sightings) > 2*(mostHolders+crowd) || b.Forgotten().Movements < 2*mostHolders {
		t.Errorf("%d hosts, %d sightings, %+v", n, len(a.Sightings), b.Forgotten())
	}
}

// TestKeep has what findings name outlive the rest.
func TestKeep(t *testing.T) {
	b := New(Settings{Contents: 200, Movements: 300})
	x := file("t-1", "A", "B", "sha256=aa size=9 name=a.txt type=text at=1000000000")
	key := b.Add(x)
	b.Keep(x)
	s := newStream(20)
	for range 5000 {
		b.Add(s.next())
	}
	for _, a := range b.Artifacts(none) {
		if a.ID == key {
			return
		}
	}
	t.Error("forgotten")
}

// TestCost holds what a transfer costs to what the benchmark needs.
func TestCost(t *testing.T) {
	b := New(Settings{})
	s := newStream(1000)
	for range 50_000 {
		b.Add(s.next())
	}
	x := *s.next()
	x.SHA256, x.ID = "known", "t-00000000000000ff"
	b.Add(&x)
	if n := testing.AllocsPerRun(1000, func() { b.Add(&x) }); n > 1 {
		t.Errorf("%.1f allocations a transfer of a content that is known", n)
	}
}

// BenchmarkAdd takes one million transfers, and prints what the book keeps of them.
func BenchmarkAdd(b *testing.B) {
	for _, hosts := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(hosts), func(b *testing.B) {
			const many = 1_000_000
			s := newStream(hosts)
			all := make([]model.Transfer, many)
			for i := range all {
				x := *s.next()
				if x.Size != nil {
					size := *x.Size
					x.Size = &size
				}
				all[i] = x
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				before := heap()
				book := New(Settings{})
				b.StartTimer()
				for i := range all {
					book.Add(&all[i])
				}
				b.StopTimer()
				b.ReportMetric(float64(heap()-before)/(1<<20), "MiB")
				runtime.KeepAlive(book)
				b.StartTimer()
			}
			b.ReportMetric(many*float64(b.N)/b.Elapsed().Seconds(), "transfers/s")
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
