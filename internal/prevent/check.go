package prevent

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
)

// Problem is what is wrong with a policy, and where: keys and numbers from the top.
type Problem struct {
	Where []any // "rules", 3, "service"
	Text  string
}

func (p *Problem) Error() string {
	var b strings.Builder
	for _, w := range p.Where {
		switch w := w.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(w+1) + "]")
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(w)
		}
	}
	return b.String() + ": " + p.Text
}

func problem(text string, where ...any) error { return &Problem{Where: where, Text: text} }

// Check says what is wrong with a policy: the first thing found, nil for nothing. A policy
// without management sources is refused, since its rules would lock out who has to repair.
func (p *Policy) Check() error {
	if err := p.check(); err != nil {
		return err
	}
	if len(p.Management) == 0 {
		return problem("no management source: name the hosts that administer others, as management: [10.0.0.5, 10.9.0.0/24]", "management")
	}
	return nil
}

// check is all of Check but that there is a management source.
func (p *Policy) check() error {
	if p.Version != PolicyVersion {
		return problem(fmt.Sprintf("this program knows version %d", PolicyVersion), "version")
	}
	if len(p.Groups) == 0 || len(p.Rules) == 0 {
		return problem("an empty policy protects nothing: give groups and rules, or have them learned (waybill prevent learn)")
	}
	c := checker{p, p.index()}
	for _, check := range []func() error{c.checkGroups, c.checkNetworks, c.checkServices, c.checkManagement, c.checkRules, c.checkExceptions, c.checkIndicators} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checker checks the parts of a policy.
type checker struct {
	*Policy
	ix *index
}

// checkGroups looks for names that are wrong and hosts that are in two groups.
func (p *checker) checkGroups() error {
	names, hosts, addresses := map[string]bool{}, map[string]string{}, map[netip.Addr]string{}
	for i := range p.Groups {
		g := &p.Groups[i]
		if !isName(g.Name) || g.Name == AnyGroup {
			return problem(fmt.Sprintf("group name %q: use up to 40 small letters, digits and -, and not any", g.Name), "groups", i, "name")
		}
		if names[g.Name] {
			return problem(fmt.Sprintf("a second group %s: put them together", g.Name), "groups", i, "name")
		}
		names[g.Name] = true
		if len(g.Hosts)+len(g.Networks) == 0 {
			return problem(fmt.Sprintf("group %s has no hosts and no networks: give it some, or take it out", g.Name), "groups", i)
		}
		for j, h := range g.Hosts {
			if h.Name == "" && len(h.Addresses) == 0 || plain(h.Name) != h.Name {
				return problem("a host without a name that can be printed and without address", "groups", i, "hosts", j)
			}
			if other, twice := hosts[lower(h.Name)]; twice && h.Name != "" {
				return problem(fmt.Sprintf("%s is in %s and in %s: take it out of one", h.Name, other, g.Name), "groups", i, "hosts", j)
			}
			hosts[lower(h.Name)] = g.Name
			for _, a := range h.Addresses {
				if !a.IsValid() || a.Zone() != "" || a.Is4In6() {
					return problem(fmt.Sprintf("address %s: write it plainly, as 10.0.0.5 or 2001:db8::5", a), "groups", i, "hosts", j, "addresses")
				}
				if other, twice := addresses[a]; twice && other != g.Name {
					return problem(fmt.Sprintf("%s is in %s and in %s: take it out of one", a, other, g.Name), "groups", i, "hosts", j, "addresses")
				}
				addresses[a] = g.Name
			}
		}
	}
	return nil
}

// isName says whether a word can be a group: targets use it as it is.
func isName(s string) bool {
	return s != "" && len(s) <= 40 && s[0] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// checkNetworks looks for networks that overlap, and hosts in the network of another group.
func (p *checker) checkNetworks() error {
	nets := p.owned()
	for i := range p.Groups {
		for j, n := range p.Groups[i].Networks {
			if n != n.Masked() || n.Bits() == 0 || n.Addr().Is4In6() {
				return problem(fmt.Sprintf("network %s: write its first address, as 10.0.1.0/24", n), "groups", i, "networks", j)
			}
		}
	}
	for x := 1; x < len(nets); x++ {
		// Sorted by address and length, a network that holds another one comes before it.
		if a, b := nets[x-1], nets[x]; a.net.Overlaps(b.net) {
			return problem(fmt.Sprintf("network %s of %s overlaps %s of %s", b.net, p.Groups[b.group].Name, a.net, p.Groups[a.group].Name), "groups", b.group, "networks", b.at)
		}
	}
	for i := range p.Groups {
		for j, h := range p.Groups[i].Hosts {
			for _, a := range h.Addresses {
				if n := nets.find(a); n != nil && n.group != i {
					return problem(fmt.Sprintf("%s of %s lies in %s of %s: make the network smaller", a, p.Groups[i].Name, n.net, p.Groups[n.group].Name), "groups", i, "hosts", j, "addresses")
				}
			}
		}
	}
	return nil
}

func (p *checker) checkServices() error {
	names := map[string]bool{}
	for i, s := range p.Services {
		if s.Name == "" || len(s.Name) > 40 || strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789-/") != "" {
			return problem(fmt.Sprintf("service name %q: use small letters, digits, - and /", s.Name), "services", i, "name")
		}
		if names[s.Name] {
			return problem("a second service "+s.Name, "services", i, "name")
		}
		names[s.Name] = true
		if len(s.Ports) == 0 {
			return problem(fmt.Sprintf("service %s has no ports", s.Name), "services", i)
		}
		for j, ports := range s.Ports {
			if _, err := ParsePorts(ports); err != nil {
				return problem(err.Error(), "services", i, "ports", j)
			}
		}
	}
	return nil
}

func (p *checker) checkManagement() error {
	for i, s := range p.Management {
		if n, ok := networkOf(s); s == AnyGroup || ok && n.Bits() == 0 {
			return problem("any host a management source: name the hosts that administer others", "management", i)
		}
		if err := p.ix.known(s); err != nil {
			return problem(err.Error(), "management", i)
		}
	}
	return nil
}

func (p *checker) checkRules() error {
	seen := map[[3]string]int{}
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, e := range [...][2]string{{"from", r.From}, {"to", r.To}} {
			if err := p.ix.end(e[1]); err != nil {
				return problem(err.Error(), "rules", i, e[0])
			}
		}
		if err := p.checkService(r.Service, "rules", i, "service"); err != nil {
			return err
		}
		switch {
		case r.Action != Allow && r.Action != Deny && r.Action != Candidate:
			return problem(fmt.Sprintf("action %q: say allow, deny or candidate", r.Action), "rules", i, "action")
		case r.Action == Allow && r.From == AnyGroup && r.To == AnyGroup:
			return problem("this lets every host reach every host: name a group", "rules", i)
		}
		k := [3]string{r.From, r.To, r.Service}
		if first, twice := seen[k]; twice && p.Rules[first].Action != r.Action {
			return problem(fmt.Sprintf("rule %d says %s of the same hosts and service, this one %s: keep one", first+1, p.Rules[first].Action, r.Action), "rules", i, "action")
		}
		if _, twice := seen[k]; !twice {
			seen[k] = i
		}
		for j, d := range r.Directions {
			if d != model.Push && d != model.Pull {
				return problem(fmt.Sprintf("direction %q: say push or pull", d), "rules", i, "directions", j)
			}
		}
	}
	return nil
}

