package http

import (
	"strings"

	"waybill/internal/wire"
)

// agents are kinds of clients by words in their User-Agent (RFC 9110 10.1.5), in the
// order in which they are looked for: many name others that they are like.
var agents = []struct{ word, kind string }{
	{"curl/", "curl"}, {"wget/", "wget"}, {"powershell", "PowerShell"}, {"microsoft bits", "BITS"}, {"certutil", "certutil"},
	{"cryptoapi", "Windows CryptoAPI"}, {"ms-cryptoapi", "Windows CryptoAPI"}, {"webdav-miniredir", "Windows WebDAV"}, {"winrm", "WinRM"},
	{"windows-update", "Windows Update"}, {"delivery-optimization", "Delivery Optimization"}, {"winhttp", "WinHTTP"}, {"wininet", "WinINet"},
	{"python-requests", "Python"}, {"python-urllib", "Python"}, {"aiohttp", "Python"}, {"go-http-client", "Go program"}, {"java/", "Java program"},
	{"okhttp", "Android app"}, {"dalvik", "Android app"}, {"cfnetwork", "Apple app"}, {"davfs", "davfs"}, {"debian apt", "APT"}, {"libdnf", "DNF"},
	{"iphone", "iOS browser"}, {"ipad", "iOS browser"}, {"android", "Android browser"}, {"cros", "ChromeOS browser"},
	{"windows nt", "Windows browser"}, {"windows phone", "Windows Phone browser"}, {"macintosh", "macOS browser"}, {"linux", "Linux browser"},
}

// agentKind is what kind of client sends a User-Agent; "" where nothing tells.
func agentKind(agent string) string {
	agent = strings.ToLower(agent)
	for _, a := range agents {
		if strings.Contains(agent, a.word) {
			return a.kind
		}
	}
	if agent == "" {
		return ""
	}
	return "other program"
}

const maxAgents = 1 << 16

// agent reports each kind of client of an address once. The whole text is the
// client's to choose, and stays with its transfers.
func (c *conn) agent(x *exchange) {
	kind := agentKind(x.agent)
	if kind == "" {
		return
	}
	client := c.wire.Ends[x.side]
	key := client.Addr.String() + "\x00" + kind
	if c.p.agents[key] {
		return
	}
	if c.p.agents == nil || len(c.p.agents) >= maxAgents {
		c.p.agents = map[string]bool{}
	}
	c.p.agents[key] = true
	a := &wire.Access{Conn: c.wire}
	a.ID = wire.ID("a", "http", c.wire, x.side, x.seq, 0, []byte("http-client")...)
	a.Time, a.What, a.Channel, a.Object = x.first.Time, "http-client", "http", kind
	a.Source, a.Destination = client.Endpoint(), c.wire.Ends[x.side.Other()].Endpoint()
	a.Seen.Add(x.first)
	c.p.env.Access(a)
}
