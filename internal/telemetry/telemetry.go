// Package telemetry is the contract between logs and the pipeline. A Format tells a
// log by its first bytes and gives its records, in its order; a Follower takes the
// records of all logs of its kind, about in the order of time, and says at the end
// what they showed. It reads nothing itself and judges nothing.
//
// Events of Windows have a form of their own (package winevent), and the same Result.
package telemetry

import (
	"io"
	"maps"
	"time"

	"waybill/internal/model"
)

// Field is one datum of a record.
type Field struct{ Name, Value string }

// Record is one line, row or object of a log.
type Record struct {
	Time    model.Time // 0 where the record has none
	Assumed bool       // its zone or year was assumed
	// Stream is what wrote it, as coverage counts it: "zeek/files", "sshd".
	Stream string
	Host   string // whose log it is, where the record says it
	Line   int    // from 1
	Input  int32  // set by the pipeline
	// Unverified names what in the record was read by a form that was checked against no
	// real sample, where neither the Format nor the Stream says it; "" else.
	Unverified string
	// Fields are in the record's order, under the names that the format's own
	// documentation has. They are the batch's: what is kept is copied.
	Fields []Field
}

// Get gives a datum, "" when it is absent.
func (r *Record) Get(name string) string {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return r.Fields[i].Value
		}
	}
	return ""
}

// First gives the first of some data that is present.
func (r *Record) First(names ...string) string {
	for _, n := range names {
		if v := r.Get(n); v != "" {
			return v
		}
	}
	return ""
}

// Set adds a datum.
func (r *Record) Set(name, value string) { r.Fields = append(r.Fields, Field{name, value}) }

// BatchSize is how many records make a batch.
const BatchSize = 256

