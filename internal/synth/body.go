package synth

import (
	"slices"

	"waybill/internal/model"
)

// body is a file on a server as one open of it, or one client, knows it.
type body struct {
	size    int64  // end of the file on the server
	made    bool   // made or emptied by this open
	content []byte // as reads and writes know it
	own     bool   // content is memory of its own
	read    spans
	written spans
}

// moves is what was read and written, by the contract's rules of peeks and of
// when a file is whole.
func (b *body) moves(client, server *Host, channel, path string) []Moved {
	var out []Moved
	b.lengthen(b.size)
	if n := b.read.covered(); n > 0 && !(n <= 64<<10 && n*10 < b.size) {
		out = append(out, pulled(client, server, channel, path, b.content).partialUnless(b.read.covers(b.size)))
	}
	if len(b.written) > 0 || b.made && b.size > 0 {
		out = append(out, pushed(client, server, channel, path, b.content).partialUnless(b.made || b.written.covers(b.size)))
	}
	return out
}

// partialUnless makes the transfer a partial one where not all moved.
func (m Moved) partialUnless(whole bool) Moved {
	if !whole {
		m.Completeness, m.SHA256 = model.Partial, ""
	}
	return m
}

// setEnd takes a new end of the file.
func (b *body) setEnd(size int64) {
	b.content = b.content[:min(size, int64(len(b.content)))]
	b.size = size
}

// put takes written data into the content. The first write from 0 is kept as
// it is; what comes later makes a copy of its own.
func (b *body) put(at int64, data []byte) {
	end := at + int64(len(data))
	b.written = append(b.written, span{at, end})
	b.size = max(b.size, end)
	if at == int64(len(b.content)) && at == 0 {
		b.content = data[:end:end]
		return
	}
	if !b.own {
		b.content, b.own = slices.Clone(b.content), true
	}
	b.lengthen(end)
	copy(b.content[at:], data)
}

// lengthen adds zeros up to a size.
func (b *body) lengthen(size int64) {
	if n := size - int64(len(b.content)); n > 0 {
		b.content = append(slices.Clip(b.content), make([]byte, n)...)
	}
}

// span is the bytes [from, to) of a file.
type span struct{ from, to int64 }

type spans []span

// covered is how many distinct bytes the spans hold.
func (s spans) covered() int64 {
	sorted := slices.Clone(s)
	slices.SortFunc(sorted, func(a, b span) int { return int(a.from - b.from) })
	n, end := int64(0), int64(0)
	for _, x := range sorted {
		if from := max(x.from, end); x.to > from {
			n += x.to - from
			end = x.to
		}
	}
	return n
}

// covers says whether the spans hold all of [0, size).
func (s spans) covers(size int64) bool {
	cut := slices.Clone(s)
	for i := range cut {
		cut[i].from, cut[i].to = min(cut[i].from, size), min(cut[i].to, size)
	}
	return cut.covered() == size
}
