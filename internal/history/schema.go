package history

import (
	"context"
	"errors"
	"fmt"
)

// Form is the form of files that this version writes.
const Form = 3

// application marks a database as a history ("wbhi", SQLite's application_id).
const application = 0x77626869

// tables are those of the file, exactly as they are made, and the first form that has each.
// Nothing else may be in it: no view, trigger or computed column runs.
var tables = []struct {
	name  string
	since int64
	sql   string
}{
	{"covers", 2, `CREATE TABLE covers (mark TEXT, giver TEXT, account TEXT, way TEXT, file TEXT, start TEXT, content TEXT, PRIMARY KEY (mark, giver, account, way, file, start, content)) WITHOUT ROWID`},
	{"held", 1, `CREATE TABLE held (transfer TEXT PRIMARY KEY, artifact TEXT, finding TEXT, time INTEGER, uses BLOB) WITHOUT ROWID`},
	{"homes", 3, `CREATE TABLE homes (addr TEXT PRIMARY KEY, host TEXT, first INTEGER, last INTEGER, moved INTEGER) WITHOUT ROWID`},
	{"inputs", 1, `CREATE TABLE inputs (digest TEXT PRIMARY KEY, name TEXT, last INTEGER) WITHOUT ROWID`},
	{"marks", 1, `CREATE TABLE marks (id TEXT PRIMARY KEY, verdict TEXT, reason TEXT, until INTEGER) WITHOUT ROWID`},
	{"meta", 1, `CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID`},
	{"names", 1, `CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT)`},
	{"roles", 1, `CREATE TABLE roles (host TEXT PRIMARY KEY, seen BLOB) WITHOUT ROWID`},
	{"uses", 1, `CREATE TABLE uses (kind INTEGER, a INTEGER, b INTEGER, c INTEGER, first INTEGER, last INTEGER, count REAL, older INTEGER, recent INTEGER, PRIMARY KEY (kind, a, b, c)) WITHOUT ROWID`},
	{"works", 2, `CREATE TABLE works (transfer TEXT PRIMARY KEY, giver TEXT, account TEXT, way TEXT, file TEXT, start TEXT, content TEXT) WITHOUT ROWID`},
}

// check makes sure that the file is a history of a form that this version knows, or
// empty.
func (f *File) check() error {
	var form, id, objects int64
	for pragma, into := range map[string]*int64{"PRAGMA user_version": &form, "PRAGMA application_id": &id, "SELECT count(*) FROM sqlite_master": &objects} {
		if err := f.conn.QueryRowContext(context.Background(), pragma).Scan(into); err != nil {
			return err
		}
	}
	switch {
	case objects == 0 && id == 0 && form == 0:
		f.fresh = true
		return nil
	case id != application:
		return errors.New("this is a database of another program: name another file (nothing was changed)")
	case form > Form:
		return fmt.Errorf("a newer waybill wrote it (form %d, this one knows %d): use that one, or another file", form, Form)
	}
	f.form = form
	return f.checkTables()
}

// has says whether the file has a table, by its form.
func (f *File) has(since int64) bool { return f.form >= since }

func (f *File) checkTables() error {
	rows, err := f.conn.QueryContext(context.Background(), "SELECT name, type, coalesce(sql, '') FROM sqlite_master ORDER BY name LIMIT 100")
	if err != nil {
		return err
	}
	defer rows.Close()
	var made []int // of the tables, those of the file's form
	for i := range tables {
		if f.has(tables[i].since) {
			made = append(made, i)
		}
	}
	n := 0
	for rows.Next() {
		var name, kind, text string
		if err := rows.Scan(&name, &kind, &text); err != nil {
			return err
		}
		if n >= len(made) || kind != "table" || tables[made[n]].name != name || tables[made[n]].sql != text {
			return fmt.Errorf("its table %.40q is not one of a history: take a copy of before, or begin a new one", name)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n < len(made) {
		return fmt.Errorf("its table %s is missing: take a copy of before, or begin a new one", tables[made[n]].name)
	}
	return nil
}

// create makes the tables that an empty file, or one of an older form, does not have.
func (f *File) create() error {
	for _, t := range tables {
		if f.has(t.since) {
			continue
		}
		if err := f.exec(t.sql); err != nil {
			return err
		}
	}
	if err := f.exec(fmt.Sprintf("PRAGMA application_id = %d", application)); err != nil {
		return err
	}
	return f.exec(fmt.Sprintf("PRAGMA user_version = %d", Form))
}
