package prevent

import (
	"net/netip"
	"testing"

	"waybill/internal/model"
)

func at(ip, host string, port uint16) model.Endpoint {
	return model.Endpoint{IP: model.AddrOf(netip.MustParseAddr(ip)), Host: host, Port: port}
}

func TestServiceOf(t *testing.T) {
	for _, c := range []struct {
		channel string
		port    uint16
		want    string
	}{
		{"smb2", 445, "smb"}, {"smb", 0, "smb"}, {"smb1", 139, "smb"}, {"gpo", 445, "smb"},
		{"webdav", 80, "http"}, {"http", 8000, "tcp/8000"}, {"bits", 0, "http"},
		{"rsync", 22, "ssh"}, {"rsync", 873, "rsync"}, {"ssh", 2222, "tcp/2222"},
		{"tftp", 49484, "tftp"}, {"dcerpc", 49664, "rpc"}, {"tcp", 49664, "tcp/49664"}, {"tcp", 3389, "rdp"}, {"dcerpc", 445, "smb"}, {"ssh", 443, "http"}, {"udp", 111, "nfs"},
		{"removable", 0, ""}, {"sync-folder", 443, ""},
	} {
		if got := ServiceOf(c.channel, c.port); got != c.want {
			t.Errorf("ServiceOf(%s, %d) = %q, want %q", c.channel, c.port, got, c.want)
		}
	}
}

func TestMoves(t *testing.T) {
	ws, fs, peer := at("10.0.1.1", "WS-1", 50000), at("10.0.0.1", "FS-1", 445), at("10.0.1.2", "WS-2", 445)
	r := &model.Records{
		Transfers: []*model.Transfer{
			{ID: "t-1", End: 20e9, Channel: "smb2", Source: fs, Destination: ws, Initiator: model.ByDestination, Scope: model.ScopeInternal},
			{ID: "t-2", End: 10e9, Channel: "smb2", Source: ws, Destination: peer, Initiator: model.BySource, Scope: model.ScopeInternal},
			{ID: "t-3", End: 30e9, Channel: "smb2", Source: ws, Destination: peer, Initiator: model.BySource, Status: model.Denied},
			{ID: "t-4", End: 30e9, Channel: "http", Source: fs, Destination: ws, Scope: model.ScopeInbound},
		},
		Accesses: []*model.Access{
			{Time: 5e9, What: "service-start", Channel: "smb2", Source: ws, Destination: peer},
			{Time: 6e9, What: "service-start", Channel: "smb2", Source: ws, Destination: fs},
			{Time: 7e9, What: "name-query", Channel: "mdns", Source: ws, Destination: fs},
		},
		Findings: []*model.Finding{{ID: "f-1", Severity: model.Low, Score: 6, Transfers: []string{"t-2"}}, {ID: "f-2", Severity: model.Info, Score: 1, Transfers: []string{"t-1", "t-2"}}},
	}
	moves := Moves(r)
	want := []struct {
		client, server string
		push, bad      bool
	}{{"WS-1", "WS-2", false, true}, {"WS-1", "FS-1", false, false}, {"WS-1", "WS-2", true, true}, {"WS-1", "FS-1", false, false}}
	if len(moves) != len(want) {
		t.Fatalf("%d moves, want %d: %+v", len(moves), len(want), moves)
	}
	for i, w := range want {
		m := &moves[i]
		if m.Client.Host != w.client || m.Server.Host != w.server || m.Push != w.push || m.Bad() != w.bad || m.Service != "smb" {
			t.Errorf("move %d: %+v, want %+v", i, m, w)
		}
	}
}

func TestParsePorts(t *testing.T) {
	if p, err := ParsePorts("tcp/49152-65535"); err != nil || p != (Ports{"tcp", 49152, 65535}) {
		t.Errorf("got %v, %v", p, err)
	}
	for _, bad := range []string{"", "445", "tcp/0", "tcp/5-4", "tcp/65536", "icmp/1", "tcp/-1"} {
		if p, err := ParsePorts(bad); err == nil {
			t.Errorf("%q is %v, want an error", bad, p)
		}
	}
}
