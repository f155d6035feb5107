package ledger

import (
	"cmp"
	"strings"

	"waybill/internal/model"
)

// due is an observation and when it begins, by the clock of all.
type due struct {
	from model.Time
	t    *model.Transfer
}

func (d due) compare(o due) int {
	if d.from != o.from {
		return cmp.Compare(d.from, o.from)
	}
	return cmp.Or(strings.Compare(d.t.ID, o.t.ID), cmp.Compare(d.t.End, o.t.End))
}

func (d due) before(o due) bool { return d.compare(o) < 0 }

// ending is an entry of the book and when it ends.
type ending struct {
	to model.Time
	e  *entry
}

func (x ending) before(o ending) bool {
	if x.to != o.to {
		return x.to < o.to
	}
	return x.e.before(o.e)
}

// queue gives the first of what was pushed. Nearly all comes in order and waits in a row;
// the rest is kept in a heap.
type queue[T ordered[T]] struct {
	row  []T
	head int // of the row: what is before it was given
	late heap[T]
}

func (q *queue[T]) len() int    { return len(q.row) - q.head + len(q.late) }
func (q *queue[T]) empty() bool { return q.head == len(q.row) && len(q.late) == 0 }

func (q *queue[T]) push(x T) {
	if q.head < len(q.row) && x.before(q.row[len(q.row)-1]) {
		q.late.push(x)
		return
	}
	if q.head > 64 && 2*q.head > len(q.row) {
		n := copy(q.row, q.row[q.head:])
		clear(q.row[n:])
		q.row, q.head = q.row[:n], 0
	}
	q.row = append(q.row, x)
}

// fromRow says where the first is; there has to be one.
func (q *queue[T]) fromRow() bool {
	return len(q.late) == 0 || q.head < len(q.row) && q.row[q.head].before(q.late[0])
}

func (q *queue[T]) first() T {
	if q.fromRow() {
		return q.row[q.head]
	}
	return q.late[0]
}

func (q *queue[T]) pop() T {
	if !q.fromRow() {
		return q.late.pop()
	}
	x := q.row[q.head]
	var none T
	q.row[q.head] = none
	q.head++
	return x
}

// heap gives the first of what was pushed. (container/heap calls through interfaces.)
type heap[T ordered[T]] []T

type ordered[T any] interface{ before(T) bool }

var (
	_ ordered[due]    = due{}
	_ ordered[ending] = ending{}
)

func (h *heap[T]) push(x T) {
	all := append(*h, x)
	i := len(all) - 1
	for i > 0 && x.before(all[(i-1)/2]) {
		all[i] = all[(i-1)/2]
		i = (i - 1) / 2
	}
	all[i] = x
	*h = all
}

func (h *heap[T]) pop() T {
	first := (*h)[0]
	x := popped((*[]T)(h))
	all := *h
	if len(all) == 0 {
		return first
	}
	i := 0
	for {
		c := 2*i + 1
		if c+1 < len(all) && all[c+1].before(all[c]) {
			c++
		}
		if c >= len(all) || !all[c].before(x) {
			break
		}
		all[i] = all[c]
		i = c
	}
	all[i] = x
	return first
}

// popped takes the last off.
func popped[T any](all *[]T) T {
	n := len(*all) - 1
	x := (*all)[n]
	var none T
	(*all)[n] = none
	*all = (*all)[:n]
	return x
}

// line is entries that wait, in the order in which they begin.
type line struct {
	all  []*entry
	head int
}

func (q *line) push(e *entry) {
	if q.head > 64 && 2*q.head > len(q.all) {
		q.all = append(q.all[:0], q.all[q.head:]...)
		q.head = 0
	}
	q.all = append(q.all, e)
}

// last is the last time at which the first can not be handled yet.
func (q *line) last(nearby model.Time) model.Time {
	if q.head == len(q.all) {
		return latest
	}
	return q.all[q.head].reach + nearby
}

// until handles those of which all that may be nearby is there, since all that begins
// before through is. It gives the time before which none waits.
func (q *line) until(through, nearby model.Time, handle func(*entry)) model.Time {
	for ; q.head < len(q.all); q.head++ {
		e := q.all[q.head]
		if through <= e.reach+nearby {
			return min(through, e.from)
		}
		q.all[q.head] = nil
		handle(e)
	}
	return through
}
