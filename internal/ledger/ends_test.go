package ledger

import (
	"fmt"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// TestByEnd: of one name on a thousand hosts, that of the host is looked at and nothing else,
// whether a record names it or has its address.
func TestByEnd(t *testing.T) {
	hosts := &identity.Table{}
	address := func(i int) model.Addr { return model.Addr{10: 0xff, 11: 0xff, 12: 10, 14: byte(i >> 8), 15: byte(i)} }
	x := newByEnd(hosts)
	for i := range 1000 {
		hosts.Add(identity.Binding{Addr: address(i), Host: fmt.Sprintf("WS%d.corp.test", i), Last: 1e9})
	}
	for i := range 1000 {
		x.add("agent.exe", &model.Endpoint{IP: address(i)}, i)
	}
	for i := range 1000 {
		for _, e := range []model.Endpoint{{IP: address(i)}, {Host: fmt.Sprintf("ws%d", i)}} {
			looked := 0
			for n := range x.all("agent.exe", &e) {
				if looked++; n != i || looked > 2 {
					t.Fatalf("host %d: %d is looked at, %d in all", i, n, looked)
				}
			}
			if looked == 0 {
				t.Fatalf("host %d is not found by %v", i, e)
			}
		}
	}
	for n := range x.all("other.exe", &model.Endpoint{IP: address(1)}) {
		t.Fatalf("%d has another name", n)
	}
}
