package behaviour

import (
	"fmt"
	"strconv"
	"strings"

	"waybill/internal/synth"
)

// fetchVerbs are downloads on Windows hosts, from inside and from outside.
var fetchVerbs = map[string]verb{
	// fetch: a tool on HOST gets a URL of a server, by a command.
	"fetch": {form: "SERVER HOST LOCAL [by=] [parent=] [writer=] [name=] COMMAND", rest: true, play: fetchVerb},
	// bits: a job of BITS, from a UNC path or a URL, as its own log has it.
	"bits": {form: "SERVER HOST URL LOCAL [job=] [by=]", play: bitsVerb},
	// download: a program writes a file that it got over the web, of which no command says where from.
	"download": {form: "SERVER HOST IMAGE LOCAL [port=]", play: func(b *stage, c call) {
		port := atoi(c.option("port", "443"))
		if b.logs(c.words[1]) {
			b.connected(b.host(c.words[1]), b.host(c.words[1]), b.host(c.words[0]), port, c.words[2])
			b.Log(b.host(c.words[1]), synth.Sysmon, 22, "RuleName", "-", "ProcessGuid", processGUID(b.host(c.words[1]), worker(c.words[2])), "ProcessId", strconv.Itoa(worker(c.words[2])),
				"QueryName", fqdn(b.host(c.words[0])), "QueryStatus", "0", "QueryResults", "::ffff:"+b.host(c.words[0]).Addr.String()+";", "Image", c.words[2])
		}
		b.later(0.8)
		b.created(c.words[1], c.words[2], worker(c.words[2]), c.words[3])
	}},
}

func inside(b *stage, role string) bool {
	return !public.Contains(b.host(role).Addr)
}

func fetchVerb(b *stage, c call) {
	server, host, local := c.words[0], c.words[1], c.words[2]
	image := imageOf(c.rest)
	if inside(b, server) {
		m := b.moves(&movement{from: server, to: host, channel: "http", name: c.option("name", lastElement(local)), path: local})
		if b.packets {
			m.hash = b.hashOf(m.name)
			http := b.HTTP(b.host(host), b.host(server), b.host(server).Addr.String())
			http.Get("/"+m.name, synth.Entity{Content: b.file(m.name)})
			http.Close()
			return
		}
	}
	pid := b.runs(host, c.option("by", systemUser), c.option("parent", wmiHost), image, c.rest)
	b.spoke(host, server, 80, image, `C:\Windows\System32\svchost.exe`)
	b.later(0.6)
	b.created(host, c.option("writer", image), pid, local)
}

func bitsVerb(b *stage, c call) {
	server, host, url, local := c.words[0], c.words[1], c.words[2], c.words[3]
	if inside(b, server) {
		m := b.moves(&movement{from: server, to: host, channel: "bits", name: lastElement(local), path: local})
		if strings.HasPrefix(url, `\\`) {
			m.name = lastElement(url)
		}
	}
	if !b.logs(host) {
		return
	}
	h := b.host(host)
	job := c.option("job", b.words["svc"])
	b.Log(h, synth.BITS, 3, "string", job, "string2", c.option("by", systemUser))
	b.Log(h, synth.BITS, 59, "transferId", "{1}", "name", job, "Id", "{2}", "url", url, "peer", "", "hr", "0x0", "bytesTotal", "18446744073709551615", "bytesTransferred", "0")
	if strings.HasPrefix(url, `\\`) {
		share, path, _ := strings.Cut(strings.SplitN(url, `\`, 4)[3], `\`)
		account := `CORP\` + h.Name + `$`
		logon := b.netLogon(server, host, account, false)
		b.shareAccess(server, host, account, logon, share, path, "0x120089")
	}
	b.later(3)
	temp := local[:strings.LastIndexByte(local, '\\')+1] + "BIT7F3A.tmp"
	b.created(host, `C:\Windows\System32\svchost.exe`, 1100, temp)
	size := fmt.Sprint(len(b.file(lastElement(local))))
	b.Log(h, synth.BITS, 60, "transferId", "{1}", "name", job, "Id", "{2}", "url", url, "peer", "", "hr", "0x0", "bytesTotal", size, "bytesTransferred", size)
}
