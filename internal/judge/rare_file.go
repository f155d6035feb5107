package judge

import (
	"fmt"

	"waybill/internal/model"
)

// rareFile marks programs that no host was ever seen with before. One that many hosts
// have had for days speaks for what moves it.
func rareFile() Analytic {
	return &rule[struct{}]{name: "rare-file", key: func(e Event) string {
		if programMoved(e) == "" {
			return ""
		}
		return e.Content
	}, look: lookRare, able: needsHistory}
}

func lookRare(s struct{}, e Event) (struct{}, []Mark) {
	t, u := e.Transfer, e.Usual
	m := Mark{Family: "file", Analytic: "rare-file", Transfer: t.ID, Time: e.Time, Evidence: t.Evidence}
	switch {
	case u.Days < watched || u.habit():
		return s, nil
	case !u.Content.Known():
		m.Nats, m.Text = rare, fmt.Sprintf("no host was seen with this content in %.0f days", u.Days)
	case u.common(e.Time):
		m.Nats, m.Text = common, fmt.Sprintf("%d hosts have had this content, since %s", u.ContentHosts, u.Content.First.String()[:10])
	default:
		return s, nil
	}
	return s, []Mark{m}
}

// common says whether many hosts have had the content for long.
func (u *Usual) common(at model.Time) bool {
	return u.ContentHosts >= commonHosts && u.Content.Days >= usualDays && at-u.Content.First >= commonSince
}
