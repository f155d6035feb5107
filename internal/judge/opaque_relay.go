package judge

import (
	"fmt"

	"waybill/internal/model"
)

// opaqueRelay marks files that a host passes on as it received them, encrypted: by the volume
// alone, within hours, and only between hosts that never exchanged files. Backup, mirrors
// and repositories do so between the same hosts every day, and what one host hands out to
// many was received by none of them before.
func opaqueRelay() Analytic {
	return &rule[passes]{name: "opaque-relay", key: sealedKey, look: lookPass, able: needsEstimates, keep: passWindow}
}

// passes is how one volume came to each host.
type passes struct {
	By map[string]pass `json:"by"`
}

type pass struct {
	From     string           `json:"from"`
	Name     string           `json:"name"`
	Time     model.Time       `json:"time"`
	New      bool             `json:"new"` // they never exchanged files
	Times    int              `json:"times"`
	Evidence []model.Evidence `json:"evidence"`
}

func sealedKey(e Event) string { return e.Sealed }

func lookPass(s passes, e Event) (passes, []Mark) {
	t := e.Transfer
	got, ok := s.By[e.From]
	now := pass{From: e.From, Name: t.Source.Name(), Time: t.End, New: e.Usual.strangers(), Times: got.Times, Evidence: t.Evidence}
	var marks []Mark
	switch {
	case !ok:
	case now.New && (got.New || got.Times > 0):
		now.Times++
		marks = now.marks(&e, got, relaySealed+relayAgain*float64(now.Times-1))
	case (now.New || got.New) && !e.Usual.many():
		marks = now.marks(&e, got, relaySealedHalf)
	}
	if s.By == nil {
		s.By = map[string]pass{}
	}
	if _, known := s.By[e.To]; !known && len(s.By) < receiptsMost {
		s.By[e.To] = now
	}
	return s, marks
}

// strangers says whether two hosts never exchanged files, and neither does with ever new ones.
func (u *Usual) strangers() bool { return !u.AnyPair.Known() && !u.many() }

// many says whether one of them exchanges programs with ever new hosts.
func (u *Usual) many() bool { return u.reaches() || u.Meets >= manyMeet }

// marks says that it was passed on, and how often before. While no history tells who exchanges
// files, once is nothing.
func (p *pass) marks(e *Event, got pass, nats float64) []Mark {
	if e.Usual.Days < watched {
		nats -= relaySealed
	}
	if nats <= 0 {
		return nil
	}
	t := e.Transfer
	text := fmt.Sprintf("%s sent on, within hours, as many encrypted bytes as it received from %s at %s", t.Source.Name(), got.Name, got.Time.String()[:19])
	if got.Times > 0 {
		text += fmt.Sprintf(", which had been passed on so %s before", timesText(got.Times))
	}
	return []Mark{{Family: "spread", Analytic: "opaque-relay", Transfer: t.ID, Time: e.Time, Nats: min(nats, relaySealedMost),
		Text: text + "; that it is the same file only the volume says", Evidence: append(append([]model.Evidence{}, got.Evidence...), t.Evidence...)}}
}

func timesText(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// passWindow is within what time a volume is passed on: longer, and another file may have it.
const passWindow = Window / 4

// sealedFiles are what hosts received encrypted of late, by host.
type sealedFiles map[string][]sealedFile

type sealedFile struct {
	key, from string
	size      int64
	at        model.Time
}

// sealedMost bounds what is remembered of one host: what many bring files to passes on none.
const sealedMost = 16

// key stands for the file of an encrypted session: that of the one that came to its sender with
// the same volume, else its own. It began when that one had ended: what goes through a
// host (ssh -J) is no file there.
func (s sealedFiles) key(x *Facts, t *model.Transfer) string {
	if t.Channel != "ssh" || !isSealed(t) || t.Estimate.Size < bulkLeast || x.From == "" || x.To == "" || x.From == x.To {
		return ""
	}
	key := "sealed " + t.ID
	for _, r := range s[x.From] {
		if r.at <= t.Start && t.Start-r.at <= passWindow && r.from != x.To && sameVolume(r.size, t.Estimate.Size) {
			key = r.key
		}
	}
	if len(s) >= remembered {
		clear(s)
	}
	all := s[x.To]
	if len(all) == sealedMost {
		all = append(all[:0], all[1:]...)
	}
	s[x.To] = append(all, sealedFile{key, x.From, t.Estimate.Size, t.End})
	return key
}

// sameVolume says whether two sessions moved one file, as far as volumes tell: what they say
// at their beginning differs by their programs' versions.
func sameVolume(a, b int64) bool {
	return max(a-b, b-a) <= max(a/volumeNear, greetings)
}

const (
	volumeNear = 200     // 0.5 %
	greetings  = 1 << 10 // of an SSH session, as far as it differs
)
