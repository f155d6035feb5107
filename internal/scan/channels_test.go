package scan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// channels are scripts of protocols in which no file, or none that can be read,
// crosses, each with what must be found.
var channels = map[string]func(*synth.Net){
	"ssh": secureShells, "rpc": remoteCalls, "winrm": remoteShells, "kerberos": tickets, "identity": whoIsWho, "raw": sockets, "rdp": desktops, "rdp over UDP": desktopDatagrams,
}

func secureShells(n *synth.Net) {
	a, b := n.Host("WS-01", "10.20.1.1"), n.Host("SRV-02", "10.20.0.2")
	open := func(o synth.SSHOptions) *synth.SSH {
		s := n.SSH(a, b, o)
		s.Login()
		return s
	}
	for _, c := range []*synth.SSHCipher{&synth.SSHChaCha, &synth.SSHGCM, &synth.SSHCTR} {
		for _, copying := range []func(s *synth.SSH, size int){
			func(s *synth.SSH, size int) { s.SCPPut("a.tar", size) }, func(s *synth.SSH, size int) { s.SCPGet("b.tar", size) },
			func(s *synth.SSH, size int) { s.SFTPPut("c.tar", size) }, func(s *synth.SSH, size int) { s.SFTPGet("d.tar", size) },
		} {
			s := open(synth.SSHOptions{User: "deploy", Cipher: c, Packet: 16<<10 + n.Intn(16<<10)})
			copying(s, 100_000+n.Intn(200_000))
			s.Close()
		}
	}
	shell := open(synth.SSHOptions{User: "anna", Client: "PuTTY_Release_0.78"})
	shell.Shell(300)
	shell.Close()
	n.SSH(a, b, synth.SSHOptions{User: "root", Client: "libssh2_1.10.0"}).Refused(3)
	tunnel := open(synth.SSHOptions{User: "anna"})
	tunnel.Tunnel(20, 9_000, 14_000)
	tunnel.Close()
}

func remoteCalls(n *synth.Net) {
	a, b := n.Host("WS-01", "10.20.1.1"), n.Host("SRV-02", "10.20.0.2")
	eve := synth.RPCOptions{User: "eve", Domain: "CORP", Security: synth.RPCIntegrity, Fragment: 400}
	sealed := eve
	sealed.Security = synth.RPCPrivacy
	for i, o := range []synth.RPCOptions{{}, {BigEndian: true, Fragment: 200}, {NDR64: true}, eve, sealed} {
		port, file := uint16(49664+8*i), fmt.Sprintf(`C:\Windows\Temp\run%d.exe`, i)
		n.TaskByRPC(a, b, port, `\Updates\check`, file, "-q & exit", o)
		n.ServiceByRPC(a, b, port+1, "updsvc", file, o)
		n.WMIExec(a, b, port+2, "cmd.exe /Q /c "+file+" 1> nul", o)
		n.MMC20(a, b, port+3, file, o)
		s := n.SMB(a, b, synth.SMBOptions{User: "eve", Domain: "CORP"})
		if o.Security != synth.RPCPrivacy {
			s.ATJob(file, o)
		}
		s.SetRunKey("Updater", file, o)
		s.ListShares(o, "ADMIN$", "C$", "Data")
		s.Logoff()
	}
	n.TaskDenied(a, b, 49664, `\Updates\denied`, `C:\Windows\Temp\no.exe`, eve)
}

func remoteShells(n *synth.Net) {
	a, b := n.Host("WS-01", "10.20.1.1"), n.Host("SRV-02", "10.20.0.2")
	n.WinRM(a, b, "", false).Run(`C:\Windows\Temp\a.exe`, `-x "1 & 2"`)
	n.WinRM(a, b, "", true).Run(`C:\Windows\Temp\b.exe`, "")
}

func tickets(n *synth.Net) {
	a, dc := n.Host("WS-01", "10.20.1.1"), n.Host("DC-01", "10.20.0.9")
	for _, tcp := range []bool{false, true} {
		k := n.KDC(a, dc, "CORP.EXAMPLE")
		k.TCP = tcp
		user := map[bool]string{false: "anna", true: "bob"}[tcp]
		k.Login(user)
		k.Ticket(user, "cifs/fs-01.corp.example")
		k.Refused("carl-"+user, synth.KerberosWrongPassword)
		k.Refused("nobody-"+user, synth.KerberosUnknownClient)
	}
}

