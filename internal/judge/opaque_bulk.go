package judge

import (
	"fmt"

	"waybill/internal/model"
)

// opaqueBulk marks encrypted exchanges whose volume fits a program or archive that
// their sender got shortly before. The rarer the size among all that the sender
// holds, the more it says.
func opaqueBulk() Analytic {
	return &rule[holdings]{name: "opaque-bulk", key: holder, look: lookBulk, able: needsEstimates}
}

// holdings is the programs and archives that a host received.
type holdings struct {
	Files []holding `json:"files"`
}

type holding struct {
	Time     model.Time       `json:"time"`
	Name     string           `json:"name"`
	Size     int64            `json:"size"`
	Evidence []model.Evidence `json:"evidence"`
}

// Bounds of what fits: small files fit everything, and so does a wide estimate.
const (
	maxHoldings = 1024
	bulkLeast   = 32 << 10
	bulkWidest  = 4 // the interval is at most a fourth of the size
)

// holder keys files by who got them, and opaque bulks by who sends them.
func holder(e Event) string {
	switch {
	case !e.moved():
		return ""
	case e.Transfer.Completeness == model.Opaque && e.Transfer.Estimate != nil && e.Transfer.Scope != model.ScopeInbound && e.Transfer.Scope != model.ScopeExternal:
		return hostKey(e.Transfer.Source)
	case (runs(e.Transfer) || e.Transfer.Type == "archive") && e.Transfer.Size != nil && *e.Transfer.Size >= bulkLeast:
		return hostKey(e.Transfer.Destination)
	}
	return ""
}

func lookBulk(s holdings, e Event) (holdings, []Mark) {
	t := e.Transfer
	if t.Completeness != model.Opaque {
		if len(s.Files) >= maxHoldings {
			s.Files = s.Files[maxHoldings/2:]
		}
		s.Files = append(s.Files, holding{t.End, t.Name, *t.Size, t.Evidence})
		return s, nil
	}
	var fits []holding
	for _, f := range s.Files {
		if f.Time <= t.Start && t.Start-f.Time <= e.window() && volumeFits(t.Estimate, f.Size) {
			fits = append(fits, f)
		}
	}
	if len(fits) == 0 {
		return s, nil
	}
	last := fits[len(fits)-1]
	return s, []Mark{{Family: "channel", Analytic: "opaque-bulk", Transfer: t.ID, Time: t.End, Nats: 1 / float64(len(fits)),
		Text:     fmt.Sprintf("an encrypted exchange of about %d bytes fits %s (%d bytes), which its sender had received", t.Estimate.Size, last.Name, last.Size),
		Evidence: append(append([]model.Evidence{}, last.Evidence...), t.Evidence...)}}
}

// volumeFits says whether a size lies in an estimate that is narrow enough to tell
// something, and near its point.
func volumeFits(e *model.Estimate, size int64) bool {
	if size < e.Low || size > e.High || (e.High-e.Low)*bulkWidest > e.High {
		return false
	}
	off := e.Size - size
	return max(off, -off)*33 <= size // 3 %
}

// needsEstimates says whether volumes of encrypted exchanges show.
func needsEstimates(c *model.Coverage) model.Ableness {
	if c.Packets == 0 {
		return model.Ableness{Able: "unable", Why: "no packets: volumes of encrypted exchanges do not show"}
	}
	return model.Ableness{Able: "partly", Why: "a volume that fits a known file is no proof of it"}
}
