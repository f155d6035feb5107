package rsync

// maxEntries bounds the files that may be asked for at one time.
const maxEntries = 1 << 22

// list begins a part of the file list.
func (s *sender) list() {
	s.part, s.stage = &list{first: s.next}, inList
}

// entry reads one entry of the file list, or its end.
func (s *sender) entry(r *reader) {
	e, end := s.lister.entry(r, s.part)
	switch {
	case r.short || r.bad:
	case end:
		s.listed()
	default:
		s.add(e)
	}
}

func (s *sender) add(e entry) {
	cost := entryCost + int64(len(e.name))
	if s.files >= maxEntries || !s.d.p.env.Budget().Take(cost) {
		s.end("over the memory budget")
		s.d.deaf("over-budget")
		return
	}
	s.files++
	s.part.cost += cost
	s.part.entries = append(s.part.entries, e)
}

// free forgets a list.
func (s *sender) free(l *list) {
	if l != nil {
		s.d.p.env.Budget().Give(l.cost)
		s.files -= len(l.entries)
	}
}

// listed ends a list. Behind the first one come the names of users and groups, unless
// they are in the entries, and errors below protocol 30.
func (s *sender) listed() {
	if !s.a.unsorted {
		s.part.sort(s.a.version)
	}
	first := len(s.lists) == 0 && s.phase == 0 && !s.a.parts
	s.lists = append(s.lists, s.part)
	s.next += int32(len(s.part.entries)) + 1
	s.d.several = s.d.several || len(s.lists) > 1 || len(s.part.entries) > 1
	s.part = nil
	if s.stage = inFiles; first {
		s.stage = s.behind(inUsers)
	}
}

// behind is the first stage from one on that there is.
func (s *sender) behind(at stage) stage {
	named := !s.a.numericIDs
	switch {
	case at <= inUsers && named && (s.a.owner || s.a.acls):
		return inUsers
	case at <= inGroups && named && (s.a.group || s.a.acls):
		return inGroups
	case at <= inErrors && s.a.version < 30:
		return inErrors
	}
	return inFiles
}

// owner reads one number with its name, or the end of the list (uidlist.c).
func (s *sender) owner(r *reader) {
	id := r.varint30()
	if id != 0 || s.a.idZero {
		r.take(r.u8())
	}
	if id == 0 && !r.short {
		s.stage = s.behind(s.stage + 1)
	}
}

// done says that all files of the first part of the list, or of all, were sent.
func (s *sender) done() {
	if s.a.parts && len(s.lists) > 0 {
		s.free(s.lists[0])
		if s.lists = s.lists[1:]; len(s.lists) > 0 {
			return
		}
	}
	last := 2
	if s.a.version < 29 {
		last = 1
	}
	if s.phase++; s.phase > last {
		s.end("")
	}
}

// at is the file of a number, nil when there is none.
func (s *sender) at(n int32) *entry {
	for _, l := range s.lists {
		if i := int64(n) - int64(l.first); i >= 0 && i < int64(len(l.entries)) {
			return &l.entries[i]
		}
	}
	return nil
}
