package nftables

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// header says what the file is, how to use it, and what it cannot say.
func (w *writer) header() {
	file, place := "nftables-gateway.nft", "a gateway: what it forwards. Hosts of one network do not pass it: load the host rulesets there."
	if w.host != nil {
		file, place = "nftables-host-"+w.host.Name+".nft", "hosts of the group "+w.host.Name+": what comes in."
	}
	w.line("#!/usr/sbin/nft -f")
	w.note("", "waybill: who may open exchanges of files with whom. For %s", place)
	if l := w.policy.Learned; l != nil {
		w.note("", "Learned from %s to %s, %d moves; %d of findings were left out.", second(l.From), second(l.To), l.Moves, l.LeftOut)
	}
	candidates := "are logged and pass"
	if w.strict {
		candidates = "are dropped (strict)"
	}
	w.note("", "Candidates, which never happened in the window, %s. Management is never stopped.", candidates)
	w.line("#")
	w.line("#   try it for 5 minutes:  sh nftables-try.sh %s 5", file)
	w.line("#   keep it:               sh nftables-try.sh confirm")
	w.line("#   take it away:          sh nftables-rollback.sh")
	w.line("#")
	w.line("# Loading it twice is the same as once. No other table is touched: where one drops a packet, it stays dropped.")
	w.line("# Exceptions end by the clock and time zone of the machine that loads this file (kernel 5.4 and nft 0.9.3 or later).")
	w.line("# Ports do not tell a push from a pull, nor RPC from others on its dynamic ports.")
	for _, u := range w.plan.Unwritten {
		w.note("", "Not in here: %s", u)
	}
	w.line("")
}

func second(t model.Time) string { return time.Unix(0, int64(t)).UTC().Format(time.RFC3339) }

// helper follows the control connections of a protocol, so that its data connections are
// known as related.
type helper struct {
	name  string
	ports []prevent.Ports
}

// ftps is FTP inside TLS, which no helper can follow (RFC 4217 12).
const ftps = 990

func (w *writer) followed() (out []helper) {
	for _, s := range w.plan.Services {
		transport := map[string]string{"ftp": "tcp", "tftp": "udp"}[s.Name]
		ports := slices.DeleteFunc(slices.Clone(s.Ports), func(p prevent.Ports) bool { return p.Transport != transport || p.First == ftps })
		if len(ports) > 0 {
			out = append(out, helper{s.Name, ports})
		}
	}
	return out
}

func (w *writer) helpers() {
	for _, h := range w.followed() {
		w.line("\tct helper waybill-%s {", h.name)
		w.line("\t\ttype \"%s\" protocol %s", h.name, h.ports[0].Transport)
		w.line("\t}\n")
	}
	if w.host == nil || len(w.followed()) == 0 {
		return
	}
	w.line("\t# Data connections and answers come in to clients as well.")
	w.line("\tchain output {")
	w.line("\t\ttype filter hook output priority filter; policy accept;")
	w.helped()
	w.line("\t}\n")
}

// helped ties connections to their helpers.
func (w *writer) helped() {
	for _, h := range w.followed() {
		for _, m := range dports(h.ports) {
			w.line("\t\tct state new %sct helper set \"waybill-%s\"", m, h.name)
		}
	}
}

// sets are the addresses of management and of the groups that rules name.
func (w *writer) sets() {
	w.set("management", w.plan.Management, "management: "+strings.Join(w.policy.Management, ", "))
	w.set("known", w.plan.Known, "all groups")
	named := map[*plan.Group]bool{}
	name := func(from, to plan.End) {
		named[from.Group] = true
		named[to.Group] = named[to.Group] || w.to(to) != nil
	}
	for _, r := range w.rules() {
		name(r.From, r.To)
	}
	for _, x := range w.exceptions() {
		name(x.From, x.To)
	}
	for _, g := range w.plan.Groups {
		if named[g] {
			w.set(setOf(g), g.At, about(g))
		}
	}
}

// about says what a group is.
func about(g *plan.Group) string {
	s := "group " + g.Name
	if g.Role != "" {
		s += ", role " + g.Role
	}
	if g.Why != "" {
		s += ": " + g.Why
	}
	return fmt.Sprintf("%s (%d networks, %d hosts)", s, len(g.Networks), len(g.Hosts))
}

// set writes the addresses of each family.
func (w *writer) set(name string, at *netipx.IPSet, about string) {
	v4, v6 := families(at)
	for _, f := range []struct {
		suffix, kind string
		elements     []string
	}{{"_v4", "ipv4_addr", v4}, {"_v6", "ipv6_addr", v6}} {
		if len(f.elements) == 0 {
			continue
		}
		w.note("\t", "%s", about)
		w.line("\tset %s%s {", name, f.suffix)
		w.line("\t\ttype %s", f.kind)
		w.line("\t\tflags interval")
		w.line("\t\telements = {\n\t\t\t%s\n\t\t}", strings.Join(f.elements, ",\n\t\t\t"))
		w.line("\t}\n")
	}
}
