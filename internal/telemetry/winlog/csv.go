package winlog

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"waybill/internal/telemetry/logtext"
	"waybill/internal/telemetry/winevent"
)

// csvShapes are the columns that tell a table of events.
var csvShapes = [][]string{
	{"EventId", "EventRecordId", "Payload", "Computer"},             // EvtxECmd
	{"EventID", "TimeGenerated", "Computer"},                        // Sentinel SecurityEvent
	{"Timestamp", "DeviceName", "ActionType", "FileName"},           // Defender DeviceFileEvents, DeviceProcessEvents
	{"Timestamp", "DeviceName", "ActionType", "RemoteIP"},           // Defender DeviceNetworkEvents
	{"TimeGenerated", "DeviceName", "ActionType", "FileName"},       // the same in Sentinel
	{"TimeGenerated", "DeviceName", "ActionType", "RemoteIP"},       //
	{"Timestamp", "Computer", "Channel", "EventID", "RecordID"},     // Hayabusa
	{"EventCode", "ComputerName", "RecordNumber"},                   // Splunk
	{"TimeCreated", "MachineName", "Id", "ProviderName", "LogName"}, // Get-WinEvent | Export-Csv: no data, for coverage
}

func looksCSV(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if len(line) > 16<<10 || !bytes.ContainsRune(line, ',') {
		return false
	}
	r := csv.NewReader(bytes.NewReader(line))
	r.LazyQuotes = true
	columns, err := r.Read()
	if err != nil {
		return false
	}
	return shapeOfCSV(columns) || slices.Contains(columns, "_raw") && bytes.Contains(text, []byte("schemas.microsoft.com/win/2004/08/events"))
}

func shapeOfCSV(columns []string) bool {
	return slices.ContainsFunc(csvShapes, func(want []string) bool {
		return !slices.ContainsFunc(want, func(c string) bool { return !slices.Contains(columns, c) })
	})
}

// csvLog reads a table: each row is taken as an object whose members are the columns.
type csvLog struct {
	rows    *csv.Reader
	text    *logtext.Reader
	columns []string
	lines   winevent.Lines
	arena   fastjson.Arena
	ended   bool
	logtext.Faults
}

func newCSVLog(r io.Reader, zone *time.Location) (Log, error) {
	text := logtext.NewReader(r)
	l := &csvLog{rows: csv.NewReader(text), text: text}
	l.rows.LazyQuotes, l.rows.ReuseRecord, l.rows.FieldsPerRecord = true, true, -1
	columns, err := l.rows.Read()
	if err != nil {
		return nil, err
	}
	l.lines.Zone = zone
	l.columns = slices.Clone(columns)
	for i, c := range l.columns {
		l.columns[i] = strings.TrimSuffix(strings.TrimSpace(c), " [UTC]")
	}
	return l, nil
}

// Next reads the next rows.
func (l *csvLog) Next(b *Batch) error {
	b.Events = b.Events[:0]
	for len(b.Events) < batchSize && !l.ended {
		row, err := l.rows.Read()
		if err != nil {
			l.failed(err)
			continue
		}
		l.take(row, b)
	}
	b.Bytes = l.text.Since()
	if l.ended && len(b.Events) == 0 {
		return io.EOF
	}
	return nil
}

// failed notes a broken row; another error ends the table.
func (l *csvLog) failed(err error) {
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		l.Note("line %d: %v", parse.Line, parse.Err)
	case err == io.EOF:
		l.ended = true
	default:
		l.ended = true
		l.Note("%v", err)
	}
}

func (l *csvLog) take(row []string, b *Batch) {
	line, _ := l.rows.FieldPos(0)
	l.arena.Reset()
	object := l.arena.NewObject()
	for i, v := range row {
		if i < len(l.columns) && v != "" {
			object.Set(l.columns[i], l.arena.NewString(v))
		}
	}
	e := b.Next()
	e.Line = line
	if _, err := l.lines.Value(object, e); err != nil || e.ID == 0 {
		b.drop()
		if err != nil && !errors.Is(err, winevent.ErrNoEvent) {
			l.Note("line %d: %v", line, err)
		}
	}
}
