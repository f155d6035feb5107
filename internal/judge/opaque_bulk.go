package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"waybill/internal/model"
)

// opaqueBulk marks encrypted exchanges whose volume fits a program or archive that
// was seen in these inputs before. The rarer the size among all contents, the more
// it says, and more where the sender is known to have had the file.
func opaqueBulk() Analytic {
	return &rule[sizes]{name: "opaque-bulk", keys: sizeClasses, look: lookBulk, able: needsEstimates, wide: true}
}

// sizes is the contents of near size.
type sizes struct {
	Contents []content `json:"contents"`
	Others   []sized   `json:"others"` // of what is no program or archive: for how rare a size is
}

// sized is a size that a file had.
type sized struct {
	Size int64      `json:"size"`
	Last model.Time `json:"last"`
}

// othersMost bounds the sizes remembered of what is no program: a volume that fits more
// tells nothing.
const othersMost = 16

// content is one program or archive.
type content struct {
	Key      string           `json:"key"`
	Name     string           `json:"name"`
	Size     int64            `json:"size"`
	First    model.Time       `json:"first"`
	Last     model.Time       `json:"last"`
	Holders  []holding        `json:"holders"` // hosts that sent or received it
	Evidence []model.Evidence `json:"evidence"`
}

type holding struct {
	Host  string     `json:"host"`
	Since model.Time `json:"since"`
}

// Bounds of what fits: small files fit everything, and so does a wide estimate.
const (
	maxContents = 64 // of one class
	maxHolders  = 16 // of one content
	bulkLeast   = 32 << 10
	bulkWidest  = 4  // the interval is at most a fourth of the size
	bulkNear    = 33 // 3 %
)

// Nats by who is known to have had the file.
const (
	bulkHeld    = 1
	bulkUnknown = 0.5
)

// classWidth is a class's width: what lies within 3 % is in the class or next to it.
var classWidth = math.Log(1.04)

func sizeClass(n int64) int { return int(math.Log(float64(n)) / classWidth) }

// sizeClasses puts a file into the classes of all volumes that it may have, and an
// opaque bulk into the one of its volume.
func sizeClasses(e Event) []string {
	t := e.Transfer
	switch {
	case t == nil || !e.landed():
		return nil
	case opaqueVolume(t) > 0:
		return []string{className(sizeClass(opaqueVolume(t)))}
	case t.Completeness == model.Opaque || t.Size == nil || *t.Size < bulkLeast || t.Operation == model.Copy:
		return nil
	}
	c := sizeClass(*t.Size)
	return classNames[min(c, len(classNames)-1)][:]
}

// classNames are those of each class and its neighbours, made once.
var classNames = func() (all [1100][3]string) {
	for c := range all {
		all[c] = [3]string{className(c - 1), className(c), className(c + 1)}
	}
	return all
}()

func className(c int) string { return strconv.Itoa(c) }

// opaqueVolume is what an encrypted exchange from a host inside moved, where that is
// known well enough to tell something; else 0.
func opaqueVolume(t *model.Transfer) int64 {
	e := t.Estimate
	if t.Completeness != model.Opaque || e == nil || e.Size < bulkLeast || (e.High-e.Low)*bulkWidest > e.High ||
		t.Scope == model.ScopeInbound || t.Scope == model.ScopeExternal {
		return 0
	}
	return e.Size
}

