package suricata

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/prevent"
)

func at(ip string, port uint16) model.Endpoint {
	return model.Endpoint{IP: model.AddrOf(netip.MustParseAddr(ip)), Port: port}
}

var seen = []model.Evidence{{Kind: "packets", Packets: &[2]uint64{1, 9}}}

// pushed is a file that 10.1.0.11 writes to 10.1.0.12 in a connection from a port.
func pushed(id string, port uint16, change func(*model.Transfer)) *model.Transfer {
	n := int64(100)
	t := &model.Transfer{ID: id, Start: 10e9, End: 11e9, Channel: "smb2", Share: `\\WS-2\ADMIN$`, Path: `Temp\winsvcmon.exe`, Name: "winsvcmon.exe", Type: "pe",
		SHA256: digest, Source: at("10.1.0.11", port), Destination: at("10.1.0.12", 445), Initiator: model.BySource, Completeness: model.Whole, Status: model.Done,
		BytesSeen: &n, Evidence: seen}
	if change != nil {
		change(t)
	}
	return t
}

func access(id string, port uint16, when model.Time, what string, change func(*model.Access)) *model.Access {
	a := &model.Access{ID: id, Time: when, What: what, Channel: "smb2", Source: at("10.1.0.11", port), Destination: at("10.1.0.12", 445), Share: `\\WS-2\IPC$`, Evidence: seen}
	if change != nil {
		change(a)
	}
	return a
}

func asked(opnum int) func(*model.Access) {
	return func(a *model.Access) { a.Interface, a.Opnum = svcctl, &opnum }
}

func connect(id string, port uint16, share string) *model.Access {
	return access(id, port, 5e9, "share-connect", func(a *model.Access) { a.Share = share })
}

// alerts are the foretold ones as "id key", those in doubt with "?", without those of the policy.
func alerts(t *testing.T, r *model.Records) string {
	t.Helper()
	told, err := Foretell(office(), prevent.Choice{}, r, HomeNet)
	if err != nil {
		t.Fatal(err)
	}
	short := map[string]string{keyOf("hash", "f-0123456789abcdef", "sha256"): "sha256", keyOf("name", "winsvcmon.exe"): "name", keyOf("path", `temp\winsvcmon.exe`): "path",
		keyOf("service", "winsvcmon"): "service", keyOf("pipe", "psexesvc-ws01-1-stdin"): "pipe"}
	var out []string
	for _, f := range told {
		if f.Kind == kindPolicy {
			continue
		}
		key := f.Key
		if short[key] != "" {
			key = short[key]
		}
		if f.Doubt != "" {
			key += "?"
		}
		out = append(out, fmt.Sprintf("%s%s %s", f.Transfer, f.Access, key))
	}
	return strings.Join(out, ", ")
}

