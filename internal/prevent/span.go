package prevent

import (
	"cmp"
	"slices"
)

// Span is ports that the same services hold. A filter by ports does not know what goes over
// them: it asks the rules of all these services, narrow ones first, so that tcp/50000 comes
// before the dynamic ports of RPC.
type Span struct {
	Ports
	Services []int // numbers in the policy
}

// held is the ports of a service, read.
type held struct {
	ranges []Ports
	width  int // of the widest range
}

// held reads the ports of all services; Check has said what cannot be read.
func (p *Policy) held() []held {
	out := make([]held, len(p.Services))
	for i, s := range p.Services {
		for _, text := range s.Ports {
			if r, err := ParsePorts(text); err == nil {
				out[i].ranges = append(out[i].ranges, r)
				out[i].width = max(out[i].width, int(r.Last)-int(r.First)+1)
			}
		}
	}
	return out
}

func (h *held) covers(p Ports) bool {
	for _, r := range h.ranges {
		if r.Transport == p.Transport && r.First <= p.First && p.Last <= r.Last {
			return true
		}
	}
	return false
}

// Spans are the ports of all services, in order; none overlaps another.
func (p *Policy) Spans() (out []Span) {
	services := p.held()
	for _, transport := range []string{"tcp", "udp"} {
		ends := cuts(services, transport)
		for i := 1; i < len(ends); i++ {
			s := Span{Ports: Ports{transport, uint16(ends[i-1]), uint16(ends[i] - 1)}}
			for j := range services {
				if services[j].covers(s.Ports) {
					s.Services = append(s.Services, j)
				}
			}
			narrowFirst(s.Services, services)
			if len(s.Services) > 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

// cuts are where ports of a service begin or have ended.
func cuts(services []held, transport string) (out []int) {
	for i := range services {
		for _, r := range services[i].ranges {
			if r.Transport == transport {
				out = append(out, int(r.First), int(r.Last)+1)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func narrowFirst(numbers []int, services []held) {
	slices.SortStableFunc(numbers, func(a, b int) int { return cmp.Compare(services[a].width, services[b].width) })
}

// wider gives for each service it and those that hold all of its ports, narrow ones first.
func (p *Policy) wider() [][]int {
	services := p.held()
	out := make([][]int, len(services))
	for i := range services {
		out[i] = []int{i}
		for j := range services {
			outside := func(r Ports) bool { return !services[j].covers(r) }
			if services[j].width > services[i].width && !slices.ContainsFunc(services[i].ranges, outside) {
				out[i] = append(out[i], j)
			}
		}
		narrowFirst(out[i], services)
	}
	return out
}

// asked are the services whose rules a filter by ports asks about a move, in its order: those
// that hold the server's port where it is known. There are none for a port that the policy
// says nothing of.
func (f *Filter) asked(m *Move) []int {
	s, named := f.services[m.Service]
	if !named {
		p, err := ParsePorts(m.Service)
		if err != nil {
			return nil
		}
		return f.holding(p.Transport, p.First)
	}
	transport := "tcp"
	if m.Channel == "udp" {
		transport = "udp"
	}
	if at := f.holding(transport, m.Server.Port); slices.Contains(at, int(s)) {
		return at
	}
	return f.wide[s]
}

// holding are the services that hold a port.
func (f *Filter) holding(transport string, port uint16) []int {
	i, _ := slices.BinarySearchFunc(f.spans, port, func(s Span, port uint16) int {
		return cmp.Or(cmp.Compare(s.Transport, transport), cmp.Compare(s.Last, port))
	})
	if i < len(f.spans) && f.spans[i].Transport == transport && f.spans[i].First <= port {
		return f.spans[i].Services
	}
	return nil
}
