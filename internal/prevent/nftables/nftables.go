// Package nftables writes a policy as rules of nftables. In comes a policy; out go a ruleset for
// a gateway, one for the hosts of each group, and scripts that load them on trial and take them
// away. All keep to one table of their own. It never loads a rule.
package nftables

import (
	_ "embed"

	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// Target writes the rulesets and their scripts.
var Target = prevent.Target{Name: "nftables", What: "rulesets for a Linux gateway and for hosts, scripts that try them and take them away", Write: write}

//go:embed try.sh
var try []byte

//go:embed rollback.sh
var rollback []byte

func write(p *prevent.Policy, c prevent.Choice) ([]prevent.File, error) {
	pl, err := plan.Of(p)
	if err != nil {
		return nil, err
	}
	files := []prevent.File{{Name: "nftables-gateway.nft", Text: ruleset(p, pl, c, nil)}}
	for _, g := range pl.Groups {
		files = append(files, prevent.File{Name: "nftables-host-" + g.Name + ".nft", Text: ruleset(p, pl, c, g)})
	}
	return append(files, prevent.File{Name: "nftables-rollback.sh", Text: rollback}, prevent.File{Name: "nftables-try.sh", Text: try}), nil
}
