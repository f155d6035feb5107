package judge

import (
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
