package nftables

import (
	"bytes"
	"fmt"
	"time"

	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// writer writes one ruleset.
type writer struct {
	policy *prevent.Policy
	plan   *plan.Plan
	strict bool
	host   *plan.Group // whose hosts load it; nil for a gateway
	out    bytes.Buffer
}

// ruleset is that of a gateway, or of the hosts of a group.
func ruleset(p *prevent.Policy, pl *plan.Plan, c prevent.Choice, host *plan.Group) []byte {
	w := &writer{policy: p, plan: pl, strict: c.Strict, host: host}
	w.header()
	w.line("# There is always one to delete then; the file is one transaction.")
	w.line("table inet waybill")
	w.line("delete table inet waybill")
	w.line("")
	w.line("table inet waybill {")
	w.helpers()
	w.sets()
	w.hook()
	w.judge()
	for _, r := range w.rules() {
		w.rule(r)
		w.line("")
	}
	w.candidate()
	w.line("}")
	return w.out.Bytes()
}

func (w *writer) line(format string, a ...any) { fmt.Fprintf(&w.out, format+"\n", a...) }

// note writes a comment; its text may come from anywhere.
func (w *writer) note(indent, format string, a ...any) {
	w.line("%s# %s", indent, plan.Plain(fmt.Sprintf(format, a...), 400))
}

// comment is what nft shows with a rule; it takes 128 bytes (nftables, NFTNL_UDATA_COMMENT_MAXLEN).
func comment(format string, a ...any) string {
	return `comment "` + plan.Plain(fmt.Sprintf(format, a...), 120) + `"`
}

// sees says whether connections to an end pass here: a host sees what comes to it.
func (w *writer) sees(to plan.End) bool {
	return w.host == nil || to.In(w.host)
}

func (w *writer) rules() (out []plan.Rule) {
	for _, r := range w.plan.Rules {
		if w.sees(r.To) {
			out = append(out, r)
		}
	}
	return out
}

func (w *writer) exceptions() (out []plan.Exception) {
	for _, x := range w.plan.Exceptions {
		if w.sees(x.To) {
			out = append(out, x)
		}
	}
	return out
}

// to is the destination as it has to be matched: hosts of the group need not be, so that
// they are known at new addresses too.
func (w *writer) to(e plan.End) *side {
	if w.host != nil && e.Group == w.host {
		return nil
	}
	return of(e)
}

// hook lets pass at once what is not judged: what is open, management, other ports.
func (w *writer) hook() {
	name := "forward"
	if w.host != nil {
		name = "input"
	}
	w.line("\tchain %s {", name)
	w.line("\t\ttype filter hook %s priority filter; policy accept;", name)
	if w.host != nil {
		w.line("\t\tiif \"lo\" accept")
	}
	w.line("\t\tct state established,related accept")
	w.line("\t\t# Only the packet that opens a connection is judged: what was open before stays open.")
	w.line("\t\ttcp flags & (syn | ack) != syn accept")
	w.helped()
	for _, m := range ends(named("management", w.plan.Management), nil) {
		w.line("\t\t%scounter accept %s", m, comment("management"))
	}
	for _, m := range dports(w.plan.Ports) {
		w.line("\t\t%sgoto judge", m)
	}
	w.line("\t}\n")
}

// judge asks exceptions and rules in their order; the first that fits counts.
func (w *writer) judge() {
	w.line("\tchain judge {")
	for _, x := range w.exceptions() {
		w.exception(x)
	}
	for _, r := range w.rules() {
		w.note("\t\t", "rule %d: %s", r.Number, r.Says())
		for _, m := range matches(of(r.From), w.to(r.To), r.Ports) {
			w.line("\t\t%sgoto rule_%d", m, r.Number)
		}
	}
	w.line("\t\t# No rule fits: it never happened in the window.")
	client := named("known", w.plan.Known)
	server := client
	if w.host != nil {
		server = nil
	}
	for _, m := range ends(client, server) {
		w.line("\t\t%sgoto candidate", m)
	}
	w.line("\t}\n")
}

// exception ends by the clock of the machine that loads it.
func (w *writer) exception(x plan.Exception) {
	w.note("\t\t", "exception %d until %s, of %s: %s -> %s, %s: %s", x.Number, x.Until, x.Owner, x.Exception.From, x.Exception.To, x.Service, x.Reason)
	for _, m := range matches(of(x.From), w.to(x.To), x.Ports) {
		w.line("\t\tmeta time < \"%s\" %scounter accept %s", x.End.Format(time.DateTime), m, comment("exception %d until %s, of %s: %s", x.Number, x.Until, x.Owner, x.Reason))
	}
}

// rule is what becomes of exchanges that a rule fits.
func (w *writer) rule(r plan.Rule) {
	w.note("\t", "%s", r.Why)
	w.line("\tchain rule_%d {", r.Number)
	w.end(r.Action, fmt.Sprintf("rule %d", r.Number), comment("%s: %s", r.Says(), r.Why))
}

// candidate is what becomes of exchanges that no rule fits.
func (w *writer) candidate() {
	w.line("\tchain candidate {")
	w.end(prevent.Candidate, "no rule", comment("never happened in the window"))
}

// end closes a chain with its verdict. The limit is of log lines alone.
func (w *writer) end(action, who, comment string) {
	verdict := "accept"
	if action == prevent.Deny || action == prevent.Candidate && w.strict {
		verdict = "drop"
	}
	if action != prevent.Allow {
		w.line("\t\tlimit rate 10/second burst 20 packets log prefix \"waybill %s %s: \" level info", action, who)
	}
	w.line("\t\tcounter %s %s", verdict, comment)
	w.line("\t}")
}
