package synth

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
)

// Logged is one record of an event log.
type Logged struct {
	Time     model.Time
	Provider string
	Channel  string
	ID       int
	Computer string
	Record   uint64
	Failure  bool // an audit failure
	Data     [][2]string
}

// Logs is records of one or more logs.
type Logs []Logged

// source is a provider and the channel that it writes to.
type source struct{ provider, channel string }

// The providers that scripts use.
var (
	Security   = source{"Microsoft-Windows-Security-Auditing", "Security"}
	Sysmon     = source{"Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational"}
	PowerShell = source{"Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/Operational"}
	Services   = source{"Service Control Manager", "System"}
	BITS       = source{"Microsoft-Windows-Bits-Client", "Microsoft-Windows-Bits-Client/Operational"}
	Sessions   = source{"Microsoft-Windows-TerminalServices-LocalSessionManager", "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"}
	Eventlog   = source{"Microsoft-Windows-Eventlog", "System"}
	EventLog   = source{"EventLog", "System"}
	Partition  = source{"Microsoft-Windows-Partition", "Microsoft-Windows-Partition/Diagnostic"}
	Defender   = source{"Microsoft-Windows-Windows Defender", "Microsoft-Windows-Windows Defender/Operational"}
	RDPClient  = source{"Microsoft-Windows-TerminalServices-ClientActiveXCore", "Microsoft-Windows-TerminalServices-RDPClient/Operational"}
	RDPServer  = source{"Microsoft-Windows-TerminalServices-RemoteConnectionManager", "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational"}
	WinRMLog   = source{"Microsoft-Windows-WinRM", "Microsoft-Windows-WinRM/Operational"}
	VHDMP      = source{"Microsoft-Windows-VHDMP", "Microsoft-Windows-VHDMP-Operational"}
	Tasks      = source{"Microsoft-Windows-TaskScheduler", "Microsoft-Windows-TaskScheduler/Operational"}
)

// Log writes a record into a log of the host: data are names and values in turn.
// Sysmon's own time is added.
func (n *Net) Log(h *Host, from source, id int, data ...string) {
	l := Logged{Time: n.Now, Provider: from.provider, Channel: from.channel, ID: id, Computer: h.FQDN()}
	if from == Sysmon {
		l.Data = append(l.Data, [2]string{"UtcTime", stamp(n.Now, "2006-01-02 15:04:05.000")})
	}
	for i := 0; i+1 < len(data); i += 2 {
		l.Data = append(l.Data, [2]string{data[i], data[i+1]})
	}
	if n.records == nil {
		n.records = map[string]uint64{}
	}
	n.records[l.Computer+l.Channel]++
	l.Record = 1000 + n.records[l.Computer+l.Channel]
	n.Logs = append(n.Logs, l)
	n.Now += n.Step
}

// Domain is the DNS domain of all hosts that write logs.
const Domain = "corp.example"

// FQDN is the name under which the host writes its logs.
func (h *Host) FQDN() string { return h.Name + "." + Domain }

func stamp(t model.Time, layout string) string { return time.Unix(0, int64(t)).UTC().Format(layout) }

// Sorted gives the records by time; those of one log keep their order.
func (l Logs) Sorted() Logs {
	out := slices.Clone(l)
	slices.SortStableFunc(out, func(a, b Logged) int { return int(max(-1, min(1, a.Time-b.Time))) })
	return out
}

// Of gives the records of some hosts.
func (l Logs) Of(hosts ...*Host) Logs {
	var out Logs
	for _, r := range l {
		if slices.ContainsFunc(hosts, func(h *Host) bool { return h.FQDN() == r.Computer }) {
			out = append(out, r)
		}
	}
	return out
}

func (r *Logged) keywords() uint64 {
	switch {
	case r.Channel != "Security":
		return 0x8000000000000000
	case r.Failure:
		return 0x8010000000000000
	}
	return 0x8020000000000000
}

// Winlogbeat writes the records as lines of JSON, as Winlogbeat 8 does.
func (l Logs) Winlogbeat() []byte {
	var out bytes.Buffer
	for _, r := range l {
		data := map[string]string{}
		for _, d := range r.Data {
			data[d[0]] = d[1]
		}
		audit := []string{}
		if r.Channel == "Security" {
			audit = append(audit, map[bool]string{true: "Audit Failure", false: "Audit Success"}[r.Failure])
		}
		line(&out, map[string]any{"@timestamp": stamp(r.Time, "2006-01-02T15:04:05.000Z"), "agent": map[string]string{"type": "winlogbeat", "version": "8.12.0"},
			"winlog": map[string]any{"provider_name": r.Provider, "event_id": strconv.Itoa(r.ID), "channel": r.Channel, "computer_name": r.Computer,
				"record_id": r.Record, "keywords": audit, "event_data": data}})
	}
	return out.Bytes()
}

