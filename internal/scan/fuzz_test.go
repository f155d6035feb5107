package scan

import (
	"bytes"
	"context"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// FuzzScan changes bytes of a capture with all protocols and reads it as a
// program would: no fault, no hash without a whole file, the budget kept.
func FuzzScan(f *testing.F) {
	smb := synth.Record(1, func(n *synth.Net) {
		s := n.SMB(n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"), synth.SMBOptions{User: "u"})
		t := s.Tree("ADMIN$")
		t.Put("a.exe", n.PE(3000))
		t.GetCompound("b.txt", n.Text(900))
		t.List("folder", "a", "b")
		s.StartService("S", "S", `%SystemRoot%\a.exe`)
		s.Logoff()
	}).Capture
	rest := synth.Record(2, func(n *synth.Net) {
		a, b := n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2")
		ftp := n.FTP(a, b, "u", "p")
		ftp.Put("x", n.Text(600))
		ftp.Quit()
		n.TFTPGet(a, b, "y", n.Text(900), synth.TFTPOptions{})
		h := n.HTTP(a, b, "b")
		h.Get("/z.zip", synth.Entity{Content: n.Zip("q", 700), Gzip: true, Chunked: true})
		h.Upload("/up", synth.Entity{Content: n.Text(300), Name: "f.txt"})
		h.Close()
	}).Capture
	others := synth.Record(3, func(n *synth.Net) {
		a, b := n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2")
		n.TaskByRPC(a, b, 49670, `\t`, `C:\a.exe`, "-x", synth.RPCOptions{Fragment: 300})
		n.WMIExec(a, b, 49671, `C:\a.exe`, synth.RPCOptions{Security: synth.RPCIntegrity, User: "u"})
		n.WinRM(a, b, "", false).Run("a.exe", "-x")
		k := n.KDC(a, b, "R")
		k.Login("u")
		n.NBSTAT(n.Lease(b, "C", "10.0.0.3", [6]byte{0, 1, 2, 3, 4, 5}, 60), b, "D")
		r := n.RDP(a, b, synth.RDPOptions{User: "u"})
		r.Drive()
		r.ReadDrive("f", n.Text(300))
		r.Paste(synth.Client, "g", n.Text(300))
		n.Raw(a, b, n.Zip("h", 200), synth.RawOptions{})
		s := n.SSH(a, b, synth.SSHOptions{User: "u"})
		s.Login()
		s.SFTPPut("i", 3000)
	}).Capture
	f.Add(others.PCAP(), uint16(0), []byte{})
	f.Add(others.PCAP(), uint16(5000), []byte("\xff\xff\xff"))
	f.Add(smb.PCAP(), uint16(0), []byte{})
	f.Add(rest.PCAP(), uint16(0), []byte{})
	f.Add(smb.PCAPNG(synth.PCAPNGOptions{}), uint16(900), []byte{0xff, 0, 1})
	f.Add(rest.Wrap("vxlan").PCAP(), uint16(2000), []byte("GET"))
	f.Fuzz(func(t *testing.T, capture []byte, at uint16, change []byte) {
		capture = bytes.Clone(capture)
		copy(capture[min(int(at), len(capture)):], change)
		r, err := Run(context.Background(), Options{Paths: []string{"-"}, Stdin: bytes.NewReader(capture), All: true, Memory: 4 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Coverage {
			for _, fault := range c.DecoderFaults {
				t.Errorf("fault: %s", fault)
			}
		}
		for _, x := range r.Transfers {
			if (x.Completeness == model.Whole) != (x.SHA256 != "") {
				t.Errorf("%s %s: %s with hash %q", x.Channel, x.Name, x.Completeness, x.SHA256)
			}
			if x.Completeness == model.Partial && x.Reason == "" {
				t.Errorf("%s %s: partial without a reason", x.Channel, x.Name)
			}
			if len(x.Evidence) == 0 || x.ID == "" {
				t.Errorf("%s %s: no evidence or id", x.Channel, x.Name)
			}
		}
	})
}
