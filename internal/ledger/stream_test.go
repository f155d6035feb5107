package ledger

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// office is some minutes of a small network, as four sensors see it: packets, a
// network sensor, the logs of servers, commands. Names, contents and pairs come again.
func office(seed uint64) func() []*model.Transfer {
	return func() []*model.Transfer {
		r := rand.New(rand.NewPCG(seed, 1))
		var all []*model.Transfer
		for i := range 60 + r.IntN(60) {
			all = append(all, seenBySome(r, i)...)
		}
		return all
	}
}

func seenBySome(r *rand.Rand, i int) (all []*model.Transfer) {
	at := model.Time(1_000+r.IntN(1200)) * second
	long := model.Time(r.IntN(4)) * second
	if r.IntN(20) == 0 {
		long = model.Time(r.IntN(3000)) * second
	}
	size, content, user := int64(r.IntN(6)), fmt.Sprintf("%02d", r.IntN(5)), []string{"bob", "eve"}[r.IntN(2)]
	port := uint16(5000 + r.IntN(4))
	t := func(id string, change func(*model.Transfer)) {
		base := packets()
		base.ID, base.Start, base.End, base.Size, base.SHA256 = fmt.Sprint(id, i), at, at+long, &size, content
		base.Name = []string{"a.exe", "b.exe", "c.txt"}[r.IntN(3)]
		base.Source = model.Endpoint{IP: addr([]string{"10.0.0.1", "10.0.0.2"}[r.IntN(2)]), Port: port}
		change(base)
		all = append(all, base)
	}
	jitter := func() model.Time { return model.Time(r.IntN(40)) * second }
	if r.IntN(4) > 0 {
		t("p", func(*model.Transfer) {})
	}
	if r.IntN(3) > 0 {
		t("z", func(t *model.Transfer) {
			t.Completeness, t.Channel, t.SHA256, t.Start, t.End = model.Logged, "smb", "", at+jitter(), at+long+40*second
			t.Evidence = []model.Evidence{{Input: "zeek/files.log", Kind: "event", Channel: "zeek/files", Line: i}}
			if r.IntN(2) == 0 {
				t.Name = ""
			}
		})
	}
	if r.IntN(2) > 0 {
		t("s", func(t *model.Transfer) {
			at := at + jitter()
			t.Completeness, t.Channel, t.SHA256, t.Size, t.Start, t.End, t.User = model.Logged, "smb", "", nil, at, at, user
			t.Source.Port, t.Destination = 0, model.Endpoint{Host: "SRV.corp.test"}
			t.Evidence = []model.Evidence{{Input: "srv.evtx", Kind: "event", Computer: "SRV.corp.test", Channel: "Security", Record: uint64(i)}}
		})
	}
	if r.IntN(4) == 0 {
		t("c", func(t *model.Transfer) {
			at := at - jitter()
			t.Completeness, t.Status, t.Channel, t.SHA256, t.Size, t.Start, t.End, t.Tool = model.Logged, model.Claimed, "smb", "", nil, at, at, "copy"
			t.Source, t.Destination = model.Endpoint{Host: "ws1"}, model.Endpoint{Host: "srv"}
			t.Evidence = []model.Evidence{{Input: "ws1.evtx", Kind: "event", Computer: "WS1.corp.test", Channel: "Security", Record: uint64(i)}}
		})
	}
	return all
}

func printed(all []*model.Transfer) string {
	var out []string
	for _, t := range all {
		b, err := json.Marshal(t)
		if err != nil {
			panic(err)
		}
		out = append(out, string(b))
	}
	return strings.Join(out, "\n")
}

// difference is where two texts part, by lines.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got\n" + g[i] + "\nwant\n" + w[i]
		}
	}
	return fmt.Sprintf("%d instead of %d", len(g), len(w))
}

// late shuffles observations so that each is added at most bound after its time, and
// advances the watermark now and then.
func late(l *Ledger, all []*model.Transfer, bound model.Time, r *rand.Rand) (out []*model.Transfer) {
	type given struct {
		at model.Time
		t  *model.Transfer
	}
	var order []given
	for _, t := range all {
		order = append(order, given{begin(t) + model.Time(r.Int64N(int64(bound))), t})
	}
	slices.SortFunc(order, func(a, b given) int { return int(a.at - b.at) })
	for _, g := range order {
		l.Add(g.t)
		if r.IntN(3) == 0 {
			out = append(out, l.Advance(g.at)...)
		}
	}
	return append(out, l.Close()...)
}

// TestStream: whatever the order and the steps, within the bound, the same bytes.
func TestStream(t *testing.T) {
	joined := int64(0)
	for seed := range uint64(90) {
		make := office(seed)
		want := printed(Join(make(), hosts()))
		for try := range uint64(3) {
			r := rand.New(rand.NewPCG(seed, try))
			bound := model.Time(1+r.IntN(2000)) * second
			l := New(hosts(), Settings{Late: bound})
			if got := printed(late(l, make(), bound, r)); got != want {
				t.Fatalf("seed %d, try %d, bound %d s: %s", seed, try, bound/second, difference(got, want))
			}
			if l.Stats().Late != 0 {
				t.Fatalf("%d late", l.Stats().Late)
			}
			joined += l.Stats().Joined
		}
		twice := append(make(), make()...)
		rand.New(rand.NewPCG(seed, 9)).Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })
		if got := printed(Join(twice, hosts())); got != want {
			t.Fatalf("seed %d, each twice: %s", seed, difference(got, want))
		}
	}
	if joined < 1000 {
		t.Errorf("%d were joined", joined)
	}
}