// NXLog writes the records as NXLog does: flat, with local time, hours behind UTC.
func (l Logs) NXLog(behind int) []byte {
	var out bytes.Buffer
	for _, r := range l {
		flat := map[string]any{"EventTime": stamp(r.Time-model.Time(behind)*3600e9, "2006-01-02 15:04:05"), "@timestamp": stamp(r.Time, "2006-01-02T15:04:05.000Z"),
			"Hostname": r.Computer, "SourceName": r.Provider, "Channel": r.Channel, "EventID": r.ID, "RecordNumber": r.Record,
			"EventType": map[bool]string{true: "AUDIT_FAILURE", false: "AUDIT_SUCCESS"}[r.Failure], "Message": "as above"}
		for _, d := range r.Data {
			flat[d[0]] = d[1]
		}
		line(&out, flat)
	}
	return out.Bytes()
}

// EvtxDump writes the records as evtx_dump does.
func (l Logs) EvtxDump() []byte {
	var out bytes.Buffer
	for _, r := range l {
		data := map[string]any{}
		for _, d := range r.Data {
			data[d[0]] = d[1]
		}
		line(&out, map[string]any{"Event": map[string]any{"EventData": data, "System": map[string]any{
			"Provider": map[string]any{"#attributes": map[string]any{"Name": r.Provider}}, "EventID": r.ID, "Channel": r.Channel, "Computer": r.Computer,
			"EventRecordID": r.Record, "Keywords": fmt.Sprintf("0x%x", r.keywords()),
			"TimeCreated": map[string]any{"#attributes": map[string]any{"SystemTime": stamp(r.Time, "2006-01-02T15:04:05.000000Z")}}}}})
	}
	return out.Bytes()
}

func line(out *bytes.Buffer, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers
	}
	out.Write(append(b, '\n'))
}

// XML writes the records as wevtutil does.
func (l Logs) XML() []byte {
	var out bytes.Buffer
	out.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Events>\r\n")
	for _, r := range l {
		fmt.Fprintf(&out, "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='%s'/><EventID>%d</EventID>"+
			"<Keywords>0x%x</Keywords><TimeCreated SystemTime='%s'/><EventRecordID>%d</EventRecordID><Channel>%s</Channel><Computer>%s</Computer></System><EventData>",
			r.Provider, r.ID, r.keywords(), stamp(r.Time, "2006-01-02T15:04:05.0000000Z"), r.Record, r.Channel, r.Computer)
		for _, d := range r.Data {
			fmt.Fprintf(&out, "<Data Name='%s'>", d[0])
			if err := xml.EscapeText(&out, []byte(d[1])); err != nil {
				panic(err) // a buffer takes everything
			}
			out.WriteString("</Data>")
		}
		out.WriteString("</EventData></Event>\r\n")
	}
	out.WriteString("</Events>\r\n")
	return out.Bytes()
}

// EvtxECmdCSV writes the records as EvtxECmd's table.
func (l Logs) EvtxECmdCSV() []byte {
	var out bytes.Buffer
	out.WriteString("RecordNumber,EventRecordId,TimeCreated,EventId,Level,Provider,Channel,ProcessId,ThreadId,Computer,UserId,MapDescription,Keywords,SourceFile,Payload\r\n")
	for _, r := range l {
		var data []map[string]string
		for _, d := range r.Data {
			data = append(data, map[string]string{"@Name": d[0], "#text": d[1]})
		}
		payload, err := json.Marshal(map[string]any{"EventData": map[string]any{"Data": data}})
		if err != nil {
			panic(err)
		}
		word := map[bool]string{true: "Audit failure", false: "Audit success"}[r.Failure]
		fmt.Fprintf(&out, "%d,%d,%s,%d,Info,%s,%s,4,8,%s,,,%s,x.evtx,\"%s\"\r\n", r.Record, r.Record, stamp(r.Time, "2006-01-02 15:04:05.0000000"), r.ID,
			r.Provider, r.Channel, r.Computer, word, strings.ReplaceAll(string(payload), `"`, `""`))
	}
	return out.Bytes()
}
