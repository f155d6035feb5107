package judge

import (
	"fmt"

	"waybill/internal/model"
)

// rareFile marks programs that no host was ever seen with before. One that many hosts
// have had for days speaks for what moves it.
func rareFile() Analytic {
	return &rule[holders]{name: "rare-file", key: func(e Event) string {
		if programMoved(e) == "" {
			return ""
		}
		return e.Content
	}, look: lookRare, able: needsHistory}
}

// holders are the hosts that were seen to receive one content.
type holders struct {
	Hosts map[string]bool `json:"hosts"`
}

func lookRare(s holders, e Event) (holders, []Mark) {
	t, u := e.Transfer, e.Usual
	received := s.Hosts[e.From]
	s = s.with(e.To)
	m := Mark{Family: "file", Analytic: "rare-file", Transfer: t.ID, Time: e.Time, Evidence: t.Evidence}
	switch {
	case u.Days < watched || u.habit():
		return s, nil
	case !u.Content.Known() && u.Told:
		return s, nil // a finding told it
	case !u.Content.Known():
		m.Nats, m.Text = rare, fmt.Sprintf("no host was seen with this content in %.0f days", u.Days)
		if t.Operation == model.Pull && u.GiverTakes.Days >= usualDays && !received {
			m.Nats = origin
			m.Text += ", and its source, which fetches such files from others, did not get it from anybody"
		}
	case u.common(e.Time):
		m.Nats, m.Text = common, fmt.Sprintf("%d hosts have had this content, since %s", u.ContentHosts, u.Content.First.String()[:10])
	default:
		return s, nil
	}
	return s, []Mark{m}
}

// with adds a host that received the content.
func (s holders) with(host string) holders {
	if s.Hosts == nil {
		s.Hosts = map[string]bool{}
	}
	if len(s.Hosts) < manyAtOnce {
		s.Hosts[host] = true
	}
	return s
}

// common says whether many hosts have had the content for long.
func (u *Usual) common(at model.Time) bool {
	return u.ContentHosts >= commonHosts && u.Content.Days >= usualDays && at-u.Content.First >= commonSince
}
