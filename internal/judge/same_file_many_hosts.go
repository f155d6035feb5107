package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"waybill/internal/model"
)

// sameFileManyHosts marks one content that reaches three or more hosts in the
// window. Documents, pictures and texts that many read are everyday life: what
// counts is content that runs, that can hold what runs, or of which nothing is known.
func sameFileManyHosts() Analytic {
	return &rule[reach]{name: "same-file-many-hosts", key: contentOf, look: lookReach, able: needsFiles}
}

// reach is the hosts that one content reached.
type reach struct {
	Hosts map[string]arrival `json:"hosts"` // by address; the latest
}

type arrival struct {
	Time     model.Time       `json:"time"`
	Transfer string           `json:"transfer"`
	Evidence []model.Evidence `json:"evidence"`
}

// manyHosts is how many hosts are many, reachedMost how many are remembered.
const (
	manyHosts   = 3
	reachedMost = 4096
)

func contentOf(e Event) string {
	if !e.moved() || !e.Transfer.Destination.IP.Known() || !mayRun(e.Transfer) {
		return ""
	}
	return contentKey(e.Transfer)
}

func lookReach(s reach, e Event) (reach, []Mark) {
	t := e.Transfer
	hosts := maps.Clone(s.Hosts)
	if hosts == nil {
		hosts = map[string]arrival{}
	}
	maps.DeleteFunc(hosts, func(_ string, a arrival) bool { return t.End-a.Time > Window })
	if len(hosts) < reachedMost {
		hosts[t.Destination.IP.String()] = arrival{t.End, t.ID, t.Evidence}
	}
	s.Hosts = hosts
	if len(hosts) < manyHosts {
		return s, nil
	}
	return s, []Mark{reachMark(hosts, t)}
}

// reachMark names all hosts, in the order of arrival.
func reachMark(hosts map[string]arrival, t *model.Transfer) Mark {
	names := sortedKeys(hosts)
	slices.SortStableFunc(names, func(a, b string) int { return int(hosts[a].Time - hosts[b].Time) })
	m := Mark{Family: "spread", Analytic: "same-file-many-hosts", Transfer: t.ID, Time: t.End, Nats: 4,
		Text: fmt.Sprintf("the same content reached %d hosts within a day: %s", len(names), strings.Join(first(names, 8), ", "))}
	for _, n := range first(names, 8) {
		m.Evidence = append(m.Evidence, hosts[n].Evidence...)
	}
	if len(names) > 8 {
		m.Text += ", ..."
	}
	return m
}

func first(s []string, n int) []string { return s[:min(n, len(s))] }

// needsFiles says whether any file could be read.
func needsFiles(c *model.Coverage) model.Ableness {
	if len(c.Decoded) == 0 {
		return model.Ableness{Able: "unable", Why: "no file-carrying protocol was read"}
	}
	for _, reason := range []string{"encrypted-smb3", "lost-segments", "snaplen", "encrypted-tls", "encrypted-ssh", "smb1"} {
		if c.Blind[reason] > 0 {
			return model.Ableness{Able: "partly", Why: "some traffic could not be read: " + reason}
		}
	}
	return model.Ableness{Able: "able"}
}
