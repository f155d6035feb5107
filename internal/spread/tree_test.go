package spread

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"waybill/internal/model"
)

// forest is a spread as it truly happened: who gave a file to whom, one after the other.
type forest struct {
	moves   []move
	parents map[string]string // of each host that had not given the file away before, who gave it first
	pairs   map[[2]string]bool
}

type move struct {
	from, to string
	at       model.Time
	sensor   string
}

// grow makes a forest: some origins, and holders that give the file to others, now and
// then to one that has it.
func grow(r *rand.Rand) *forest {
	f := &forest{parents: map[string]string{}, pairs: map[[2]string]bool{}}
	hosts, origins := 4+r.IntN(20), 1+r.IntN(3)
	var holders []string
	shown := map[string]bool{} // to have it, by giving or getting it
	for i := range origins {
		holders = append(holders, fmt.Sprint("H", i))
	}
	at := model.Time(1e18)
	for range 2 * hosts {
		from, to := holders[r.IntN(len(holders))], fmt.Sprint("H", r.IntN(hosts))
		at += model.Time(1+r.IntN(300)) * 1e9
		if to == from || slices.Contains(holders[:origins], to) && r.IntN(3) > 0 {
			continue
		}
		f.moves = append(f.moves, move{from, to, at, "tap"})
		f.pairs[[2]string{from, to}] = true
		if shown[from] = true; !shown[to] {
			shown[to] = true
			f.parents[to] = from
		}
		if !slices.Contains(holders, to) {
			holders = append(holders, to)
		}
	}
	return f
}

// told makes transfers of moves. One in ten knows the MD5 instead.
func told(moves []move, r *rand.Rand) []*model.Transfer {
	var out []*model.Transfer
	for i, m := range moves {
		words := "sha256=aa md5=m size=9000 name=run.exe"
		if i > 0 && r.IntN(10) == 0 {
			words = "md5=m size=9000 name=other.exe"
		}
		t := file(fmt.Sprintf("t-%016x", i+1), m.from, m.to, words)
		t.Start, t.End, t.Evidence = m.at, m.at+2e9, []model.Evidence{{Computer: m.sensor}}
		out = append(out, t)
	}
	return out
}

// drawn is the spread of the only artifact.
func drawn(t *testing.T, all []*model.Transfer, accesses ...*model.Access) *model.Spread {
	t.Helper()
	b := New(Settings{})
	for _, x := range all {
		for len(accesses) > 0 && accesses[0].Time <= x.End {
			b.Contact(accesses[0])
			accesses = accesses[1:]
		}
		b.Add(x)
	}
	for _, a := range accesses {
		b.Contact(a)
	}
	artifacts := b.Artifacts(none)
	if len(artifacts) == 0 && len(all) == 0 {
		return &model.Spread{}
	}
	if len(artifacts) != 1 {
		t.Fatalf("%d artifacts", len(artifacts))
	}
	acyclic(t, artifacts[0].Spread)
	return artifacts[0].Spread
}

// acyclic fails where a host has two parents or is under itself.
func acyclic(t *testing.T, s *model.Spread) {
	t.Helper()
	parent := map[string]string{}
	for _, e := range s.Edges {
		if parent[e.Child] != "" {
			t.Fatalf("%s has two parents: %+v", e.Child, s.Edges)
		}
		parent[e.Child] = e.Parent
	}
	for host := range parent {
		n := 0
		for at := host; at != ""; at = parent[at] {
			if n++; n > len(parent)+1 {
				t.Fatalf("a cycle: %+v", s.Edges)
			}
		}
	}
	if s.Hosts > 0 && len(s.Roots)+len(s.Edges) != s.Hosts+count(s.Roots, model.UnknownParent) {
		t.Fatalf("%d hosts, %d roots, %d edges", s.Hosts, len(s.Roots), len(s.Edges))
	}
}

func count(all []string, s string) (n int) {
	for _, x := range all {
		if x == s {
			n++
		}
	}
	return n
}

const forests = 300

// TestSeenByOne: where one sensor saw everything, the tree is the true one.
func TestSeenByOne(t *testing.T) {
	for seed := range uint64(forests) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := grow(r)
		s := drawn(t, told(f.moves, r))
		if len(s.Edges) != len(f.parents) {
			t.Fatalf("seed %d: %d edges instead of %d", seed, len(s.Edges), len(f.parents))
		}
		for _, e := range s.Edges {
			if e.Parent != f.parents[e.Child] || e.Confidence != "high" {
				t.Fatalf("seed %d: %s has the file from %s and not from %s (%s)", seed, e.Child, f.parents[e.Child], e.Parent, e.Confidence)
			}
		}
	}
}

