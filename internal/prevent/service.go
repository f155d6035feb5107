package prevent

import (
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

// port is one of a server.
type port struct {
	transport string
	number    uint16
}

// byPort are the services by their single ports.
var byPort = func() map[port]string {
	out := map[port]string{}
	for _, s := range KnownServices {
		for _, text := range s.Ports {
			if p, err := ParsePorts(text); err == nil && p.First == p.Last {
				out[port{p.Transport, p.First}] = s.Name
			}
		}
	}
	return out
}()

// dynamic is the first of the ports that RPC takes as they come.
const dynamic = 49152

// ServiceOf names the service of a channel to a port of the server, as a filter tells it: the
// one of KnownServices that has the port, whatever goes over it (remote calls over named pipes
// are SMB to it), or a port by itself, as "tcp/8000". It is "" where no
// filter between two hosts would see the exchange as one (removable media, synced folders, guests).
func ServiceOf(channel string, number uint16) string {
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
	if number == 0 || name == "tftp" { // a TFTP server answers from another port (RFC 1350 4)
		return name
	}
	if service := byPort[port{transport, number}]; service != "" {
		return service
	}
	if name == "rpc" && number >= dynamic {
		return name
	}
	return transport + "/" + strconv.Itoa(int(number))
}
