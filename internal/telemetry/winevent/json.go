package winevent

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"waybill/internal/model"
)

// shape is one way to write an event as JSON: where things are. Alternatives
// stand in the order in which they are tried; a path's elements are parted by
// blanks, since names hold dots.
type shape struct {
	name     string
	ecs      bool  // data may stand under the names of ECS
	has      paths // all of these say that it is this shape
	provider paths
	channel  paths
	id       paths
	computer paths
	record   paths
	stamp    paths // the event's time by the collector
	received paths // when the collector had it, in UTC
	keywords paths // the audit keywords, in one of their forms
	data     paths // objects with the data; "." is the object itself
}

// paths are alternative places, each the names from the object inwards.
type paths [][]string

// in makes paths of names parted by blanks.
func in(all ...string) paths {
	var out paths
	for _, p := range all {
		out = append(out, strings.Fields(p))
	}
	return out
}

// shapes are told apart by the fields that are present. The first that fits counts.
var shapes = []shape{
	{name: "Defender hunting", has: in("DeviceName", "ActionType"), computer: in("DeviceName"), stamp: in("Timestamp", "TimeGenerated")},
	{name: "winlogbeat", ecs: true, has: in("winlog event_id"), provider: in("winlog provider_name"), channel: in("winlog channel"),
		id: in("winlog event_id"), computer: in("winlog computer_name"), record: in("winlog record_id"),
		stamp: in("winlog time_created", "@timestamp"), data: in("winlog event_data", "winlog user_data"), keywords: in("winlog keywords")},
	{name: "winlogbeat 6", has: in("event_id", "computer_name"), provider: in("source_name"), channel: in("log_name"),
		id: in("event_id"), computer: in("computer_name"), record: in("record_number"),
		stamp: in("@timestamp"), data: in("event_data", "user_data"), keywords: in("keywords")},
	{name: "evtx_dump", has: in("System EventID", "System Computer"),
		provider: in("System Provider #attributes Name", "System Provider Name", "System Provider_attributes Name", "System Provider @Name"),
		channel:  in("System Channel"), id: in("System EventID", "System EventID #text", "System EventID Value", "System EventID $"),
		computer: in("System Computer"), record: in("System EventRecordID"),
		stamp: in("System TimeCreated #attributes SystemTime", "System TimeCreated SystemTime",
			"System TimeCreated_attributes SystemTime", "System TimeCreated @SystemTime"),
		data: in("EventData", "UserData"), keywords: in("System Keywords")},
	{name: "Hayabusa", has: in("Timestamp", "Computer", "EventID"), provider: in("Provider"), channel: in("Channel"),
		id: in("EventID"), computer: in("Computer"), record: in("RecordID"), stamp: in("Timestamp"),
		data: in("AllFieldInfo", "Details", "ExtraFieldInfo")},
	{name: "EvtxECmd", has: in("EventId", "EventRecordId", "Payload"), provider: in("Provider"), channel: in("Channel"),
		id: in("EventId"), computer: in("Computer"), record: in("EventRecordId"), stamp: in("TimeCreated"),
		data: in("Payload"), keywords: in("Keywords")},
	{name: "Splunk", has: in("EventCode"), provider: in("SourceName", "Name"), channel: in("LogName", "Channel", "source"),
		id: in("EventCode"), computer: in("ComputerName", "Computer", "host"), record: in("RecordNumber", "EventRecordID", "RecordID"),
		stamp: in("SystemTime", "_time"), data: in("."), keywords: in("Keywords")},
	{name: "Sentinel", has: in("EventID", "TimeGenerated", "Computer"), provider: in("EventSourceName", "SourceName", "Source"),
		channel: in("Channel", "EventLog"), id: in("EventID"), computer: in("Computer"), record: in("EventRecordId"),
		stamp: in("TimeGenerated"), data: in(".", "EventData")},
	{name: "NXLog", has: in("EventID"), provider: in("SourceName", "ProviderName", "Provider"), channel: in("Channel"),
		id: in("EventID"), computer: in("Hostname", "Computer", "host"), record: in("RecordNumber", "EventRecordID", "RecordID"),
		stamp: in("EventTime", "TimeCreated", "SystemTime", "@timestamp"), received: in("@timestamp"), data: in(".", "EventData"),
		keywords: in("EventType", "Keywords")},
}

// wraps are objects that hold the event one level down.
var wraps = [][]string{{"_source"}, {"result"}, {"Event"}, {"document", "data"}, {"Event_data"}, {"_Event"}}

// Lines reads events that stand in lines of JSON. It is made for one input and
// is not safe for more than one goroutine.
type Lines struct {
	Zone   *time.Location // of stamps that name none; nil is UTC
	parser fastjson.Parser
	shape  int // of the last line
	clock  clock
	texts  Texts
}

// ErrNoEvent says that a line is good JSON and no Windows event.
var ErrNoEvent = errors.New("no Windows event")

// Looks says whether a line of JSON is a Windows event.
func (l *Lines) Looks(line []byte) bool {
	v, err := l.parser.ParseBytes(line)
	if err != nil {
		return false
	}
	if a, err := v.Array(); err == nil && len(a) > 0 {
		v = a[0]
	}
	v, s := l.find(v)
	return s != nil || rawXML(v) != nil
}

