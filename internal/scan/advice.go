package scan

import (
	"fmt"
	"slices"

	"waybill/internal/model"
)

// hubPartners is from how many partners on a host counts as a server or gateway.
const hubPartners = 3

// advice says in one line each where sensors would show more, by what the captures
// have and lack.
func (p *pipeline) advice(all *model.Coverage) []string {
	if len(p.pairs) == 0 {
		return nil
	}
	var out []string
	say := func(when bool, text string) {
		if when {
			out = append(out, text)
		}
	}
	inside, partners := p.insidePairs()
	say(len(inside) == 0, "only traffic with the outside was seen: copies between hosts inside would be missed; capture where they talk to each other")
	direct := slices.ContainsFunc(inside, func(n pair) bool { return partners[n.a] < hubPartners && partners[n.b] < hubPartners })
	say(len(inside) >= hubPartners && !direct, "no workstation to workstation traffic seen: lateral copies between them would be missed; capture at an access switch too")
	seen := func(reason string) int64 { return all.Blind[reason] }
	say(seen("snaplen") > 0, "packets were cut: capture whole packets (snap length 0)")
	say(p.oneSided > 0, fmt.Sprintf("of %d of %d connections one direction only was seen: mirror both directions of the port", p.oneSided, p.connections))
	say(seen("lost-segments") > all.Bytes/200, "much was lost: the sensor or its mirror port is too slow, or the capture was thinned out")
	say(seen("encrypted-smb3") > 0, "some SMB3 sessions are encrypted: --keytab or --smb-keys opens them, Security 5145 of the servers names their files")
	say(seen("encrypted-ssh") > 0, "SSH shows volumes only: auditd or process events of its ends name the files")
	say(seen("encrypted-rdp") > 0, "Remote Desktop shows volumes only: Sysmon 11 of its ends names the files")
	say(seen("encrypted-winrm") > 0, "WinRM is encrypted: PowerShell 4104 and process events of its servers show what was run")
	say(seen("encrypted-ipsec") > 0, "IPsec hides what it carries: capture behind its gateways")
	if n := seen("unknown-protocol"); n > 1<<20 && n > all.Bytes/20 {
		out = append(out, fmt.Sprintf("%d %% of all bytes are in protocols that are not decoded: only programs and archives that begin a connection are found in them", n*100/max(all.Bytes, 1)))
	}
	return out
}

// insidePairs gives the pairs of inside hosts that spoke, and how many partners
// each host had.
func (p *pipeline) insidePairs() ([]pair, map[model.Addr]int) {
	var inside []pair
	partners := map[model.Addr]int{}
	ours := func(a model.Addr) bool { return p.o.inside(model.Endpoint{IP: a}, nil) }
	for n := range p.pairs {
		if n.hosts() && ours(n.a) && ours(n.b) {
			inside = append(inside, n)
			partners[n.a]++
			partners[n.b]++
		}
	}
	return inside, partners
}

// hosts says whether both ends are hosts of their own, as far as addresses tell.
func (n pair) hosts() bool { return n.a != n.b && single(n.a) && single(n.b) }

func single(a model.Addr) bool {
	ip := a.Netip()
	return !ip.IsMulticast() && !ip.IsUnspecified() && !(ip.Is4() && ip.As4()[3] == 255)
}

// pairsSeen is how many pairs of hosts spoke.
func (p *pipeline) pairsSeen() (n int) {
	for x := range p.pairs {
		if x.hosts() {
			n++
		}
	}
	return n
}