// TestInTime: what is given is in the order of its ends, and no sooner than it may be.
func TestInTime(t *testing.T) {
	l := New(hosts(), Settings{Late: 60 * second})
	l.Add(packets())
	l.Add(server())
	if got := l.Advance(101*second + 60*second + hold); len(got) > 0 {
		t.Errorf("given too soon: %s", printed(got))
	}
	if got := l.Advance(101*second + 60*second + hold + 1); len(got) != 1 || len(got[0].Observations) != 2 {
		t.Errorf("not given: %s", printed(got))
	}
	var ends []model.Time
	for _, x := range Join(office(3)(), hosts()) {
		ends = append(ends, max(x.Start, x.End))
	}
	if !slices.IsSorted(ends) {
		t.Errorf("in no order: %v", ends)
	}
}

// TestLate: beyond the bound an observation is a transfer of its own, and says so.
func TestLate(t *testing.T) {
	l := New(hosts(), Settings{Late: 60 * second})
	l.Add(packets())
	got := l.Advance(1000 * second)
	l.Add(server())
	got = append(got, l.Close()...)
	if len(got) != 2 || l.Stats().Late != 1 || len(got[1].Notes) != 1 || !strings.Contains(got[1].Notes[0], "14m1s after") {
		t.Errorf("%d late: %s", l.Stats().Late, printed(got))
	}
}

// TestWindow: a ledger holds the movements of its window, however long it runs.
func TestWindow(t *testing.T) {
	_, ends := network(100)
	l := New(&identity.Table{}, Settings{Late: 60 * second})
	given, most := 0, 0
	for i, x := range movements(40_000, ends, 2) {
		l.Add(x)
		if i%100 == 0 {
			given += len(l.Advance(x.Start))
			most = max(most, len(l.book.links), l.book.oldest.Len(), l.over.len(), len(l.book.spare))
		}
	}
	given += len(l.Close())
	// 40 a second, for a minute of lateness, what is held after it, and two keys each.
	if window := 40 * int((60*second+Slack+2*hold)/second) * 2; most > 2*window || given < 40_000 {
		t.Errorf("%d were held for a window of %d; %d given", most, window, given)
	}
	if l.book.oldest.Len() > 0 || l.over.len() > 0 || l.pending.len() > 0 {
		t.Errorf("%d keys, %d movements, %d observations are left", l.book.oldest.Len(), l.over.len(), l.pending.len())
	}
}

// TestAllocations: what no other sensor saw costs no memory of its own.
func TestAllocations(t *testing.T) {
	hosts, ends := network(1000)
	const n = 20_000
	lone, pairs := movements(n, ends, 1), movements(n/2, ends, 2)
	if got := testing.AllocsPerRun(1, func() { Join(lone, hosts) }); got > n/20 {
		t.Errorf("%.0f allocations for %d alone", got, n)
	}
	if got := testing.AllocsPerRun(1, func() { Join(pairs, hosts) }); got > 4*n/2 {
		t.Errorf("%.0f allocations for %d pairs", got, n/2)
	}
}

// network is a table of n hosts, each with an address and a name of a record.
func network(n int) (*identity.Table, []model.Endpoint) {
	t, ends := &identity.Table{}, make([]model.Endpoint, n)
	for i := range ends {
		a := addr(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
		ends[i] = model.Endpoint{IP: a, Host: fmt.Sprintf("WS%d.corp.test", i)}
		t.Add(identity.Binding{Addr: a, Host: ends[i].Host, Last: 1e18})
	}
	return t, ends
}

// lone are movements that one sensor saw, perPair those that packets and a host's log did.
func movements(n int, ends []model.Endpoint, sensors int) []*model.Transfer {
	var out []*model.Transfer
	for i := range n {
		at := model.Time(1e18) + model.Time(i)*second/20
		src, dst := ends[i*7%len(ends)], ends[(i*13+5)%len(ends)]
		name := fmt.Sprintf("file%d.dat", i%(n/4+1))
		wire := &model.Transfer{ID: fmt.Sprintf("p%d", i), Start: at, End: at + second/4, Source: model.Endpoint{IP: src.IP, Port: uint16(40000 + i%20000)},
			Destination: model.Endpoint{IP: dst.IP, Port: 445}, Operation: model.Push, Channel: "smb2", Name: name, Completeness: model.Whole, Status: model.Done,
			SHA256: fmt.Sprintf("%064x", i), Evidence: []model.Evidence{{Input: "a.pcap", Kind: "packets"}}}
		logged := &model.Transfer{ID: fmt.Sprintf("s%d", i), Start: at + second/8, End: at + second/8, Source: model.Endpoint{IP: src.IP}, Destination: model.Endpoint{Host: dst.Host},
			Operation: model.Push, Channel: "smb", Name: name, Completeness: model.Logged, Status: model.Done, User: "bob",
			Evidence: []model.Evidence{{Input: "srv.evtx", Kind: "event", Computer: dst.Host, Channel: "Security"}}}
		switch {
		case sensors == 2:
			out = append(out, wire, logged)
		case i%2 == 0:
			out = append(out, wire)
		default:
			out = append(out, logged)
		}
	}
	return out
}
