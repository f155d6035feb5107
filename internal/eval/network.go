package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Host is a host of a simulated network.
type Host struct {
	ID      int
	Name    string
	IP      model.Addr
	MAC     string
	Role    string
	Segment int
	Dept    int
	User    string // of the person who works there
	Joined  model.Time
	Sysmon  bool // one of those that have it in tier T2
	Sealed  bool // demands SMB3 encryption
	port    uint16
}

// Windows says whether the host runs Windows.
func (h *Host) Windows() bool { return h.Role != "linux" && h.Role != "mac" && h.Role != "printer" }

// client says whether a person works at the host.
func (h *Host) client() bool {
	switch h.Role {
	case "workstation", "developer", "helpdesk", "paw":
		return true
	}
	return false
}

// Is says whether the host is one of those that a word means.
func (h *Host) Is(word string) bool {
	switch word {
	case "client":
		return h.client()
	case "windows":
		return h.Windows()
	case "winserver":
		return h.Windows() && !h.client()
	}
	return h.Role == word
}

// FQDN is the name under which the host writes its logs.
func (h *Host) FQDN() string { return h.Name + "." + domainName }

const (
	domainName = "corp.example"
	domain     = "CORP"
)

// Network is the hosts, by what they are for.
type Network struct {
	All    []*Host
	byRole map[string][]*Host
	bySeg  map[int][]*Host
	byDept map[int][]*Host
	byPair map[string]*Host // fixed partners
	owned  map[int][]*Host  // what each administrator looks after
	depts  int
	free   map[int]int // next address by segment
}

// selectors are the words for hosts in scenarios.
var selectors = func() map[string]bool {
	m := map[string]bool{}
	for _, s := range strings.Fields("workstation developer helpdesk paw server fileserver dc deployer distribution backup scanner print jump linux mac printer " +
		"client windows winserver own-fileserver colleague peer managed control runner") {
		m[s] = true
	}
	return m
}()

// roles in the order in which hosts are made; the rest are workstations.
var roles = strings.Fields("dc fileserver deployer distribution backup scanner print jump server linux paw helpdesk developer mac printer")

// least is how many there are of a role at least.
var least = map[string]int{"dc": 2, "fileserver": 2, "deployer": 1, "distribution": 1, "backup": 1, "scanner": 1, "print": 1, "jump": 1, "server": 4, "linux": 4, "paw": 3, "helpdesk": 2, "developer": 2, "mac": 2, "printer": 1}

var prefixes = map[string]string{"dc": "DC", "fileserver": "FS", "deployer": "DEPLOY", "distribution": "DP", "backup": "BKP", "scanner": "SCAN", "print": "PRN", "jump": "JMP",
	"server": "SRV", "linux": "lnx", "paw": "PAW", "helpdesk": "HLP", "developer": "DEV", "mac": "mac", "printer": "MFP", "workstation": "WS"}

// newNetwork makes a network of so many hosts.
func newNetwork(hosts int, p *Parameters, rng *rand.Rand) *Network {
	n := &Network{byRole: map[string][]*Host{}, bySeg: map[int][]*Host{}, byDept: map[int][]*Host{}, byPair: map[string]*Host{}, owned: map[int][]*Host{}, free: map[int]int{}}
	for _, role := range roles {
		count := max(least[role], int(math.Round(float64(hosts)*p.value(role)/1000)))
		for range count {
			n.add(role, p, rng)
		}
	}
	for len(n.All) < hosts {
		n.add("workstation", p, rng)
	}
	return n
}

func (p *Parameters) value(name string) float64 {
	x, ok := p.Network[name]
	if !ok {
		panic("no parameter " + name)
	}
	return x.Value
}

// add makes a host. Clients fill one segment after the other, and servers others.
func (n *Network) add(role string, p *Parameters, rng *rand.Rand) *Host {
	h := &Host{ID: len(n.All), Role: role, port: 49152 + uint16(rng.IntN(8000))}
	h.Name = fmt.Sprintf("%s%04d", prefixes[role], len(n.byRole[role])+1)
	h.Sysmon = rng.Float64() < p.value("sysmon_share")
	h.Segment = n.segment(h, int(p.value("segment")))
	if h.client() || role == "mac" {
		h.Dept = h.ID / max(8, int(p.value("department")))
		n.depts = max(n.depts, h.Dept+1)
		h.User = fmt.Sprintf("%s%04d", []string{"anna", "ben", "clara", "david", "eva", "felix", "greta", "hugo"}[rng.IntN(8)], h.ID)
	} else {
		h.Sealed = rng.Float64() < p.value("smb_sealed")
	}
	h.IP = n.address(h)
	h.MAC = fmt.Sprintf("02:57:%02x:%02x:%02x:%02x", h.ID>>24&255, h.ID>>16&255, h.ID>>8&255, h.ID&255)
	n.All = append(n.All, h)
	n.byRole[role] = append(n.byRole[role], h)
	n.bySeg[h.Segment] = append(n.bySeg[h.Segment], h)
	n.byDept[h.Dept] = append(n.byDept[h.Dept], h)
	return h
}

