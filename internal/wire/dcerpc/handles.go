package dcerpc

// maxHandles is how many open handles are remembered.
const maxHandles = 1024

// handles remembers what context handles stand for. The zero value is ready.
type handles struct {
	names map[handle]string
	order []handle // as they were opened, for forgetting the oldest
}

func (s *handles) remember(h handle, name string) {
	if s.names == nil {
		s.names = map[handle]string{}
	}
	if _, known := s.names[h]; !known {
		s.order = append(s.order, h)
	}
	s.names[h] = name
	for len(s.order) > maxHandles {
		delete(s.names, s.order[0])
		s.order = s.order[1:]
	}
}

func (s *handles) forget(h handle) {
	if _, known := s.names[h]; !known {
		return
	}
	delete(s.names, h)
	for i, o := range s.order {
		if o == h {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}
