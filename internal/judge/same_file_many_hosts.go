package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// sameFileManyHosts marks one content that reaches three or more hosts in the
// window, or in two weeks. Documents, pictures and texts that many read are everyday
// life: what counts is content that runs, that can hold what runs, or of which nothing is
// known. What many hosts fetch from one that has always had it says less, and what many
// have had for long nothing.
func sameFileManyHosts() Analytic {
	return &rule[reach]{name: "same-file-many-hosts", key: contentOf, look: lookReach, able: needsFiles, keep: slowWindow}
}

// reach is the hosts that one content reached of late.
type reach struct {
	Latest map[string]model.Time `json:"latest"` // last arrival by host
	Queue  []arrival             `json:"queue"`  // in the order of time; those that are not a host's latest are stale
	Last   string                `json:"last"`   // transfer of it
	Marked int                   `json:"marked"` // hosts of the last mark
}

type arrival struct {
	Host     string           `json:"host"`
	Name     string           `json:"name"`              // as people call it
	From     string           `json:"from"`              // whom it was fetched from; "" where it was put there
	By       string           `json:"by,omitempty"`      // who put it there
	Account  string           `json:"account,omitempty"` // under which
	Time     model.Time       `json:"time"`
	Evidence []model.Evidence `json:"evidence"`
}

const (
	manyHosts   = 3           // how many hosts are many
	reachedMost = 64          // how many are remembered
	slowWindow  = 14 * Window // in which a slow spread counts: intruders take days
	markEvery   = 16          // beyond so many hosts, not each one is said
)

func contentOf(e Event) string {
	if l := e.Listed; l != nil {
		if !mayRun(l.Of) || hostKey(l.Host) == "" {
			return ""
		}
		return e.Content
	}
	if !e.Program || e.To == "" || !e.moved() || e.Usual.common(e.Time) || e.Usual.habit() || e.everyday() {
		return ""
	}
	if e.Service {
		return e.Alike + "|" + e.Actor // it is the same file wherever anybody uses the tool
	}
	return e.Alike
}

func lookReach(s reach, e Event) (reach, []Mark) {
	if l := e.Listed; l != nil {
		s = s.add(arrival{Host: hostKey(l.Host), Name: l.Host.Name(), Time: l.Time, Evidence: l.Evidence}, e.window())
	} else {
		t := e.Transfer
		a := arrival{Host: e.To, Name: t.Destination.Name(), Time: t.End, Evidence: t.Evidence[:min(1, len(t.Evidence))]}
		if t.Operation == model.Pull {
			a.From = e.From
		} else {
			a.By, a.Account = e.Actor, strings.ToLower(cmp.Or(t.User, t.InitiatorUser))
		}
		s = s.add(a, e.window())
		s.Last = t.ID
	}
	if s.Last == "" {
		return s, nil
	}
	return s.judged(e)
}

// judged says how far the content spread.
func (s reach) judged(e Event) (reach, []Mark) {
	by := ""
	recent, all := s.count(e, by)
	if all >= manyHosts && e.Transfer != nil && s.Latest[e.Actor] == 0 && s.hands() >= manyHands {
		by = e.Actor
		recent, all = s.count(e, by)
	}
	nats, within := sameFile, "a day"
	switch {
	case recent >= manyHosts && s.served():
		if nats = e.Usual.servedNats(e.Content); nats == 0 {
			return s, nil
		}
	case recent >= manyHosts && e.Transfer != nil && e.Usual.hands():
		nats = sameFresh
	case recent >= manyHosts && e.Transfer != nil && e.Content == "":
		nats = sameName
	case recent >= manyHosts:
	case all >= manyHosts && e.Usual.Days >= watched && !s.served() && (e.Transfer == nil || !e.Usual.hands()):
		nats, within, recent = sameSlow, "two weeks", all
	default:
		return s, nil
	}
	if recent > markEvery && recent/markEvery == s.Marked/markEvery {
		return s, nil
	}
	s.Marked = recent
	return s, []Mark{s.mark(e, by, nats, recent, within)}
}

// count is how many hosts the content reached in the window and in two weeks; by the hand
// of one host alone, if it is named.
func (s reach) count(e Event, by string) (recent, all int) {
	if by == "" {
		for _, at := range s.Latest {
			if e.Time-at <= e.window() {
				recent++
			}
		}
		return recent, len(s.Latest)
	}
	for _, a := range s.Queue {
		if s.stale(a) || a.By != by {
			continue
		}
		all++
		if e.Time-a.Time <= e.window() {
			recent++
		}
	}
	return recent, all
}

