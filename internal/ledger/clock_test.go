package ledger

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"waybill/internal/model"
)

// copied is movements to SRV of files of their own, as packets and as the log of SRV,
// whose clock is off, show them.
func copied(n int, off model.Time, change func(i int, wire, logged *model.Transfer)) (all []*model.Transfer) {
	for i := range n {
		at, name := model.Time(1000+i*900)*second, fmt.Sprintf("file%d.doc", i)
		wire := with(packets(), func(t *model.Transfer) {
			t.ID, t.Name, t.SHA256, t.Start, t.End = fmt.Sprint("p", i), name, fmt.Sprintf("%02d", i), at, at+second
		})
		logged := with(server(), func(t *model.Transfer) {
			t.ID, t.Name, t.Start, t.End = fmt.Sprint("s", i), name, at+off+model.Time(i%3)*second/10, at+off+second
			t.Hashes = []model.Hash{{Alg: "sha256", Value: wire.SHA256}}
			t.Evidence[0].Record = uint64(i)
		})
		change(i, wire, logged)
		all = append(all, wire, logged)
	}
	return all
}

func unchanged(int, *model.Transfer, *model.Transfer) {}
func nameOnly(_ int, _, logged *model.Transfer)       { logged.Hashes = nil }
func everyHour(i int, wire, logged *model.Transfer)   { hourly(i, wire); hourly(i, logged) }
func apartBy(off model.Time, t *model.Transfer)       { t.Start, t.End = t.Start+off, t.End+off }
func hourly(i int, t *model.Transfer) {
	apartBy(model.Time(i)*2700*second, t)
	t.Name, t.SHA256, t.Hashes = "backup.zip", "", nil
}
func joinedOf(all []*model.Transfer, clocks *Clocks) int64 {
	l := New(hosts(), Settings{Clocks: clocks})
	l.Join(all)
	return l.Stats().Joined
}

func TestClocks(t *testing.T) {
	for name, c := range map[string]struct {
		all    []*model.Transfer
		off    float64 // 0: none is told
		joined int64
	}{
		"right":                            {copied(9, 0, unchanged), 0, 9},
		"two hours ahead":                  {copied(6, 7200*second, unchanged), 7200, 6},
		"three minutes behind":             {copied(6, -180*second, unchanged), -180, 6},
		"too few":                          {copied(4, 7200*second, unchanged), 0, 0},
		"three minutes, names":             {copied(6, 180*second, nameOnly), 180, 6},
		"two hours, some names":            {copied(6, 7200*second, nameOnly), 0, 0},
		"two hours, many names":            {copied(9, 7200*second, nameOnly), 7200, 9},
		"a day":                            {copied(9, 86400*second, unchanged), 0, 0},
		"a file each hour":                 {copied(9, 0, everyHour), 0, 9},
		"a file each hour, ahead by one":   {copied(9, 3600*second, everyHour), 0, 8}, // each with the next one: nothing tells
		"each by another error":            {copied(9, 0, func(i int, _, logged *model.Transfer) { apartBy(model.Time(i*i)*200*second, logged) }), 0, 1},
		"two of nine are wrong":            {copied(9, 7200*second, func(i int, _, logged *model.Transfer) { apartBy(model.Time(i/7)*3000*second, logged) }), 7200, 7},
		"a command is typed some time ago": {copied(9, -600*second, func(_ int, _, logged *model.Transfer) { logged.Tool = "copy" }), 0, 0},
	} {
		clocks := Measure(c.all, hosts())
		for range 3 {
			rand.Shuffle(len(c.all), func(i, j int) { c.all[i], c.all[j] = c.all[j], c.all[i] })
			if again := Measure(c.all, hosts()); !reflect.DeepEqual(clocks, again) {
				t.Errorf("%s: %+v and %+v", name, clocks, again)
			}
		}
		off := 0.0
		for _, e := range clocks.Errors {
			if e.A != "packets" && e.B != "packets" {
				t.Errorf("%s: %+v", name, e)
			}
			if off = e.Offset; e.B == "packets" {
				off = -off
			}
		}
		if d := off - c.off; d > 1 || d < -1 {
			t.Errorf("%s: %v seconds instead of %v, %+v", name, off, c.off, clocks.Errors)
		}
		if got := joinedOf(c.all, clocks); got != c.joined {
			t.Errorf("%s: %d joined instead of %d", name, got, c.joined)
		}
	}
}

// TestClockChain: a clock that no packets were compared with is set by one that was.
func TestClockChain(t *testing.T) {
	all := copied(6, 7200*second, unchanged)
	for i := range 6 {
		at := model.Time(50_000+i*900) * second
		one := with(server(), func(t *model.Transfer) {
			t.ID, t.Name, t.Start, t.End, t.Hashes = fmt.Sprint("a", i), "x.doc", at+7200*second, at+7200*second, []model.Hash{{Alg: "md5", Value: fmt.Sprint(i)}}
		})
		other := with(copies([]*model.Transfer{one})[0], func(t *model.Transfer) {
			t.ID, t.Start, t.End, t.Evidence = fmt.Sprint("b", i), at-300*second, at-300*second, []model.Evidence{{Input: "ws1.evtx", Kind: "event", Computer: "WS1.corp.test"}}
		})
		all = append(all, one, other)
	}
	clocks := Measure(all, hosts())
	ahead := clocks.Ahead()
	if d := ahead["srv.corp.test"] - 7200*second; d < 0 || d > second {
		t.Errorf("SRV is %d ahead", ahead["srv.corp.test"])
	}
	if d := ahead["ws1.corp.test"] + 300*second; d < 0 || d > second {
		t.Errorf("WS1 is %d ahead", ahead["ws1.corp.test"])
	}
	if got := joinedOf(all, clocks); got != 12 {
		t.Errorf("%d joined", got)
	}
}
