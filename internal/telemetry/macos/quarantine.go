package macos

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// Quarantine is the table of LaunchServices of what was downloaded or received
// (com.apple.LaunchServices.QuarantineEventsV2), an SQLite database.
var Quarantine = telemetry.Format{Kind: "quarantine-events", Family: "unixhost", Looks: looksQuarantine, Open: openQuarantine, Unverified: true}

// looksQuarantine asks for SQLite's magic, and for the table in the schema, which lies on
// the first page (SQLite, "Database File Format").
func looksQuarantine(head []byte) bool {
	return bytes.HasPrefix(head, []byte("SQLite format 3\x00")) && bytes.Contains(head, []byte("LSQuarantineEvent"))
}

// Bounds of a database and of what is read of it.
const (
	maxDatabase = 256 << 20
	maxEvents   = 1 << 20
)

// quarantine reads one database.
type quarantine struct {
	file   *os.File // a copy: SQLite reads files alone
	db     *sql.DB
	rows   *sql.Rows
	size   int64
	number int
	damage []string
	ended  bool
}

func openQuarantine(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	q := &quarantine{}
	if err := q.open(r); err != nil {
		q.fail(err)
	}
	return q
}

func (q *quarantine) open(r io.Reader) error {
	var err error
	if q.file, err = os.CreateTemp("", "waybill-*.db"); err != nil {
		return err
	}
	if q.size, err = io.Copy(q.file, io.LimitReader(r, maxDatabase)); err != nil {
		return err
	}
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: q.file.Name(), RawQuery: "mode=ro&immutable=1&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)"}).String()
	if q.db, err = sql.Open("sqlite", name); err != nil {
		return err
	}
	if err := q.plain(); err != nil {
		return err
	}
	defer os.Remove(q.file.Name()) // it stays open; where that is not possible, close removes it
	q.rows, err = q.db.Query(`SELECT LSQuarantineTimeStamp, coalesce(LSQuarantineAgentName, ''), coalesce(LSQuarantineDataURLString, ''),
		coalesce(LSQuarantineSenderName, '') FROM LSQuarantineEvent ORDER BY LSQuarantineTimeStamp, rowid LIMIT ?`, maxEvents)
	return err
}

// plain refuses a table that computes what it holds: a view or a generated column may
// keep a reader busy for ever.
func (q *quarantine) plain() error {
	var form string
	err := q.db.QueryRow(`SELECT upper(sql) FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND lower(name) = 'lsquarantineevent'`).Scan(&form)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errors.New("LSQuarantineEvent is no table")
	case err != nil:
		return err
	case strings.Contains(form, "GENERATED") || computed.MatchString(form):
		return errors.New("LSQuarantineEvent has computed columns")
	}
	return nil
}

var computed = regexp.MustCompile(`\bAS\s*\(`)

// fail ends the log with what was wrong.
func (q *quarantine) fail(err error) {
	q.damage = append(q.damage, fmt.Sprintf("after row %d: %v", q.number, err))
	q.close()
}

func (q *quarantine) close() {
	q.ended = true
	if q.rows != nil {
		q.rows.Close()
	}
	if q.db != nil {
		q.db.Close()
	}
	if q.file != nil {
		q.file.Close()
		os.Remove(q.file.Name())
	}
}

// Damage says what could not be read.
func (q *quarantine) Damage() []string { return q.damage }

// macEpoch is 2001-01-01 UTC, where Apple's absolute time begins.
const macEpoch = 978307200

// Next reads the next events.
func (q *quarantine) Next(b *telemetry.Batch) error {
	b.Reset()
	b.Bytes, q.size = q.size, 0
	for len(b.Records) < telemetry.BatchSize && !q.ended {
		if !q.rows.Next() {
			if err := q.rows.Err(); err != nil {
				q.fail(err)
			} else {
				q.close()
			}
			break
		}
		q.number++
		var at sql.NullFloat64
		var agent, from, sender string
		if err := q.rows.Scan(&at, &agent, &from, &sender); err != nil {
			q.fail(err)
			break
		}
		r := b.Next()
		r.Stream, r.Line = "quarantine", q.number
		if at.Valid && at.Float64 > 0 && at.Float64 < 4e9 {
			r.Time = model.Time(at.Float64*float64(time.Second)) + macEpoch*model.Time(time.Second)
		}
		r.Set("agent", agent)
		r.Set("url", from)
		r.Set("sender", sender)
	}
	if q.ended && len(b.Records) == 0 {
		return io.EOF
	}
	return nil
}
