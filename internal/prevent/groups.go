package prevent

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"waybill/internal/identity"
)

// Others is the group of hosts of which nobody knows what they are for. Nothing is learned
// from one of them for another.
const Others = "others"

// groupNames are how groups of roles are called.
var groupNames = map[string]string{
	identity.RoleController: "domain-controllers", identity.RoleHypervisor: "hypervisors", identity.RoleScanner: "scanners",
	identity.RoleSensor: "sensors", identity.RolePrint: "print-servers", identity.RoleFileServer: "file-servers",
	identity.RoleServer: "servers", identity.RoleWorkstation: "workstations", identity.RoleUnknown: Others, "": Others,
}

// groupOf is the name of the group of a role: letters, digits and lines, since targets use it.
func groupOf(role string) string {
	role = strings.ToLower(strings.TrimSpace(role))
	if name, ok := groupNames[role]; ok {
		return name
	}
	slug := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, role), "-")
	if slug == "" || slug == AnyGroup || slug == Others || len(slug) > 40 {
		h := fnv.New32a()
		h.Write([]byte(role))
		return fmt.Sprintf("role-%08x", h.Sum32())
	}
	return slug
}

// peers are words of roles of hosts that people sit at.
var peers = []string{identity.RoleWorkstation, "laptop", "desktop", "notebook", "client", "pc"}

// isPeer says whether the hosts of a group are peers: machines that people sit at, which
// have no service for each other.
func isPeer(role string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(role), func(r rune) bool { return r < 'a' || r > 'z' }), func(w string) bool {
		return slices.Contains(peers, w) || slices.Contains(peers, strings.TrimSuffix(w, "s"))
	})
}

// grouping is which host is of which group.
type grouping struct {
	groups []Group
	of     []int // by number of the host; -1 for one that another stands for
	size   []int
	sure   map[int32]bool // hosts whose role is more than a hint
	alias  []int32        // by number of the host: which one it is
}

// cast is the hosts of a group while it is put together.
type cast struct {
	members        []int32
	role           string
	unsure, inside int // told by their names only; by the network that they are in
}

// group sorts the hosts into groups by role.
func (l *Learner) group() *grouping {
	g := &grouping{of: make([]int, len(l.hosts)), alias: l.aliases(), sure: map[int32]bool{}}
	casts := l.casts(g)
	l.adopt(casts)
	for _, name := range sortedKeys(casts) {
		c := casts[name]
		for _, i := range c.members {
			g.of[i] = len(g.groups)
		}
		g.groups = append(g.groups, Group{Name: name, Role: c.role, Hosts: l.membersOf(c.members), Why: c.why(name, l.moved(c.members))})
		g.size = append(g.size, len(c.members))
	}
	for i, a := range g.alias {
		g.of[i] = g.of[a]
	}
	addNetworks(g.groups)
	return g
}

// casts sorts the hosts by what they are for.
func (l *Learner) casts(g *grouping) map[string]*cast {
	out := map[string]*cast{}
	for i := range l.hosts {
		if g.alias[i] != int32(i) {
			continue
		}
		r := l.roles.Of(l.hosts[i].end)
		name := groupOf(r.Name)
		if r.Confidence == "low" && isPeer(r.Name) && !isPeer(r.Hint) {
			name = Others // a server that only asks others looks so, too
		}
		c := out[name]
		if c == nil {
			c = &cast{}
			if name != Others {
				c.role = strings.ToLower(strings.TrimSpace(r.Name))
			}
			out[name] = c
		}
		c.members = append(c.members, int32(i))
		if g.sure[int32(i)] = r.Confidence != "low"; !g.sure[int32(i)] {
			c.unsure++
		}
	}
	return out
}

// fewUnknown is one in how many hosts of a network may be unknown for it to be a group's.
const fewUnknown = 4

