package scan

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/history"
)

// TestHomesOfEarlierDays: a server that is named on some days is called so on the days that name
// it not; an address that was handed out, or has another host that day, is not.
func TestHomesOfEarlierDays(t *testing.T) {
	const start = 1773738000
	memory := history.NewMemory()
	scan := func(day int, lines ...string) *Records {
		var text strings.Builder
		for i, l := range lines {
			fmt.Fprintf(&text, `{"ts":%d.5,"uid":"C%d-%d",%s}`+"\n", start+day*86400+i, day, i, l)
		}
		return run(t, Options{Paths: []string{write(t, map[string][]byte{"zeek.log": []byte(text.String())})}, History: memory})
	}
	ends := func(from, to string, port int) string {
		return fmt.Sprintf(`"id.orig_h":"%s","id.orig_p":49999,"id.resp_h":"%s","id.resp_p":%d`, from, to, port)
	}
	named := func(host, addr string) string {
		return `"_path":"kerberos",` + ends(addr, "10.0.1.9", 88) + `,"request_type":"TGS","client":"` + host + `$/CORP.TEST","service":"cifs/dc1","success":true`
	}
	lease := func(addr, mac string) string {
		return fmt.Sprintf(`"_path":"dhcp","client_addr":"%s","mac":"00:1b:21:00:00:%s","assigned_addr":"%[1]s","lease_time":86400.0,"msg_types":["REQUEST","ACK"]`, addr, mac)
	}
	copied := func(addr string) string {
		return `"_path":"smb_files",` + ends("10.0.9.1", addr, 445) + `,"action":"SMB::FILE_READ","path":"\\\\` + addr + `\\Data","name":"plan.pdf","size":1000`
	}
	calls := func(r *Records) (out []string) {
		for _, x := range r.Transfers {
			out = append(out, x.Source.Host)
		}
		return out
	}
	servers := []string{"10.0.1.5", "10.0.1.6", "10.0.2.7"}
	var files []string
	for _, s := range servers {
		files = append(files, copied(s))
	}
	scan(0, named("DC1", "10.0.1.9"), named("FS1", "10.0.1.5"), named("FS2", "10.0.1.6"), named("WS7", "10.0.2.7"))
	scan(3, named("DC1", "10.0.1.9"), lease("10.0.2.7", "07"))
	r := scan(4, files...)
	if got := fmt.Sprintf("%q", calls(r)); got != `["FS1.corp.test" "FS2.corp.test" ""]` {
		t.Errorf("named before: %s", got)
	}
	if want := "history: addresses that no input names have their names from the history (2): FS1.corp.test (10.0.1.5), FS2.corp.test (10.0.1.6)"; !strings.Contains(strings.Join(r.Notices, "\n"), want) {
		t.Errorf("notices %q", r.Notices)
	}
	if got := fmt.Sprintf("%q", calls(scan(5, append(files, named("NEW", "10.0.1.5"), named("FS2", "10.0.1.8"))...))); got != `["NEW.corp.test" "" ""]` {
		t.Errorf("others are there: %s", got)
	}
	if got := fmt.Sprintf("%q", calls(scan(6, files...))); got != `["" "" ""]` {
		t.Errorf("after others were there: %s", got)
	}
}
