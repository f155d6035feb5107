package eval

import (
	"fmt"
	"slices"
)

// Tier is what the sensors of a network see. Each has what the one before has.
type Tier struct {
	Name     string
	Commands bool    // 4688 with command lines, on all Windows hosts
	Audit    string  // 5145: "", "servers", "all"
	Sysmon   float64 // share of hosts; also of Linux hosts with an audit log
	Capture  bool    // of what goes between segments
	Zeek     bool    // at the same place, in place of a capture
	Tasks    bool    // 4698
}

// Tiers are all of them.
var Tiers = []Tier{
	{Name: "T0"},
	{Name: "T1", Commands: true, Audit: "servers"},
	{Name: "T2", Commands: true, Audit: "servers", Sysmon: 0.3},
	{Name: "T3", Commands: true, Audit: "servers", Sysmon: 0.3, Capture: true},
	{Name: "T4", Commands: true, Audit: "all", Sysmon: 1, Capture: true, Tasks: true},
}

// ZeekTiers are T3 and T4 with Zeek at the core in place of a capture.
var ZeekTiers = []Tier{
	{Name: "Z3", Commands: true, Audit: "servers", Sysmon: 0.3, Zeek: true},
	{Name: "Z4", Commands: true, Audit: "all", Sysmon: 1, Zeek: true, Tasks: true},
}

// TierOf finds a tier by its name.
func TierOf(name string) (Tier, error) {
	for _, t := range append(slices.Clone(Tiers), ZeekTiers...) {
		if t.Name == name {
			return t, nil
		}
	}
	return Tier{}, fmt.Errorf("unknown tier %q: use T0 to T4, Z3 or Z4", name)
}

func (t *Tier) sysmon(h *Host) bool { return t.Sysmon >= 1 || t.Sysmon > 0 && h.Sysmon }

func (t *Tier) audits(h *Host) bool {
	return h.Windows() && (t.Audit == "all" || t.Audit == "servers" && !h.client())
}

// starts says whether the host logs what is started.
func (t *Tier) starts(h *Host) bool {
	if h.Windows() {
		return t.Commands || t.sysmon(h)
	}
	return h.Role == "linux" && t.sysmon(h)
}
