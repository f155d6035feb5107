package winevent

import (
	"strings"

	"github.com/valyala/fastjson"
)

// The hunting tables of Defender for Endpoint (DeviceFileEvents, DeviceProcessEvents,
// DeviceNetworkEvents, DeviceImageLoadEvents) have no Windows events but the same
// facts: their rows become events of the provider Hunting with the ids and the field
// names of Sysmon. What a file event says of the request over SMB stays under its
// own names.

// huntingFields maps the columns to Sysmon's names. Those of the process that acted
// are the process's own in file and network events, the parent's in process events.
var huntingFields = map[string]string{
	"FileOriginUrl": "FileOriginUrl", "RequestSourceIP": "RequestSourceIP", "RequestSourcePort": "RequestSourcePort", "RequestAccountName": "RequestAccountName",
	"RequestAccountDomain": "RequestAccountDomain", "RequestAccountSid": "RequestAccountSid", "RequestProtocol": "RequestProtocol", "ShareName": "ShareName",
	"LocalIP": "SourceIp", "LocalPort": "SourcePort", "RemoteIP": "DestinationIp", "RemotePort": "DestinationPort", "RemoteUrl": "DestinationHostname", "Protocol": "Protocol",
}

// huntingActions are the ids of the actions that are read.
var huntingActions = map[string]uint16{
	"FileCreated": 11, "FileRenamed": 11, "FileModified": 11, "ProcessCreated": 1, "ImageLoaded": 7,
	"ConnectionSuccess": 3, "InboundConnectionAccepted": 3, "ConnectionFound": 3,
}

// hunting makes an event of a row.
func (l *Lines) hunting(v *fastjson.Value, s *shape, e *Event) bool {
	get := func(name string) string { return scalar(v.Get(name)) }
	action := get("ActionType")
	*e = Event{Provider: Hunting, ID: huntingActions[action], Fields: e.Fields[:0], Line: e.Line, Input: e.Input}
	e.Computer = l.texts.Shared(get("DeviceName"))
	l.stamp(v, s, e, "")
	if e.ID == 0 {
		e.Provider, e.ID, e.Channel = Other, 1, "Device events"
		return false
	}
	e.Channel = map[uint16]string{1: "DeviceProcessEvents", 3: "DeviceNetworkEvents", 7: "DeviceImageLoadEvents", 11: "DeviceFileEvents"}[e.ID]
	l.missing(e, "AgentId", get("DeviceId"))
	for column, name := range huntingFields {
		l.field(name, get(column), e)
	}
	actor := huntingPath(get("InitiatingProcessFolderPath"), get("InitiatingProcessFileName"))
	file := huntingPath(get("FolderPath"), get("FileName"))
	actorUser := joined(get("InitiatingProcessAccountDomain"), get("InitiatingProcessAccountName"))
	guid := get("DeviceId") + "-" + get("InitiatingProcessId") + "-" + get("InitiatingProcessCreationTime")
	if e.ID == 1 {
		l.fieldsOf(e, "Image", file, "CommandLine", get("ProcessCommandLine"), "ParentImage", actor, "ParentCommandLine", get("InitiatingProcessCommandLine"),
			"User", joined(get("AccountDomain"), get("AccountName")), "ProcessId", get("ProcessId"), "OriginalFileName", get("ProcessVersionInfoOriginalFileName"),
			"Company", get("ProcessVersionInfoCompanyName"))
	} else {
		l.fieldsOf(e, "Image", actor, "CommandLine", get("InitiatingProcessCommandLine"), "User", actorUser, "ProcessId", get("InitiatingProcessId"), "ProcessGuid", guid)
	}
	switch e.ID {
	case 3:
		inbound := action == "InboundConnectionAccepted"
		if inbound {
			swap(e, "SourceIp", "DestinationIp")
			swap(e, "SourcePort", "DestinationPort")
		}
		l.fieldsOf(e, "Initiated", map[bool]string{true: "false", false: "true"}[inbound])
	case 7:
		l.fieldsOf(e, "ImageLoaded", file)
	case 11:
		l.fieldsOf(e, "TargetFilename", file)
	}
	var sums []string
	for _, alg := range []string{"SHA256", "SHA1", "MD5"} {
		if h := get(alg); h != "" {
			sums = append(sums, alg+"="+h)
		}
	}
	l.fieldsOf(e, "Hashes", strings.Join(sums, ","))
	return true
}

// huntingPath joins folder and name, where the folder does not hold the name already.
func huntingPath(folder, name string) string {
	switch {
	case folder == "":
		return name
	case name == "" || strings.HasSuffix(strings.ToLower(folder), `\`+strings.ToLower(name)):
		return folder
	}
	return strings.TrimRight(folder, `\`) + `\` + name
}

func joined(domain, user string) string {
	if domain == "" || user == "" {
		return user
	}
	return domain + `\` + user
}

func (l *Lines) fieldsOf(e *Event, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		l.field(pairs[i], pairs[i+1], e)
	}
}

// swap exchanges two data.
func swap(e *Event, a, b string) {
	for i := range e.Fields {
		switch e.Fields[i].Name {
		case a:
			e.Fields[i].Name = b
		case b:
			e.Fields[i].Name = a
		}
	}
}