func lookBulk(s sizes, e Event) (sizes, []Mark) {
	t := e.Transfer
	if t.Completeness != model.Opaque && (e.Runs || t.Type == "archive") {
		return s.with(e), nil
	} else if t.Completeness != model.Opaque {
		return s.other(*t.Size, t.End), nil
	}
	var fits []*content
	for i := range s.Contents {
		c := &s.Contents[i]
		if c.First <= t.Start && t.Start-c.Last <= e.window() && volumeFits(t.Estimate, c.Size) {
			fits = append(fits, c)
		}
	}
	best, held := likeliest(fits, e.From, t.Start)
	if best == nil {
		return s, nil
	}
	nats, whose := bulkUnknown, "which went between other hosts before"
	if held {
		nats, whose = bulkHeld, "which its sender had before"
	}
	text := fmt.Sprintf("an encrypted exchange of about %d bytes fits %s (%d bytes), %s", t.Estimate.Size, cmp.Or(best.Name, "a file without name"), best.Size, whose)
	if n := len(fits) + s.fitting(t.Estimate, t.Start-e.window()); n > 1 {
		nats /= float64(n)
		text += fmt.Sprintf("; %d contents seen here fit", n)
	}
	return s, []Mark{{Family: "channel", Analytic: "opaque-bulk", Transfer: t.ID, Time: t.End, Nats: nats, Text: text,
		Evidence: append(append([]model.Evidence{}, best.Evidence...), t.Evidence...)}}
}

// other notes the size of what is no program.
func (s sizes) other(size int64, at model.Time) sizes {
	for i := range s.Others {
		if s.Others[i].Size == size {
			s.Others[i].Last = at
			return s
		}
	}
	if len(s.Others) < othersMost {
		s.Others = append(s.Others, sized{size, at})
		return s
	}
	oldest := 0
	for i := range s.Others {
		if s.Others[i].Last < s.Others[oldest].Last {
			oldest = i
		}
	}
	s.Others[oldest] = sized{size, at}
	return s
}

// fitting is how many sizes of other contents since a time fit a volume.
func (s sizes) fitting(e *model.Estimate, since model.Time) int {
	n := 0
	for _, o := range s.Others {
		if o.Last >= since && volumeFits(e, o.Size) {
			n++
		}
	}
	return n
}

// with adds a sighting of a program or archive.
func (s sizes) with(e Event) sizes {
	t := e.Transfer
	key := cmp.Or(e.Content, "size:"+strconv.FormatInt(*t.Size, 10))
	i := slices.IndexFunc(s.Contents, func(c content) bool { return c.Size == *t.Size && c.Key == key })
	if i < 0 {
		if len(s.Contents) >= maxContents {
			s.Contents = slices.Delete(s.Contents, 0, maxContents/2)
		}
		s.Contents = append(s.Contents, content{Key: key, Name: t.Name, Size: *t.Size, First: t.End, Evidence: t.Evidence[:min(1, len(t.Evidence))]})
		i = len(s.Contents) - 1
	}
	c := &s.Contents[i]
	c.Last = t.End
	c.holder(e.From, t.End)
	c.holder(e.To, t.End)
	return s
}

// holder notes a host that has the content.
func (c *content) holder(h string, at model.Time) {
	if h != "" && len(c.Holders) < maxHolders && !c.held(h, at) {
		c.Holders = append(c.Holders, holding{h, at})
	}
}

// held says whether a host sent or received the content by a time.
func (c *content) held(host string, by model.Time) bool {
	return slices.ContainsFunc(c.Holders, func(h holding) bool { return h.Host == host && h.Since <= by })
}

// likeliest is the program or archive among what fits that the sender had, else one
// that others had; of several the one seen last.
func likeliest(fits []*content, sender string, at model.Time) (best *content, held bool) {
	for _, c := range fits {
		has := c.held(sender, at)
		if held && !has {
			continue
		}
		if best == nil || has && !held || c.Last >= best.Last {
			best, held = c, has
		}
	}
	return best, held
}

// volumeFits says whether a size lies in an estimate, and near its point.
func volumeFits(e *model.Estimate, size int64) bool {
	off := e.Size - size
	return size >= e.Low && size <= e.High && max(off, -off)*bulkNear <= size
}

// needsEstimates says whether volumes of encrypted exchanges show.
func needsEstimates(c *model.Coverage) model.Ableness {
	if c.Packets == 0 {
		return model.Ableness{Able: "unable", Why: "no packets: volumes of encrypted exchanges do not show"}
	}
	return model.Ableness{Able: "partly", Why: "a volume that fits a known file is no proof of it"}
}
