package winhost

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/synth"
	"waybill/internal/telemetry/winlog"
)

// TestNamings: what tells hosts under all their names, from the events that say it.
func TestNamings(t *testing.T) {
	const domain, machine = "S-1-5-21-1-2-3", "S-1-5-21-7-8-9"
	n := synth.New(1)
	dc, ws, renamed := n.Host("DC-03", "10.30.0.2"), n.Host("WS-31", "10.30.1.31"), n.Host("WS-77", "10.30.1.77")
	n.Log(dc, synth.Security, 4624, "TargetUserName", "WS-31$", "TargetDomainName", "CORP", "TargetUserSid", domain+"-1105", "LogonType", "3", "IpAddress", "10.30.1.31")
	n.Log(dc, synth.Security, 4624, "TargetUserName", "h.lang", "TargetDomainName", "CORP", "TargetUserSid", domain+"-1200", "LogonType", "3", "IpAddress", "10.30.1.31")
	n.Log(ws, synth.Security, 4624, "TargetUserName", "admin", "TargetDomainName", "WS-31", "TargetUserSid", machine+"-500", "LogonType", "2")
	n.Log(ws, synth.Security, 4688, "SubjectUserName", "WS-31$", "SubjectDomainName", "CORP", "SubjectUserSid", "S-1-5-18", "NewProcessName", `C:\a.exe`)
	n.Log(ws, synth.EventLog, 6011, "", "WS-31", "", "WS-77")
	n.Log(dc, synth.Security, 4781, "OldTargetUserName", "WS-31$", "NewTargetUserName", "WS-77$", "TargetDomainName", "CORP", "TargetSid", domain+"-1105", "SubjectUserName", "it.admin")
	n.Log(dc, synth.Security, 4781, "OldTargetUserName", "h.lang", "NewTargetUserName", "h.lang-meier", "TargetDomainName", "CORP", "TargetSid", domain+"-1200", "SubjectUserName", "it.admin")
	n.Log(renamed, synth.Security, 4624, "TargetUserName", "admin", "TargetDomainName", "WS-77", "TargetUserSid", machine+"-500", "LogonType", "2")
	var got []string
	for _, x := range follow(t, n.Logs).Namings {
		got = append(got, fmt.Sprint(x.Kind, " ", x.Key, " ", x.Host))
	}
	want := "account S-1-5-21-1-2-3-1105 WS-31, account S-1-5-21-1-2-3-1105 WS-77, machine S-1-5-21-7-8-9 WS-31.corp.example, " +
		"machine S-1-5-21-7-8-9 WS-77.corp.example, renamed ws-31 ws-77 WS-31, renamed ws-31 ws-77 WS-77"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("%s\ninstead of\n%s", s, want)
	}
}

// TestAgents: ids of systems and agents are the host's own; a collector's are not.
func TestAgents(t *testing.T) {
	const row = `{"@timestamp":"2026-03-17T09:00:02.500Z","agent":{"id":"%s","hostname":"%s"},"host":{"id":"%s","hostname":"%s","name":"ws1.corp.test"},"winlog":{"provider_name":"Microsoft-Windows-Sysmon",` +
		`"event_id":"1","channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"WS1.corp.test","record_id":%d,"event_data":{"Image":"C:\\a.exe"}}}`
	const velociraptor = `{"System":{"Provider":{"Name":"Microsoft-Windows-Security-Auditing"},"EventID":{"Value":4688},"TimeCreated":{"SystemTime":1773738002.5},"EventRecordID":77,"Channel":"Security","Computer":"WS1.corp.test"},` +
		`"EventData":{"NewProcessName":"C:\\a.exe"},"ClientId":"C.0123456789abcdef"}`
	if got := followAs(t, winlog.JSON, []byte(velociraptor+"\n")).Namings; len(got) != 1 || got[0].Kind != "agent" || got[0].Key != "C.0123456789abcdef" || got[0].Host != "WS1.corp.test" {
		t.Errorf("%+v", got)
	}
	for name, c := range map[string]struct{ agent, agentHost, system, systemHost, want string }{
		"its own":        {"a-1", "ws1", "s-1", "ws1", "host s-1 WS1.corp.test agent a-1 WS1.corp.test "},
		"a collector's":  {"a-1", "wec", "s-1", "wec", ""},
		"only the agent": {"a-1", "WS1", "", "", "agent a-1 WS1.corp.test "},
	} {
		line := fmt.Sprintf(row, c.agent, c.agentHost, c.system, c.systemHost, 7)
		if c.system == "" {
			line = strings.Replace(line, `"host":{"id":"","hostname":"",`, `"host":{`, 1)
		}
		got := map[string]bool{}
		for _, x := range followAs(t, winlog.JSON, []byte(line+"\n")).Namings {
			got[fmt.Sprint(x.Kind, " ", x.Key, " ", x.Host, " ")] = true
		}
		for x := range got {
			if !strings.Contains(c.want, x) {
				t.Errorf("%s: %q", name, x)
			}
			c.want = strings.Replace(c.want, x, "", 1)
		}
		if c.want != "" {
			t.Errorf("%s: no %q", name, c.want)
		}
	}
}