// Shadowed says which rules never count, since one before them fits whatever they fit.
func (p *Policy) Shadowed() (out []string) {
	ix := p.index()
	first := map[[3]string]int{}
	for i := range p.Rules {
		r := &p.Rules[i]
		before := i
		for _, from := range ix.wider(r.From) {
			for _, to := range ix.wider(r.To) {
				if j, ok := first[[3]string{from, to, r.Service}]; ok {
					before = min(before, j)
				}
			}
		}
		if before < i {
			b := &p.Rules[before]
			out = append(out, fmt.Sprintf("rule %d (%s %s > %s over %s) never counts: rule %d (%s %s > %s) fits first", i+1, r.Action, r.From, r.To, r.Service, before+1, b.Action, b.From, b.To))
		}
		k := [3]string{r.From, r.To, r.Service}
		if _, twice := first[k]; !twice {
			first[k] = i
		}
	}
	return out
}

// wider are the words that fit whatever a word fits: it, the group of a host, any.
func (ix *index) wider(word string) []string {
	if word == AnyGroup {
		return []string{word}
	}
	if _, ok := ix.groups[word]; ok {
		return []string{word, AnyGroup}
	}
	at, ok := ix.host(word)
	if !ok {
		return []string{word, AnyGroup}
	}
	return []string{word, ix.p.Groups[at.group].Name, AnyGroup}
}

