package winevent

import (
	"errors"
	"strings"
	"testing"
)

// shapesOfOne is one and the same event as collectors write it down.
var shapesOfOne = map[string]string{
	"winlogbeat 8":     `{"@timestamp":"2026-03-17T09:00:02.500Z","host":{"name":"ws1"},"winlog":{"provider_name":"Microsoft-Windows-Security-Auditing","event_id":"5145","channel":"Security","computer_name":"WS1.corp.test","record_id":77,"keywords":["Audit Success"],"event_data":{"ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}}}`,
	"winlogbeat 6":     `{"@timestamp":"2026-03-17T09:00:02.500Z","source_name":"Microsoft-Windows-Security-Auditing","event_id":5145,"log_name":"Security","computer_name":"WS1.corp.test","record_number":"77","event_data":{"ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}}`,
	"evtx_dump":        `{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing"}},"EventID":5145,"EventRecordID":77,"Channel":"Security","Computer":"WS1.corp.test","TimeCreated":{"#attributes":{"SystemTime":"2026-03-17T09:00:02.500000Z"}}},"EventData":{"ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}}}`,
	"Velociraptor":     `{"System":{"Provider":{"Name":"Microsoft-Windows-Security-Auditing"},"EventID":{"Value":5145},"TimeCreated":{"SystemTime":1773738002.5},"EventRecordID":77,"Channel":"Security","Computer":"WS1.corp.test"},"EventData":{"ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":2,"IpAddress":"10.1.1.9"},"Message":"text"}`,
	"NXLog":            `{"EventTime":"2026-03-17 11:00:02","@timestamp":"2026-03-17T09:00:02.500Z","Hostname":"WS1.corp.test","SourceName":"Microsoft-Windows-Security-Auditing","EventID":5145,"Channel":"Security","RecordNumber":77,"EventType":"AUDIT_SUCCESS","ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}`,
	"Splunk":           `{"preview":false,"result":{"EventCode":"5145","ComputerName":"WS1.corp.test","LogName":"Security","SourceName":"Microsoft-Windows-Security-Auditing","RecordNumber":"77","_time":"2026-03-17T09:00:02.500+00:00","ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}}`,
	"Elastic":          `{"_index":"w","_source":{"@timestamp":"2026-03-17T09:00:02.500Z","winlog":{"provider_name":"Microsoft-Windows-Security-Auditing","event_id":5145,"channel":"Security","computer_name":"WS1.corp.test","record_id":"77","event_data":{"ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}}}}`,
	"Chainsaw":         `{"group":"g","document":{"kind":"evtx","path":"x","data":{"Event":{"System":{"Provider_attributes":{"Name":"Microsoft-Windows-Security-Auditing"},"EventID":5145,"EventRecordID":77,"Channel":"Security","Computer":"WS1.corp.test","TimeCreated_attributes":{"SystemTime":"2026-03-17T09:00:02.500000Z"}},"EventData":{"ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}}}}}`,
	"Hayabusa":         `{"Timestamp":"2026-03-17 11:00:02.500 +02:00","RuleTitle":"t","Computer":"WS1.corp.test","Channel":"Security","Provider":"Microsoft-Windows-Security-Auditing","EventID":5145,"RecordID":77,"AllFieldInfo":{"ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}}`,
	"EvtxECmd":         `{"EventId":5145,"EventRecordId":77,"Provider":"Microsoft-Windows-Security-Auditing","Channel":"Security","Computer":"WS1.corp.test","TimeCreated":"2026-03-17T09:00:02.5000000+00:00","Payload":"{\"EventData\":{\"Data\":[{\"@Name\":\"ShareName\",\"#text\":\"\\\\\\\\*\\\\ADMIN$\"},{\"@Name\":\"RelativeTargetName\",\"#text\":\"Temp\\\\a.exe\"},{\"@Name\":\"AccessMask\",\"#text\":\"0x2\"},{\"@Name\":\"IpAddress\",\"#text\":\"10.1.1.9\"}]}}"}`,
	"Splunk's message": `{"result":{"EventCode":"5145","ComputerName":"WS1.corp.test","LogName":"Security","SourceName":"Microsoft-Windows-Security-Auditing","RecordNumber":"77","_time":"2026-03-17T09:00:02.500+00:00","Share_Name":"\\\\*\\ADMIN$","Relative_Target_Name":"Temp\\a.exe","Access_Mask":"0x2 ","IpAddress":"10.1.1.9"}}`,
	"Hayabusa's list":  `{"Timestamp":"2026-03-17 09:00:02.500 +00:00","Computer":"WS1.corp.test","Channel":"Security","Provider":"Microsoft-Windows-Security-Auditing","EventID":5145,"RecordID":77,"AllFieldInfo":"ShareName: \\\\*\\ADMIN$ ¦ RelativeTargetName: Temp\\a.exe ¦ AccessMask: 0x2 ¦ IpAddress: 10.1.1.9"}`,
	"Splunk's XML":     `{"preview":false,"result":{"_raw":"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing'/><EventID>5145</EventID><TimeCreated SystemTime='2026-03-17T09:00:02.5000000Z'/><EventRecordID>77</EventRecordID><Channel>Security</Channel><Computer>WS1.corp.test</Computer></System><EventData><Data Name='ShareName'>\\\\*\\ADMIN$</Data><Data Name='RelativeTargetName'>Temp\\a.exe</Data><Data Name='AccessMask'>0x2</Data><Data Name='IpAddress'>10.1.1.9</Data></EventData></Event>","_time":"2026-03-17T09:00:02.500+00:00","host":"WS1"}}`,
	"Sentinel":         `{"TimeGenerated":"2026-03-17T09:00:02.5Z","Computer":"WS1.corp.test","Channel":"Security","EventSourceName":"Microsoft-Windows-Security-Auditing","EventID":5145,"EventRecordId":"77","ShareName":"\\\\*\\ADMIN$","RelativeTargetName":"Temp\\a.exe","AccessMask":"0x2","IpAddress":"10.1.1.9"}`,
}

