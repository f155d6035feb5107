// Package winfw writes a policy as rules of Windows Defender Firewall. In comes a policy; out go
// a PowerShell script for the hosts of each group, that makes rules which block what comes in,
// and scripts that try one and take the rules away. All rules are of one group of rules; no
// other is touched, and none is made by waybill itself.
package winfw

import (
	_ "embed"

	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// Target writes the scripts.
var Target = prevent.Target{Name: "windows", What: "PowerShell scripts with New-NetFirewallRule a group of hosts, trial and rollback", Write: write}

//go:embed try.ps1
var try []byte

//go:embed rollback.ps1
var rollback []byte

func write(p *prevent.Policy, c prevent.Choice) ([]prevent.File, error) {
	pl, err := plan.Of(p)
	if err != nil {
		return nil, err
	}
	var files []prevent.File
	for _, g := range pl.Groups {
		w := &writer{policy: p, plan: pl, strict: c.Strict, group: g, numbers: map[string]int{}, lists: map[string]int{}}
		files = append(files, prevent.File{Name: "windows-" + g.Name + ".ps1", Text: w.script()})
	}
	return append(files, prevent.File{Name: "windows-rollback.ps1", Text: rollback}, prevent.File{Name: "windows-try.ps1", Text: try}), nil
}
