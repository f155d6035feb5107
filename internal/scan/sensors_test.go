package scan

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// sensed is what sensors log of a script: what moved whole over SMB, HTTP and FTP.
func sensed(t synth.Truth) (all []synth.Moved) {
	for _, m := range t.Moved {
		if m.Status == model.Done && m.Completeness == model.Whole && m.End != 0 {
			all = append(all, m)
		}
	}
	return all
}

// sensorScene is a day of files, with names outside ASCII and one that moves twice.
func sensorScene() synth.Scene {
	return synth.Record(11, func(n *synth.Net) {
		day(n)
		a, b := n.Host("WS-07", "10.20.1.7"), n.Host("FS-01", "10.20.0.5")
		s := n.SMB(a, b, synth.SMBOptions{User: "alice", Domain: "CORP"})
		docs := s.Tree("Docs")
		docs.Put(`up\Übersicht für München.exe`, n.PE(30_000))
		docs.Put(`up\Отчёт.docx`, n.DOCX(9_000))
		docs.Get(`plan.docx`, n.DOCX(20_000))
		n.Sleep(30e9)
		docs.Get(`plan.docx`, n.DOCX(20_000))
		s.Logoff()
		f := n.FTP(a, b, "bob", "pw")
		f.Get("pub/get.bin", n.Bytes(7000))
		f.Put("in/put.exe", n.PE(9000))
		f.Quit()
	})
}

func zeekFolder(t synth.Truth, without ...string) map[string][]byte {
	out := map[string][]byte{}
	for name, text := range t.Zeek() {
		if !slices.Contains(without, name) {
			out["zeek/"+name] = text
		}
	}
	return out
}

// TestSensorsAlone: what one sensor logged is what moved.
func TestSensorsAlone(t *testing.T) {
	scene := sensorScene()
	for name, files := range map[string]map[string][]byte{
		"zeek":     zeekFolder(scene.Truth),
		"json":     {"zeek.json": scene.Truth.ZeekJSON()},
		"suricata": {"eve.json": scene.Truth.EVE()},
		"both":     {"eve.json": scene.Truth.EVE(), "zeek.json": scene.Truth.ZeekJSON()},
	} {
		r := run(t, Options{Paths: []string{write(t, files)}, All: true})
		got := map[string]int{}
		for _, x := range r.Transfers {
			got[logged(x)]++
		}
		for _, m := range sensed(scene.Truth) {
			k := fmt.Sprintf("%s>%s %s %s %s %d %s", m.Source, m.Destination, m.Operation, strings.TrimRight(m.Channel, "12"), m.Name, m.Size, cmp.Or(m.User, "-"))
			if got[k] == 0 {
				t.Errorf("%s: not found: %s", name, k)
			}
			got[k]--
		}
		for k, n := range got {
			if n > 0 {
				t.Errorf("%s: %d more: %s", name, n, k)
			}
		}
	}
}

// TestSensorPageParts: parts of pages are counted, and printed with --all.
func TestSensorPageParts(t *testing.T) {
	scene, quiet := sensorScene(), 0
	for _, m := range sensed(scene.Truth) {
		if m.Quiet {
			quiet++
		}
	}
	dir := write(t, map[string][]byte{"eve.json": scene.Truth.EVE()})
	all, most := run(t, Options{Paths: []string{dir}, All: true}), run(t, Options{Paths: []string{dir}})
	if n := most.Summary.LeftOut[pageParts]; quiet == 0 || n != int64(quiet) || len(most.Transfers) != len(all.Transfers)-quiet {
		t.Errorf("%d left out, %d of %d transfers, %d parts of pages", n, len(most.Transfers), len(all.Transfers), quiet)
	}
}

// logged is what of a record of a sensor is compared with the truth.
func logged(x *model.Transfer) string {
	size := int64(-1)
	if x.Size != nil {
		size = *x.Size
	}
	return fmt.Sprintf("%s>%s %s %s %s %d %s", x.Source.IP, x.Destination.IP, x.Operation, x.Channel, x.Name, size, cmp.Or(x.User, "-"))
}

