package identity

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"waybill/internal/model"
)

// TestLabels: two ends that are one host at some time have a label in common, whatever
// hosts were renamed, got addresses of others and have names of two domains.
func TestLabels(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	name := func() string {
		domains := []string{"", "", ".a.test", ".b.test"}
		return []string{"WS1", "ws2", "DESKTOP-3", "Srv4", "laptop-5", "kali"}[r.IntN(6)] + domains[r.IntN(4)]
	}
	address := func() model.Addr { return addr(fmt.Sprintf("10.0.0.%d", 1+r.IntN(5))) }
	end := func() (e model.Endpoint) {
		if r.IntN(3) > 0 {
			e.Host = name()
		}
		if r.IntN(3) > 0 {
			e.IP = address()
		}
		return e
	}
	same := 0
	for range 3000 {
		var hosts Table
		for range 1 + r.IntN(6) {
			first := model.Time(r.IntN(60)) * hour
			last := first + model.Time(r.IntN(30))*hour
			if r.IntN(3) == 0 {
				hosts.AddNaming(Naming{[]string{"host", "account"}[r.IntN(2)], fmt.Sprint(r.IntN(3)), name(), first, last})
				continue
			}
			mac := []string{"", "02:00:00:00:00:01", "02:00:00:00:00:02"}[r.IntN(3)]
			hosts.Add(Binding{Addr: address(), Host: name(), MAC: mac, First: first, Last: last, Lease: r.IntN(2) == 0, Weak: r.IntN(4) == 0, Hearsay: r.IntN(6) == 0})
		}
		for range 20 {
			a, b, at := end(), end(), model.Time(r.IntN(90))*hour
			if one, known := hosts.Same(a, b, at); !one || !known {
				continue
			}
			same++
			labels := hosts.Labels(a)
			if !slices.ContainsFunc(hosts.Labels(b), func(l string) bool { return slices.Contains(labels, l) }) {
				t.Fatalf("%v is %v at %d: %q, %q", a, b, at/hour, labels, hosts.Labels(b))
			}
		}
	}
	if same < 5000 {
		t.Errorf("only %d pairs were one host", same)
	}
}