// Event reads one line. read says whether it is one of those that are read; the
// event's strings stay valid, and hold on to those of some events around it: copy
// what is kept for long. An error is ErrNoEvent or says what is wrong.
func (l *Lines) Event(line []byte, e *Event) (read bool, err error) {
	v, err := l.parser.ParseBytes(line)
	if err != nil {
		return false, err
	}
	return l.Value(v, e)
}

// Value is Event for a value that is decoded already.
func (l *Lines) Value(v *fastjson.Value, e *Event) (bool, error) {
	v, s := l.find(v)
	if s == nil {
		if x := rawXML(v); x != nil {
			return XML(x, e)
		}
		return false, ErrNoEvent
	}
	if s == &shapes[0] {
		return l.hunting(v, s, e), nil
	}
	id := Number(text(v, s.id))
	channel := text(v, s.channel)
	provider := ProviderOf(text(v, s.provider), channel)
	if id == 0 || id > 0xffff {
		return false, nil
	}
	*e = Event{Provider: provider, ID: uint16(id), Fields: e.Fields[:0], Line: e.Line, Input: e.Input}
	e.Computer = l.texts.Shared(text(v, s.computer))
	e.Channel = l.texts.Shared(channel)
	e.Record = Number(text(v, s.record))
	if !e.Wanted() { // its time and record number count for coverage all the same
		l.stamp(v, s, e, "")
		return false, nil
	}
	if s.ecs {
		l.agent(v, e)
	} else {
		l.client(v, e)
	}
	l.gather(v, s, e)
	if s.ecs && v.Exists("ecs") {
		l.ecs(v, e)
	}
	e.Failure = failed(v, s.keywords)
	l.stamp(v, s, e, e.Get("UtcTime"))
	return true, nil
}

// find unwraps a value and tells its shape.
func (l *Lines) find(v *fastjson.Value) (*fastjson.Value, *shape) {
	for range 3 {
		if s := &shapes[l.shape]; s.fits(v) {
			return v, s
		}
		for i := range shapes {
			if shapes[i].fits(v) {
				l.shape = i
				return v, &shapes[i]
			}
		}
		inner := unwrap(v)
		if inner == nil {
			return v, nil
		}
		v = inner
	}
	return v, nil
}

func unwrap(v *fastjson.Value) *fastjson.Value {
	for _, w := range wraps {
		if inner := v.Get(w...); inner != nil && inner.Type() == fastjson.TypeObject {
			return inner
		}
	}
	return nil
}

// rawXML is the event that Splunk kept as Windows gave it (sourcetype XmlWinEventLog) and
// exports without the fields that it makes of it.
func rawXML(v *fastjson.Value) []byte {
	for _, at := range [...]*fastjson.Value{v.Get("_raw"), v.Get("result", "_raw")} {
		if x := bytes.TrimSpace(at.GetStringBytes()); bytes.HasPrefix(x, []byte("<Event")) {
			return x
		}
	}
	return nil
}

func (s *shape) fits(v *fastjson.Value) bool {
	for _, p := range s.has {
		if v.Get(p...) == nil {
			return false
		}
	}
	return true
}

// text is the first of some paths that holds a string or a number. It is valid
// until the next line is read.
func text(v *fastjson.Value, from paths) string {
	for _, p := range from {
		if s := scalar(v.Get(p...)); s != "" {
			return s
		}
	}
	return ""
}

// failed says whether the keywords, one or a list of them, name an audit failure.
func failed(v *fastjson.Value, from paths) bool {
	for _, p := range from {
		k := v.Get(p...)
		if k == nil {
			continue
		}
		if a, err := k.Array(); err == nil {
			for _, x := range a {
				if auditFailure(scalar(x)) {
					return true
				}
			}
		} else if auditFailure(scalar(k)) {
			return true
		}
	}
	return false
}

func scalar(v *fastjson.Value) string {
	if v == nil {
		return ""
	}
	switch v.Type() {
	case fastjson.TypeString:
		return bytesString(v.GetStringBytes())
	case fastjson.TypeNumber:
		return number(v)
	case fastjson.TypeTrue:
		return "true"
	case fastjson.TypeFalse:
		return "false"
	}
	return ""
}