// Batch is some records of a log in its order.
type Batch struct {
	Records []Record
	Bytes   int64 // of the input, that were read for it
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() { b.Records, b.Bytes = b.Records[:0], 0 }

// Next gives a record of the batch to fill in, with the memory of an earlier one.
func (b *Batch) Next() *Record {
	if len(b.Records) < cap(b.Records) {
		b.Records = b.Records[:len(b.Records)+1]
	} else {
		b.Records = append(b.Records, Record{})
	}
	r := &b.Records[len(b.Records)-1]
	*r = Record{Fields: r.Fields[:0]}
	return r
}

// Drop takes back the record that Next gave last.
func (b *Batch) Drop() { b.Records = b.Records[:len(b.Records)-1] }

// Log is an open log.
type Log interface {
	// Next gives the next records; io.EOF, with an empty batch, is the end. It stops at
	// nothing that it can name and pass over.
	Next(b *Batch) error
	// Damage says what could not be read so far, with line or offset.
	Damage() []string
}

// OpenOptions are what the user says of a log.
type OpenOptions struct {
	Zone *time.Location // of stamps that name none; nil is UTC
	// Near is a time of other inputs of the run, 0 when there is none: stamps without
	// a year are taken to lie near it.
	Near model.Time
	// Written is when the log was last written, as far as is known, 0 else. Copies may
	// bear the time of the copy: it counts where Near is unknown.
	Written model.Time
}

// Format is one form of log.
type Format struct {
	// Kind names the form, for messages: "zeek-tsv".
	Kind string
	// Family names the Follower that takes its records.
	Family string
	// Looks tells the form by the first bytes of a file, as UTF-8, never by a name.
	Looks func(head []byte) bool
	Open  func(r io.Reader, o OpenOptions) Log
	// Unverified says that the form was checked against no real sample (docs/formats.md).
	Unverified bool
}

// Follower takes the records of all logs of a family.
type Follower interface {
	// Record takes the next record. It is given up after the call.
	Record(r *Record)
	// Close gives what the logs showed. Called once.
	Close() *Result
}

// FollowerOptions are what a follower may ask for.
type FollowerOptions struct {
	Inputs []string // names of the inputs, by Record.Input
	// Inside says whether an address belongs to the networks that are looked at; nil is all.
	Inside func(model.Addr) bool
	// Parts says whether parts of pages are wanted: those that nothing could be joined to
	// are only counted else.
	Parts bool
	// Interest are base names, lower case, of files that moved by other witness: the
	// starts of programs of these names are given too.
	Interest map[string]bool
	// SyncApps are names of programs that sync folders, beside those that are known.
	SyncApps []string
	// Room bounds what is kept; nil is no bound.
	Room *Room
}

// Result is what logs showed.
type Result struct {
	Transfers []*model.Transfer
	// PageParts are the ids of those that are no files but parts of pages, or what
	// programs say to each other: the default print rules leave them out.
	PageParts map[string]bool
	// Counted are parts of pages that are in no list, between hosts inside and others.
	Counted  struct{ Inside, Outside int64 }
	Accesses []*model.Access
	// Reads are accesses to read files of shares: they confirm what others claim.
	Reads    []*model.Access
	Starts   []Start
	Bindings []Binding
	Namings  []Naming
	// Uses tell what hosts are for: bounded, each kind once a day.
	Uses []Use
	// Sightings are files that lay on hosts, however they came there.
	Sightings []Sighting
	// StartsLogged are the hosts, lower case, that log process starts.
	StartsLogged map[string]bool
	// Hosts are the names of those whose logs these are.
	Hosts []string
	Logs  []model.LogCoverage
	// NeverLogged says what hosts did not log and what cannot be seen for it.
	NeverLogged []string
	// Unverified names, by input, what was told in a way that was checked against no real
	// sample, and showed after its Record was given up.
	Unverified map[string]map[string]bool
	// Room is what may still be kept; nil is all.
	Room *Room
}

// Doubt notes that something of an input was told in such a way.
func (r *Result) Doubt(input, what string) {
	if r.Unverified == nil {
		r.Unverified = map[string]map[string]bool{}
	}
	if r.Unverified[input] == nil {
		r.Unverified[input] = map[string]bool{}
	}
	r.Unverified[input][what] = true
}

// Add adds what logs of another family showed.
func (r *Result) Add(o *Result) {
	r.Transfers = append(r.Transfers, o.Transfers...)
	r.Accesses = append(r.Accesses, o.Accesses...)
	r.Reads = append(r.Reads, o.Reads...)
	r.Starts = append(r.Starts, o.Starts...)
	r.Bindings = append(r.Bindings, o.Bindings...)
	r.Namings = append(r.Namings, o.Namings...)
	r.Uses = append(r.Uses, o.Uses...)
	r.Sightings = append(r.Sightings, o.Sightings...)
	r.Hosts = append(r.Hosts, o.Hosts...)
	r.Logs = append(r.Logs, o.Logs...)
	r.NeverLogged = append(r.NeverLogged, o.NeverLogged...)
	r.StartsLogged = union(r.StartsLogged, o.StartsLogged)
	r.PageParts = union(r.PageParts, o.PageParts)
	r.Counted.Inside += o.Counted.Inside
	r.Counted.Outside += o.Counted.Outside
	for input, all := range o.Unverified {
		for what := range all {
			r.Doubt(input, what)
		}
	}
}

func union(a, b map[string]bool) map[string]bool {
	if a == nil {
		return b
	}
	maps.Copy(a, b)
	return a
}

// Start is the start or load of a program of which it is known, or may be found
// out, that it moved.
type Start struct {
	Host  *model.Endpoint // the host, completed at the end
	Image string
	model.Execution
}

// Sighting is a file that lay on a host, as a listing of its files says. There may be
// a million: it holds no more than has to be.
type Sighting struct {
	Host, Path, Stream string
	MD5, SHA1, SHA256  string     // those that are known
	Size               int64      // -1 where it is not known
	Time               model.Time // since when; 0 where it is not known
	Input, Line        int32
}

// Use is one way in which a host is used, on a day: What is desktop-use (by Channel
// "rdp" from afar), logon (of an account from another host), share-read, or
// tickets-issued.
type Use struct {
	Time          model.Time
	Host          *model.Endpoint // completed at the end
	What, Channel string
	From          model.Addr
	Port          uint16 // of the client at a logon, where the log says it
	Account       string
	Share         string
	Input         string // whose log said so
}

// Binding says that an address was a host's.
type Binding struct {
	Addr        model.Addr
	Host        string
	MAC         string
	First, Last model.Time
	Weak        bool // another host's word
	Lease       bool // handed out until Last: the next host that gets it ends it
}

// Realm is the kind of a naming that says of which domain a host is; the key is the domain.
const Realm = "realm"

// Naming says what a host was called over a time, by what tells it under all its names:
// the id of its system or agent, its machine SID, the SID of its account.
type Naming struct {
	Kind, Key, Host string
	First, Last     model.Time
}
