package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/history"
	"waybill/internal/model"
)

// relay marks programs and archives that a host passes on: it received the content
// from one host and sent it to another, or let others fetch it.
// What findings of earlier runs told (held) is received as well.
func relay(held []history.Held) Analytic {
	r := &rule[receipts]{name: "relay", key: func(e Event) string {
		if programMoved(e) == "" {
			return ""
		}
		return cmp.Or(namedAlike(&e), e.Alike)
	}, look: lookRelay, able: needsFiles, keep: relayWindow}
	for i := range held {
		content, to, got := heldReceipt(&held[i])
		if content == "" || to == "" {
			continue
		}
		h := r.state(content)
		if h.Last = max(h.Last, got.Time); h.State.By == nil {
			h.State.By = map[string]receipt{}
		}
		if _, known := h.State.By[to]; !known && len(h.State.By) < receiptsMost {
			h.State.By[to] = got
		}
	}
	return r
}

// heldReceipt is what a transfer that was held back tells: which content which host received.
func heldReceipt(h *history.Held) (content, to string, got receipt) {
	var pair history.Entry
	for _, u := range h.Uses {
		switch u.Kind {
		case history.Pair:
			pair = u
		case history.Content:
			content = u.A
		}
	}
	from, to := pair.A, pair.C
	if strings.Contains(pair.B, " "+model.Pull+" ") {
		from, to = to, from
	}
	return content, to, receipt{From: from, Name: from, Time: h.Time, Finding: h.Finding}
}

// namedAlike is the name and place that stand for a program of unknown content: who sends on
// what came to the same place under the same name most likely sends on the same.
func namedAlike(e *Event) string {
	t := e.Transfer
	if e.Content != "" || t.Operation != model.Push || t.Name == "" || t.Path == "" || !strings.HasPrefix(e.Alike, kinPrefix) {
		return ""
	}
	return "named " + lowerPath(t)
}

// receipts is which hosts received a content, and from whom.
type receipts struct {
	By map[string]receipt `json:"by"`
}

type receipt struct {
	From     string           `json:"from"`
	Name     string           `json:"name"`
	Time     model.Time       `json:"time"`
	New      bool             `json:"new"`     // they never exchanged files: no habit of who gives it out explains it
	Fetched  []string         `json:"fetched"` // by whom, two at most
	Finding  string           `json:"finding"` // of an earlier run that told of it
	Evidence []model.Evidence `json:"evidence"`
}

func lookRelay(s receipts, e Event) (receipts, []Mark) {
	t := e.Transfer
	got, ok := s.By[e.From]
	if t.Operation == model.Copy || e.everyday() && !got.New {
		return s, nil
	}
	var marks []Mark
	if ok && got.From != e.To && got.Time <= t.End && t.End-got.Time <= relayWindow && !e.Usual.common(e.Time) && (!e.Usual.habit() || got.New) {
		nats, how := relayPush, "sent on"
		if namedAlike(&e) != "" {
			nats, how = relayNamed, "sent on under the same name and to the same place"
		}
		if t.Operation == model.Pull {
			nats, how = relayServe, "gave out"
			if e.Usual.Days >= watched && !e.Usual.Content.Known() {
				nats = relayFresh
			}
			if got.fetchedBy(e.To); len(got.Fetched) > 1 {
				if nats = relayMany; got.New && e.Usual.GivesTo >= manyGiven {
					nats, how = relayServer, "hands out programs to many, and gave them"
				}
			}
			s.By[e.From] = got
		}
		marks = append(marks, Mark{Family: "spread", Analytic: "relay", Transfer: t.ID, Time: e.Time, Nats: nats,
			Text:     fmt.Sprintf("%s %s what it received from %s at %s", t.Source.Name(), how, got.Name, got.Time.String()[:19]) + got.told(),
			Evidence: append(append([]model.Evidence{}, got.Evidence...), t.Evidence...)})
	}
	if s.By == nil {
		s.By = map[string]receipt{}
	}
	if _, known := s.By[e.To]; !known && len(s.By) < receiptsMost && !e.Usual.common(e.Time) {
		fresh := e.Usual.Days >= watched && e.Usual.strangers()
		s.By[e.To] = receipt{From: e.From, Name: t.Source.Name(), Time: t.End, New: fresh, Evidence: t.Evidence}
	}
	return s, marks
}

// told names the finding of an earlier run that told of it.
func (r *receipt) told() string {
	if r.Finding == "" {
		return ""
	}
	return ", as finding " + r.Finding + " told"
}

// fetchedBy notes who fetched it.
func (r *receipt) fetchedBy(host string) {
	if len(r.Fetched) < 2 && !slices.Contains(r.Fetched, host) {
		r.Fetched = append(r.Fetched, host)
	}
}

// relayWindow is how long after it came a content is passed on: intruders take days.
const relayWindow = 14 * Window

// receiptsMost bounds the hosts remembered of one content.
const receiptsMost = 64
