package winevent

import (
	"errors"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// shape is one way to write an event as JSON: where things are. Alternatives
// stand in the order in which they are tried; a path's elements are parted by
// blanks, since names hold dots.
type shape struct {
	name     string
	has      []string // all of these say that it is this shape
	provider []string
	channel  []string
	id       []string
	computer []string
	record   []string
	stamp    []string // the event's time by the collector
	received []string // when the collector had it, in UTC
	keywords []string // the audit keywords, in one of their forms
	data     []string // objects with the data; "." is the object itself
}

// shapes are told apart by the fields that are present. The first that fits counts.
var shapes = []shape{
	{name: "winlogbeat", has: []string{"winlog event_id"}, provider: []string{"winlog provider_name"}, channel: []string{"winlog channel"},
		id: []string{"winlog event_id"}, computer: []string{"winlog computer_name"}, record: []string{"winlog record_id"},
		stamp: []string{"winlog time_created", "@timestamp"}, data: []string{"winlog event_data", "winlog user_data"}, keywords: []string{"winlog keywords"}},
	{name: "winlogbeat 6", has: []string{"event_id", "computer_name"}, provider: []string{"source_name"}, channel: []string{"log_name"},
		id: []string{"event_id"}, computer: []string{"computer_name"}, record: []string{"record_number"},
		stamp: []string{"@timestamp"}, data: []string{"event_data", "user_data"}, keywords: []string{"keywords"}},
	{name: "evtx_dump", has: []string{"System EventID", "System Computer"},
		provider: []string{"System Provider #attributes Name", "System Provider Name", "System Provider_attributes Name", "System Provider @Name"},
		channel:  []string{"System Channel"}, id: []string{"System EventID", "System EventID #text", "System EventID Value", "System EventID $"},
		computer: []string{"System Computer"}, record: []string{"System EventRecordID"},
		stamp: []string{"System TimeCreated #attributes SystemTime", "System TimeCreated SystemTime",
			"System TimeCreated_attributes SystemTime", "System TimeCreated @SystemTime"},
		data: []string{"EventData", "UserData"}, keywords: []string{"System Keywords"}},
	{name: "Hayabusa", has: []string{"Timestamp", "Computer", "EventID"}, provider: []string{"Provider"}, channel: []string{"Channel"},
		id: []string{"EventID"}, computer: []string{"Computer"}, record: []string{"RecordID"}, stamp: []string{"Timestamp"},
		data: []string{"AllFieldInfo", "Details", "ExtraFieldInfo"}},
	{name: "EvtxECmd", has: []string{"EventId", "EventRecordId", "Payload"}, provider: []string{"Provider"}, channel: []string{"Channel"},
		id: []string{"EventId"}, computer: []string{"Computer"}, record: []string{"EventRecordId"}, stamp: []string{"TimeCreated"},
		data: []string{"Payload"}, keywords: []string{"Keywords"}},
	{name: "Splunk", has: []string{"EventCode"}, provider: []string{"SourceName", "Name"}, channel: []string{"LogName", "Channel", "source"},
		id: []string{"EventCode"}, computer: []string{"ComputerName", "Computer", "host"}, record: []string{"RecordNumber", "EventRecordID", "RecordID"},
		stamp: []string{"SystemTime", "_time"}, data: []string{"."}, keywords: []string{"Keywords"}},
	{name: "Sentinel", has: []string{"EventID", "TimeGenerated", "Computer"}, provider: []string{"EventSourceName", "SourceName", "Source"},
		channel: []string{"Channel", "EventLog"}, id: []string{"EventID"}, computer: []string{"Computer"}, record: []string{"EventRecordId"},
		stamp: []string{"TimeGenerated"}, data: []string{".", "EventData"}},
	{name: "NXLog", has: []string{"EventID"}, provider: []string{"SourceName", "ProviderName", "Provider"}, channel: []string{"Channel"},
		id: []string{"EventID"}, computer: []string{"Hostname", "Computer", "host"}, record: []string{"RecordNumber", "EventRecordID", "RecordID"},
		stamp: []string{"EventTime", "TimeCreated", "SystemTime", "@timestamp"}, received: []string{"@timestamp"}, data: []string{".", "EventData"},
		keywords: []string{"EventType", "Keywords"}},
}

// wraps are objects that hold the event one level down.
var wraps = [][]string{{"_source"}, {"result"}, {"Event"}, {"document", "data"}, {"Event_data"}, {"_Event"}}

// Lines reads events that stand in lines of JSON. It is made for one input and
// is not safe for more than one goroutine.
type Lines struct {
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
	_, s := l.find(v)
	return s != nil
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
		return false, ErrNoEvent
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
	l.gather(v, s, e)
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

func (s *shape) fits(v *fastjson.Value) bool {
	for _, p := range s.has {
		if at(v, p) == nil {
			return false
		}
	}
	return true
}

// at follows a path of names parted by blanks.
func at(v *fastjson.Value, path string) *fastjson.Value {
	for path != "" && v != nil {
		var name string
		name, path, _ = strings.Cut(path, " ")
		v = v.Get(name)
	}
	return v
}

// text is the first of some paths that holds a string or a number. It is valid
// until the next line is read.
func text(v *fastjson.Value, paths []string) string {
	for _, p := range paths {
		if s := scalar(at(v, p)); s != "" {
			return s
		}
	}
	return ""
}

// failed says whether the keywords, one or a list of them, name an audit failure.
func failed(v *fastjson.Value, paths []string) bool {
	for _, p := range paths {
		k := at(v, p)
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
		if p == "." {
			l.object(v, e, 0)
			continue
		}
		inner := at(v, p)
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
	if v, err := fastjson.ParseBytes(b); err == nil && v.Type() == fastjson.TypeObject {
		if inner := v.Get("EventData"); inner != nil {
			v = inner
		}
		l.object(v, e, 0)
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

var listName, listValue = []string{"@Name", "#attributes Name", "Name"}, []string{"#text", "Value", "$"}

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

// stamp sets the event's time: what Sysmon says itself, else the collector's stamp
// put right by what was learned of the host's clock.
func (l *Lines) stamp(v *fastjson.Value, s *shape, e *Event, utcTime string) {
	stamp, zoned, ok := parseStamp(text(v, s.stamp))
	if utcTime != "" {
		if utc, _, good := parseStamp(utcTime); good {
			e.Time = utc
			if ok {
				l.clock.learn(e.Computer, stamp, utc)
			}
			return
		}
	}
	if !ok {
		return
	}
	var known bool
	if e.Time, known = l.clock.at(e.Computer, stamp); known {
		return
	}
	e.Time, e.Assumed = stamp, !zoned
	if received, _, ok := parseStamp(text(v, s.received)); ok && !zoned {
		l.clock.learn(e.Computer, stamp, received)
		e.Time, _ = l.clock.at(e.Computer, stamp)
		delete(l.clock.offsets, e.Computer)
		e.Assumed = false
	}
}