func TestShapes(t *testing.T) {
	for name, line := range shapesOfOne {
		var l Lines
		var e Event
		if !l.Looks([]byte(line)) {
			t.Errorf("%s: not recognised", name)
			continue
		}
		read, err := l.Event([]byte(line), &e)
		if err != nil || !read {
			t.Errorf("%s: read %v, %v", name, read, err)
			continue
		}
		if e.Provider != Security || e.ID != 5145 || e.Computer != "WS1.corp.test" || e.Channel != "Security" || e.Record != 77 || e.Failure {
			t.Errorf("%s: %+v", name, e)
		}
		if s := e.Time.String(); !strings.HasPrefix(s, "2026-03-17T09:00:02") {
			t.Errorf("%s: time %s", name, s)
		}
		if e.Get("ShareName") != `\\*\ADMIN$` || e.Get("RelativeTargetName") != `Temp\a.exe` || e.Number("AccessMask") != 2 || e.Get("IpAddress") != "10.1.1.9" {
			t.Errorf("%s: data %v", name, e.Fields)
		}
	}
}

// TestECS: what a module of Winlogbeat moved to ECS is back under its own name.
func TestECS(t *testing.T) {
	line := `{"@timestamp":"2026-03-17T09:00:02.500Z","ecs":{"version":"8.0"},"winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":"%s","channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"WS1","record_id":7,"event_data":{"ParentUser":"x"}},` +
		`"process":{"executable":"C:\\a.exe","command_line":"a.exe -x","pid":44,"entity_id":"{1}","parent":{"executable":"C:\\p.exe"},"hash":{"sha256":"ab"},"pe":{"original_file_name":"o.exe"}},` +
		`"file":{"path":"C:\\f.dll","name":"PIPE","hash":{"sha256":"cd"}},"user":{"name":"bob","domain":"CORP"},"source":{"ip":"10.0.0.1","port":5000},"destination":{"ip":"10.0.0.2","port":445},"network":{"direction":"ingress"}}`
	for id, want := range map[string]map[string]string{
		"1":  {"Image": `C:\a.exe`, "CommandLine": "a.exe -x", "ProcessId": "44", "ProcessGuid": "{1}", "ParentImage": `C:\p.exe`, "Hashes": "SHA256=ab", "OriginalFileName": "o.exe", "User": `CORP\bob`},
		"3":  {"SourceIp": "10.0.0.1", "DestinationPort": "445", "Initiated": "false"},
		"7":  {"ImageLoaded": `C:\f.dll`, "Hashes": "SHA256=cd"},
		"11": {"TargetFilename": `C:\f.dll`, "Image": `C:\a.exe`},
		"17": {"PipeName": "PIPE"},
	} {
		var l Lines
		var e Event
		if read, err := l.Event([]byte(strings.Replace(line, "%s", id, 1)), &e); !read || err != nil {
			t.Fatalf("%s: %v %v", id, read, err)
		}
		for name, v := range want {
			if e.Get(name) != v {
				t.Errorf("%s: %s is %q instead of %q", id, name, e.Get(name), v)
			}
		}
	}
	start := strings.Replace(strings.Replace(line, "Microsoft-Windows-Sysmon\"", "Microsoft-Windows-Security-Auditing\"", 1), "%s", "4688", 1)
	var l Lines
	var e Event
	if read, err := l.Event([]byte(start), &e); !read || err != nil || e.Get("NewProcessName") != `C:\a.exe` || e.Get("SubjectUserName") != "bob" || e.Get("IpAddress") != "10.0.0.1" {
		t.Errorf("%v %v %v", read, err, e.Fields)
	}
}

