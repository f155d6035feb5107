package zeek

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/valyala/fastjson"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/logtext"
)

// looksJSON asks for an object that is a row of Zeek.
func looksJSON(head []byte) bool {
	l := &jsonLog{}
	return logtext.First(head, 8, func(value []byte, whole bool) bool {
		if !whole {
			return false
		}
		var b telemetry.Batch
		return l.row(value, 1, &b) == nil && len(b.Records) == 1 && b.Records[0].Time != 0
	})
}

// jsonLog reads objects.
type jsonLog struct {
	values *logtext.Values
	parser fastjson.Parser
	ended  bool
	logtext.Faults
}

func openJSON(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	return &jsonLog{values: logtext.NewValues(r)}
}

// Next reads the next rows.
func (l *jsonLog) Next(b *telemetry.Batch) error {
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
		if err := l.row(value, l.values.Line(), b); err != nil {
			l.Note("line %d: no JSON", l.values.Line())
		}
	}
	b.Bytes = l.values.Since()
	if l.ended && len(b.Records) == 0 {
		return io.EOF
	}
	return nil
}

// row takes an object. One that is no row of a log that is known is counted under
// the name it gives itself.
func (l *jsonLog) row(value []byte, line int, b *telemetry.Batch) error {
	v, err := l.parser.ParseBytes(value)
	if err != nil {
		return err
	}
	o, err := v.Object()
	if err != nil {
		return err
	}
	if z := o.Get("zeek"); z != nil && z.Type() == fastjson.TypeObject { // a shipper put the row one deeper
		o = z.GetObject()
	}
	r := b.Next()
	r.Line = line
	path := ""
	fields(r, "", o, &path)
	if path == "" {
		path = pathOf(r)
	}
	r.Stream = prefix + path
	if path == "" || r.Time == 0 && r.Get("uid") == "" && r.Get("fuid") == "" {
		b.Drop()
	}
	return nil
}

// maxDepth bounds objects within objects.
const maxDepth = 3

// fields flattens an object: "id": {"orig_h": ...} and "id_orig_h" are "id.orig_h".
func fields(r *telemetry.Record, outer string, o *fastjson.Object, path *string) {
	o.Visit(func(key []byte, v *fastjson.Value) {
		name := canonical(outer + string(key))
		switch name {
		case "ts", "_write_ts", "@timestamp":
			if t, ok := stamp(text(v)); ok && (r.Time == 0 || name == "ts") {
				r.Time = t
			}
			return
		case "_path", "@stream":
			*path = text(v)
			return
		case "_system_name", "@system":
			r.Set("sensor", text(v))
			return
		}
		if inner, err := v.Object(); err == nil {
			if strings.Count(outer, ".") < maxDepth {
				fields(r, name+".", inner, path)
			}
			return
		}
		if s := text(v); s != "" {
			r.Set(name, s)
		}
	})
}

// canonical is a field's name as Zeek has it: shippers turn its dots into lines.
func canonical(name string) string {
	for _, p := range [...]string{"id_", "times_", "data_channel_"} {
		if rest, ok := strings.CutPrefix(name, p); ok {
			return p[:len(p)-1] + "." + rest
		}
	}
	return name
}

// text is a value as the tab-separated form has it: T and F, sets by commas.
func text(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return string(b)
	case fastjson.TypeTrue:
		return "T"
	case fastjson.TypeFalse:
		return "F"
	case fastjson.TypeNull:
		return ""
	case fastjson.TypeArray:
		var all []string
		for _, x := range v.GetArray() {
			if s := text(x); s != "" {
				all = append(all, s)
			}
		}
		return strings.Join(all, ",")
	}
	return v.String()
}