// adopt puts hosts that nobody knows the role of into the group whose network they are in: a
// filter by address does not tell them apart.
func (l *Learner) adopt(casts map[string]*cast) {
	strangers := casts[Others]
	if strangers == nil {
		return
	}
	type census struct {
		group          string
		mixed          bool
		known, unknown int
	}
	segments := map[netip.Prefix]*census{}
	for _, name := range sortedKeys(casts) {
		for _, i := range casts[name].members {
			for _, a := range l.hosts[i].addresses {
				c := segments[segment(a)]
				if c == nil {
					c = &census{}
					segments[segment(a)] = c
				}
				if name == Others {
					c.unknown++
					continue
				}
				c.mixed = c.mixed || c.group != "" && c.group != name
				c.group = name
				c.known++
			}
		}
	}
	home := func(i int32) string {
		group := ""
		for _, a := range l.hosts[i].addresses {
			c := segments[segment(a)]
			if c.mixed || c.known < leastMembers || c.unknown*fewUnknown > c.known+c.unknown || group != "" && group != c.group {
				return ""
			}
			group = c.group
		}
		return group
	}
	strangers.members = slices.DeleteFunc(strangers.members, func(i int32) bool {
		group := home(i)
		if group != "" {
			casts[group].members = append(casts[group].members, i)
			casts[group].inside++
		}
		return group != ""
	})
	if len(strangers.members) == 0 {
		delete(casts, Others)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// aliases finds hosts that records call by an address only and that a host with a name has.
func (l *Learner) aliases() []int32 {
	out := make([]int32, len(l.hosts))
	for i := range l.hosts {
		out[i] = int32(i)
		if holder, ok := l.holder[l.hosts[i].end.IP.Netip()]; ok && l.hosts[i].end.Host == "" {
			out[i] = holder
		}
	}
	return out
}

// moved counts the hosts whose address changed.
func (l *Learner) moved(numbers []int32) (n int) {
	for _, i := range numbers {
		if l.hosts[i].moved {
			n++
		}
	}
	return n
}

// membersOf are the hosts of a group, sorted by name.
func (l *Learner) membersOf(numbers []int32) []Host {
	out := make([]Host, 0, len(numbers))
	for _, i := range numbers {
		h := Host{Name: l.hosts[i].end.Host, Addresses: slices.Clone(l.hosts[i].addresses)}
		slices.SortFunc(h.Addresses, netip.Addr.Compare)
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Host) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), slices.CompareFunc(a.Addresses, b.Addresses, netip.Addr.Compare))
	})
	return out
}

// plain is a name as it is when it holds printable characters only, else nothing: policies
// and what is made of them go to terminals and into scripts.
func plain(name string) string {
	if len(name) > maxName || unprintable(name) {
		return ""
	}
	return name
}

// maxName is how long the names of hosts are at most (RFC 1035 2.3.4).
const maxName = 255

func unprintable(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError })
}

// why says how the hosts of a group were told.
func (c *cast) why(name string, changing int) string {
	all := len(c.members)
	known := all - c.unsure - c.inside
	var why []string
	switch {
	case name == Others:
		why = append(why, "nothing tells what they are for: give their roles with --assets")
	case known == all:
		why = append(why, "what they do shows it")
	case known > 0:
		why = append(why, fmt.Sprintf("what %d of %d do shows it", known, all))
	}
	if c.unsure > 0 && name != Others {
		why = append(why, fmt.Sprintf("the role of %d is a guess, by the name or little else: give it with --assets", c.unsure))
	}
	if c.inside > 0 {
		why = append(why, fmt.Sprintf("%d are nothing that is known, and in its networks", c.inside))
	}
	if changing > 0 {
		why = append(why, fmt.Sprintf("the addresses of %d changed (DHCP?): a filter needs the network that they are in", changing))
	}
	return strings.Join(why, "; ")
}

// segment is the network that an address is likely in: one of 256 addresses, or one of
// IPv6 as RFC 4291 2.5.1 has them.
func segment(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

// leastMembers is how many hosts of a group make a network its own. Fewer may be there by
// chance, and a network opens it to all of its addresses.
const leastMembers = 4

// addNetworks gives groups the networks in which only their hosts were seen.
func addNetworks(groups []Group) {
	owner, count := map[netip.Prefix]int{}, map[netip.Prefix]int{}
	for i := range groups {
		for _, h := range groups[i].Hosts {
			seen := map[netip.Prefix]bool{}
			for _, a := range h.Addresses {
				s := segment(a)
				if o, ok := owner[s]; ok && o != i {
					owner[s] = -1
				} else if !ok {
					owner[s] = i
				}
				if !seen[s] {
					seen[s] = true
					count[s]++
				}
			}
		}
	}
	for s, i := range owner {
		if i >= 0 && groups[i].Name != Others && count[s] >= leastMembers && !s.Addr().IsLinkLocalUnicast() {
			groups[i].Networks = append(groups[i].Networks, s)
		}
	}
	for i := range groups {
		slices.SortFunc(groups[i].Networks, netip.Prefix.Compare)
	}
}
