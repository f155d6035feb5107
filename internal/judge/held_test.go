package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/history"
	"waybill/internal/model"
)

// TestHeld: what a finding of an earlier run told is not forgotten in the next: who sends on
// what came to him then is a relay, and the content is not new.
func TestHeld(t *testing.T) {
	const day = model.Time(24 * 3600e9)
	var held []history.Held
	_, usual := judged(Settings{Withheld: func(_ *model.Transfer, h history.Held) { held = append(held, h) }})
	told := usual.Entries()
	told = slices.DeleteFunc(told, func(e history.Entry) bool { return e.Kind != history.Told && e.Kind != history.ToldOn })
	if len(held) != 3 || len(told) != 2 {
		t.Fatalf("%d transfers held back", len(held))
	}
	next := func(from, content string, after model.Time) string {
		x := attack()[0]
		x.ID, x.Source.Host, x.Destination.Host, x.SHA256 = "t-9", from, "srv-9", strings.Repeat(content, 32)
		x.Start, x.End, x.Executed = x.Start+after, x.End+after, nil
		for _, f := range Look([]*model.Transfer{x}, nil, nil, Settings{Usual: knowing(told), Held: held}).Findings {
			for _, r := range f.Reasons {
				if r.Analytic == "relay" && r.Text != "srv-1 sent on what it received from ws-1 at 2026-03-17T09:01:01, as finding "+held[0].Finding+" told" {
					t.Errorf("%s", r.Text)
				}
			}
		}
		return said([]*model.Transfer{x}, nil, Settings{Usual: knowing(told), Held: held})
	}
	for name, c := range map[string]struct {
		from, content string
		after         model.Time
		relay, rare   bool
	}{
		"the next day":    {"srv-1", "ab", 5 * day, true, false},
		"another content": {"srv-1", "cd", 5 * day, false, true},
		"another host":    {"srv-7", "ab", 5 * day, false, false},
		"long after":      {"srv-1", "ab", 30 * day, false, false},
	} {
		got := next(c.from, c.content, c.after)
		if strings.Contains(got, "relay 4") != c.relay || strings.Contains(got, "rare-file") != c.rare {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// watchedLong is a memory in which the hosts were seen for days before.
func watchedLong() *history.Normal {
	n := history.New()
	for _, h := range []string{"srv-1", "srv-7", "srv-9"} {
		n.Learn(history.Host, h, "", "", begin)
	}
	return n
}

// knowing is a long history that knows what findings told.
func knowing(told []history.Entry) *history.Normal {
	n := watchedLong()
	for _, e := range told {
		n.Restore(e)
	}
	return n
}

// TestTold: within one run, too, what a finding told is not called new days later, and is
// not trusted either.
func TestTold(t *testing.T) {
	again := func(host, user, content string) string {
		all := attack()
		for i := range 5 { // both ends are watched
			day := model.Time(i) * Window
			for _, ends := range [][2]string{{"ws-1", "fs"}, {"fs", "srv-9"}} {
				all = append(all, logged(fmt.Sprint("t-daily-", ends, i), day, func(t *model.Transfer) {
					t.Source.Host, t.Destination.Host, t.Share, t.Path, t.Name = ends[0], ends[1], `\\fs\Docs`, "a.docx", "a.docx"
				}))
			}
		}
		x := attack()[0]
		x.ID, x.Source.Host, x.Destination.Host, x.User, x.SHA256 = "t-again", host, "srv-9", user, strings.Repeat(content, 32)
		x.Start, x.End, x.Executed[0].Time = x.Start+5*Window, x.End+5*Window, x.Executed[0].Time+5*Window
		for _, f := range Look(append(all, x), nil, nil, Settings{}).Findings {
			if !slices.Contains(f.Transfers, "t-again") {
				continue
			}
			var why []string
			for _, r := range f.Reasons {
				why = append(why, r.Text)
			}
			return strings.Join(why, "; ")
		}
		return ""
	}
	for name, c := range map[string]struct {
		host, user, content  string
		fresh, account, told bool
	}{
		"the same again":           {"ws-1", "anna", "ab", false, false, true},
		"with another account":     {"ws-1", "ben", "ab", false, true, true},
		"with another content":     {"ws-1", "anna", "cd", true, false, true},
		"another of all of these":  {"ws-2", "ben", "cd", true, true, false},
		"by somebody else at last": {"ws-2", "anna", "ab", false, true, false},
	} {
		got := again(c.host, c.user, c.content)
		if strings.Contains(got, "no host was seen with this content") != c.fresh || strings.Contains(got, "the account was never seen") != c.account || strings.Contains(got, "but for what findings told") != c.told {
			t.Errorf("%s: %s", name, got)
		}
	}
}