func whoIsWho(n *synth.Net) {
	n.V6 = false
	router, b := n.Host("GW-01", "10.20.0.1"), n.Host("SRV-02", "10.20.0.2")
	n.ARP(router, b)
	first := n.Lease(router, "LAPTOP-1", "10.20.1.77", [6]byte{0x00, 0x50, 0x56, 1, 2, 3}, 3600)
	n.ARP(first, router)
	n.NBNSRegister(first)
	n.NBNS(first, b)
	n.NBSTAT(first, b, "CORP")
	n.Raw(first, b, n.Script(9_000), synth.RawOptions{})
	n.Sleep(2 * 3600e9)
	second := n.Lease(router, "LAPTOP-2", "10.20.1.77", [6]byte{0x00, 0x50, 0x56, 1, 2, 9}, 3600)
	n.LLMNR(second, b)
	n.MDNS(second, "_smb._tcp.local")
	n.Raw(second, b, n.Script(8_000), synth.RawOptions{})
	n.Lease6(router, "LAPTOP-2", "fd20::77", [6]byte{0x00, 0x50, 0x56, 1, 2, 9}, 3600)
}

func desktops(n *synth.Net) {
	a, b := n.Host("WS-01", "10.20.1.1"), n.Host("SRV-02", "10.20.0.2")
	clear := n.RDP(a, b, synth.RDPOptions{User: "anna"})
	clear.Drive()
	clear.ReadDrive(`docs\plan.docx`, n.DOCX(150_000))
	clear.WriteDrive(`out\tool.exe`, n.PE(90_000))
	clear.Paste(synth.Client, "payload.exe", n.PE(80_000))
	clear.Paste(synth.Server, "secret.zip", n.Zip("a.txt", 70_000))
	clear.Close()
	for _, use := range []func(r *synth.RDP){
		func(*synth.RDP) {}, // screens alone
		func(r *synth.RDP) { r.ReadDrive("in.bin", n.Bytes(500_000)) },
		func(r *synth.RDP) { r.WriteDrive("out.bin", n.Bytes(600_000)) },
		func(r *synth.RDP) { r.Paste(synth.Client, "pasted.bin", n.Bytes(400_000)) },
	} {
		r := n.RDP(a, b, synth.RDPOptions{User: "anna", TLS: true})
		r.Screens(8)
		use(r)
		r.Close()
	}
}

func desktopDatagrams(n *synth.Net) {
	a, b := n.Host("WS-01", "10.20.1.1"), n.Host("SRV-02", "10.20.0.2")
	n.RDPUDP(a, b, 300_000, 20_000)
	n.RDPUDP(b, a, 10_000, 200_000)
}

// sockets sends programs and archives by netcat, both ways, with things said before
// and after them.
func sockets(n *synth.Net) {
	a, b := n.Host("WS-01", "10.20.1.1"), n.Host("SRV-02", "10.20.0.2")
	programs := [][]byte{n.PE(90_000), n.ELFProgram(80_000), n.MachO(70_000)}
	archives := [][]byte{n.Zip("tool.exe", 60_000), n.SevenZip(50_000), n.RAR5(40_000), n.RAR4(70_000), n.Cabinet(70_000), n.Zip("a", 10)}
	unsized := [][]byte{n.Script(30_000), n.Gzip(20_000)}
	for _, content := range slices.Concat(programs, archives, unsized) {
		n.Raw(a, b, content, synth.RawOptions{})
		n.Raw(a, b, content, synth.RawOptions{Served: true, Greeting: []byte("send me the tool\n")})
	}
	for _, content := range slices.Concat(programs, archives) {
		n.Raw(a, b, content, synth.RawOptions{Answer: []byte("got it\n"), After: []byte("bye\n")})
		n.Raw(a, b, content, synth.RawOptions{Reset: true})
		n.Raw(a, b, content, synth.RawOptions{UDP: true})
		n.Raw(a, b, content, synth.RawOptions{UDP: true, Served: true, Block: 512})
	}
	for _, content := range archives {
		n.Raw(a, b, content, synth.RawOptions{After: []byte("bye\n")})
	}
}

// isSeen says whether an access is there.
func isSeen(r *Records, s synth.Seen) bool {
	return anAccess(r, s.What, func(a *model.Access) bool {
		return (!s.Source.Known() || a.Source.IP == s.Source) && (!s.Destination.Known() || a.Destination.IP == s.Destination) &&
			either(s.Channel, a.Channel) && either(s.Object, a.Object) && either(s.Command, a.Command) && either(s.User, a.User) && either(s.Status, a.Status) &&
			either(s.MAC, a.Source.MAC) && either(s.Host, a.Source.Host) && strings.Contains(a.Detail, s.Detail)
	})
}

func either(want, got string) bool { return want == "" || want == got }

