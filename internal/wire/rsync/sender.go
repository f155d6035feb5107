package rsync

import "waybill/internal/wire"

// stage is what the sender says next.
type stage uint8

const (
	inFilters stage = iota
	inList
	inUsers
	inGroups
	inErrors
	inFiles
	inXattrs
	inHead
	inTokens
	inSum
	inEnd
)

// kind is what a run of bytes is that lies between the things that a sender says.
type kind uint8

const (
	skipped kind = iota
	literal
	packed
)

// sender follows the side that sends files: lists of them, and bytes of those that
// the other side asks for.
type sender struct {
	d    *conn
	a    *agreed
	from wire.Side

	stage stage
	held  []byte     // of a thing that has not all come
	seq   uint32     // where it starts
	chunk wire.Chunk // that is being read
	run   int64      // bytes to come that are no such thing
	kind  kind       // what they are

	lister lister
	part   *list   // that is being read
	lists  []*list // whose files may still be asked for
	next   int32   // number of the first file of the next part
	files  int     // listed so far
	index  index
	phase  int // how often all was said to be sent

	codec  *codec
	now    *sending
	damage int64 // conflicting bytes noted so far
}

func newSender(d *conn, from wire.Side) *sender {
	s := &sender{d: d, a: &d.a, from: from, index: firstIndex, lister: lister{a: &d.a}}
	if s.a.parts {
		s.next = 1
	}
	if s.a.compress {
		s.codec = newCodec(s.a.codec, d.p.env, s.opened)
	}
	s.list()
	if s.a.filtersFromSender(s.a.version) {
		s.stage = inFilters
	}
	return s
}

// opened takes what was compressed.
func (s *sender) opened(b []byte) { s.now.write(b, nil) }

// feed takes the next bytes of the sender.
func (s *sender) feed(c wire.Chunk) {
	for len(c.Data) > 0 && s.stage != inEnd {
		if s.run == 0 {
			c = s.thing(c)
			continue
		}
		n := int(min(s.run, int64(len(c.Data))))
		s.bytes(c.First(n))
		s.pass(int64(n))
		c = c.After(n)
	}
	s.chunk = wire.Chunk{}
}

// bytes takes some bytes of a run.
func (s *sender) bytes(c wire.Chunk) {
	switch s.kind {
	case literal:
		s.touch(c.At)
		s.now.write(c.Data, c.Block)
	case packed:
		s.touch(c.At)
		s.codec.write(c.Data)
	}
}

// pass goes on by n bytes of a run.
func (s *sender) pass(n int64) {
	if s.run -= n; s.run == 0 && s.kind == packed {
		s.codec.run()
	}
}

// Bounds of what is held of a thing that has not all come, and how much is added to
// it at once.
const (
	maxHeld = 64 << 10
	step    = 512
)

// thing reads one thing of c, or holds its beginning, and gives what follows.
func (s *sender) thing(c wire.Chunk) wire.Chunk {
	if len(s.held) == 0 {
		s.seq, s.chunk = c.Seq, c
		if n, ok := s.read(c.Data); ok {
			return c.After(n)
		}
		s.hold(c.Data)
		return c.First(0)
	}
	old, more := len(s.held), min(step, len(c.Data))
	s.chunk = c
	s.hold(c.Data[:more])
	n, ok := s.read(s.held)
	if !ok {
		return c.After(more)
	}
	s.held = s.held[:0]
	return c.After(max(n-old, 0))
}

func (s *sender) hold(b []byte) {
	if len(s.held)+len(b) > maxHeld {
		s.broken("a message is too long")
		return
	}
	s.held = append(s.held, b...)
}

// read reads one thing; ok is false when more has to come, or nothing can be read.
func (s *sender) read(b []byte) (n int, ok bool) {
	if s.stage == inEnd {
		return 0, false
	}
	r := reader{b: b, old: s.a.version < 30}
	s.one(&r)
	if r.bad {
		s.broken("the messages make no sense")
	}
	return r.at, !r.short && !r.bad
}

func (s *sender) one(r *reader) {
	switch s.stage {
	case inFilters:
		s.filter(r)
	case inList:
		s.entry(r)
	case inUsers, inGroups:
		s.owner(r)
	case inErrors:
		if r.i32(); !r.short {
			s.stage = inFiles
		}
	case inFiles:
		s.file(r)
	case inXattrs:
		s.xattr(r)
	case inHead:
		s.head(r)
	case inTokens:
		s.token(r)
	case inSum:
		if r.take(s.a.fileSum); !r.short {
			s.finish("")
			s.stage = inFiles
		}
	}
}

// filter reads one rule of what the other side has to leave alone.
func (s *sender) filter(r *reader) {
	n := r.i32()
	switch {
	case n > maxLine:
		r.bad = true
	case n == 0 && !r.short:
		s.stage = inList
	default:
		r.take(int(n))
	}
}

// skip says that n bytes follow that do not matter.
func (s *sender) skip(n int64) { s.run, s.kind = n, skipped }

// hole takes n bytes that were not seen. Within a run of bytes they cost themselves
// and, where it is compressed, what comes after them.
func (s *sender) hole(n int64) bool {
	if n > s.run || len(s.held) > 0 {
		return false
	}
	switch s.kind {
	case literal:
		s.now.at += n
	case packed:
		s.codec.hole()
	}
	s.pass(n)
	return true
}

// broken gives up: of the file under way no more is known, and what follows cannot be
// found.
func (s *sender) broken(why string) {
	s.end(why)
	s.d.deaf("unknown-protocol")
}

// end ends the file under way, and gives back what is held.
func (s *sender) end(why string) {
	s.finish(why)
	for _, l := range s.lists {
		s.free(l)
	}
	s.free(s.part)
	if s.codec != nil {
		s.codec.close()
	}
	s.lists, s.part, s.codec, s.held, s.stage = nil, nil, nil, nil, inEnd
}
