package behaviour

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"waybill/internal/synth"
)

// system is what runs on a host, and so what it logs.
type system uint8

const (
	windows system = iota
	linux
	hypervisor
	mac
	device // logs nothing that anybody collects
)

// roles are the hosts of the office: who they are to the scenarios, what runs there, how
// their names begin, and in which network they are. What stands first in a group of one
// letter is not drawn: a scenario's workstations and servers are.
var roles = []struct {
	name   string
	system system
	prefix string
	subnet int
}{
	{"dc", windows, "DC", 0}, {"dc2", windows, "DC", 0}, {"fs", windows, "FS", 0}, {"fs2", windows, "FS", 0}, {"print", windows, "PRT", 0},
	{"webserver", windows, "WEB", 0}, {"sql", windows, "SQL", 0}, {"deploy", windows, "CM", 0}, {"pdq", windows, "PDQ", 0}, {"wsus", windows, "WSUS", 0},
	{"avserver", windows, "AV", 0}, {"backup", windows, "BKP", 0}, {"scanner", windows, "SCAN", 0}, {"monitor", windows, "MON", 0}, {"collector", windows, "LOG", 0},
	{"terminal", windows, "RDS", 0}, {"hv1", windows, "HV", 0}, {"hv2", windows, "HV", 0}, {"lab", windows, "LAB", 8}, {"hmi", windows, "HMI", 9}, {"engineering", windows, "ENG", 9},
	{"admin", windows, "PAW", 2}, {"helpdesk", windows, "HD", 2}, {"analyst", windows, "SOC", 2}, {"dev", windows, "DEV", 5}, {"dev2", windows, "DEV", 5}, {"vendor", windows, "VND", 2},
	{"app", linux, "app", 3}, {"db", linux, "db", 3}, {"jump", linux, "jump", 3}, {"mirror", linux, "repo", 3}, {"runner", linux, "ci", 3}, {"ansible", linux, "ansible", 3},
	{"puppet", linux, "puppet", 3}, {"edi", linux, "edi", 3}, {"nas", linux, "nas", 3}, {"gitserver", linux, "git", 3},
	{"esx", hypervisor, "esx", 4}, {"esx2", hypervisor, "esx", 4}, {"vcenter", device, "vcenter", 4},
	{"mac1", mac, "mac", 6}, {"mac2", mac, "mac", 6}, {"jamf", device, "jamf", 6},
	{"copier", device, "mfp", 7}, {"appliance", device, "lb", 7}, {"array1", device, "san", 7}, {"array2", device, "san", 7}, {"mgmt", device, "mgmt", 3},
	{"outside", device, "cdn", -1},
}

// How many workstations and servers are drawn from.
const (
	workstations = 20
	servers      = 8
)

// drawn are the roles that a scenario's draw gives to workstations and to servers.
var (
	drawnDesks   = []string{"entry", "ws2", "ws3", "ws4", "ws5", "ws6", "any", "any2"}
	drawnServers = []string{"srv", "srv2", "srv3", "srv4", "anysrv"}
)

// office is who is where: the same for all that is played with one seed.
type office struct {
	seed  uint64
	addr  map[string]string // by role
	name  map[string]string
	kind  map[string]system
	desks []string // roles
	racks []string
}

func newOffice(seed uint64) *office {
	o := &office{seed: seed, addr: map[string]string{}, name: map[string]string{}, kind: map[string]system{}}
	rng := rand.New(rand.NewPCG(seed, 0x0ff1ce))
	site, used := 20+rng.IntN(180), map[string]bool{}
	put := func(role, prefix string, subnet int, kind system) {
		for {
			n := 2 + rng.IntN(97)
			name := fmt.Sprintf("%s-%02d", prefix, n)
			addr := fmt.Sprintf("10.%d.%d.%d", site, subnet, 10+rng.IntN(200))
			if subnet < 0 {
				addr = fmt.Sprintf("198.51.100.%d", n)
			}
			if used[name] || used[addr] {
				continue
			}
			used[name], used[addr] = true, true
			o.name[role], o.addr[role], o.kind[role] = name, addr, kind
			return
		}
	}
	for _, r := range roles {
		put(r.name, r.prefix, r.subnet, r.system)
	}
	desk := []string{"WS", "PC", "LT", "WKS"}[rng.IntN(4)]
	for i := range workstations {
		role := fmt.Sprintf("desk%d", i)
		put(role, desk, 1, windows)
		o.desks = append(o.desks, role)
	}
	for i := range servers {
		role := fmt.Sprintf("rack%d", i)
		put(role, "SRV", 0, windows)
		o.racks = append(o.racks, role)
	}
	return o
}

// people have workstations of their own, by the order of the desks.
var people = strings.Fields("a.keller b.hofer c.dubois d.novak e.roth f.costa g.lindt h.lang i.petrov j.weber k.santos l.moreau m.brandt n.olsen o.fischer p.garcia q.ward r.silva s.yilmaz t.evans")

// host gives the host of a role in a network.
func (o *office) host(n *synth.Net, role string) *synth.Host {
	return n.Host(o.name[role], o.addr[role])
}