// TestSensorsAndCapture: a capture and what sensors logged of the same traffic give one
// record a movement, that cites all of them.
func TestSensorsAndCapture(t *testing.T) {
	scene := sensorScene()
	capture := map[string][]byte{"day.pcap": scene.Capture.PCAP()}
	alone := run(t, Options{Paths: []string{write(t, capture)}, All: true})
	for name, c := range map[string]struct {
		sensors map[string][]byte
		cited   []string
	}{
		"zeek and suricata":          {with(zeekFolder(scene.Truth), "eve.json", scene.Truth.EVE()), []string{"zeek/files", "suricata/"}},
		"zeek as JSON":               {map[string][]byte{"zeek.json": scene.Truth.ZeekJSON()}, []string{"zeek/files"}},
		"zeek without names":         {zeekFolder(scene.Truth, "http.log"), []string{"zeek/files"}},
		"suricata":                   {map[string][]byte{"eve.json": scene.Truth.EVE()}, []string{"suricata/"}},
		"the files of zeek":          {zeekFolder(scene.Truth, "http.log", "smb_files.log", "conn.log", "ntlm.log"), []string{"zeek/files"}},
		"suricata, half of it twice": {map[string][]byte{"a/eve.json": scene.Truth.EVE(), "b/eve.json": half(scene.Truth.EVE())}, []string{"suricata/"}},
		"two of suricata": {map[string][]byte{"a/eve.json": scene.Truth.EVE(), "b/eve.json": bytes.ReplaceAll(scene.Truth.EVE(), []byte(`"flow_id":`), []byte(`"flow_id":9`))},
			[]string{"suricata/", "suricata/"}},
	} {
		files := with(c.sensors, "day.pcap", capture["day.pcap"])
		r := run(t, Options{Paths: []string{write(t, files)}, All: true})
		if len(r.Transfers) != len(alone.Transfers) {
			t.Errorf("%s: %d transfers, %d of the capture alone", name, len(r.Transfers), len(alone.Transfers))
		}
		for _, m := range sensed(scene.Truth) {
			if !slices.ContainsFunc(r.Transfers, func(x *model.Transfer) bool { return x.SHA256 == m.SHA256 && x.Name == m.Name && cites(x, c.cited) }) {
				t.Errorf("%s: not one record with all witnesses: %s %s", name, m.Channel, m.Path)
			}
		}
		for _, x := range r.Transfers {
			if x.Completeness == model.Logged {
				t.Errorf("%s: apart: %s", name, logged(x))
			}
		}
	}
}

func with(files map[string][]byte, name string, text []byte) map[string][]byte {
	files[name] = text
	return files
}

// half is the first half of the lines of a log.
func half(text []byte) []byte {
	all := strings.SplitAfter(string(text), "\n")
	return []byte(strings.Join(all[:len(all)/2], ""))
}

// cites says whether a record has packets and each kind of row, and says so.
func cites(x *model.Transfer, kinds []string) bool {
	packets := slices.ContainsFunc(x.Evidence, func(e model.Evidence) bool { return e.Kind == "packets" })
	for _, k := range kinds {
		if !slices.ContainsFunc(x.Evidence, func(e model.Evidence) bool { return strings.HasPrefix(e.Channel, k) }) {
			return false
		}
	}
	return packets && len(x.Observations) > len(kinds)
}

// TestSensorTickets: whose ticket opened a session, the tickets that were given out tell.
func TestSensorTickets(t *testing.T) {
	const ends = `"id.orig_h":"10.0.0.1","id.orig_p":50000,"id.resp_h":"10.0.0.2","id.resp_p":445`
	const eve = `{"timestamp":"2026-03-17T09:00:0%d.0+0000","flow_id":%d,"event_type":"%s","src_ip":"10.0.0.1","src_port":%d,"dest_ip":"10.0.0.2","dest_port":%d,%s}` + "\n"
	for name, text := range map[string]string{
		"zeek": `{"_path":"kerberos","ts":1773738000.0,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":49999,"id.resp_h":"10.0.0.9","id.resp_p":88,"request_type":"TGS","client":"alice/CORP","service":"cifs/FS-01","success":true}
{"_path":"kerberos","ts":1773738001.0,"uid":"C2",` + ends + `}
{"_path":"smb_mapping","ts":1773738001.5,"uid":"C2",` + ends + `,"path":"\\\\FS-01\\Docs","share_type":"DISK"}
{"_path":"files","ts":1773738002.0,"uid":"C2",` + ends + `,"fuid":"F1","source":"SMB","is_orig":true,"filename":"a.exe","seen_bytes":9}
`,
		"suricata": fmt.Sprintf(eve, 0, 1, "krb5", 49999, 88, `"krb5":{"msg_type":"KRB_TGS_REP","cname":"alice","realm":"CORP","sname":"cifs/FS-01"}`) +
			fmt.Sprintf(eve, 1, 2, "smb", 50000, 445, `"smb":{"command":"SMB2_COMMAND_SESSION_SETUP","status":"STATUS_SUCCESS","kerberos":{"realm":"CORP","snames":["cifs","FS-01"]}}`) +
			fmt.Sprintf(eve, 2, 2, "fileinfo", 50000, 445, `"smb":{"command":"SMB2_COMMAND_WRITE","filename":"a.exe"},"app_proto":"smb","fileinfo":{"filename":"a.exe","state":"CLOSED","gaps":false,"size":9}`),
	} {
		r := run(t, Options{Paths: []string{write(t, map[string][]byte{"x.json": []byte(text)})}})
		if len(r.Transfers) != 1 || r.Transfers[0].User != "alice" || r.Transfers[0].Domain != "CORP" || r.Transfers[0].Auth != "kerberos" || len(r.Transfers[0].Notes) != 1 {
			t.Errorf("%s: %+v", name, r.Transfers)
		}
	}
}
