package zeekscript

import (
	"fmt"
	"strings"

	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// order are the policy's exceptions and rules as entries of a vector, in the order in which
// they are asked.
func order(p *plan.Plan, strict bool) string {
	var b strings.Builder
	for _, x := range p.Exceptions {
		b.WriteString(comment("\t", fmt.Sprintf("exception %d, until %s (%s): %s", x.Number, x.Until, x.Owner, x.Reason)))
		b.WriteString(entry(x.From, x.To, x.Ports, true, x.End.Unix(), "exception"))
	}
	for _, r := range p.Rules {
		allowed := r.Action == prevent.Allow || r.Action == prevent.Candidate && !strict
		b.WriteString(comment("\t", fmt.Sprintf("rule %d, %s: %s", r.Number, r.Says(), r.Why)))
		b.WriteString(entry(r.From, r.To, r.Ports, allowed, 0, r.Says()))
	}
	if strict {
		b.WriteString(comment("\t", "what no rule says anything of (--strict)"))
		b.WriteString(entry(plan.End{At: plan.Everywhere}, plan.End{At: plan.Everywhere}, p.Ports, false, 0, "never happened while the policy was learned"))
	}
	return b.String()
}

// entry is one Waybill::Rule. A rule that ends never is until 0.
func entry(from, to plan.End, ports []prevent.Ports, allowed bool, until int64, why string) string {
	word := "F"
	if allowed {
		word = "T"
	}
	return fmt.Sprintf("\tRule($clients=%s,\n\t     $servers=%s,\n\t     $ports=%s, $allowed=%s, $until=%d.0, $why=%s),\n",
		subnets(from.At.Prefixes()), subnets(to.At.Prefixes()), ranges(ports), word, until, quoted(why))
}

// ranges are ports as Zeek writes them: numbers and transport.
func ranges(ports []prevent.Ports) string {
	var parts []string
	for _, p := range ports {
		parts = append(parts, fmt.Sprintf("Ports($first=%d/%s, $last=%d/%s)", p.First, p.Transport, p.Last, p.Transport))
	}
	return "vector(" + strings.Join(parts, ", ") + ")"
}
