package synth

import (
	"fmt"
	"io"
	"strconv"
)

// Workday writes the events of busy hosts, in the order of time and in the mix that
// Sysmon and Security logs have: module loads, registry and connections above all,
// then files, starts, names and logons, and some access to shares. It keeps little
// in memory whatever the count. form writes some records.
func Workday(w io.Writer, seed uint64, hosts, count int, form func(Logs) []byte) error {
	n := New(seed)
	var all []*Host
	for i := range hosts {
		all = append(all, n.Host(fmt.Sprintf("WS-%03d", i), fmt.Sprintf("10.40.%d.%d", i/200, i%200+1)))
	}
	server := n.Host("FS-01", "10.40.250.1")
	written := 0
	for i := 0; written < count; i++ {
		n.everydayEvent(i, all[i%len(all)], server)
		n.Now += 1_500_000
		if len(n.Logs) >= 4096 || written+len(n.Logs) >= count {
			written += len(n.Logs)
			if _, err := w.Write(form(n.Logs)); err != nil {
				return err
			}
			n.Logs = n.Logs[:0]
		}
	}
	return nil
}

// everydayEvent logs one event, or a few that belong together.
func (n *Net) everydayEvent(i int, h, server *Host) {
	pid := 1000 + i%7000*4
	image := everydayImages[i%len(everydayImages)]
	switch k := n.Intn(100); {
	case k < 38:
		n.Loaded(h, image, fmt.Sprintf(`C:\Windows\System32\module%03d.dll`, n.Intn(400)), hashOf([]byte(strconv.Itoa(k))))
	case k < 55:
		n.Log(h, Sysmon, 13, "RuleName", "-", "EventType", "SetValue", "ProcessGuid", guidOf(h, pid), "ProcessId", strconv.Itoa(pid), "Image", image,
			"TargetObject", fmt.Sprintf(`HKU\S-1-5-21-1-2-3-1105\Software\Vendor\Value%d`, n.Intn(1000)), "Details", "DWORD (0x00000001)", "User", `CORP\someone`)
	case k < 72:
		n.Spoke(h, h, server, []int{443, 80, 445, 389, 53}[n.Intn(5)], image, pid)
	case k < 84:
		n.FileCreated(h, image, pid, fmt.Sprintf(`C:\Users\someone\AppData\Local\Temp\%08x.%s`, n.Intn(1<<30), []string{"tmp", "dat", "log", "json", "dll"}[n.Intn(5)]))
	case k < 91:
		n.Ran(h, `CORP\someone`, image, `"`+image+`" --type=utility --channel=`+strconv.Itoa(i), `C:\Windows\explorer.exe`, pid, hashOf([]byte(image)))
	case k < 95:
		n.Log(h, Sysmon, 22, "RuleName", "-", "ProcessGuid", guidOf(h, pid), "ProcessId", strconv.Itoa(pid), "QueryName", "intranet.corp.example", "QueryStatus", "0",
			"QueryResults", "::ffff:10.40.250.9;", "Image", image)
	case k < 98:
		n.Logon(server, h, `CORP\someone`, 3)
	default:
		// One access in ten writes: 0.2 % of the events, as of 200 movements among 100,000 events a host and day.
		mask := "0x120089"
		if n.Intn(10) == 0 {
			mask = "0x2"
		}
		n.ShareAccess(server, h, `CORP\someone`, "0x4a51", "Docs", fmt.Sprintf(`Team\note-%d.docx`, n.Intn(5000)), mask)
	}
}

var everydayImages = []string{`C:\Windows\System32\svchost.exe`, `C:\Program Files\Mozilla Firefox\firefox.exe`, `C:\Windows\explorer.exe`,
	`C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE`, `C:\Windows\System32\taskhostw.exe`, `C:\Windows\System32\conhost.exe`}