// segment is where a host stands: clients by floors, servers by kinds.
func (n *Network) segment(h *Host, size int) int {
	switch {
	case h.Role == "paw":
		return 1
	case h.Role == "printer":
		return 2
	case h.client() || h.Role == "mac":
		return 100 + h.ID/max(20, min(size, 240))
	case h.Role == "linux":
		return 20 + len(n.byRole["linux"])/100
	case h.Role == "server":
		return 40 + len(n.byRole["server"])/60
	}
	return 10
}

func (n *Network) address(h *Host) model.Addr {
	i := n.free[h.Segment]
	n.free[h.Segment]++
	return model.AddrOf(netip.AddrFrom4([4]byte{10, byte(h.Segment >> 6), byte(h.Segment<<2) | byte(i/250)&3, byte(1 + i%250)}))
}

// pick finds hosts by a word of a scenario. of is the host that is known already.
func (n *Network) pick(word string, of *Host, rng *rand.Rand) *Host {
	if role, ok := strings.CutPrefix(word, "same:"); ok {
		return n.partner(role, of, rng)
	}
	switch word {
	case "peer":
		return another(n.bySeg[of.Segment], of, rng)
	case "colleague":
		return another(n.byDept[of.Dept], of, rng)
	case "own-fileserver":
		all := n.byRole["fileserver"]
		if of == nil {
			return all[rng.IntN(len(all))]
		}
		return all[of.Dept%len(all)]
	case "managed":
		return another(n.managed(of), of, rng)
	case "control":
		return n.byRole["linux"][0]
	case "runner":
		return n.byRole["linux"][1]
	case "client":
		for range 50 {
			if h := n.All[rng.IntN(len(n.All))]; h.client() && h != of {
				return h
			}
		}
		return another(n.byRole["workstation"], of, rng)
	case "windows":
		for range 50 {
			if h := n.All[rng.IntN(len(n.All))]; h.Windows() && h != of {
				return h
			}
		}
		return another(n.byRole["workstation"], of, rng)
	case "winserver":
		for range 50 {
			if h := n.All[rng.IntN(len(n.All))]; h.Windows() && !h.client() && h != of {
				return h
			}
		}
		return another(n.byRole["server"], of, rng)
	}
	return another(n.byRole[word], of, rng)
}

func another(all []*Host, of *Host, rng *rand.Rand) *Host {
	for range 20 {
		if len(all) == 0 {
			return nil
		}
		if h := all[rng.IntN(len(all))]; h != of {
			return h
		}
	}
	return nil
}

// partner is a host's fixed one of a role.
func (n *Network) partner(role string, of *Host, rng *rand.Rand) *Host {
	key := role
	if of != nil {
		key = fmt.Sprint(role, of.ID)
	}
	h := n.byPair[key]
	if h == nil {
		h = another(n.byRole[role], of, rng)
		n.byPair[key] = h
	}
	return h
}

// managed is what an administrator looks after: some servers and the clients of two
// segments.
func (n *Network) managed(admin *Host) []*Host {
	if all := n.owned[admin.ID]; all != nil {
		return all
	}
	rng := rand.New(rand.NewPCG(uint64(admin.ID), 77))
	all := slices.Clone(sample(n.byRole["server"], 12, rng))
	all = append(all, sample(n.byRole["fileserver"], 1, rng)...)
	all = append(all, sample(n.byRole["workstation"], 60, rng)...)
	n.owned[admin.ID] = all
	return all
}

func sample(all []*Host, most int, rng *rand.Rand) []*Host {
	out := slices.Clone(all)
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(most, len(out))]
}

// nextPort is the next client port of the host.
func (h *Host) nextPort() uint16 {
	if h.port++; h.port < 49152 {
		h.port = 49152
	}
	return h.port
}
