package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/history"
	"waybill/internal/model"
)

// attack is a program that goes to three hosts' ADMIN$ and is started there.
func attack() []*model.Transfer {
	var transfers []*model.Transfer
	for i := range 3 {
		size, at := int64(9000), begin+model.Time(i)*60e9
		transfers = append(transfers, &model.Transfer{ID: fmt.Sprintf("t-%d", i), Start: at, End: at + 1e9, Source: model.Endpoint{Host: "ws-1"}, Destination: model.Endpoint{Host: fmt.Sprint("srv-", i)},
			Initiator: model.BySource, Operation: model.Push, Channel: "smb2", Share: `\\srv\ADMIN$`, Path: `Temp\tool.exe`, Name: "tool.exe", Size: &size, SHA256: strings.Repeat("ab", 32),
			Type: "pe", Status: model.Done, Completeness: model.Whole, User: "anna", Evidence: []model.Evidence{{Input: "a.pcap", Kind: "packets"}},
			Executed: []model.Execution{{Time: at + 2e9, How: "service"}}})
	}
	return transfers
}

func judged(set Settings) (Verdict, *history.Normal) {
	set.Usual = history.New()
	v := Look(attack(), nil, nil, set)
	return v, set.Usual
}

func knows(n *history.Normal, to string) bool {
	return n.Use(history.AnyPair, "ws-1", "", to, begin+model.Time(48*3600e9)).Known()
}

// A mark of a finding, an artifact or a transfer lowers what it is of, says so, and lets
// it be learned; one that has ended, or of malice, does not.
func TestMarks(t *testing.T) {
	before, usual := judged(Settings{})
	if len(before.Findings) != 1 || before.Findings[0].Severity < model.High || knows(usual, "srv-0") {
		t.Fatalf("%+v", before.Findings)
	}
	f := before.Findings[0]
	far := begin + 90*24*3600e9
	for _, c := range []struct {
		name            string
		mark            history.Mark
		lower           float64
		learned, raised bool
	}{
		{"finding", history.Mark{ID: f.ID, Verdict: history.Benign, Until: far}, f.Score - settled, true, false},
		{"artifact", history.Mark{ID: f.Artifacts[0], Verdict: history.Benign, Until: far}, 8, false, false},
		{"one of its transfers", history.Mark{ID: "t-1", Verdict: history.Benign, Until: far}, 0, false, false},
		{"ended", history.Mark{ID: f.ID, Verdict: history.Benign, Until: begin - 1}, 0, false, false},
		{"malicious", history.Mark{ID: f.ID, Verdict: history.Malicious, Until: far}, 0, false, true},
		{"malicious artifact", history.Mark{ID: f.Artifacts[0], Verdict: history.Malicious, Until: far}, 0, false, true},
		{"malicious transfer", history.Mark{ID: "t-2", Verdict: history.Malicious, Until: far}, 0, false, true},
		{"of another", history.Mark{ID: "f-0000000000000000", Verdict: history.Benign, Until: far}, 0, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.mark.Reason = "case 12"
			v, usual := judged(Settings{Marks: []history.Mark{c.mark}})
			if len(v.Findings) != 1 {
				t.Fatalf("%d findings", len(v.Findings))
			}
			got := v.Findings[0]
			sum := 0.0
			for _, r := range got.Reasons {
				sum += r.Nats
			}
			if d := f.Score - got.Score - c.lower; d > 0.01 || d < -0.01 || sum != got.Score || got.Severity != model.SeverityOf(got.Score) {
				t.Errorf("%s %v of %v, reasons add up to %v", got.Severity, got.Score, f.Score, sum)
			}
			if learned := knows(usual, "srv-0"); got.Known != c.raised || learned != (got.Severity < model.Medium) || c.learned && !learned {
				t.Errorf("known %v, learned %v", got.Known, knows(usual, "srv-0"))
			}
			said := slices.ContainsFunc(got.Reasons, func(r model.Reason) bool { return strings.Contains(r.Text, "case 12") })
			if want := c.lower != 0 || c.raised || c.name == "ended"; said != want {
				t.Errorf("the mark is named: %v, want %v", said, want)
			}
		})
	}
}

// What took part in a finding of medium or above is handed over instead of learned, and
// what was learned before is not learned again.
func TestWithheld(t *testing.T) {
	var held []string
	judged(Settings{Withheld: func(tr *model.Transfer, h history.Held) {
		if len(h.Uses) < 8 || !slices.ContainsFunc(h.Uses, func(e history.Entry) bool { return e.Kind == history.Pair && e.A == "ws-1" }) {
			t.Errorf("%s: %+v", tr.ID, h.Uses)
		}
		if h.Transfer != tr.ID || !strings.HasPrefix(h.Finding, "f-") || h.Work.Giver != "ws-1" || h.Work.Account != "anna" || h.Work.File != `windows\temp\tool.exe` || h.Work.Start != "service" || h.Work.Content == "" {
			t.Errorf("%+v", h)
		}
		held = append(held, h.Artifact[:2]+tr.ID)
	}})
	if strings.Join(held, " ") != "a-t-0 a-t-1 a-t-2" {
		t.Errorf("held %v", held)
	}
	usual := history.New()
	quiet := func() []*model.Transfer {
		all := attack()
		for _, t := range all {
			t.Share, t.Type, t.Path, t.Name, t.Executed = `\\srv\Docs`, "office", "a.docx", "a.docx", nil
		}
		return all
	}
	Look(quiet(), nil, nil, Settings{Usual: usual, Learned: func(t *model.Transfer) bool { return t.ID == "t-1" }})
	if !knows(usual, "srv-0") || knows(usual, "srv-1") || !knows(usual, "srv-2") {
		t.Error("what was learned before is learned again, or something else is not")
	}
}
