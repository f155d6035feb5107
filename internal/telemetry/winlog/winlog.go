// Package winlog reads logs of Windows events, in whatever form they were kept:
// EVTX files, lines or lists of JSON, XML and CSV. In comes a file; out come its
// events in its order, in batches, and what of it was damaged, with line or
// offset. It never judges, keeps no event, and stops at nothing that it can name
// and pass over.
package winlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"waybill/internal/telemetry/evtx"
	"waybill/internal/telemetry/logtext"
	"waybill/internal/telemetry/winevent"
)

// The forms of logs, as Kind tells them.
const (
	EVTX = "evtx"
	JSON = "windows-json"
	XML  = "windows-xml"
	CSV  = "windows-csv"
)

// Batch is some events of a log in its order. Events that are not read
// (winevent.Event.Wanted) come too, without data, for coverage.
type Batch struct {
	Events []winevent.Event
	Bytes  int64 // of the input, that were read for it
}

// Log is an open log.
type Log interface {
	// Next gives the next events; io.EOF is the end. It uses b's memory again.
	Next(b *Batch) error
	// Damage says what could not be read so far.
	Damage() []string
}

// Open opens a log of a kind. EVTX needs r to be an io.ReaderAt of the size. zone is
// that of stamps which name none; nil is UTC.
func Open(kind string, r io.Reader, size int64, zone *time.Location) (Log, error) {
	switch kind {
	case EVTX:
		at, ok := r.(io.ReaderAt)
		if !ok {
			return nil, errors.New("an EVTX file is read in any order")
		}
		f, err := evtx.Open(at, size)
		if err != nil {
			return nil, err
		}
		return &evtxLog{file: f}, nil
	case JSON:
		l := newJSONLog(r)
		l.lines.Zone = zone
		return l, nil
	case XML:
		return newXMLLog(r), nil
	case CSV:
		return newCSVLog(r, zone)
	}
	return nil, fmt.Errorf("no log form %q", kind)
}

// Kind tells the form of a log by its first bytes, "" for all that is none.
func Kind(head []byte) string {
	if bytes.HasPrefix(head, []byte(evtx.Magic)) {
		return EVTX
	}
	text := bytes.TrimLeft(logtext.Head(head), " \t\r\n")
	if len(text) == 0 {
		return ""
	}
	switch text[0] {
	case '{', '[':
		if looksJSON(text) {
			return JSON
		}
		return ""
	case '<':
		if bytes.Contains(text, []byte("<Event")) && bytes.Contains(text, []byte("schemas.microsoft.com/win/2004/08/events")) {
			return XML
		}
		return ""
	}
	if looksCSV(text) {
		return CSV
	}
	return ""
}

// Next gives an event of the batch to fill in, with the memory of an earlier one.
func (b *Batch) Next() *winevent.Event {
	if len(b.Events) < cap(b.Events) {
		b.Events = b.Events[:len(b.Events)+1]
	} else {
		b.Events = append(b.Events, winevent.Event{})
	}
	e := &b.Events[len(b.Events)-1]
	*e = winevent.Event{Fields: e.Fields[:0]}
	return e
}

// drop takes back the event that next gave last.
func (b *Batch) drop() { b.Events = b.Events[:len(b.Events)-1] }

// batchSize is how many events of a text make a batch.
const batchSize = 256
