package unixhost_test

import (
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/macos"
	"waybill/internal/telemetry/unixhost"
)

// quarantineTable is the table as macOS makes it.
const quarantineTable = `CREATE TABLE LSQuarantineEvent (LSQuarantineEventIdentifier TEXT PRIMARY KEY NOT NULL, LSQuarantineTimeStamp REAL, LSQuarantineAgentBundleIdentifier TEXT,
	LSQuarantineAgentName TEXT, LSQuarantineDataURLString TEXT, LSQuarantineSenderName TEXT, LSQuarantineSenderAddress TEXT, LSQuarantineTypeNumber INTEGER,
	LSQuarantineOriginTitle TEXT, LSQuarantineOriginURLString TEXT, LSQuarantineOriginAlias BLOB)`

// database makes one of statements.
func database(t testing.TB, statements ...string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "q.db")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func quarantined(b []byte) (*telemetry.Result, []string) {
	log := macos.Quarantine.Open(strings.NewReader(string(b)), telemetry.OpenOptions{})
	h := unixhost.New(telemetry.FollowerOptions{Inputs: []string{"q"}, Inside: func(a model.Addr) bool { return strings.HasPrefix(a.String(), "10.") }})
	var batch telemetry.Batch
	for log.Next(&batch) != io.EOF {
		for i := range batch.Records {
			batch.Records[i].Host = "mac1"
			h.Record(&batch.Records[i])
		}
	}
	return h.Close(), log.Damage()
}

func TestQuarantine(t *testing.T) {
	row := func(id, at, agent, url, sender string) string {
		return `INSERT INTO LSQuarantineEvent (LSQuarantineEventIdentifier, LSQuarantineTimeStamp, LSQuarantineAgentName, LSQuarantineDataURLString, LSQuarantineSenderName) VALUES ('` +
			id + `', ` + at + `, ` + agent + `, ` + url + `, ` + sender + `)`
	}
	b := database(t, quarantineTable,
		row("2", "762692461.5", "'sharingd'", "NULL", "'Anna iPhone'"),
		row("1", "762692460", "'Safari'", "'http://10.77.0.9:8080/tools/t.dmg?x=1'", "NULL"),
		row("3", "762692462", "'Safari'", "'https://example.com/x.zip'", "NULL"),
		row("4", "NULL", "'sharingd'", "NULL", "'nobody'"))
	if !macos.Quarantine.Looks(b[:4096]) {
		t.Error("it is not recognised")
	}
	r, damage := quarantined(b)
	want := "10.77.0.9>mac1 pull http /tools/t.dmg done by destination\nAnna iPhone>mac1 push airdrop  done by source"
	if got := told(r); got != want || len(damage) > 0 {
		t.Errorf("\n%s\ninstead of\n%s\n%v", got, want, damage)
	}
	if at := r.Transfers[0].End.String(); at != "2025-03-03T11:01:00.000000000Z" {
		t.Errorf("at %s", at)
	}
}

// TestQuarantineHostile: what computes its rows, and what is damaged, is named.
func TestQuarantineHostile(t *testing.T) {
	const endless = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i AS LSQuarantineTimeStamp, '' AS LSQuarantineAgentName, '' AS LSQuarantineDataURLString, '' AS LSQuarantineSenderName FROM n`
	whole := database(t, quarantineTable, `INSERT INTO LSQuarantineEvent (LSQuarantineEventIdentifier, LSQuarantineTimeStamp) SELECT hex(randomblob(2000)), 1 FROM (VALUES (1),(2),(3),(4),(5),(6))`)
	for name, b := range map[string][]byte{
		"a view":           database(t, `CREATE VIEW LSQuarantineEvent AS `+endless),
		"a computed field": database(t, `CREATE TABLE LSQuarantineEvent (LSQuarantineTimeStamp REAL, LSQuarantineAgentName TEXT AS (hex(zeroblob(1000000))), LSQuarantineDataURLString TEXT, LSQuarantineSenderName TEXT)`),
		"no such table":    database(t, `CREATE TABLE x (LSQuarantineEvent TEXT)`),
		"cut off":          whole[:4096],
		"nothing":          []byte("SQLite format 3\x00LSQuarantineEvent"),
	} {
		if _, damage := quarantined(b); len(damage) != 1 {
			t.Errorf("%s: %v", name, damage)
		}
	}
}

func FuzzQuarantine(f *testing.F) {
	f.Add([]byte("SQLite format 3\x00LSQuarantineEvent"))
	f.Add(database(f, quarantineTable, `INSERT INTO LSQuarantineEvent (LSQuarantineEventIdentifier, LSQuarantineTimeStamp) VALUES (1, 762692460)`))
	f.Fuzz(func(_ *testing.T, b []byte) { quarantined(b) })
}
