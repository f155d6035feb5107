package plan

import (
	"cmp"
	"fmt"
	"slices"

	"waybill/internal/prevent"
)

// ports are those of a service.
func (b *builder) ports(service string) ([]prevent.Ports, error) {
	for _, s := range b.plan.Services {
		if s.Name == service {
			return s.Ports, nil
		}
	}
	return nil, fmt.Errorf("unknown service %s", service)
}

// services reads the ports of the services.
func (b *builder) services() error {
	for _, s := range b.policy.Services {
		var ports []prevent.Ports
		for _, text := range s.Ports {
			p, err := prevent.ParsePorts(text)
			if err != nil {
				return fmt.Errorf("service %s: %w", s.Name, err)
			}
			ports = append(ports, p)
		}
		ports = Merge(ports)
		b.plan.Services = append(b.plan.Services, Service{s.Name, ports})
		b.plan.Ports = Merge(append(b.plan.Ports, ports...))
	}
	return nil
}

// Merge puts ranges in order and joins those that touch.
func Merge(ports []prevent.Ports) (out []prevent.Ports) {
	slices.SortFunc(ports, func(a, b prevent.Ports) int {
		return cmp.Or(cmp.Compare(a.Transport, b.Transport), cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	for _, p := range ports {
		if n := len(out) - 1; n >= 0 && out[n].Transport == p.Transport && int(p.First) <= int(out[n].Last)+1 {
			out[n].Last = max(out[n].Last, p.Last)
			continue
		}
		out = append(out, p)
	}
	return out
}

// width is the number of ports in the widest range.
func width(ports []prevent.Ports) (n int) {
	for _, p := range ports {
		n = max(n, int(p.Last)-int(p.First))
	}
	return n
}