// estimated says whether an opaque transfer is there whose bounds hold the truth, and
// whose estimate is within 3 % of it for SSH from 100 kB on.
func estimated(r *Records, m synth.Moved) bool {
	return slices.ContainsFunc(r.Transfers, func(x *model.Transfer) bool {
		if x.Completeness != model.Opaque || x.Source.IP != m.Source || x.Destination.IP != m.Destination || x.Operation != m.Operation || x.Channel != m.Channel {
			return false
		}
		off := max(x.Estimate.Size-m.Size, m.Size-x.Estimate.Size)
		return x.Estimate.Low <= m.Size && m.Size <= x.Estimate.High && (m.Channel != "ssh" || m.Size < 100_000 || off*100 <= 3*m.Size)
	})
}

// complete says that all that is true of a scene was found, and no more was claimed.
func complete(t *testing.T, what string, scene synth.Scene, r *Records) {
	t.Helper()
	got := found(r)
	for _, m := range scene.Truth.Moved {
		switch {
		case m.Completeness == model.Opaque && !estimated(r, m):
			t.Errorf("%s: no estimate fits %s", what, key(m))
		case m.Completeness == model.Whole && got[key(m)] == 0:
			t.Errorf("%s: not found: %s", what, key(m))
		case m.Completeness == model.Whole:
			got[key(m)]--
		}
	}
	for k, n := range got {
		if n > 0 && !strings.HasSuffix(k, model.Opaque) {
			t.Errorf("%s: %d times more than true: %s", what, n, k)
		}
	}
	for _, s := range scene.Truth.Seen {
		if !isSeen(r, s) {
			t.Errorf("%s: not seen: %+v", what, s)
		}
	}
}

// truthful says that damage led to no claim that is not true: of content, of
// commands, and of the volume of what cannot be read.
func truthful(t *testing.T, what string, scene synth.Scene, r *Records) {
	t.Helper()
	honest(t, what, scene, r)
	all := map[string]int64{} // bytes of content of a channel
	for _, m := range scene.Truth.Moved {
		all[m.Channel] += m.Size
	}
	for _, x := range r.Transfers {
		if e := x.Estimate; e != nil && (e.Low > e.Size || e.Size > e.High || x.Channel != "tcp" && e.Low > all[x.Channel]) {
			t.Errorf("%s: %s %s: estimate %+v", what, x.Channel, x.Operation, *e)
		}
		if x.Size != nil && x.BytesSeen != nil && x.Completeness != model.Opaque && *x.BytesSeen > *x.Size {
			t.Errorf("%s: %s: %d bytes seen of %d", what, x.Channel, *x.BytesSeen, *x.Size)
		}
	}
	for _, a := range r.Accesses {
		if a.Command != "" && !slices.ContainsFunc(scene.Truth.Seen, func(s synth.Seen) bool { return s.Command == a.Command }) {
			t.Errorf("%s: nobody ran %q", what, a.Command)
		}
	}
}

// withoutDatagrams leaves out what crossed in bare datagrams: nobody can tell whether
// one is missing, came late or twice, which the record says.
func withoutDatagrams(scene synth.Scene, r *Records) synth.Scene {
	r.Transfers = slices.DeleteFunc(r.Transfers, func(x *model.Transfer) bool { return x.Channel == "udp" && x.Confidence == "low" })
	scene.Truth.Moved = slices.DeleteFunc(slices.Clone(scene.Truth.Moved), func(m synth.Moved) bool { return m.Channel == "udp" })
	return scene
}

// TestDesktopHosts: the name that a client says is its own, also where the server asks
// for the client's files.
func TestDesktopHosts(t *testing.T) {
	r := scanFolder(t, captureFile(t, synth.Record(31, desktops).Capture))
	for _, x := range r.Transfers {
		for _, e := range []model.Endpoint{x.Source, x.Destination} {
			if e.Host != "" && (e.Host == "WS-01") != (e.IP.String() == "10.20.1.1") {
				t.Errorf("%s %s: %s is called %s", x.Operation, x.Name, e.IP, e.Host)
			}
		}
	}
}

func TestChannels(t *testing.T) {
	for name, script := range channels {
		for _, v6 := range []bool{false, true} {
			scene := synth.Record(31, func(n *synth.Net) { n.V6 = v6; script(n) })
			complete(t, fmt.Sprintf("%s, v6 %v", name, v6), scene, scanFolder(t, captureFile(t, scene.Capture)))
		}
	}
}

// TestChannelsHarmless: copies and another order of packets change nothing.
func TestChannelsHarmless(t *testing.T) {
	for name, script := range channels {
		scene := synth.Record(32, script)
		for what, c := range map[string]synth.Capture{
			"duplicates": scene.Capture.Duplicate(1, 0.2), "reordered": scene.Capture.Reorder(2, 0.05),
		} {
			if name == "rdp over UDP" && what == "duplicates" {
				continue // a copy of a datagram cannot be told from one that was sent twice
			}
			r := scanFolder(t, captureFile(t, c))
			complete(t, name+", "+what, withoutDatagrams(scene, r), r)
		}
	}
}

