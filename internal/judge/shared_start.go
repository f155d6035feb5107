package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// sharedStart marks programs that one host put on a share and another started from
// there: content that others trust is tainted (ATT&CK T1080). A kind of file that others
// take from there on many days is everyday, and so are installers.
func sharedStart() Analytic {
	return &rule[shelves]{name: "shared-start", key: onShelf, look: lookShelf, able: needsPipes}
}

// shelves are the programs that were put on the shares of one host of late.
type shelves struct {
	Files []*landing `json:"files"`
}

func onShelf(e Event) string {
	if e.Transfer == nil || !e.moved() || !e.Program || !offers(e.Transfer) {
		return ""
	}
	if e.Transfer.Operation == model.Push {
		return e.To
	}
	if !ran(e.Transfer) || installer(e.Transfer.Name) {
		return ""
	}
	return e.From
}

// offers says whether a share is one from which others fetch what somebody puts there.
func offers(t *model.Transfer) bool {
	kind := shareKind(t)
	return kind == "share" || kind == "policy"
}

func lookShelf(s shelves, e Event) (shelves, []Mark) {
	t := e.Transfer
	if t.Operation == model.Push {
		s.Files = remember(s.Files, e.landing(), e.window())
		return s, nil
	}
	if e.Usual.habit() || e.Usual.common(e.Time) || e.Usual.Family.Days >= usualDays {
		return s, nil
	}
	put, ok := s.put(e)
	if !ok {
		return s, nil
	}
	m := Mark{Family: "execution", Analytic: "shared-start", Time: e.Time, Nats: sharedPut, Techniques: []string{"T1080"},
		Text:     fmt.Sprintf("put on the share %s by another host at %s, and started from there on %s", put.Share, put.Time.String()[:19], t.Destination.Name()),
		Evidence: append(append([]model.Evidence{}, put.Evidence...), t.Evidence...)}
	if shareKind(t) == "policy" {
		m.Techniques = []string{"T1484.001"}
	}
	taken := m
	m.Transfer, taken.Transfer = put.Transfer, t.ID
	return s, []Mark{m, taken}
}

// put is the last landing of what a host started from a share, by another one.
func (s *shelves) put(e Event) (*landing, bool) {
	share, path := lastElement(e.Transfer.Share), lowerPath(e.Transfer)
	for i := len(s.Files) - 1; i >= 0; i-- {
		if l := s.Files[i]; strings.EqualFold(l.Share, share) && l.Path == path {
			return l, l.From != e.To && e.Time-l.Time <= e.window()
		}
	}
	return nil, false
}