// number is a JSON number as written, without exponent or a fraction of zero.
func number(v *fastjson.Value) string {
	s := string(v.MarshalTo(nil))
	if strings.ContainsAny(s, "eE.") {
		f := v.GetFloat64()
		if f == float64(int64(f)) {
			return strconv.FormatInt(int64(f), 10)
		}
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return s
}

// gather collects the data of an event.
func (l *Lines) gather(v *fastjson.Value, s *shape, e *Event) {
	for _, p := range s.data {
		if p[0] == "." {
			l.object(v, e, 0)
			continue
		}
		inner := v.Get(p...)
		if inner == nil {
			continue
		}
		switch inner.Type() {
		case fastjson.TypeObject:
			l.object(inner, e, 0)
		case fastjson.TypeString:
			l.nested(inner.GetStringBytes(), e)
		}
	}
}

// nested reads data that a collector wrote as a text: XML, or JSON in JSON.
func (l *Lines) nested(b []byte, e *Event) {
	if len(b) > 0 && b[0] == '<' {
		dataOfXML(b, e)
		return
	}
	if strings.Contains(bytesString(b), listSeparator) {
		l.listed(bytesString(b), e)
		return
	}
	if v, err := fastjson.ParseBytes(b); err == nil && v.Type() == fastjson.TypeObject {
		if inner := v.Get("EventData"); inner != nil {
			v = inner
		}
		l.object(v, e, 0)
	}
}

// listSeparator parts the data in Hayabusa's tables: "Name: value ¦ Name: value".
const listSeparator = " ¦ "

func (l *Lines) listed(s string, e *Event) {
	for part := range strings.SplitSeq(s, listSeparator) {
		if name, value, ok := strings.Cut(part, ": "); ok {
			l.missing(e, strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
}

// object takes the members of an object as data. A list of {@Name, #text} (or
// Name and Value) is what XML converters make of EventData.
func (l *Lines) object(v *fastjson.Value, e *Event, depth int) {
	o, err := v.Object()
	if err != nil || depth > 3 {
		return
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		switch v.Type() {
		case fastjson.TypeObject:
			if string(key) != "#attributes" && depth > 0 || depth == 0 && string(key) != "Message" && !isMeta(key) {
				l.object(v, e, depth+1)
			}
		case fastjson.TypeArray:
			l.list(key, v.GetArray(), e)
		default:
			l.field(bytesString(key), scalar(v), e)
		}
	})
}

// isMeta says whether a member is about the collector and not about the event.
func isMeta(key []byte) bool {
	switch string(key) {
	case "host", "agent", "ecs", "beat", "@metadata", "log", "event", "cloud", "System":
		return true
	}
	return false
}

func (l *Lines) list(key []byte, all []*fastjson.Value, e *Event) {
	for i, v := range all {
		if v.Type() != fastjson.TypeObject {
			l.field(bytesString(key)+strconv.Itoa(i+1), scalar(v), e)
			continue
		}
		name := text(v, listName)
		if name != "" {
			l.field(name, text(v, listValue), e)
		}
	}
}

var listName, listValue = in("@Name", "#attributes Name", "Name"), in("#text", "Value", "$")

// field adds a datum with strings of its own. The message repeats the data as text.
func (l *Lines) field(name, value string, e *Event) {
	if value == "" || name == "Message" || name == "message" {
		return
	}
	known, ok := fieldNames[name]
	if !ok {
		known = l.texts.Shared(name)
	}
	e.Fields = append(e.Fields, Field{Name: known, Value: l.texts.Own(value)})
}

// fieldName is the event's own name of a datum, one string for all events.
func fieldName(name string) string {
	if known, ok := fieldNames[name]; ok {
		return known
	}
	return strings.Clone(name)
}

// connectionID is Sysmon's event of a connection. Its UtcTime is the network
// stack's, which can be hours off the system's clock.
const connectionID = 3

// lateConnection takes the collector's stamp for the time of a connection whose own
// time is far from it, once the host's offset is known.
func (l *Lines) lateConnection(v *fastjson.Value, s *shape, e *Event) {
	stamp, _, ok := parseStamp(text(v, s.stamp))
	if !ok {
		return
	}
	if at, known := l.clock.at(e.Computer, stamp); known && max(at-e.Time, e.Time-at) > farOff {
		e.Time = at
	}
}

// farOff is more than an event waits to be written.
const farOff = 10 * 60e9

// FarOff says whether an event's own time and that of its writing cannot both be right.
func FarOff(a, b model.Time) bool { return max(a-b, b-a) > farOff }

// stamp sets the event's time: what Sysmon says itself, else the collector's stamp
// put right by what was learned of the host's clock.
func (l *Lines) stamp(v *fastjson.Value, s *shape, e *Event, utcTime string) {
	if utcTime != "" {
		if utc, _, good := parseStamp(utcTime); good {
			e.Time = utc
			if e.ID == connectionID {
				l.lateConnection(v, s, e)
				return
			}
			if l.clock.due(e.Computer) {
				if stamp, _, ok := parseStamp(text(v, s.stamp)); ok {
					l.clock.learn(e.Computer, stamp, utc)
				}
			}
			return
		}
	}
	stamp, zoned, ok := parseStamp(text(v, s.stamp))
	if !ok {
		return
	}
	var known bool
	if e.Time, known = l.clock.at(e.Computer, stamp); known {
		return
	}
	e.Time, e.Assumed = stamp, !zoned
	if !zoned && l.Zone != nil {
		e.Time = local(stamp, l.Zone)
		return
	}
	if received, _, ok := parseStamp(text(v, s.received)); ok && !zoned {
		l.clock.learn(e.Computer, stamp, received)
		e.Time, _ = l.clock.at(e.Computer, stamp)
		delete(l.clock.offsets, e.Computer)
		e.Assumed = false
	}
}