// TestChannelsDamaged: what is missing takes nothing away from the truth of the rest.
func TestChannelsDamaged(t *testing.T) {
	for name, script := range channels {
		scene := synth.Record(33, script)
		c := scene.Capture
		ways := map[string]synth.Capture{
			"lost 0.2 %": c.Drop(1, 0.002), "lost 2 %": c.Drop(2, 0.02), "lost 20 %": c.Drop(3, 0.2),
			"snapped to 60": c.Snap(60), "snapped to 300": c.Snap(300), "snapped to 1000": c.Snap(1000),
			"client only": c.Only(synth.Client), "server only": c.Only(synth.Server),
			"end after 50": c[:min(50, len(c))], "end at half": c[:len(c)/2],
		}
		for _, i := range []int{1, 4, 9, 40, len(c) / 3, len(c) / 2} {
			ways[fmt.Sprintf("from %d", i)] = c.From(min(i, len(c)-1))
		}
		for what, damaged := range ways {
			r := scanFolder(t, captureFile(t, damaged))
			truthful(t, name+", "+what, withoutDatagrams(scene, r), r)
		}
		dir := captureFile(t, c.Reorder(1, 0.1))
		for _, memory := range []int64{1 << 10, 64 << 10} {
			r := run(t, Options{Paths: []string{dir}, All: true, Memory: memory})
			truthful(t, fmt.Sprintf("%s, %d bytes of memory", name, memory), withoutDatagrams(scene, r), r)
		}
	}
}

// TestChannelsSplit reads each capture in other forms: nothing but the evidence changes.
func TestChannelsSplit(t *testing.T) {
	for name, script := range channels {
		c := synth.Record(34, script).Capture
		want := allRecords(t, scanFolder(t, captureFile(t, c)))
		ring, taps, ways := c.Ring(3), c.Taps(), c.Directions(0)
		for what, files := range map[string]map[string][]byte{
			"ring":                 {"c.pcap": ring[0].PCAP(), "b.pcap": ring[1].PCAP(), "a.pcap": ring[2].PCAP()},
			"two taps":             {"a.pcap": taps[0].PCAP(), "b.pcap": taps[1].PCAP()},
			"one file a direction": {"in.pcap": ways[1].PCAP(), "out.pcap": ways[0].PCAP()},
			"pcapng":               {"a.pcapng": c.PCAPNG(synth.PCAPNGOptions{})},
			"tunnel":               {"a.pcap": c.Wrap("vxlan").PCAP()},
		} {
			same(t, name+", "+what, allRecords(t, scanFolder(t, write(t, files))), want)
		}
	}
}

// allRecords is the transfers and accesses without their evidence.
func allRecords(t testing.TB, r *Records) []string {
	t.Helper()
	out := lines(t, r)
	for _, a := range r.Accesses {
		c := *a
		c.Evidence = nil
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

// TestLeases: an address is the host's that had it then, also when it was another's
// before.
func TestLeases(t *testing.T) {
	scene := synth.Record(31, whoIsWho)
	r := scanFolder(t, captureFile(t, scene.Capture))
	at := func(ip model.Addr, when model.Time) (mac, host string, held bool) {
		for _, l := range scene.Truth.Leases {
			if l.Addr == ip && l.Start <= when && when < l.Ends {
				return l.MAC, l.Host, true
			}
		}
		return "", "", false
	}
	checked := map[string]bool{}
	for _, x := range r.Transfers {
		if mac, host, held := at(x.Source.IP, x.Start); held {
			checked[host] = true
			if x.Source.MAC != mac || x.Source.Host != host {
				t.Errorf("%s sent as %s %s, was %s %s", x.Source.IP, x.Source.Host, x.Source.MAC, host, mac)
			}
		}
	}
	if len(checked) != 2 {
		t.Errorf("only %v sent something", checked)
	}
	for _, l := range scene.Truth.Leases {
		if !anAccess(r, "address-binding", func(a *model.Access) bool {
			return a.Channel == "dhcp" && a.Source.IP == l.Addr && a.Source.MAC == l.MAC && a.Until-l.Ends < 1e9 && l.Ends-a.Until < 1e9
		}) {
			t.Errorf("no lease %+v", l)
		}
	}
}

// TestChannelsBytes: coverage counts each byte of these protocols once.
func TestChannelsBytes(t *testing.T) {
	for name, script := range channels {
		c := synth.Record(35, script).Capture
		for what, c := range map[string]synth.Capture{"plain": c, "dropped": c.Drop(1, 0.05), "late": c.From(len(c) / 2), "snapped": c.Snap(300)} {
			accounted(t, name+", "+what, Options{}, c.PCAP())
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
