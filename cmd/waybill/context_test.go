package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// end is an end of a printed record.
type end struct{ IP, MAC, Host string }

// printed is what a line of output says, as a reader of it sees that.
type printed struct {
	Kind, What, Channel, Object, Detail, Status, User, Domain, Interface string
	Opnum                                                                *int
	Source, Destination                                                  end
	Name, SHA256, Completeness                                           string
	Session                                                              struct {
		Encrypted bool
		Channels  int
	}
	CommunityID []string `json:"community_id"`
}

// shown is the output of `waybill scan --only transfer,access`.
func shown(t *testing.T, path string) []printed {
	t.Helper()
	var out, problems bytes.Buffer
	p := &program{ctx: t.Context(), stdin: strings.NewReader(""), stdout: &out, stderr: &problems}
	if code := p.run([]string{"scan", "--format", "ndjson", "--only", "transfer,access", "--all", path}); code > 1 {
		t.Fatalf("exit code %d: %s", code, problems.String())
	}
	var all []printed
	lines := bufio.NewScanner(&out)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r printed
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Kind != "transfer" && r.Kind != "access" {
			t.Fatalf("%s: printed a %s", path, r.Kind)
		}
		all = append(all, r)
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return all
}

// TestContext looks for every fact of the context.csv of a folder of public captures
// in what is printed. Counts of compounds are no facts of a network. No check may
// hold of nothing, or of a fact with other numbers.
func TestContext(t *testing.T) {
	folder := os.Getenv("WAYBILL_CORPUS")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "corpus", "pcap")
	}
	f, err := os.Open(filepath.Join(folder, "context.csv"))
	if err != nil {
		t.Skip("the corpus of public captures is not here: set WAYBILL_CORPUS to its folder")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	records, checked := map[string][]printed{}, 0
	for _, row := range rows[1:] {
		file, kind, fact := row[0], row[1], row[2]
		if _, ok := records[file]; !ok {
			records[file] = shown(t, filepath.Join(folder, file))
		}
		check := factShown[kind]
		switch {
		case kind == "compound":
			continue
		case check == nil:
			t.Errorf("%s: no check of facts of kind %s: %s", file, kind, fact)
		case !check(records[file], fact):
			t.Errorf("%s: %s is not shown: %s", file, kind, fact)
		case check(nil, fact):
			t.Errorf("%s: the check of %s holds of nothing: %s", file, kind, fact)
		case !strings.Contains(fact, "SMB3") && check(records[file], renumbered(fact)):
			t.Errorf("%s: the check of %s holds with other numbers: %s", file, kind, renumbered(fact))
		}
		checked++
	}
	if checked < 150 {
		t.Errorf("%d facts checked", checked)
	}
}

// renumbered is a fact with other digits.
func renumbered(fact string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0' + (r-'0'+3)%10
		}
		return r
	}, fact)
}

// anAccess says whether an access is there that a test fits.
func anAccess(all []printed, what string, fits func(*printed) bool) bool {
	return slices.ContainsFunc(all, func(a printed) bool { return a.Kind == "access" && a.What == what && fits(&a) })
}

// between says whether "A -> B" names the ends of a record. Addresses inside tunnels
// stand after those of the tunnel.
func (a *printed) between(ends string) bool {
	from, to, _ := strings.Cut(ends, " -> ")
	last := func(s string) string { return s[strings.LastIndexByte(s, ';')+1:] }
	return a.Source.IP == last(from) && a.Destination.IP == last(to)
}

// parted splits "A -> B rest".
func parted(fact string) (ends, rest string) {
	f := strings.SplitN(fact, " ", 4)
	if len(f) < 4 {
		return fact, ""
	}
	return strings.Join(f[:3], " "), strings.TrimSpace(f[3])
}

