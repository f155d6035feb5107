// Package winevent is Windows event records, whatever wrote them down. In come
// lines of JSON, rows of CSV or elements of XML as collectors export them, or
// fields that package evtx decoded; out come events in one form: provider and id
// as Windows has them, the host, the time in UTC and how sure it is, and the data
// under the names of the event's own manifest. It keeps no state between events
// beyond the clock of each host, opens no file and judges nothing.
package winevent

import (
	"strconv"
	"strings"

	"waybill/internal/model"
)

// Provider is who wrote an event. The id of an event means something only
// together with it.
type Provider uint8

// The providers whose events are read.
const (
	Other Provider = iota
	Security
	Eventlog
	ServiceControl
	Sysmon
	PowerShell
	PowerShellClassic
	TaskScheduler
	SessionManager
	ConnectionManager
	RDPClient
	WinRM
	BITS
	Defender
	VHDMP
	Partition
	KernelGeneral
	Hunting // Defender for Endpoint's tables, with the ids of Sysmon
)

// providers are the names that Windows gives them, lower case; asWritten are the
// same as they are nearly always written.
var providers = map[string]Provider{
	"microsoft-windows-security-auditing": Security,
	"microsoft-windows-eventlog":          Eventlog,
	"eventlog":                            Eventlog,
	"service control manager":             ServiceControl,
	"microsoft-windows-sysmon":            Sysmon,
	"linux-sysmon":                        Sysmon,
	"microsoft-windows-powershell":        PowerShell,
	"powershell":                          PowerShellClassic,
	"microsoft-windows-taskscheduler":     TaskScheduler,
	"microsoft-windows-terminalservices-localsessionmanager":     SessionManager,
	"microsoft-windows-terminalservices-remoteconnectionmanager": ConnectionManager,
	"microsoft-windows-terminalservices-clientactivexcore":       RDPClient,
	"microsoft-windows-winrm":                                    WinRM,
	"microsoft-windows-bits-client":                              BITS,
	"microsoft-windows-windows defender":                         Defender,
	"microsoft-windows-vhdmp":                                    VHDMP,
	"microsoft-windows-partition":                                Partition,
	"microsoft-windows-kernel-general":                           KernelGeneral,
}

var asWritten = map[string]Provider{
	"Microsoft-Windows-Security-Auditing": Security, "Microsoft-Windows-Eventlog": Eventlog, "Service Control Manager": ServiceControl,
	"Microsoft-Windows-Sysmon": Sysmon, "Microsoft-Windows-PowerShell": PowerShell, "PowerShell": PowerShellClassic,
	"Microsoft-Windows-TaskScheduler": TaskScheduler, "Microsoft-Windows-Bits-Client": BITS, "Microsoft-Windows-WinRM": WinRM,
}

var providerNames = [...]string{"other", "security", "eventlog", "service-control", "sysmon", "powershell", "powershell-classic",
	"task-scheduler", "session-manager", "connection-manager", "rdp-client", "winrm", "bits", "defender", "vhdmp", "partition", "kernel-general", "defender-hunting"}

func (p Provider) String() string { return providerNames[p] }

// ids are the events that are read of each provider.
var ids = map[Provider][]uint16{
	Security: {1102, 4616, 4624, 4625, 4634, 4647, 4648, 4663, 4672, 4688, 4697, 4698, 4702, 4719, 4778, 4779, 5136, 5137, 5140,
		4781, 5142, 5145, 5156, 6416},
	Eventlog:          {104, 1102, 6011},
	ServiceControl:    {7045, 7036},
	Sysmon:            {1, 3, 4, 5, 7, 11, 12, 13, 15, 16, 17, 18, 22, 23, 26, 27, 29, 255},
	PowerShell:        {4103, 4104},
	PowerShellClassic: {400, 403},
	TaskScheduler:     {106, 140, 200, 201},
	SessionManager:    {21, 22, 23, 24, 25},
	ConnectionManager: {1149},
	RDPClient:         {1024, 1102},
	WinRM:             {6, 91, 168, 169},
	BITS:              {3, 59, 60, 16403},
	Defender:          {1116, 1117},
	VHDMP:             {1, 12},
	Partition:         {1006},
	KernelGeneral:     {1},
	Hunting:           {1, 3, 7, 11},
}

