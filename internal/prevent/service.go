package prevent

import (
	"slices"
	"strconv"

	"waybill/internal/model"
)

// KnownServices are the services that files and what starts them go over, with the ports
// that filters tell them by (IANA; Microsoft KB 832017 for the dynamic ports of RPC).
var KnownServices = []Service{
	{"smb", []string{"tcp/445", "tcp/139"}},
	{"rpc", []string{"tcp/135", "tcp/49152-65535"}},
	{"winrm", []string{"tcp/5985", "tcp/5986"}},
	{"rdp", []string{"tcp/3389", "udp/3389"}},
	{"ssh", []string{"tcp/22"}},
	{"ftp", []string{"tcp/21", "tcp/990"}},
	{"tftp", []string{"udp/69"}},
	{"nfs", []string{"tcp/2049", "udp/2049", "tcp/111", "udp/111"}},
	{"rsync", []string{"tcp/873"}},
	{"http", []string{"tcp/80", "tcp/443", "tcp/8080", "tcp/8443"}},
}

// carriers are the services that channels go over.
var carriers = map[string]string{
	"smb": "smb", "gpo": "smb", "dcerpc": "rpc", "rpc": "rpc", "winrm": "winrm", "rdp": "rdp", "ssh": "ssh",
	"ftp": "ftp", "tftp": "tftp", "nfs": "nfs", "rsync": "rsync", "http": "http",
}

// ServiceOf names the service of a channel to a port of the server: one of KnownServices, or a port
// by itself, as "tcp/8000", where the server has the channel elsewhere. It is "" where no
// filter between two hosts would see the exchange as one (removable media, synced folders, guests).
func ServiceOf(channel string, port uint16) string {
	name := carriers[model.ChannelFamily(channel)]
	transport := "tcp"
	switch channel {
	case "tcp":
	case "udp", "tftp":
		transport = "udp"
	default:
		if name == "" {
			return ""
		}
	}
	if port == 0 || name == "tftp" { // a TFTP server answers from another port (RFC 1350 4)
		return name
	}
	own := transport + "/" + strconv.Itoa(int(port))
	for _, s := range KnownServices {
		if slices.ContainsFunc(s.Ports, func(p string) bool { return covers(p, transport, port) }) && (s.Name == name || name == "" && s.Name != "rpc") {
			return s.Name
		}
	}
	if name == "rsync" && port == 22 {
		return "ssh"
	}
	return own
}

// covers says whether "tcp/445" or "tcp/49152-65535" holds a port.
func covers(ports, transport string, port uint16) bool {
	p, err := ParsePorts(ports)
	return err == nil && p.Transport == transport && p.First <= port && port <= p.Last
}
