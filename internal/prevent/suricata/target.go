package suricata

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// Target is Suricata.
var Target = prevent.Target{
	Name:  "suricata",
	What:  "rules for Suricata 7: content, names and services of findings, programs on administrative shares, what the policy denies; alerts only",
	Write: Write,
}

// rulesFile is the file that Suricata reads; it names the lists, which lie beside it.
const rulesFile = "waybill.rules"

// Write gives the rules file and the lists that it names. Numbers of rules are those of the
// rules file before, if c.Previous holds one.
func Write(p *prevent.Policy, c prevent.Choice) ([]prevent.File, error) {
	e, err := export(p, c)
	if err != nil {
		return nil, err
	}
	files := []prevent.File{{Name: rulesFile, Text: e.text()}}
	for _, r := range e.rules {
		if r.list != nil {
			files = append(files, prevent.File{Name: r.list.name, Text: r.list.text()})
		}
	}
	return files, nil
}

// exported is the rules of a policy with their numbers.
type exported struct {
	rules []*rule
	sids  []int
	revs  []int
	notes []string
	gone  string

	management []netip.Prefix
	proposed   bool
}

func export(p *prevent.Policy, c prevent.Choice) (*exported, error) {
	asked, err := plan.Of(p)
	if err != nil {
		return nil, fmt.Errorf("suricata: %w", err)
	}
	e := &exported{management: asked.Management.Prefixes(), proposed: p.Proposed()}
	found, unseen := indicators(p)
	denied, unwritten := denials(p, asked, c.Strict)
	e.rules = slices.Concat(found, behaviours(asked), denied)
	e.notes = append(unseen, unwritten...)
	return e, e.number(c.Previous)
}

// number gives each rule its sid and rev.
func (e *exported) number(before map[string][]byte) error {
	n := newNumbers(before[rulesFile])
	for _, r := range e.rules {
		changed := r.list != nil && !bytes.Equal(before[r.list.name], r.list.text())
		sid, rev, err := n.of(r.key, r.body(), changed)
		if err != nil {
			return err
		}
		e.sids, e.revs = append(e.sids, sid), append(e.revs, rev)
	}
	e.gone = n.gone()
	return nil
}

// text is the rules file.
func (e *exported) text() []byte {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString(comment("Management, left out of the rules for behaviour and policy: " + set{at: e.management}.String()))
	if e.proposed {
		b.WriteString("# It is PROPOSED: look at it in the policy before you rely on these rules.\n")
	}
	kind := ""
	for i, r := range e.rules {
		if r.kind != kind {
			kind = r.kind
			b.WriteString("\n" + titles[kind])
		}
		b.WriteString("\n")
		for _, w := range r.why {
			b.WriteString(comment(w))
		}
		fmt.Fprintf(&b, "%s sid:%d; rev:%d;)\n", r.body(), e.sids[i], e.revs[i])
	}
	if len(e.notes) > 0 {
		b.WriteString("\n## Left out\n")
		for _, n := range e.notes {
			b.WriteString(comment(n))
		}
	}
	if e.gone != "" {
		b.WriteString("\n## Numbers of rules that are gone; no other rule gets them\n" + e.gone)
	}
	return []byte(b.String())
}

var titles = map[string]string{
	kindIndicator: "## What findings hold\n",
	kindBehaviour: "## What intruders do\n",
	kindPolicy:    "## What the policy denies\n",
}

var head = fmt.Sprintf(`# Rules for Suricata 7, written by waybill from a policy and its findings.
#
# Put this file and the lists waybill-*.sha256, .sha1 and .md5 into one folder, name this file under
# rule-files, and try it: suricata -T -S %s. Sids are %d to %d; keep this file where
# the next export finds it, so that rules keep their numbers.
#
# It takes effect when Suricata loads it anew (suricatasc -c reload-rules), and is gone when it is
# taken out of rule-files and the rules are loaded anew.
#
# HOME_NET must be set to the networks inside, and not to any. Files are seen whole with
# stream.reassembly.depth 0, app-layer.protocols.smb.stream-depth 0, and request-body-limit and
# response-body-limit 0 of libhtp.
#
# All rules alert and none blocks. To block by the rules of the policy when Suricata runs inline,
# turn them into drop with suricata-update (drop.conf: re:waybill_kind policy), after
# waybill prevent check has shown what that would break.
#
# What goes encrypted (SMB 3, TLS, SSH, WinRM) shows neither names nor content here.
#
`, rulesFile, firstSID, lastSID)
