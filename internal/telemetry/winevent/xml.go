package winevent

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// xmlEvent is an <Event> as wevtutil and Windows write it.
type xmlEvent struct {
	System struct {
		Provider struct {
			Name string `xml:"Name,attr"`
		} `xml:"Provider"`
		EventID     string `xml:"EventID"`
		TimeCreated struct {
			SystemTime string `xml:"SystemTime,attr"`
		} `xml:"TimeCreated"`
		EventRecordID uint64 `xml:"EventRecordID"`
		Keywords      string `xml:"Keywords"`
		Channel       string `xml:"Channel"`
		Computer      string `xml:"Computer"`
	} `xml:"System"`
	EventData struct {
		Data []xmlData `xml:"Data"`
	} `xml:"EventData"`
	UserData struct {
		Inner struct {
			Any []xmlAny `xml:",any"`
		} `xml:",any"`
	} `xml:"UserData"`
}

type xmlData struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:",chardata"`
}

type xmlAny struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

// XML reads one <Event> element. read is as for Lines.
func XML(element []byte, e *Event) (read bool, err error) {
	d := xml.NewDecoder(bytes.NewReader(element))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // the caller made it UTF-8
	var raw xmlEvent
	if err := d.Decode(&raw); err != nil {
		return false, err
	}
	return raw.event(e)
}

func (raw *xmlEvent) event(e *Event) (bool, error) {
	s := &raw.System
	id := Number(strings.TrimSpace(s.EventID))
	if id == 0 || id > 0xffff {
		return false, errors.New("an event without EventID")
	}
	*e = Event{Provider: ProviderOf(s.Provider.Name, s.Channel), ID: uint16(id), Channel: s.Channel, Computer: s.Computer,
		Record: s.EventRecordID, Fields: e.Fields[:0], Input: e.Input, Line: e.Line}
	e.Time, _, _ = parseStamp(s.TimeCreated.SystemTime)
	e.Failure = auditFailure(s.Keywords)
	raw.fields(e)
	if utc, _, ok := parseStamp(e.Get("UtcTime")); ok {
		e.Time = utc
	}
	return Wanted(e.Provider, e.ID), nil
}

func (raw *xmlEvent) fields(e *Event) {
	for i, d := range raw.EventData.Data {
		name := d.Name
		if name == "" {
			name = "Data" + strconv.Itoa(i+1)
		}
		e.add(name, d.Value)
	}
	for _, d := range raw.UserData.Inner.Any {
		e.add(d.XMLName.Local, strings.TrimSpace(d.Value))
	}
}

// add adds a datum whose strings are the event's own.
func (e *Event) add(name, value string) {
	if value != "" {
		e.Fields = append(e.Fields, Field{Name: fieldName(name), Value: value})
	}
}

// dataOfXML adds the data of an <EventData> that a collector kept as text.
func dataOfXML(b []byte, e *Event) {
	var raw struct {
		Data []xmlData `xml:"Data"`
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = false
	if d.Decode(&raw) != nil {
		return
	}
	for _, x := range raw.Data {
		e.add(x.Name, x.Value)
	}
}
