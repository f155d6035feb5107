// Command foretell scans captures, writes rules for Suricata, of a policy or such that look for
// everything in the captures, and prints the alerts that these rules should give, one JSON
// object a line. It is what suricata.py beside it compares Suricata with; it never runs Suricata.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/suricata"
	"waybill/internal/scan"
)

func main() {
	out := flag.String("out", ".", "folder that the rules are written into")
	home := flag.String("home", "", "networks that HOME_NET stands for, comma-separated")
	policy := flag.String("policy", "", "policy to write the rules of, instead of rules for everything")
	flag.Parse()
	if err := run(*out, *home, *policy, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "foretell:", err)
		os.Exit(1)
	}
}

func run(out, home, policy string, paths []string) error {
	inside, err := networks(home)
	if err != nil {
		return err
	}
	found, err := scan.Run(context.Background(), scan.Options{Paths: paths, Internal: inside, All: true})
	if err != nil {
		return err
	}
	p := everything(&found.Records)
	if policy != "" {
		if p, err = read(policy); err != nil {
			return err
		}
	}
	files, err := suricata.Write(p, prevent.Choice{})
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(out, f.Name), f.Text, 0o600); err != nil {
			return err
		}
	}
	alerts, err := suricata.Foretell(p, prevent.Choice{}, &found.Records, inside)
	if err != nil {
		return err
	}
	e := json.NewEncoder(os.Stdout)
	for i := range alerts {
		if err := e.Encode(&alerts[i]); err != nil {
			return err
		}
	}
	return nil
}

func read(name string) (*prevent.Policy, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return prevent.Read(name, text)
}

func networks(list string) ([]netip.Prefix, error) {
	if list == "" {
		return suricata.HomeNet, nil
	}
	var out []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// everything is a policy that denies clients all that servers gave them, and takes all that
// moved for an indicator.
func everything(r *model.Records) *prevent.Policy {
	p := &prevent.Policy{Version: prevent.PolicyVersion, Management: []string{"192.0.2.1"}, Services: prevent.KnownServices}
	clients, servers := hosts(r)
	nobody := netip.MustParseAddr("192.0.2.2") // a group has to hold somebody
	p.Groups = []prevent.Group{{Name: "servers", Hosts: append(servers, prevent.Host{Addresses: []netip.Addr{nobody}})},
		{Name: "clients", Hosts: append(clients, prevent.Host{Addresses: []netip.Addr{nobody.Next()}})}}
	for _, s := range p.Services {
		p.Rules = append(p.Rules, prevent.Rule{From: "clients", To: "servers", Service: s.Name, Action: prevent.Deny, Why: "everything is denied here"})
	}
	p.Indicators = indicators(r)
	return p
}

// hosts are the addresses that opened exchanges and those that served them; who did both is a server.
func hosts(r *model.Records) (clients, servers []prevent.Host) {
	asked, served := map[netip.Addr]bool{}, map[netip.Addr]bool{}
	for _, m := range prevent.Moves(r) {
		asked[m.Client.IP.Netip()], served[m.Server.IP.Netip()] = true, true
	}
	for a := range asked {
		if !served[a] {
			clients = append(clients, prevent.Host{Addresses: []netip.Addr{a}})
		}
	}
	for a := range served {
		servers = append(servers, prevent.Host{Addresses: []netip.Addr{a}})
	}
	return clients, servers
}

// indicators are all contents, names, services and pipes that the records hold.
func indicators(r *model.Records) []prevent.Indicator {
	type indicator struct{ what, value string }
	seen := map[indicator]bool{}
	for _, t := range r.Transfers {
		seen[indicator{"sha256", t.SHA256}] = true
		seen[indicator{"name", t.Name}] = true
		seen[indicator{"path", t.Path}] = true
	}
	for _, a := range r.Accesses {
		switch a.What {
		case "service-create":
			seen[indicator{"service-name", a.Object}] = true
		case "pipe-open":
			seen[indicator{"pipe", a.Object}] = true
		}
	}
	var out []prevent.Indicator
	for i := range seen {
		if i.value != "" {
			out = append(out, prevent.Indicator{What: i.what, Value: i.value, Finding: "f-0000000000000000", Analytic: "lab", Severity: model.Low, Techniques: []string{"T1570"}})
		}
	}
	slices.SortFunc(out, func(a, b prevent.Indicator) int {
		return strings.Compare(a.What+"\x00"+a.Value, b.What+"\x00"+b.Value)
	})
	return out
}
