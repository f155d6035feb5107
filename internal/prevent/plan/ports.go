package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/prevent"
)

// ports are those of a service of the policy, or of one named by its ports.
func (b *builder) ports(service string) (out []prevent.Ports, err error) {
	texts := []string{service}
	for _, s := range b.policy.Services {
		if s.Name == service {
			texts = s.Ports
		}
	}
	if len(texts) == 0 || len(texts) == 1 && !strings.Contains(texts[0], "/") {
		return nil, fmt.Errorf("service %q has no ports in the policy", service)
	}
	for _, t := range texts {
		p, err := prevent.ParsePorts(t)
		if err != nil {
			return nil, fmt.Errorf("service %q: %w", service, err)
		}
		out = append(out, p)
	}
	return Merge(out), nil
}

func (b *builder) services() error {
	for _, s := range b.policy.Services {
		ports, err := b.ports(s.Name)
		if err != nil {
			return err
		}
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