// TestAddresses: the addresses that a host's own collector says, and those that computers'
// accounts log on from; those of a collector that was sent the event are not the host's.
func TestAddresses(t *testing.T) {
	const row = `{"@timestamp":"2026-03-17T09:00:02.500Z","host":{"hostname":"%s","ip":["fe80::1","10.0.0.1","172.17.0.1"]},"winlog":{"provider_name":"Microsoft-Windows-Security-Auditing",` +
		`"event_id":"4624","channel":"Security","computer_name":"DC1.corp.test","record_id":7,"event_data":{"TargetUserName":"%s","LogonType":"3","AuthenticationPackageName":"%s","IpAddress":"10.0.0.7"}}}`
	for _, c := range []struct{ host, user, by, want string }{
		{"dc1", "WS7$", "Kerberos", "10.0.0.1 DC1.corp.test, 10.0.0.7 WS7, 172.17.0.1 DC1.corp.test"},
		{"wec", "WS7$", "Kerberos", "10.0.0.7 WS7"},
		{"wec", "WS7$", "NTLM", ""},
		{"wec", "anna", "Kerberos", ""},
		{"wec", "DC1$", "Kerberos", "10.0.0.7 DC1.corp.test"},
	} {
		var got []string
		for _, b := range followAs(t, winlog.JSON, []byte(fmt.Sprintf(row+"\n", c.host, c.user, c.by))).Bindings {
			got = append(got, b.Addr.String()+" "+b.Host)
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%+v: %s", c, s)
		}
	}
}

// TestSpans: an address that two hosts have in turns is each one's while its collector
// says so, and nobody's in between.
func TestSpans(t *testing.T) {
	const row = `{"@timestamp":"2026-03-17T%s:00.000Z","host":{"hostname":"%s","ip":["%s"]},"winlog":{"provider_name":"Microsoft-Windows-Security-Auditing",` +
		`"event_id":"4634","channel":"Security","computer_name":"%s","record_id":%d,"event_data":{"TargetUserName":"anna"}}}` + "\n"
	var text string
	for i, x := range []struct{ at, host, ip string }{{"08:00", "a", "10.0.0.1"}, {"08:30", "a", "10.0.0.1"}, {"09:00", "a", "10.0.0.2"}, {"10:00", "b", "10.0.0.1"}, {"10:20", "b", "10.0.0.1"},
		{"12:00", "a", "10.0.0.1"}, {"12:10", "a", "10.0.0.1"}} {
		text += fmt.Sprintf(row, x.at, x.host, x.ip, x.host, i)
	}
	var got []string
	for _, b := range followAs(t, winlog.JSON, []byte(text)).Bindings {
		got = append(got, fmt.Sprint(b.Addr, " ", b.Host, " ", b.First.String()[11:16], "-", b.Last.String()[11:16]))
	}
	want := "10.0.0.1 a 08:00-08:30, 10.0.0.1 a 12:00-12:10, 10.0.0.1 b 10:00-10:20, 10.0.0.2 a 09:00-09:00"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("%s\ninstead of\n%s", s, want)
	}
}
