package rsync

// Numbers that stand for no file (rsync.h, NDX_).
const (
	noMore     = -1
	noMoreList = -2
	deletions  = -3
	listOffset = -101
)

// Flags of what is done to a file (rsync.h, ITEM_).
const (
	itemXattrs   = 1 << 8
	itemBasis    = 1 << 11
	itemName     = 1 << 12
	itemLocal    = 1 << 14
	itemTransfer = 1 << 15
)

// file reads which file comes next, or what else is the matter.
func (s *sender) file(r *reader) {
	saved := s.index
	n := s.index.read(r)
	switch {
	case r.short || r.bad:
	case n == noMore:
		s.done()
	case n == noMoreList:
	case n == deletions:
		for range 5 {
			r.varint()
		}
	case n <= listOffset && s.a.parts && len(s.lists) > 0:
		s.list()
	case n < 0:
		r.bad = true
	default:
		s.item(r, n)
	}
	if r.short {
		s.index = saved
	}
}

// item reads what is done to a file (sender.c, write_ndx_and_attrs). Below protocol
// 29 it can only be sent.
func (s *sender) item(r *reader, n int32) {
	flags := itemTransfer
	if s.a.version >= 29 {
		flags = r.u16()
		if flags&itemBasis != 0 {
			r.u8()
		}
		if flags&itemName != 0 {
			r.vstring()
		}
	}
	if r.short {
		return
	}
	sent := flags&itemTransfer != 0 && !s.a.dryRun
	if sent {
		e := s.at(n)
		if e == nil || e.kind != kindFile {
			r.bad = true
			return
		}
		s.start(e)
	}
	optim := s.a.xattrOptim && flags&(itemName|itemLocal) == itemName|itemLocal
	switch {
	case s.a.xattrs && flags&itemXattrs != 0 && !s.a.dryRun && !optim:
		s.stage = inXattrs
	case sent:
		s.stage = inHead
	}
}

// xattr reads one long attribute that was asked for, or their end (xattrs.c,
// send_xattr_request).
func (s *sender) xattr(r *reader) {
	if r.varint() != 0 {
		n := r.varint()
		if r.bad = r.bad || n < 0; !r.short && !r.bad {
			s.skip(int64(n))
		}
		return
	}
	if r.short {
		return
	}
	if s.stage = inFiles; s.now != nil {
		s.stage = inHead
	}
}

// Bounds of what a receiver may have (rsync.h, OLD_MAX_BLOCK_SIZE; checksum.c).
const (
	maxBlock = 1 << 29
	maxSum   = 64
)

// head reads what the receiver has of a file: blocks of one size, the last of which
// may be shorter (io.c, write_sum_head).
func (s *sender) head(r *reader) {
	count, block, sum, rest := r.i32(), r.i32(), r.i32(), r.i32()
	if r.short {
		return
	}
	if count < 0 || block < 0 || block > maxBlock || sum < 0 || sum > maxSum || rest < 0 || rest > block {
		r.bad = true
		return
	}
	f := s.now
	f.count, f.block, f.rest = int64(count), int64(block), int64(rest)
	if s.a.append && !f.entry.sent {
		f.base = f.ends(f.count)
		f.at = f.base
	}
	s.stage = inTokens
}

// Compressed tokens (token.c).
const (
	tokenLong     = 0x20
	tokenRunLong  = 0x21
	tokenKind     = 0xc0
	tokenDeflated = 0x40
	tokenRelative = 0x80
	tokenStep     = 0x3f
)

// token reads what comes next of a file: bytes, blocks that the receiver has, or the
// end (token.c).
func (s *sender) token(r *reader) {
	if s.codec != nil {
		s.packedToken(r)
		return
	}
	switch n := r.i32(); {
	case r.short:
	case n > 0:
		s.run, s.kind = int64(n), literal
	case n == 0:
		s.stage = inSum
	default:
		s.now.match(-int64(n)-1, 1)
	}
}

func (s *sender) packedToken(r *reader) {
	flag := r.u8()
	first, long := s.now.token, false
	switch {
	case r.short:
		return
	case flag&tokenKind == tokenDeflated:
		n := flag&tokenStep<<8 | r.u8()
		if !r.short {
			s.run, s.kind = int64(n), packed
		}
		return
	case flag == 0:
		s.codec.flush()
		s.stage = inSum
		return
	case flag&tokenRelative != 0:
		first += int64(flag & tokenStep)
		long = flag&tokenKind == tokenKind
	case flag == tokenLong, flag == tokenRunLong:
		first = int64(r.i32())
		long = flag == tokenRunLong
	default:
		r.bad = true
		return
	}
	run := int64(1)
	if long {
		run += int64(r.u16())
	}
	if r.short {
		return
	}
	s.codec.matched()
	s.now.match(first, run)
	s.now.token = first + run - 1
}
