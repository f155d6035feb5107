package scan

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"waybill/internal/model"
)

// TestContext looks for every fact of context.csv in what `--only
// transfer,access` prints. Counts of compounds are no facts of a network.
func TestContext(t *testing.T) {
	folder := corpus(t)
	scanned := map[string]*Records{}
	for _, row := range readTable(t, filepath.Join(folder, "context.csv")) {
		file, kind, fact := row["pcap"], row["kind"], row["fact"]
		r := scanned[file]
		if r == nil {
			r = run(t, Options{Paths: []string{filepath.Join(folder, file)}, All: true})
			scanned[file] = r
		}
		shown := factShown[kind]
		switch {
		case kind == "compound":
		case shown == nil:
			t.Errorf("%s: no test of facts of kind %s: %s", file, kind, fact)
		case !shown(r, fact):
			t.Errorf("%s: %s: %s", file, kind, fact)
		}
	}
}

// anAccess says whether an access is there that all tests fit.
func anAccess(r *Records, what string, fits func(*model.Access) bool) bool {
	for _, a := range r.Accesses {
		if a.What == what && fits(a) {
			return true
		}
	}
	return false
}

// between says whether "A -> B" names the ends of an access. Addresses inside
// tunnels stand after those of the tunnel.
func between(a *model.Access, ends string) bool {
	from, to, _ := strings.Cut(ends, " -> ")
	last := func(s string) string { return s[strings.LastIndexByte(s, ';')+1:] }
	return a.Source.IP.String() == last(from) && a.Destination.IP.String() == last(to)
}

var calls = regexp.MustCompile(`\(opnum (\d+)\)|opnum (\d+)`)

// factShown is how each kind of fact shows in the records.
var factShown = map[string]func(r *Records, fact string) bool{
	"arp": func(r *Records, fact string) bool {
		ip, mac, _ := strings.Cut(fact, " is at ")
		return anAccess(r, "address-binding", func(a *model.Access) bool {
			return a.Channel == "arp" && a.Source.IP.String() == ip && a.Source.MAC == mac
		})
	},
	"dhcp": func(r *Records, fact string) bool {
		if mac, ip, ok := strings.Cut(fact, " gets "); ok {
			fits := func(a *model.Access) bool {
				return a.Channel == "dhcp" && a.Source.IP.String() == ip && a.Source.MAC == mac
			}
			return anAccess(r, "address-binding", fits) || anAccess(r, "dhcp-offer", fits)
		}
		mac, host, _ := strings.Cut(fact, " request")
		host = strings.TrimPrefix(host, " host ")
		return anAccess(r, "dhcp-request", func(a *model.Access) bool { return a.Source.MAC == mac && (host == "" || a.Source.Host == host) })
	},
	"nbns": func(r *Records, fact string) bool {
		ip, name, _ := strings.Cut(fact, " ")
		fits := func(a *model.Access) bool { return a.Source.IP.String() == ip && a.Object == name }
		return anAccess(r, "address-binding", fits) || anAccess(r, "name-query", fits)
	},
	"user_kerberos": func(r *Records, fact string) bool {
		ip, principal, _ := strings.Cut(fact, " ")
		return anAccess(r, "kerberos-ticket", func(a *model.Access) bool { return a.Source.IP.String() == ip && a.User+"@"+a.Domain == principal })
	},
	"user_ntlm": func(r *Records, fact string) bool {
		f := strings.SplitN(fact, " ", 4)
		ends := strings.Join(f[:3], " ")
		return anAccess(r, "logon", func(a *model.Access) bool {
			if !between(a, ends) {
				return false
			}
			if strings.HasPrefix(f[3], "anonymous") {
				return strings.Contains(a.Detail, "anonymous")
			}
			account, station, _ := strings.Cut(f[3], " from ")
			return a.Domain+`\`+a.User == account && (station == "NULL" || strings.Contains(a.Detail, "from "+station))
		})
	},
	"ssh": func(r *Records, fact string) bool {
		f := strings.SplitN(fact, " ", 4)
		return anAccess(r, "ssh-session", func(a *model.Access) bool {
			client := between(a, strings.Join(f[:3], " ")) && strings.Contains(a.Detail, "client "+strings.TrimSpace(f[3]))
			server := between(a, f[2]+" -> "+f[0]) && strings.Contains(a.Detail, "server "+strings.TrimSpace(f[3]))
			return client || server
		})
	},
	"rdp": func(r *Records, fact string) bool {
		f := strings.SplitN(fact, " ", 4)
		return anAccess(r, "rdp-session", func(a *model.Access) bool {
			name, named := strings.CutPrefix(f[3], "client name ")
			return between(a, strings.Join(f[:3], " ")) && (!named || a.Object == name)
		})
	},
	"exec_svcctl":  rpcShown,
	"exec_schtask": rpcShown,
	"exec_wmi":     rpcShown,
	"exec_winrm": func(r *Records, fact string) bool {
		f := strings.SplitN(fact, " ", 4)
		return anAccess(r, "winrm-exec", func(a *model.Access) bool { return between(a, strings.Join(f[:3], " ")) })
	},
	"encrypted_smb3": func(r *Records, _ string) bool {
		for _, t := range r.Transfers {
			if t.Session != nil && t.Session.Encrypted && t.Completeness == model.Opaque {
				return true
			}
		}
		return false
	},
	"multichannel": func(r *Records, _ string) bool {
		for _, t := range r.Transfers {
			if t.Session != nil && t.Session.Channels > 1 && len(t.CommunityID) > 1 {
				return true
			}
		}
		return false
	},
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// rpcShown looks for the calls or the service that a fact names.
func rpcShown(r *Records, fact string) bool {
	f := strings.SplitN(fact, " ", 4)
	ends := strings.Join(f[:3], " ")
	if name, ok := strings.CutPrefix(f[3], "service name "); ok {
		for _, what := range []string{"service-create", "service-open", "service-start"} {
			if anAccess(r, what, func(a *model.Access) bool { return between(a, ends) && strings.EqualFold(a.Object, name) }) {
				return true
			}
		}
		return false
	}
	iface := uuid.FindString(fact)
	for _, n := range calls.FindAllStringSubmatch(fact, -1) {
		opnum := n[1] + n[2]
		if !anAccess(r, "rpc-call", func(a *model.Access) bool {
			return between(a, ends) && a.Interface == iface && a.Opnum != nil && strconv.Itoa(*a.Opnum) == opnum
		}) {
			return false
		}
	}
	return true
}