// factShown is how each kind of fact shows in the output.
var factShown = map[string]func(all []printed, fact string) bool{
	"arp": func(all []printed, fact string) bool {
		ip, mac, _ := strings.Cut(fact, " is at ")
		return anAccess(all, "address-binding", func(a *printed) bool { return a.Channel == "arp" && a.Source.IP == ip && a.Source.MAC == mac })
	},
	"dhcp": func(all []printed, fact string) bool {
		if mac, ip, ok := strings.Cut(fact, " gets "); ok {
			fits := func(a *printed) bool { return a.Channel == "dhcp" && a.Source.IP == ip && a.Source.MAC == mac }
			return anAccess(all, "address-binding", fits) || anAccess(all, "dhcp-offer", fits)
		}
		mac, host, _ := strings.Cut(fact, " request")
		host = strings.TrimPrefix(host, " host ")
		return anAccess(all, "dhcp-request", func(a *printed) bool { return a.Source.MAC == mac && (host == "" || a.Source.Host == host) })
	},
	"nbns": func(all []printed, fact string) bool {
		ip, name, _ := strings.Cut(fact, " ")
		fits := func(a *printed) bool { return a.Channel == "nbns" && a.Source.IP == ip && a.Object == name }
		return anAccess(all, "address-binding", fits) || anAccess(all, "name-query", fits)
	},
	"user_kerberos": func(all []printed, fact string) bool {
		ip, principal, _ := strings.Cut(fact, " ")
		return anAccess(all, "kerberos-ticket", func(a *printed) bool { return a.Source.IP == ip && a.User+"@"+a.Domain == principal })
	},
	"user_ntlm": func(all []printed, fact string) bool {
		ends, who := parted(fact)
		account, station, _ := strings.Cut(who, " from ")
		return anAccess(all, "logon", func(a *printed) bool {
			switch {
			case !a.between(ends) || !strings.HasPrefix(a.Detail, "ntlm"):
				return false
			case strings.HasPrefix(who, "anonymous"):
				return a.User == "" && strings.Contains(a.Detail, "anonymous")
			case station == "NULL":
				return a.Domain+`\`+a.User == account && !strings.Contains(a.Detail, " from ")
			}
			return a.Domain+`\`+a.User == account && strings.Contains(a.Detail, "from "+station)
		})
	},
	"ssh": func(all []printed, fact string) bool {
		ends, banner := parted(fact)
		from, to, _ := strings.Cut(ends, " -> ")
		return anAccess(all, "ssh-session", func(a *printed) bool {
			return a.between(ends) && strings.Contains(a.Detail, "client "+banner) || a.between(to+" -> "+from) && strings.Contains(a.Detail, "server "+banner)
		})
	},
	"rdp": func(all []printed, fact string) bool {
		ends, what := parted(fact)
		name, named := strings.CutPrefix(what, "client name ")
		return anAccess(all, "rdp-session", func(a *printed) bool { return a.between(ends) && (!named || a.Object == name) })
	},
	"exec_svcctl":  rpcShown,
	"exec_schtask": rpcShown,
	"exec_wmi":     rpcShown,
	"exec_winrm": func(all []printed, fact string) bool {
		ends, _ := parted(fact)
		return anAccess(all, "winrm-exec", func(a *printed) bool { return a.between(ends) })
	},
	// Opaque, without name and hash.
	"encrypted_smb3": func(all []printed, _ string) bool {
		sealed := func(r printed) bool { return r.Kind == "transfer" && r.Session.Encrypted }
		return slices.ContainsFunc(all, sealed) && !slices.ContainsFunc(all, func(r printed) bool {
			return sealed(r) && (r.Completeness != "opaque" || r.Name != "" || r.SHA256 != "")
		})
	},
	"multichannel": func(all []printed, _ string) bool {
		return slices.ContainsFunc(all, func(r printed) bool {
			return r.Kind == "transfer" && r.Session.Channels > 1 && len(r.CommunityID) > 1
		})
	},
}

var (
	uuid  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	calls = regexp.MustCompile(`opnum (\d+)`)
)

// rpcShown looks for all calls, or the service, that a fact names.
func rpcShown(all []printed, fact string) bool {
	ends, what := parted(fact)
	if name, ok := strings.CutPrefix(what, "service name "); ok {
		fits := func(a *printed) bool { return a.between(ends) && strings.EqualFold(a.Object, name) }
		return anAccess(all, "service-create", fits) || anAccess(all, "service-open", fits) || anAccess(all, "service-start", fits)
	}
	iface, numbers := uuid.FindString(fact), calls.FindAllStringSubmatch(fact, -1)
	for _, n := range numbers {
		called := func(a *printed) bool {
			return a.between(ends) && a.Interface == iface && a.Opnum != nil && strconv.Itoa(*a.Opnum) == n[1]
		}
		if !anAccess(all, "rpc-call", called) {
			return false
		}
	}
	return len(numbers) > 0
}