// TestSomeNotSeen: where records are missing, or do not name the source, no parent is
// sure that did not give the file.
func TestSomeNotSeen(t *testing.T) {
	sure, right := 0, 0
	for seed := range uint64(forests) {
		r := rand.New(rand.NewPCG(seed, 2))
		f := grow(r)
		all := slices.DeleteFunc(told(f.moves, r), func(*model.Transfer) bool { return r.IntN(4) == 0 })
		var logons []*model.Access
		for _, x := range all {
			if r.IntN(3) == 0 {
				logons = append(logons, &model.Access{Time: x.Start, What: "logon", Source: x.Source, Destination: x.Destination})
				x.Source = model.Endpoint{}
			}
		}
		for _, e := range drawn(t, all, logons...).Edges {
			if e.Confidence != "high" || e.Parent == model.UnknownParent {
				continue
			}
			sure++
			if !f.pairs[[2]string{e.Parent, e.Child}] {
				t.Fatalf("seed %d: %s never had the file from %s", seed, e.Child, e.Parent)
			}
			if f.parents[e.Child] == e.Parent {
				right++
			}
		}
	}
	if sure < forests || right*10 < sure*8 {
		t.Errorf("of %d sure parents %d are right", sure, right)
	}
}

// TestClocksDiffer: where every host dates what it gets or gives by its own clock, no
// parent is sure that was not the first.
func TestClocksDiffer(t *testing.T) {
	edges, right := 0, 0
	for seed := range uint64(forests) {
		r := rand.New(rand.NewPCG(seed, 3))
		f := grow(r)
		clock := map[string]model.Time{}
		moves := slices.Clone(f.moves)
		for i := range moves {
			m := &moves[i]
			m.sensor = m.to
			if r.IntN(2) == 0 {
				m.sensor = m.from
			}
			if _, ok := clock[m.sensor]; !ok {
				clock[m.sensor] = model.Time(r.Int64N(int64(DefaultSlack))) - DefaultSlack/2
			}
			m.at += clock[m.sensor]
		}
		all := told(moves, r)
		slices.SortStableFunc(all, func(x, y *model.Transfer) int { return int(x.End - y.End) })
		for _, e := range drawn(t, all).Edges {
			edges++
			if e.Parent == f.parents[e.Child] {
				right++
			} else if e.Confidence == "high" {
				t.Fatalf("seed %d: %s has the file from %s and not from %s", seed, e.Child, f.parents[e.Child], e.Parent)
			}
		}
	}
	if right*100 < edges*90 {
		t.Errorf("of %d parents %d are right", edges, right)
	}
}

// TestAnyOrder: what comes in any order gives the same artifacts.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 4))
		all := told(grow(r).moves, r)
		if len(all) == 0 {
			continue
		}
		find := func(id string) *model.Transfer {
			return all[slices.IndexFunc(all, func(x *model.Transfer) bool { return x.ID == id })]
		}
		artifacts := func() []*model.Artifact {
			b := New(Settings{})
			for _, x := range all {
				b.Add(x)
			}
			return b.Artifacts(find)
		}
		want := artifacts()
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if got := artifacts(); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %+v instead of %+v", seed, got[0], want[0])
		}
	}
}

// TestStartedByName: a program without an ending that was started where it came is followed
// by its name; a document of that name is not.
func TestStartedByName(t *testing.T) {
	for _, started := range []bool{true, false} {
		b := New(Settings{})
		for i, at := range []string{"A B", "B C"} {
			x := file(fmt.Sprintf("t-%016x", i+1), at[:1], at[2:], "name=kworkerd")
			x.Start = model.Time(i+1) * 1e12
			x.End = x.Start
			if started {
				x.Executed = []model.Execution{{Time: x.End + 1e9}}
			}
			b.Add(x)
		}
		all := b.Artifacts(none)
		if started && (len(all) != 1 || len(all[0].Spread.Edges) != 2) || !started && len(all) != 0 {
			t.Errorf("started %v: %+v", started, all)
		}
	}
}
