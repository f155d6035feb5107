package behaviour

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/suricata"
	"waybill/internal/scan"
)

// guard is the policy that the everyday week teaches.
type guard struct {
	policy *prevent.Policy
	filter *prevent.Filter
}

// newGuard learns from what a scan of the week found.
func newGuard(week *scan.Records) (*guard, error) {
	p := prevent.Learn(prevent.Moves(&week.Records), prevent.LearnOptions{})
	p.Indicators = prevent.Indicators(&week.Records)
	f, err := p.Compile()
	return &guard{p, f}, err
}

// The outcomes of a playing.
const (
	stopped   = "stopped"
	strict    = "strict" // stopped with --strict only
	passes    = "passes"
	notJudged = "not judged"
	nothing   = "nothing moved"
)

// Prevented is what the policy of the week would have done to a playing, and what rules for
// Suricata that are made of it would have shown.
type Prevented struct {
	Outcome string // "" where nothing moved
	Host    string // where the file would not have come to
	Before  int    // hosts that it came to before
	Shown   string // the host that had it when a sensor showed it, "" for none
	Doubt   bool   // of what is shown: no packet says that it was not encrypted
}

// try lets what was played go through the filter, in the order of time.
func (g *guard) try(b *stage, found *scan.Records) (p Prevented) {
	played := b.transfers(found)
	before := map[string]bool{}
	for _, m := range prevent.Moves(&found.Records) {
		if m.Transfer == nil || !slices.Contains(played, m.Transfer) {
			continue
		}
		d, to := g.filter.Decide(&m), m.Transfer.Destination.Name()
		switch {
		case !d.Passes(false):
			p.Outcome, p.Host, p.Before = stopped, to, len(before)
		case !d.Passes(true) && p.Outcome != strict:
			p.Outcome, p.Host, p.Before = strict, to, len(before)
		case d.Outcome == prevent.Allowed && p.Outcome != strict:
			p.Outcome = passes
		default:
			p.Outcome = cmp.Or(p.Outcome, notJudged)
		}
		if p.Outcome == stopped {
			break
		}
		before[to] = true
	}
	g.show(&p, b.onTheWire(played), found.Accesses)
	return p
}

// show asks which transfer the rules for Suricata would have shown first.
func (g *guard) show(p *Prevented, played []*model.Transfer, accesses []*model.Access) {
	r := &model.Records{Transfers: played, Accesses: append(connects(played), accesses...)}
	alerts, err := suricata.Foretell(g.policy, prevent.Choice{}, r, suricata.HomeNet)
	if err != nil {
		return // a policy without management sources makes no rules
	}
	for _, a := range alerts {
		i := slices.IndexFunc(played, func(t *model.Transfer) bool { return t.ID == a.Transfer })
		if i >= 0 && a.Kind != "policy" {
			p.Shown, p.Doubt = played[i].Destination.Name(), a.Doubt != ""
			return
		}
	}
}

// onTheWire gives transfers the type that their bytes have and no log tells.
func (b *stage) onTheWire(played []*model.Transfer) (out []*model.Transfer) {
	for _, t := range played {
		x := *t
		if name := strings.ToLower(t.Name); x.Type == "" && cmp.Or(b.kinds[name], kindOf(name)) == "pe" {
			x.Type = "pe"
		}
		out = append(out, &x)
	}
	return out
}

// connects are what a client has to do on the wire before it writes to a share, and what logs
// of files seldom tell (MS-SMB2 3.2.4.2): it connects to it.
func connects(played []*model.Transfer) (out []*model.Access) {
	for _, t := range played {
		if t.Initiator == model.BySource && t.Share != "" && model.ChannelFamily(t.Channel) == "smb" {
			out = append(out, &model.Access{ID: "connect of " + t.ID, Time: min(t.Start, t.End) - 1, What: "share-connect", Channel: t.Channel, Share: `\\` + t.Destination.Name() + `\` + lastElement(t.Share), Source: t.Source, Destination: t.Destination})
		}
	}
	return out
}

// transfers are those of what was played: of an intruder's doing its movements, else all.
func (b *stage) transfers(found *scan.Records) (out []*model.Transfer) {
	for _, t := range found.Transfers {
		if len(b.moved) == 0 || slices.ContainsFunc(b.moved, func(m *movement) bool { return !m.context && b.is(m, t) }) {
			out = append(out, t)
		}
	}
	return out
}

// cell is what the table says: everyday work breaks where an intruder is stopped.
func (p *Prevented) cell(expect string) string {
	text := p.Outcome
	if expect == Benign && p.Outcome == stopped {
		text = "breaks"
	}
	if p.Host != "" {
		text += " at " + short(p.Host)
	}
	switch p.Before {
	case 0:
	case 1:
		text += " after 1 host"
	default:
		text += fmt.Sprintf(" after %d hosts", p.Before)
	}
	if p.Shown != "" {
		text += ", shown at " + short(p.Shown)
	}
	if p.Doubt {
		text += "?"
	}
	return cmp.Or(text, nothing)
}

// short is a name without its domain.
func short(host string) string {
	bare, domain, _ := strings.Cut(host, ".")
	if strings.Trim(domain, ".0123456789") == "" {
		return host // an address, or no domain
	}
	return bare
}

func (p *Prevented) record() map[string]any {
	out := map[string]any{"outcome": cmp.Or(p.Outcome, nothing)}
	if p.Host != "" {
		out["host"], out["hosts_before"] = p.Host, p.Before
	}
	if p.Shown != "" {
		out["shown"], out["shown_in_doubt"] = p.Shown, p.Doubt
	}
	return out
}

// preventedSums says how often each outcome is, of the rows that want the same.
func preventedSums(w io.Writer, rows []Row) {
	for _, expect := range []string{Detect, Context, Negative, Benign} {
		count, shown := map[string]int{}, 0
		for _, r := range rows {
			if p := &r.After.Main.Prevented; r.Expect == expect {
				count[cmp.Or(p.Outcome, nothing)]++
				if p.Shown != "" {
					shown++
				}
			}
		}
		if len(count) > 0 {
			fmt.Fprintf(w, "policy of the week, %s: %d stopped, %d with --strict, %d pass, %d not judged, %d moved nothing; %d shown by rules for Suricata\n",
				expect, count[stopped], count[strict], count[passes], count[notJudged], count[nothing], shown)
		}
	}
}
