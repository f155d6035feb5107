package content

// headSize is how much of a file's beginning tells its type.
const headSize = 4096

// keepHead keeps the first bytes of what leaves the run's first k segments. When
// the budget has no room for them, the type is told at once.
func (a *assembly) keepHead(k int) {
	have := int64(len(a.head))
	if k == 0 || have >= headSize || have != a.sent || a.typ != "" {
		return
	}
	want := min(a.run[k-1].end(), headSize)
	if !a.growHead(want) {
		a.typ = TypeOf(a.first())
		a.pool.budget.Give(int64(cap(a.head)))
		a.head = nil
		return
	}
	a.head = a.pool.gather(a.head, a.run[:k], int(want))
}

// growHead makes room for n bytes of head.
func (a *assembly) growHead(n int64) bool {
	old := int64(cap(a.head))
	if n <= old {
		return true
	}
	if n > 512 {
		n = headSize
	}
	if !a.pool.budget.Take(n - old) {
		return false
	}
	a.head = append(make([]byte, 0, n), a.head...)
	return true
}

// first is up to the first headSize bytes that are still known.
func (a *assembly) first() []byte {
	if len(a.head) >= headSize || int64(len(a.head)) != a.sent {
		return a.head
	}
	p := a.pool
	p.scratch = p.gather(append(p.scratch[:0], a.head...), a.run, headSize)
	return p.scratch
}

// gather appends the bytes of segments to b until it holds n.
func (p *Pool) gather(b []byte, segs segments, n int) []byte {
	for i := range segs {
		s := &segs[i]
		k := int(min(int64(n-len(b)), s.n))
		if k == 0 {
			break
		}
		from := len(b)
		switch s.kind {
		case zeros:
			b = append(b, zeroBytes[:k]...)
		case spilled:
			b = append(b, zeroBytes[:k]...)
			if p.spill.read(s.slot, b[from:]) != nil {
				return b[:from]
			}
		default:
			b = append(b, s.data[:k]...)
		}
	}
	return b
}

// typeOf is the type of the content, "" when its first byte is not known.
func (a *assembly) typeOf() string {
	if a.typ != "" {
		return a.typ
	}
	head := a.first()
	return TypeOf(head[:min(int64(len(head)), a.stop)])
}
