package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/history"
	"waybill/internal/model"
)

func TestPeople(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"hdws03.corp.example", `corp\hd.koch`}: `hdws* as corp\hd.*`,
		{"hdws03", `corp\anna`}:                 `hdws* as corp\anna`,
		{"annas-mac", `adm-anna`}:               `annas-mac as adm-*`,
		{"10.0.0.7", `corp\a.koch`}:             `10.0.0.7 as corp\a.koch`,
		{"hdws03", ""}:                          "",
	} {
		if got := people(in[0], in[1]); got != want {
			t.Errorf("%v: %q, want %q", in, got, want)
		}
	}
}

func TestChore(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*model.Transfer)
		want   string
	}{
		"a script":           {func(*model.Transfer) {}, `windows\temp\*.script`},
		"of another kind":    {func(t *model.Transfer) { t.Name, t.Path = "b.ps1", `Temp\b.ps1` }, `windows\temp\*.script`},
		"at another place":   {func(t *model.Transfer) { t.Path = `fix.bat` }, `windows\*.script`},
		"a program":          {func(t *model.Transfer) { t.Name, t.Path = "fix.exe", `Temp\fix.exe` }, ""},
		"fetched":            {func(t *model.Transfer) { t.Operation = model.Pull }, ""},
		"to a share of data": {func(t *model.Transfer) { t.Share = `\\srv\Docs` }, ""},
	} {
		x := attack()[0]
		x.Name, x.Path = "fix.bat", `Temp\fix.bat`
		c.change(x)
		if got := chore(x); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// helpdesk is a fortnight of two of three hosts of a helpdesk that push scripts, each with
// another name, to two hosts a day, and what is pushed then.
func helpdesk(days int, last func(*model.Transfer)) []*model.Transfer {
	var out []*model.Transfer
	push := func(day model.Time, from, user, to, name string) *model.Transfer {
		t := attack()[0]
		at := day*Window + model.Time(len(out))*60e9
		t.ID, t.Source.Host, t.Destination.Host, t.User = fmt.Sprint("t-", len(out)), from, to, user
		t.Path, t.Name, t.Type, t.SHA256 = `Temp\`+name, name, "script", fmt.Sprintf("%064x", len(out)+1)
		t.Start, t.End = t.Start+at, t.End+at
		t.Executed[0].Time += at
		out = append(out, t)
		return t
	}
	for day := range days {
		from := fmt.Sprintf("hdws%02d", 1+day%2)
		for i := range 2 {
			push(model.Time(day), from, "hd."+from, fmt.Sprintf("ws-%d-%d", day, i), fmt.Sprintf("fix%c.bat", 'a'+day))
		}
	}
	for i := range 3 { // everyday life of the third one
		t := push(0, "hdws03", "anna", "fs", "a.docx")
		t.Share, t.Type, t.Path, t.Executed = `\\fs\Docs`, "office", fmt.Sprint(i, ".docx"), nil
	}
	last(push(model.Time(days), "hdws03", "hd.hdws03", "ws-new", "newscript.ps1"))
	return out
}

// Scripts that a helpdesk pushes are explained by what it did on three days, to five hosts,
// from several of its hosts; a program, another account or another host is not.
func TestHelpdesk(t *testing.T) {
	for name, c := range map[string]struct {
		days   int
		change func(*model.Transfer)
		low    bool
	}{
		"one more":           {5, func(*model.Transfer) {}, true},
		"the command tells":  {5, func(t *model.Transfer) { t.InitiatorUser, t.User, t.Domain = t.Account(), "", "" }, true},
		"after two days":     {2, func(*model.Transfer) {}, false},
		"a program":          {5, func(t *model.Transfer) { t.Name, t.Path, t.Type = "fix.exe", `Temp\fix.exe`, "pe" }, false},
		"another account":    {5, func(t *model.Transfer) { t.User = "administrator" }, false},
		"from another host":  {5, func(t *model.Transfer) { t.Source.Host = "ws-0-0" }, false},
		"to an odd folder":   {5, func(t *model.Transfer) { t.Path = `Fonts\newscript.ps1` }, false},
		"over another share": {5, func(t *model.Transfer) { t.Share = `\\srv\C$` }, false},
	} {
		all := helpdesk(c.days, c.change)
		id, found := all[len(all)-1].ID, false
		for _, f := range Look(all, nil, nil, Settings{Usual: history.New()}).Findings {
			if !slices.Contains(f.Transfers, id) {
				continue
			}
			found = true
			explained := slices.ContainsFunc(f.Reasons, func(r model.Reason) bool {
				return r.Analytic == "distributor" && strings.HasPrefix(r.Text, "such people put scripts there on 4 days, from 2 of their hosts, on 8 others")
			})
			if explained != c.low || (f.Severity < model.High) != c.low {
				t.Errorf("%s: %v %v", name, f.Severity, f.Reasons)
			}
		}
		if !found {
			t.Errorf("%s: no finding", name)
		}
	}
}

// TestServicesApart: the service of a remote execution tool is the same file wherever
// anybody uses it: what others do does not make it spread.
func TestServicesApart(t *testing.T) {
	for name, c := range map[string]struct {
		from func(i int) string
		want bool
	}{
		"one host to three":       {func(int) string { return "adm-1" }, true},
		"three hosts to one each": {func(i int) string { return fmt.Sprint("adm-", i) }, false},
	} {
		all := attack()
		for i, x := range all {
			x.Source.Host, x.Name, x.Path = c.from(i), "PSEXESVC.exe", "PSEXESVC.exe"
		}
		if got := said(all, nil, Settings{}); strings.Contains(got, "same-file-many-hosts") != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