func TestForetell(t *testing.T) {
	for name, c := range map[string]struct {
		transfers []*model.Transfer
		accesses  []*model.Access
		want      string
	}{
		"a program to an administrative share, then a service": {
			[]*model.Transfer{pushed("t1", 50000, nil)},
			[]*model.Access{connect("a0", 50000, `\\WS-2\ADMIN$`), access("a1", 50000, 12e9, "rpc-call", asked(12)), access("a2", 50000, 12e9, "service-create", func(a *model.Access) { a.Object = "WINSVCMON" })},
			"t1 sha256, t1 name, t1 path, t1 admin-share-pe, a1 start-service-same-flow, a2 service",
		},
		"the service in another connection": {
			[]*model.Transfer{pushed("t1", 50000, nil)},
			[]*model.Access{connect("a0", 50000, `\\WS-2\C$`), access("a1", 50001, 3000e9, "rpc-call", asked(19))},
			"t1 sha256, t1 name, t1 path, t1 admin-share-pe, a1 start-service-other-flow",
		},
		"two hours later": {
			[]*model.Transfer{pushed("t1", 50000, nil)},
			[]*model.Access{connect("a0", 50000, `\\WS-2\C$`), access("a1", 50001, 7200e9, "rpc-call", asked(19))},
			"t1 sha256, t1 name, t1 path, t1 admin-share-pe",
		},
		"another call, and a service without a program": {
			[]*model.Transfer{pushed("t1", 50000, func(t *model.Transfer) { t.Type, t.SHA256, t.Name, t.Path = "text", "", "a.txt", "a.txt" })},
			[]*model.Access{connect("a0", 50000, `\\WS-2\C$`), access("a1", 50000, 12e9, "rpc-call", asked(12))},
			"",
		},
		"a share that is none of administration": {
			[]*model.Transfer{pushed("t1", 50000, func(t *model.Transfer) { t.Share = `\\WS-2\tools` })},
			[]*model.Access{connect("a0", 50000, `\\WS-2\tools`)},
			"t1 sha256, t1 name, t1 path",
		},
		"encrypted": {
			[]*model.Transfer{pushed("t1", 50000, func(t *model.Transfer) { t.Session = &model.Session{Encrypted: true} })},
			[]*model.Access{connect("a0", 50000, `\\WS-2\ADMIN$`)},
			"",
		},
		"not whole": {
			[]*model.Transfer{pushed("t1", 50000, func(t *model.Transfer) { t.Completeness, t.SHA256 = model.Partial, "" })},
			[]*model.Access{connect("a0", 50000, `\\WS-2\ADMIN$`)},
			"t1 name?, t1 path?, t1 admin-share-pe?",
		},
		"renamed after it was written": {
			[]*model.Transfer{pushed("t1", 50000, func(t *model.Transfer) { t.EarlierNames = []string{"~1.tmp"} })}, nil, "t1 sha256",
		},
		"a log's word": {
			[]*model.Transfer{pushed("t1", 50000, func(t *model.Transfer) {
				t.Completeness, t.BytesSeen, t.Evidence, t.SHA256 = model.Logged, nil, []model.Evidence{{Kind: "event"}}, ""
				t.Hashes = []model.Hash{{Alg: "md5", Value: strings.Repeat("1D", 16)}}
			})}, nil,
			"t1 " + keyOf("hash", "f-0123456789abcdef", "md5") + "?, t1 name?, t1 path?",
		},
		"a protocol that Suricata finds no files in": {
			[]*model.Transfer{pushed("t1", 50000, func(t *model.Transfer) { t.Channel = "ssh" }), pushed("t2", 50001, func(t *model.Transfer) { t.Channel = "tcp" }), pushed("t3", 50002, func(t *model.Transfer) { t.Channel = "tftp" })}, nil,
			"t2 raw-pe?",
		},
		"management, and hosts outside": {
			[]*model.Transfer{
				pushed("t1", 50000, func(t *model.Transfer) { t.Source, t.SHA256 = at("10.9.0.3", 50000), "" }),
				pushed("t2", 50000, func(t *model.Transfer) { t.Source = at("203.0.113.9", 50000) })},
			[]*model.Access{{ID: "a0", Time: 5e9, What: "share-connect", Share: `\\WS-2\ADMIN$`, Source: at("10.9.0.3", 50000), Destination: at("10.1.0.12", 445)}},
			"t1 name, t1 path, t2 sha256",
		},
		"a pipe, and one that begins so": {
			nil, []*model.Access{
				access("a1", 50000, 1e9, "pipe-open", func(a *model.Access) { a.Object = `\psexesvc-ws01-1-STDIN` }),
				access("a2", 50000, 1e9, "pipe-open", func(a *model.Access) { a.Object = "PSEXESVC-WS01-1-stdin2" }),
				access("a3", 50000, 1e9, "pipe-open", func(a *model.Access) { a.Object, a.Channel = "PSEXESVC-WS01-1-stdin", "smb1" })},
			"a1 pipe",
		},
	} {
		r := &model.Records{Transfers: c.transfers, Accesses: c.accesses}
		if got := alerts(t, r); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestForetellPolicy(t *testing.T) {
	from := func(id, client string, port uint16, server string, serverPort uint16, when model.Time) *model.Access {
		return &model.Access{ID: id, Time: when, What: "rpc-call", Channel: "dcerpc", Source: at(client, port), Destination: at(server, serverPort), Evidence: seen}
	}
	r := &model.Records{Accesses: []*model.Access{
		from("peer", "10.1.0.11", 50000, "10.1.0.12", 445, 1e9), from("again", "10.1.0.11", 50000, "10.1.0.12", 445, 2e9), from("next", "10.1.0.11", 50001, "10.1.0.12", 445, 3e9),
		from("server", "10.1.0.11", 50002, "10.2.0.5", 445, 4e9), from("admin", "10.9.0.1", 50000, "10.1.0.12", 445, 5e9), from("excepted", "10.1.0.7", 50000, "10.1.0.8", 445, 6e9),
		from("beyond", "10.1.0.7", 50000, "10.1.0.9", 445, 7e9), from("updater", "10.1.0.11", 50003, "10.2.0.5", 50000, 8e9), from("rpc", "10.1.0.11", 50004, "172.16.0.1", 49999, 9e9),
	}}
	told, err := Foretell(office(), prevent.Choice{}, r, HomeNet)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range told {
		got = append(got, f.Access)
	}
	if want := "peer next beyond rpc"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
