package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// passed is what a sensor's files.log shows of what packets shows: no name.
func passed() *model.Transfer {
	size, whole := int64(700), true
	return &model.Transfer{ID: "t-z", Start: 100 * second, End: 101 * second, Source: model.Endpoint{IP: addr("10.0.0.1"), Port: 5000},
		Destination: model.Endpoint{IP: addr("10.0.0.8"), Port: 445}, Operation: model.Push, Channel: "smb", Size: &size, Type: "pe", SensorComplete: &whole,
		Completeness: model.Logged, Status: model.Done, Evidence: []model.Evidence{{Input: "zeek/files.log", Kind: "event", Channel: "zeek/files", Line: 9}}}
}

func sizedPackets() *model.Transfer {
	return with(packets(), func(t *model.Transfer) { size := int64(700); t.Size = &size })
}

// noted is what a host says of it: no ports.
func noted() *model.Transfer {
	return with(server(), func(t *model.Transfer) { t.Destination = model.Endpoint{IP: addr("10.0.0.8"), Host: "SRV.corp.test"} })
}

func joined(got []*model.Transfer) string {
	var all []string
	for _, x := range got {
		if len(x.Observations) == 0 {
			all = append(all, x.ID)
			continue
		}
		all = append(all, strings.Join(x.Observations, "+"))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestConnection(t *testing.T) {
	eve := func() *model.Transfer {
		return with(passed(), func(t *model.Transfer) { t.ID, t.Evidence[0].Channel = "t-e", "suricata/fileinfo" })
	}
	second2 := func(id string, at model.Time) func() *model.Transfer {
		return func() *model.Transfer {
			return with(passed(), func(t *model.Transfer) { t.ID, t.Start, t.End = id, at, at })
		}
	}
	bySize := func(n int64) func() *model.Transfer {
		return func() *model.Transfer { return with(passed(), func(t *model.Transfer) { t.Size = &n }) }
	}
	named := func(name string) func() *model.Transfer {
		return func() *model.Transfer { return with(passed(), func(t *model.Transfer) { t.Name = name }) }
	}
	later := func() *model.Transfer {
		return with(sizedPackets(), func(t *model.Transfer) { t.ID, t.Start, t.End, t.Name = "t-q", 110*second, 111*second, "b.exe" })
	}
	for name, c := range map[string]struct {
		all  []func() *model.Transfer
		want string
	}{
		"one connection":             {[]func() *model.Transfer{sizedPackets, passed}, "t-p+t-z"},
		"two sensors and packets":    {[]func() *model.Transfer{sizedPackets, passed, eve}, "t-p+t-e+t-z"},
		"two sensors":                {[]func() *model.Transfer{passed, eve}, "t-e+t-z"},
		"another size":               {[]func() *model.Transfer{sizedPackets, bySize(701)}, "t-p t-z"},
		"size not known":             {[]func() *model.Transfer{packets, passed}, "t-p+t-z"},
		"two rows of one sensor":     {[]func() *model.Transfer{sizedPackets, passed, second2("t-y", 101*second)}, "t-p+t-z t-y"},
		"two and two, each the near": {[]func() *model.Transfer{sizedPackets, later, passed, second2("t-y", 110*second)}, "t-p+t-z t-q+t-y"},
		"another name":               {[]func() *model.Transfer{sizedPackets, named("b.exe")}, "t-p t-z"},
		"a name that a sensor garbled": {[]func() *model.Transfer{func() *model.Transfer {
			return with(sizedPackets(), func(t *model.Transfer) { t.Name = "Отчёт.exe" })
		}, named("B>.exe")}, "t-p+t-z"},
		"another connection": {[]func() *model.Transfer{sizedPackets, func() *model.Transfer { return with(passed(), func(t *model.Transfer) { t.Source.Port = 5001 }) }}, "t-p t-z"},
		"the other direction": {[]func() *model.Transfer{sizedPackets, func() *model.Transfer {
			return with(passed(), func(t *model.Transfer) { t.Source, t.Destination = t.Destination, t.Source })
		}}, "t-p t-z"},
		"much later": {[]func() *model.Transfer{sizedPackets, second2("t-z", 300*second)}, "t-p t-z"},
		"in the middle of a long one": {[]func() *model.Transfer{func() *model.Transfer {
			return with(sizedPackets(), func(t *model.Transfer) { t.End = 40_000 * second })
		}, second2("t-z", 9000*second)}, "t-p+t-z"},
		"a name of another connection": {[]func() *model.Transfer{sizedPackets, func() *model.Transfer {
			return with(passed(), func(t *model.Transfer) { t.Name, t.Source.Port = "a.exe", 5001 })
		}}, "t-p t-z"},
		"of several connections": {[]func() *model.Transfer{
			func() *model.Transfer {
				return with(sizedPackets(), func(t *model.Transfer) { t.CommunityID = []string{"1:a", "1:b"} })
			},
			func() *model.Transfer {
				return with(passed(), func(t *model.Transfer) { t.Name, t.Source.Port = "a.exe", 5001 })
			}}, "t-p+t-z"},
		"two sensors of one machine": {[]func() *model.Transfer{of("s1", passed), of("s1", eve)}, "t-e+t-z"},
		"one sensor with a name":     {[]func() *model.Transfer{of("s1", passed), of("s1", second2("t-y", 100*second))}, "t-y t-z"},
		"which of two is not known": {[]func() *model.Transfer{packets, func() *model.Transfer {
			return with(packets(), func(t *model.Transfer) { t.ID, t.Name, t.SHA256 = "t-q", "b.exe", "bb" })
		}, passed}, "t-p t-q t-z"},
	} {
		for range 4 {
			var all []*model.Transfer
			for _, make := range c.all {
				all = append(all, make())
			}
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			if got := joined(Join(all, hosts())); got != c.want {
				t.Errorf("%s: %s instead of %s", name, got, c.want)
			}
		}
	}
	garbled := Join([]*model.Transfer{with(sizedPackets(), func(t *model.Transfer) { t.Name = "Отчёт.exe" }), named("B>.exe")()}, hosts())[0]
	if garbled.Name != "Отчёт.exe" || len(garbled.EarlierNames) > 0 {
		t.Errorf("a garbled name is kept: %q %q", garbled.Name, garbled.EarlierNames)
	}
}

// of is what a sensor with a name saw.
func of(sensor string, make func() *model.Transfer) func() *model.Transfer {
	return func() *model.Transfer {
		return with(make(), func(t *model.Transfer) { t.Evidence[0].Computer = sensor })
	}
}

// TestNameless: content that passed without a name is what a host noted, if nothing
// else is.
func TestNameless(t *testing.T) {
	other := func(change func(*model.Transfer)) func() *model.Transfer {
		return func() *model.Transfer {
			return with(passed(), func(t *model.Transfer) {
				t.ID, t.Source.Port, t.Evidence[0].Line = "t-y", 5001, 10
				change(t)
			})
		}
	}
	for name, c := range map[string]struct {
		all  []func() *model.Transfer
		want string
	}{
		"one and one":         {[]func() *model.Transfer{passed, noted}, "t-z+t-s"},
		"two of that kind":    {[]func() *model.Transfer{passed, other(func(*model.Transfer) {}), noted}, "t-s t-y t-z"},
		"one of another kind": {[]func() *model.Transfer{passed, other(func(t *model.Transfer) { t.Type = "text" }), noted}, "t-y t-z+t-s"},
		"one of no kind":      {[]func() *model.Transfer{passed, other(func(t *model.Transfer) { t.Type = "" }), noted}, "t-s t-y t-z"},
		"no program":          {[]func() *model.Transfer{other(func(t *model.Transfer) { t.Type = "text" }), noted}, "t-s t-y"},
		"two notes": {[]func() *model.Transfer{passed, noted, func() *model.Transfer {
			return with(noted(), func(t *model.Transfer) { t.ID, t.Name = "t-u", "u.exe" })
		}}, "t-s t-u t-z"},
		"another host": {[]func() *model.Transfer{other(func(t *model.Transfer) { t.Source.IP = addr("10.0.0.2") }), noted}, "t-s t-y"},
		"too late":     {[]func() *model.Transfer{other(func(t *model.Transfer) { t.Start, t.End = 500*second, 500*second }), noted}, "t-s t-y"},
		"a claim": {[]func() *model.Transfer{passed, func() *model.Transfer {
			return with(noted(), func(t *model.Transfer) { t.Status = model.Claimed })
		}}, "t-s t-z"},
	} {
		for range 4 {
			var all []*model.Transfer
			for _, make := range c.all {
				all = append(all, make())
			}
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			if got := joined(Join(all, hosts())); got != c.want {
				t.Errorf("%s: %s instead of %s", name, got, c.want)
			}
		}
	}
	x := Join([]*model.Transfer{passed(), with(noted(), func(t *model.Transfer) { t.Start, t.Share, t.Path = 101*second, `\\srv\t`, `t\a.exe` })}, hosts())[0]
	if x.ID != "t-z" || x.Name != "A.EXE" || x.Share != `\\srv\t` || x.Path != `t\a.exe` || x.User != "bob" || *x.Size != 700 || !*x.SensorComplete || x.Source.Port != 5000 {
		t.Errorf("%+v", x)
	}
}

// TestCrowd joins a day of a busy pair of hosts: the work grows with the rows.
func TestCrowd(t *testing.T) {
	const n = 20_000
	var all []*model.Transfer
	for i := range n {
		at := model.Time(i) * second / 20
		all = append(all,
			with(packets(), func(t *model.Transfer) {
				t.ID, t.Start, t.End, t.Name, t.SHA256 = fmt.Sprint("p", i), at, at+second/50, "gpt.ini", ""
				t.Source.Port = uint16(1 + i%60_000)
			}),
			with(passed(), func(t *model.Transfer) {
				t.ID, t.Start, t.End, t.Size = fmt.Sprint("z", i), at, at+second/50, nil
				t.Source.Port = uint16(1 + i%60_000)
			}))
	}
	if got := Join(all, &identity.Table{}); len(got) != n {
		t.Errorf("%d of %d", len(got), n)
	}
}
