package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"waybill/internal/history"
	"waybill/internal/model"
)

// homes prints which hosts have which addresses for good.
func (p *page) homes(m *history.Memory) {
	lasting := m.Homes.Lasting()
	if len(lasting) == 0 {
		return
	}
	p.f("\nAddresses that hosts have for good (%d of %d that are remembered)\n", len(lasting), len(m.Homes))
	w := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	for _, x := range lasting[:min(p.top, len(lasting))] {
		fmt.Fprintf(w, "  %s\t%s\t%s to %s\n", x.Addr, cell(x.Host), dayText(x.First), dayText(x.Last))
	}
	w.Flush()
}

// addresses is all that is remembered of who was where.
func (p *page) addresses(enc *json.Encoder, m *history.Memory) {
	lasting := map[model.Addr]bool{}
	for _, x := range m.Homes.Lasting() {
		lasting[x.Addr] = true
	}
	for _, x := range m.Homes.Sorted() {
		enc.Encode(struct {
			Kind    string     `json:"kind"`
			Address model.Addr `json:"address"`
			Host    string     `json:"host,omitempty"`
			First   model.Time `json:"first"`
			Last    model.Time `json:"last"`
			Moved   bool       `json:"moved,omitempty"`
			Lasting bool       `json:"lasting,omitempty"`
		}{"address", x.Addr, x.Host, x.First, x.Last, x.Moved, lasting[x.Addr]})
	}
}
