// Package jsonlog reads logs of JSON objects, one a line, in a list, or spread over
// lines. In comes a file and what is special to its maker; out come records whose
// fields are named by their path in the object ("flow.start"), and what was no JSON,
// with its line. An object that a shipper put into a text ("message") is taken out of
// it. It knows no log, and keeps no more than one object.
package jsonlog

import (
	"bytes"
	"errors"
	"io"

	"github.com/valyala/fastjson"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/logtext"
)

// Form is what is special to the objects of one maker.
type Form struct {
	// Name is a datum's name in the record, by its path in the object; "" leaves it and
	// what is in it out.
	Name func(path string) string
	// Finish sets time and stream by the fields; false when the object is no record.
	Finish func(r *telemetry.Record) bool
	// Repeats says that a list is given as one datum an element, not by commas, and of objects
	// all and not the first; nil is none.
	Repeats func(name string) bool
	// Timeless says that records may have no time.
	Timeless bool
}

// Looks says whether one of the first objects of a text is a record, with a time where all
// have one.
func (f Form) Looks(head []byte) bool {
	l := newLog(nil, f)
	return logtext.First(head, 8, func(value []byte, whole bool) bool {
		if !whole {
			return false
		}
		var b telemetry.Batch
		return l.object(value, 1, &b) == nil && len(b.Records) == 1 && (f.Timeless || b.Records[0].Time != 0)
	})
}

// Open reads a text.
func (f Form) Open(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	return newLog(logtext.NewValues(r), f)
}

type log struct {
	values *logtext.Values
	form   Form
	parser fastjson.Parser
	inner  fastjson.Parser // of an object in a text
	ended  bool
	logtext.Faults

	places map[string]*place // by path
	last   *place
	path   []byte
	text   []byte // the values of a record
	cuts   []cut
}

// place is a path in the objects, with what the form calls it, and the one that came
// after it last: makers write the same fields in the same order.
type place struct {
	path, name string
	next       *place
}

// cut is where a value stands in the text.
type cut struct {
	name string
	from int
}

func newLog(v *logtext.Values, f Form) *log {
	return &log{values: v, form: f, places: map[string]*place{}, last: &place{}}
}

// Next reads the next records.
func (l *log) Next(b *telemetry.Batch) error {
	b.Reset()
	for len(b.Records) < telemetry.BatchSize && !l.ended {
		value, err := l.values.Next()
		if errors.Is(err, logtext.ErrTooLong) {
			l.Note("line %d: %v: passed over", l.values.Line(), err)
			continue
		}
		if err != nil {
			l.ended = true
			if err != io.EOF {
				l.Note("after line %d: %v", l.values.Line(), err)
			}
		}
		if value = bytes.TrimSpace(value); len(value) == 0 {
			continue
		}
		if err := l.object(value, l.values.Line(), b); err != nil {
			l.Note("line %d: no JSON", l.values.Line())
		}
	}
	b.Bytes = l.values.Since()
	if l.ended && len(b.Records) == 0 {
		return io.EOF
	}
	return nil
}

// object takes an object into the batch, if it is a record.
func (l *log) object(value []byte, line int, b *telemetry.Batch) error {
	o, err := object(&l.parser, value)
	if err != nil {
		return err
	}
	if l.record(o, line, b) {
		return nil
	}
	for _, name := range [...]string{"message", "log", "line"} { // Filebeat, Docker, Promtail
		text := bytes.TrimSpace(o.Get(name).GetStringBytes())
		if len(text) == 0 || text[0] != '{' {
			continue
		}
		if o, err := object(&l.inner, text); err == nil && l.record(o, line, b) {
			return nil
		}
	}
	return nil
}

func object(p *fastjson.Parser, value []byte) (*fastjson.Object, error) {
	v, err := p.ParseBytes(value)
	if err != nil {
		return nil, err
	}
	return v.Object()
}

func (l *log) record(o *fastjson.Object, line int, b *telemetry.Batch) bool {
	l.path, l.text, l.cuts = l.path[:0], l.text[:0], l.cuts[:0]
	l.flatten(o, 0)
	r := b.Next()
	r.Line = line
	text := string(l.text) // one for all values
	for i, c := range l.cuts {
		end := len(text)
		if i+1 < len(l.cuts) {
			end = l.cuts[i+1].from
		}
		r.Set(c.name, text[c.from:end])
	}
	if !l.form.Finish(r) {
		b.Drop()
		return false
	}
	return true
}

const (
	maxDepth = 6       // of objects within objects
	maxNames = 1 << 12 // that are remembered
)

func (l *log) flatten(o *fastjson.Object, depth int) {
	base := len(l.path)
	o.Visit(func(key []byte, v *fastjson.Value) {
		l.path = append(l.path[:base], key...)
		name := l.name()
		if name == "" {
			return
		}
		if v.Type() == fastjson.TypeArray {
			if all := v.GetArray(); len(all) > 0 && all[0].Type() == fastjson.TypeObject {
				if l.repeats(name) {
					l.objects(all, depth)
					return
				}
				v = all[0]
			}
		}
		if v.Type() == fastjson.TypeObject {
			if depth < maxDepth {
				l.path = append(l.path, '.')
				l.flatten(v.GetObject(), depth+1)
			}
			return
		}
		if v.Type() == fastjson.TypeArray && l.repeats(name) {
			for _, x := range v.GetArray() {
				l.cuts = append(l.cuts, cut{name, len(l.text)})
				l.text = appendText(l.text, x)
			}
			return
		}
		from := len(l.text)
		if l.text = appendText(l.text, v); len(l.text) > from {
			l.cuts = append(l.cuts, cut{name, from})
		}
	})
	l.path = l.path[:base]
}

func (l *log) repeats(name string) bool { return l.form.Repeats != nil && l.form.Repeats(name) }

// objects takes all objects of a list.
func (l *log) objects(all []*fastjson.Value, depth int) {
	base := len(l.path)
	for _, v := range all {
		if o, err := v.Object(); err == nil && depth < maxDepth {
			l.path = append(l.path[:base], '.')
			l.flatten(o, depth+1)
		}
	}
}

// name is what the form calls the present path.
func (l *log) name() string {
	p := l.last.next
	if p == nil || p.path != string(l.path) {
		p = l.place()
		l.last.next = p
	}
	l.last = p
	return p.name
}

func (l *log) place() *place {
	if p := l.places[string(l.path)]; p != nil {
		return p
	}
	path := string(l.path)
	p := &place{path: path, name: l.form.Name(path)}
	if len(l.places) < maxNames {
		l.places[path] = p
	}
	return p
}

// appendText writes a value as tab-separated logs have it: T and F, lists by commas.
func appendText(out []byte, v *fastjson.Value) []byte {
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return append(out, b...)
	case fastjson.TypeTrue:
		return append(out, 'T')
	case fastjson.TypeFalse:
		return append(out, 'F')
	case fastjson.TypeNumber:
		return v.MarshalTo(out)
	case fastjson.TypeArray:
		for i, x := range v.GetArray() {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendText(out, x)
		}
	}
	return out
}
