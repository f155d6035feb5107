package judge

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/model"
)

// TestHashesOfSome: one program that a host pushed to several, of which the logs of some
// tell the hash, is one finding, whichever comes first; another name is another.
func TestHashesOfSome(t *testing.T) {
	push := func(n int, name, hash string) *model.Transfer {
		return logged(fmt.Sprint("t-", n), model.Time(n)*10e9, func(t *model.Transfer) {
			t.Destination.Host, t.Name, t.Path = fmt.Sprint("SRV", n), name, `Temp\`+name
			if hash != "" {
				t.Hashes = []model.Hash{{Alg: "sha256", Value: strings.Repeat(hash, 64), From: "process-start"}}
			}
		})
	}
	for name, c := range map[string]struct {
		all  []*model.Transfer
		want string
	}{
		"known first":     {[]*model.Transfer{push(1, "a.exe", "a"), push(2, "a.exe", ""), push(3, "a.exe", "a")}, "3"},
		"unknown first":   {[]*model.Transfer{push(1, "a.exe", ""), push(2, "a.exe", "a"), push(3, "a.exe", "")}, "3"},
		"another name":    {[]*model.Transfer{push(1, "a.exe", "a"), push(2, "b.exe", ""), push(3, "a.exe", "")}, "2 1"},
		"names by chance": {[]*model.Transfer{push(1, "n_bvkqz.exe", ""), push(2, "n_xwqpt.exe", "a"), push(3, "n_zzkrq.exe", ""), push(4, "n_qqwxz.exe", "a"), push(5, "n_kkzvb.exe", "")}, "3 2"},
		"two contents":    {[]*model.Transfer{push(1, "a.exe", "a"), push(2, "a.exe", "b"), push(3, "a.exe", "")}, "1 2"},
	} {
		var got []string
		for _, f := range Look(c.all, nil, nil, Settings{}).Findings {
			got = append(got, fmt.Sprint(len(f.Transfers)))
			if name != "names by chance" && f.Transfers[0] == "t-1" && len(f.Transfers) == 3 && len(f.Artifacts) != 1 {
				t.Errorf("%s: artifacts %v", name, f.Artifacts)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: findings of %s transfers, want %s", name, s, c.want)
		}
	}
}

// TestNamedRelay: a program of unknown content that is sent on under its name, to the same place.
func TestNamedRelay(t *testing.T) {
	hop := func(n int, from, to, path string) *model.Transfer {
		return logged(fmt.Sprint("t-", n), model.Time(n)*3600e9, func(t *model.Transfer) {
			t.Source.Host, t.Destination.Host, t.Channel, t.Share = from, to, "ssh", ""
			t.Path, t.Name = path, path[strings.LastIndexByte(path, '/')+1:]
			t.Executed = []model.Execution{{Time: t.End + 5e9, How: "process", Process: path}}
		})
	}
	for name, c := range map[string]struct {
		second *model.Transfer
		want   bool
	}{
		"sent on":       {hop(2, "b", "c", "/tmp/kworker"), true},
		"sent back":     {hop(2, "b", "a", "/tmp/kworker"), false},
		"by another":    {hop(2, "d", "c", "/tmp/kworker"), false},
		"another place": {hop(2, "b", "c", "/opt/kworker"), false},
	} {
		got := said([]*model.Transfer{hop(1, "a", "b", "/tmp/kworker"), c.second}, nil, Settings{})
		if strings.Contains(got, "relay 3") != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