// wanted has a bit for each id that is read.
var wanted = func() (w [Hunting + 1][1024]uint64) {
	for p, all := range ids {
		for _, id := range all {
			w[p][id/64] |= 1 << (id % 64)
		}
	}
	return w
}()

// Wanted says whether an event is one of those that are read.
func Wanted(p Provider, id uint16) bool { return wanted[p][id/64]&(1<<(id%64)) != 0 }

// Wanted says whether the event is one of those that are read.
func (e *Event) Wanted() bool { return Wanted(e.Provider, e.ID) }

// ProviderOf gives the provider of a name as an event or a collector has it.
// Collectors that drop it leave the channel, which tells most of them.
func ProviderOf(name, channel string) Provider {
	if p, ok := asWritten[name]; ok {
		return p
	}
	if p, ok := providers[lower(name)]; ok {
		return p
	}
	switch c := lower(channel); {
	case c == "security":
		return Security
	case strings.HasPrefix(c, "microsoft-windows-"):
		base, _, _ := strings.Cut(c, "/")
		return providers[base]
	}
	return Other
}

// lower is strings.ToLower without work for what is lower case.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= 0x80 {
			return strings.ToLower(s)
		}
	}
	return s
}

// Field is one datum of an event.
type Field struct{ Name, Value string }

// Event is one record of one log of one host.
type Event struct {
	Time     model.Time
	Assumed  bool // Time's zone was assumed
	Failure  bool // an audit event of something that was refused
	Provider Provider
	ID       uint16
	Channel  string
	Computer string
	Record   uint64 // EventRecordID; 0 unknown
	Line     int    // in a text, from 1; 0 for EVTX
	Offset   int64  // of the record in an EVTX file
	Input    int32
	Fields   []Field
}

// Get gives a datum, "" when it is absent. A lone "-" is how Windows writes absent,
// a lone "?" how Sysmon does.
func (e *Event) Get(name string) string {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			if v := e.Fields[i].Value; v != "-" && v != "?" {
				return v
			}
			return ""
		}
	}
	return ""
}

// Lacks says whether the event says of a datum that there is none.
func (e *Event) Lacks(name string) bool {
	for i := range e.Fields {
		if f := &e.Fields[i]; f.Name == name {
			return f.Value == "-" || f.Value == "?"
		}
	}
	return false
}

// First gives the first of some data that is present.
func (e *Event) First(names ...string) string {
	for _, n := range names {
		if v := e.Get(n); v != "" {
			return v
		}
	}
	return ""
}

// Number reads a datum as decimal or 0x hex; 0 when it is neither.
func (e *Event) Number(name string) uint64 { return Number(e.Get(name)) }

// Number reads decimal or 0x hex digits; 0 when s is neither.
func Number(s string) uint64 {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 0, 64)
	if err != nil {
		return 0
	}
	return n
}

// Kind is provider and id in one number.
func (e *Event) Kind() uint32 { return uint32(e.Provider)<<16 | uint32(e.ID) }

// KindName names a kind as coverage counts it: "provider/id".
func KindName(kind uint32) string {
	return Provider(kind>>16).String() + "/" + strconv.Itoa(int(kind&0xffff))
}

// auditFailure says whether an event's keywords, however they are written, name
// an audit failure: bit 52 of the number, or the words.
func auditFailure(keywords string) bool {
	if n, err := strconv.ParseUint(keywords, 0, 64); err == nil {
		return n&(1<<52) != 0
	}
	if n, err := strconv.ParseInt(keywords, 10, 64); err == nil {
		return n&(1<<52) != 0
	}
	return strings.EqualFold(keywords, "Audit Failure") || strings.EqualFold(keywords, "AUDIT_FAILURE")
}

// SetKeywords notes what a record's keywords say.
func (e *Event) SetKeywords(k uint64) { e.Failure = k&(1<<52) != 0 }
