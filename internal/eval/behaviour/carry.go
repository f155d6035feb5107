package behaviour

import (
	"strings"

	"waybill/internal/synth"
)

// carryVerbs are ways that are no exchange between the two hosts: media, synced folders,
// agents, group policy, hypervisors.
var carryVerbs = map[string]verb{
	// plug: a removable medium of a serial number is put into a host (6416).
	"plug": {form: "HOST SERIAL", play: func(b *stage, c call) {
		if b.logs(c.words[0]) {
			b.Log(b.host(c.words[0]), synth.Security, 6416, "DeviceId", `USBSTOR\Disk&Ven_Kin&Prod_Stick\`+c.words[1]+`&0`, "DeviceDescription", "Kin Stick USB Device", "ClassName", "DiskDrive")
		}
	}},
	// carried: a file came from one host to another on a medium or through a synced folder.
	"carried": {form: "FROM TO CHANNEL NAME", play: func(b *stage, c call) {
		b.moves(&movement{from: c.words[0], to: c.words[1], channel: c.words[2], name: c.words[3]})
	}},
	// arrived: a file came to a host, and the logs do not tell from where.
	"arrived": {form: "TO CHANNEL NAME [from=]", play: func(b *stage, c call) {
		b.moves(&movement{from: c.option("from", ""), to: c.words[0], channel: c.words[1], name: c.words[2], sourceless: c.option("from", "") == ""})
	}},
	// synced: the client of a synced folder writes a file that another host put there.
	"synced": {form: "FROM TO FOLDER FILE [image=] [client=]", play: func(b *stage, c call) {
		from, to, file := c.words[0], c.words[1], c.words[2]+`\`+c.words[3]
		b.created(from, c.option("image", `C:\Windows\System32\cmd.exe`), 4900, file)
		b.later(60 + 200*b.rng.Float64())
		b.moves(&movement{from: from, to: to, channel: "sync-folder", name: lastElement(file)})
		b.created(to, c.option("client", `C:\Program Files\Microsoft OneDrive\OneDrive.exe`), 2100, file)
	}},
	// policy: the change of a group policy object, as a domain controller audits it (5136).
	"policy": {form: "DC [by=] [guid=]", play: func(b *stage, c call) {
		if !b.logs(c.words[0]) {
			return
		}
		domain, user, _ := strings.Cut(c.option("by", b.words["account"]), `\`)
		b.Log(b.host(c.words[0]), synth.Security, 5136, "SubjectUserName", user, "SubjectDomainName", domain, "ObjectDN", `CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=Policies,CN=System,DC=corp,DC=example`,
			"AttributeLDAPDisplayName", "gPCMachineExtensionNames", "OperationType", "%%14674")
	}},
	// mount: a disk image is mounted (VHDMP 1).
	"mount": {form: "HOST PATH", play: func(b *stage, c call) {
		if b.logs(c.words[0]) {
			b.Log(b.host(c.words[0]), synth.VHDMP, 1, "VhdFileName", c.words[1], "VhdType", "ISO")
			b.startedBy(c.words[0], c.words[1], "")
		}
	}},
}