func TestNoEvent(t *testing.T) {
	for _, line := range []string{`{}`, `{"a":1}`, `[]`, `"text"`, `{"ts":1.5,"id.orig_h":"10.0.0.1"}`, `{"event_type":"fileinfo"}`} {
		var l Lines
		var e Event
		if l.Looks([]byte(line)) {
			t.Errorf("%s looks like a Windows event", line)
		}
		if _, err := l.Event([]byte(line), &e); !errors.Is(err, ErrNoEvent) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := new(Lines).Event([]byte(`{"EventID":`), &Event{}); err == nil || errors.Is(err, ErrNoEvent) {
		t.Errorf("a broken line: %v", err)
	}
}

func TestFailure(t *testing.T) {
	for keywords, want := range map[string]bool{"0x8010000000000000": true, "0x8020000000000000": false, "-9218868437227405312": true,
		"-9214364837600034816": false, "Audit Failure": true, "AUDIT_FAILURE": true, "Audit Success": false, "": false} {
		if got := auditFailure(keywords); got != want {
			t.Errorf("%q: %v", keywords, got)
		}
	}
}

// TestClock: NXLog's stamps have no zone; what Sysmon says itself puts those of
// the same host right.
func TestClock(t *testing.T) {
	var l Lines
	var e Event
	sysmon := `{"EventTime":"2026-03-17 05:00:02","Hostname":"WS1","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","UtcTime":"2026-03-17 09:00:01.250","Image":"C:\\a.exe"}`
	if _, err := l.Event([]byte(sysmon), &e); err != nil || e.Time.String() != "2026-03-17T09:00:01.250000000Z" {
		t.Fatalf("%v %v", e.Time, err)
	}
	later := `{"EventTime":"2026-03-17 05:00:07","Hostname":"WS1","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4624,"Channel":"Security"}`
	if _, err := l.Event([]byte(later), &e); err != nil || e.Time.String() != "2026-03-17T09:00:07.000000000Z" || e.Assumed {
		t.Errorf("%v assumed %v %v", e.Time, e.Assumed, err)
	}
	// A connection's own time can be hours off; then the stamp counts.
	far := strings.Replace(strings.Replace(sysmon, `"EventID":1`, `"EventID":3`, 1), "09:00:01.250", "21:00:01.250", 1)
	if _, err := l.Event([]byte(far), &e); err != nil || e.Time.String() != "2026-03-17T09:00:02.000000000Z" {
		t.Errorf("a connection: %v %v", e.Time, err)
	}
	other := strings.Replace(later, "WS1", "WS2", 1)
	if _, err := l.Event([]byte(other), &e); err != nil || e.Time.String() != "2026-03-17T05:00:07.000000000Z" || !e.Assumed {
		t.Errorf("another host's: %v assumed %v %v", e.Time, e.Assumed, err)
	}
}

func FuzzLine(f *testing.F) {
	for _, line := range shapesOfOne {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var l Lines
		var e Event
		looks := l.Looks(line)
		read, err := l.Event(line, &e)
		if read && (err != nil || !looks) {
			t.Errorf("read %v, looks %v, %v", read, looks, err)
		}
	})
}
