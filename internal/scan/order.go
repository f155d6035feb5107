package scan

import "waybill/internal/model"

// due is when the next item of a source is due; of equal times the lower index
// comes first.
type due struct {
	key   model.Time // the highest time so far, so that the order in a file holds
	index int32
}

func (d *due) at() *due { return d }

func (d *due) before(o *due) bool { return d.key < o.key || d.key == o.key && d.index < o.index }

// maxAhead is how far before the item behind it an item may lie: one farther ahead is
// damage, or a clock that was wrong, and does not hold the rest of its file back.
const maxAhead model.Time = 3600e9

// advance makes an item of a time the next one; behind is the time of the one after it.
func (d *due) advance(t, behind model.Time) {
	if t-behind <= maxAhead {
		d.key = max(d.key, t)
	}
}

// byDue is a heap of open sources.
type byDue[S interface{ at() *due }] []S

func (h byDue[S]) Len() int           { return len(h) }
func (h byDue[S]) Less(i, j int) bool { return h[i].at().before(h[j].at()) }
func (h byDue[S]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byDue[S]) Push(x any)        { *h = append(*h, x.(S)) }
func (h *byDue[S]) Pop() any {
	old := *h
	s := old[len(old)-1]
	*h = old[:len(old)-1]
	return s
}