func (p *checker) checkService(name string, where ...any) error {
	if slices.ContainsFunc(p.Services, func(s Service) bool { return s.Name == name }) {
		return nil
	}
	return problem(fmt.Sprintf("unknown service %q: give it under services", name), where...)
}

func (p *checker) checkExceptions() error {
	for i := range p.Exceptions {
		x := &p.Exceptions[i]
		for _, e := range [...][2]string{{"from", x.From}, {"to", x.To}} {
			if err := p.ix.known(e[1]); err != nil {
				return problem(err.Error(), "exceptions", i, e[0])
			}
		}
		if err := p.checkService(x.Service, "exceptions", i, "service"); err != nil {
			return err
		}
		switch {
		case x.From == AnyGroup && x.To == AnyGroup:
			return problem("this lets every host reach every host: name one of them", "exceptions", i)
		case strings.TrimSpace(x.Owner) == "":
			return problem("an exception without owner: say who answers for it", "exceptions", i)
		case strings.TrimSpace(x.Reason) == "":
			return problem("an exception without reason: say why", "exceptions", i)
		}
		if _, err := x.end(); err != nil {
			return problem(fmt.Sprintf("until %q: give its last day, as 2027-01-31", x.Until), "exceptions", i, "until")
		}
	}
	return nil
}

// end is the first moment after the last day of an exception.
func (x *Exception) end() (model.Time, error) {
	t, err := time.Parse(time.DateOnly, x.Until)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return 0, fmt.Errorf("%q is no day", x.Until)
	}
	return model.Time(t.AddDate(0, 0, 1).UnixNano()), nil
}

// Expired are the exceptions that are over at a time.
func (p *Policy) Expired(at model.Time) (out []Exception) {
	for _, x := range p.Exceptions {
		if end, err := x.end(); err == nil && at >= end {
			out = append(out, x)
		}
	}
	return out
}

// indicators are what sensors can look for.
var indicators = []string{"sha256", "md5", "sha1", "name", "path", "service-name", "pipe"}

var digits = map[string]int{"sha256": 64, "sha1": 40, "md5": 32}

func (p *checker) checkIndicators() error {
	for i := range p.Indicators {
		x := &p.Indicators[i]
		if !slices.Contains(indicators, x.What) {
			return problem(fmt.Sprintf("indicator %q: use %s", x.What, strings.Join(indicators, ", ")), "indicators", i, "what")
		}
		if n := digits[x.What]; n > 0 && (len(x.Value) != n || strings.Trim(x.Value, "0123456789abcdef") != "") {
			return problem(fmt.Sprintf("%q is no %s: give %d small hex digits", x.Value, x.What, n), "indicators", i, "value")
		}
		if x.Value == "" || len(x.Value) > 4*maxName || unprintable(x.Value) {
			return problem("a value that cannot be printed, or none", "indicators", i, "value")
		}
	}
	return nil
}
