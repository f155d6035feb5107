package scan

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// locate gives the table what earlier runs found lasting, after all that this run shows of
// who is where, and keeps the latter for later runs.
func (r *Records) locate(c *recall, hosts *identity.Table, found *telemetry.Result) {
	if c == nil {
		return
	}
	c.homes = hosts.Homes()
	end := newest(r.Transfers, r.Accesses)
	if found != nil {
		end = max(end, newest(found.Transfers, found.Accesses))
	}
	hosts.Recall(c.memory.Homes.Lasting(), end)
	c.recalled = map[model.Addr]bool{}
	for _, a := range hosts.Recalled() {
		c.recalled[a] = true
	}
}

// mostNamed is how many addresses a notice names.
const mostNamed = 3

// named says which names of hosts are from the history.
func (c *recall) named(r *Records) {
	hosts := map[model.Addr]string{}
	note := func(e *model.Endpoint) {
		if e != nil && e.Host != "" && c.recalled[e.IP] {
			hosts[e.IP] = e.Host
		}
	}
	for _, t := range r.Transfers {
		note(&t.Source)
		note(&t.Destination)
		note(t.Client)
	}
	for _, a := range r.Accesses {
		note(&a.Source)
		note(&a.Destination)
	}
	if len(hosts) == 0 {
		return
	}
	var words []string
	for _, a := range slices.SortedFunc(maps.Keys(hosts), func(a, b model.Addr) int { return bytes.Compare(a[:], b[:]) }) {
		words = append(words, fmt.Sprintf("%s (%s)", hosts[a], a))
	}
	if len(words) > mostNamed {
		words = append(words[:mostNamed], "...")
	}
	r.Notices = append(r.Notices, fmt.Sprintf("history: addresses that no input names have their names from the history (%d): %s", len(hosts), strings.Join(words, ", ")))
}