// manyHands is how many hand out a content, each from a host that did not receive it and
// under an account of its own, when each is counted apart: administrators bring people the
// same installers, while an intruder has few accounts, and sends on what he received.
const manyHands = 3

func (s reach) hands() int {
	var by, accounts []string
	for _, a := range s.Queue {
		if s.stale(a) || a.By == "" || a.Account == "" || s.Latest[a.By] != 0 || slices.Contains(by, a.By) || slices.Contains(accounts, a.Account) {
			continue
		}
		if by, accounts = append(by, a.By), append(accounts, a.Account); len(by) == manyHands {
			break
		}
	}
	return len(by)
}

// served says whether all arrivals were fetched from hosts that did not receive it
// themselves.
func (s reach) served() bool {
	return !slices.ContainsFunc(s.Queue, func(a arrival) bool { return a.From == "" || s.Latest[a.From] != 0 })
}

// servedNats is what it tells that several fetch a content from where it lies.
func (u *Usual) servedNats(content string) float64 {
	fresh := content != "" && !u.Content.Known()
	switch {
	case u.Days < watched:
		return sameServed
	case !u.Gives.Known():
		return sameOffered
	case u.hands() && fresh:
		return sameFresh
	case u.hands():
		return 0 // it serves many every day
	}
	return sameLittle
}

// add takes an arrival in and drops what is too old. The state passed in is given up.
func (s reach) add(a arrival, window model.Time) reach {
	if s.Latest == nil {
		s.Latest = map[string]model.Time{}
	}
	for len(s.Queue) > 0 && (s.stale(s.Queue[0]) || a.Time-s.Queue[0].Time > max(window, slowWindow)) {
		if !s.stale(s.Queue[0]) {
			delete(s.Latest, s.Queue[0].Host)
		}
		s.Queue[0] = arrival{} // or the list would hold it
		s.Queue = s.Queue[1:]
	}
	if _, known := s.Latest[a.Host]; !known && len(s.Latest) == reachedMost {
		return s
	}
	s.Latest[a.Host] = a.Time
	s.Queue = append(s.Queue, a)
	if len(s.Queue) > 2*len(s.Latest)+8 {
		s.Queue = slices.DeleteFunc(s.Queue, s.stale)
	}
	return s
}

func (s reach) stale(a arrival) bool { return s.Latest[a.Host] != a.Time }

// mark names the first hosts in the order of arrival; of those that one host brought it
// to, if it is named.
func (s reach) mark(e Event, by string, nats float64, hosts int, within string) Mark {
	m := Mark{Family: "spread", Analytic: "same-file-many-hosts", Transfer: s.Last, Time: e.Time, Nats: nats}
	var names []string
	for _, a := range s.Queue {
		if len(names) == 8 {
			break
		}
		if s.stale(a) || by != "" && a.By != by || slices.Contains(names, a.Name) || within == "a day" && e.Time-a.Time > e.window() {
			continue
		}
		names = append(names, a.Name)
		m.Evidence = append(m.Evidence, a.Evidence...)
	}
	what := "the same content"
	if e.Transfer != nil && e.Content == "" {
		what = "files of the same kind, sent by the same host,"
	}
	m.Text = fmt.Sprintf("%s reached %d hosts within %s: %s", what, hosts, within, strings.Join(names, ", "))
	if hosts > len(names) {
		m.Text += ", ..."
	}
	if from := s.Queue[0].From; from != "" && s.served() {
		m.Text += ", all fetched"
	}
	return m
}

// needsFiles says whether any file could be read.
func needsFiles(c *model.Coverage) model.Ableness {
	if len(c.Decoded) == 0 && len(c.Events) > 0 {
		return model.Ableness{Able: "partly", Why: "logs tell names and the hashes of what was started, seldom content"}
	}
	if len(c.Decoded) == 0 {
		return model.Ableness{Able: "unable", Why: "no file-carrying protocol was read"}
	}
	if most := blindest(c.Blind); len(most) > 0 {
		return model.Ableness{Able: "partly", Why: "some traffic could not be read: " + strings.Join(most, ", ")}
	}
	return model.Ableness{Able: "able"}
}

// blindest are the reasons for which most bytes could not be read.
func blindest(blind map[string]int64) []string {
	most := sortedKeys(blind)
	slices.SortStableFunc(most, func(a, b string) int { return cmp.Compare(blind[b], blind[a]) })
	most = slices.DeleteFunc(most, func(reason string) bool { return blind[reason] == 0 })
	return most[:min(len(most), 3)]
}
