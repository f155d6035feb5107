package prevent

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/model"
)

// maxIndicators bounds what a policy tells sensors to look for: those of the strongest
// findings are kept.
const maxIndicators = 10_000

// Indicators are what the findings of low or above hold that sensors can look for, the
// strongest finding first. What the site suppresses gives none.
func Indicators(r *model.Records) []Indicator { return indicatorsOf(r, Moves(r)) }

// indicatorsOf is Indicators where the moves of the records are there already.
func indicatorsOf(r *model.Records, moves []Move) []Indicator {
	c := collector{at: map[[2]string]int{}, of: map[of]int{}, ordinary: elsewhere(r)}
	findings := slices.Clone(r.Findings)
	slices.SortStableFunc(findings, func(a, b *model.Finding) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	transfers := map[string]*model.Transfer{}
	for _, t := range r.Transfers {
		transfers[t.ID] = t
	}
	around := accessesOf(moves)
	for _, f := range findings {
		if f.Severity < model.Low || f.Suppressed != nil {
			continue
		}
		c.finding = f
		for _, id := range f.Transfers {
			if t := transfers[id]; t != nil {
				c.transfer(t)
			}
		}
		for _, a := range around[f.ID] {
			c.access(a)
		}
	}
	return c.out
}

// accessesOf are the accesses that go with findings, by the finding.
func accessesOf(moves []Move) map[string][]*model.Access {
	out := map[string][]*model.Access{}
	for i := range moves {
		if m := &moves[i]; m.Access != nil && m.Bad() {
			out[m.Finding.ID] = append(out[m.Finding.ID], m.Access)
		}
	}
	return out
}

// maxOfFinding bounds those of one kind of a finding: a file with a new name on each host is not
// known by its names.
const maxOfFinding = 32

// of is a finding and a kind of indicator.
type of struct {
	finding *model.Finding
	what    string
}

// collector puts indicators together, each value once.
type collector struct {
	finding  *model.Finding
	ordinary map[string]bool
	of       map[of]int
	at       map[[2]string]int
	out      []Indicator
}

func (c *collector) add(what, value, channel string, sealed bool) {
	if value == "" || unprintable(value) || len(value) > 4*maxName {
		return
	}
	k := [2]string{what, strings.ToLower(value)}
	if i, twice := c.at[k]; twice {
		c.out[i].Sealed = c.out[i].Sealed && sealed // seen in the clear once is seen
		return
	}
	if len(c.out) >= maxIndicators || c.of[of{c.finding, what}] >= maxOfFinding {
		return
	}
	c.of[of{c.finding, what}]++
	c.at[k] = len(c.out)
	c.out = append(c.out, Indicator{What: what, Value: value, Channel: channel, Finding: c.finding.ID, Analytic: strongest(c.finding),
		Severity: c.finding.Severity, Techniques: slices.Clone(c.finding.Techniques), Sealed: sealed})
}

// strongest is the analytic that gives most to a finding.
func strongest(f *model.Finding) string {
	best := ""
	most := 0.0
	for _, r := range f.Reasons {
		if r.Nats > most {
			best, most = r.Analytic, r.Nats
		}
	}
	if best == "" && len(f.Analytics) > 0 {
		return f.Analytics[0]
	}
	return best
}

// transfer takes what a transfer of the finding shows.
func (c *collector) transfer(t *model.Transfer) {
	sealed := t.Completeness == model.Opaque || t.Session != nil && t.Session.Encrypted
	c.add("sha256", t.SHA256, t.Channel, sealed)
	c.add("md5", t.MD5, t.Channel, sealed)
	c.add("sha1", t.SHA1, t.Channel, sealed)
	for _, h := range t.Hashes {
		if digits[h.Alg] == len(h.Value) {
			c.add(h.Alg, strings.ToLower(h.Value), t.Channel, sealed)
		}
	}
	for _, name := range append([]string{t.Name}, t.EarlierNames...) {
		if c.distinctive(name) {
			c.add("name", name, t.Channel, sealed)
		}
	}
	share := strings.ToLower(t.Share[strings.LastIndexAny(t.Share, `\/`)+1:])
	if adminShare(share) && t.Path != "" && t.Initiator == model.BySource {
		c.add("path", strings.ToUpper(share)+`\`+strings.TrimLeft(t.Path, `\/`), t.Channel, sealed)
	}
	for _, x := range t.Executed {
		if x.How == "service" && distinctiveService(x.Process) {
			c.add("service-name", x.Process, "dcerpc", sealed)
		}
	}
}

// access takes what an access shows that goes with the finding.
func (c *collector) access(a *model.Access) {
	switch {
	case a.What == "service-create" && distinctiveService(a.Object):
		c.add("service-name", a.Object, a.Channel, false)
	case a.What == "pipe-open" && a.Detail != "": // no service of Windows has it
		c.add("pipe", strings.TrimPrefix(strings.ToLower(a.Object), `\`), a.Channel, false)
	}
}

// leastName is how long a name is at least that says something by itself.
const leastName = 6

// distinctive says whether a name is one to look for: a program's or archive's, none that
// hosts have anyway, and none that was seen in transfers that no finding holds.
func (c *collector) distinctive(name string) bool {
	lower := strings.ToLower(name)
	stem, ext := lower, ""
	if i := strings.LastIndexByte(lower, '.'); i > 0 {
		stem, ext = lower[:i], lower[i+1:]
	}
	return len(lower) >= leastName && suspect[ext] && !everywhere[stem] && !c.ordinary[lower] && !strings.ContainsAny(name, `\/:*?"<>|`)
}

// suspect are endings of what runs or holds what runs.
var suspect = set("exe dll sys msi msix scr com cpl bat cmd ps1 psm1 vbs vbe js jse wsf hta lnk jar py sh elf so bin run zip rar 7z cab iso img vhd vhdx tar gz tgz")

// everywhere are programs that hosts have, and names that many programs have: to look for
// them finds everyday life.
var everywhere = set("cmd powershell pwsh explorer svchost services lsass csrss winlogon wininit smss rundll32 regsvr32 mshta wscript cscript msiexec notepad calc " +
	"conhost taskhost taskhostw dllhost spoolsv wmiprvse net net1 sc reg schtasks at whoami ipconfig ping nltest netsh certutil bitsadmin robocopy xcopy " +
	"mstsc ssh scp sftp curl wget tar python python3 java javaw node chrome firefox msedge iexplore outlook winword excel onedrive teams " +
	"setup install installer uninstall update updater upgrade patch client agent server service launcher helper start run main test tool tools " +
	"backup script archive files file data download package release readme index config default bash busybox vcredist vc_redist dotnetfx")

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// distinctiveService says whether a service's name says something by itself.
func distinctiveService(name string) bool {
	return len(name) >= 4 && !everywhere[strings.ToLower(name)] && !strings.ContainsAny(name, `\/`)
}

// elsewhere are the names of files in transfers that no finding of low or above holds.
func elsewhere(r *model.Records) map[string]bool {
	bad := map[string]bool{}
	for _, f := range r.Findings {
		for _, id := range f.Transfers {
			bad[id] = bad[id] || f.Severity >= model.Low && f.Suppressed == nil
		}
	}
	out := map[string]bool{}
	for _, t := range r.Transfers {
		if !bad[t.ID] && t.Name != "" {
			out[strings.ToLower(t.Name)] = true
		}
	}
	return out
}
