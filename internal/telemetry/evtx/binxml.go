package evtx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"waybill/internal/telemetry/winevent"
)

// Tokens of binary XML (MS-EVEN6 2.2.12). 0x40 in a token says that more follows.
const (
	tokenEnd          = 0x00
	tokenOpen         = 0x01
	tokenCloseStart   = 0x02
	tokenCloseEmpty   = 0x03
	tokenEndElement   = 0x04
	tokenValue        = 0x05
	tokenAttribute    = 0x06
	tokenCDATA        = 0x07
	tokenChar         = 0x08
	tokenEntity       = 0x09
	tokenPITarget     = 0x0a
	tokenPIData       = 0x0b
	tokenTemplate     = 0x0c
	tokenSubstitution = 0x0d
	tokenOptional     = 0x0e
	tokenFragment     = 0x0f
	tokenMore         = 0x40
)

// part is a piece of a text: fixed, or the substitution with an index.
type part struct {
	text  string
	index int // -1 for fixed text
}

// leaf is a place in a template that holds text.
type leaf struct {
	path  []string // the elements from the root
	attr  string   // "" for the element's content
	name  []part   // of a Data element: its Name
	parts []part
}

// template is a compiled template: its leaves in order.
type template struct{ leaves []leaf }

var errShort = errors.New("binary XML is cut short")

// decoder reads binary XML in a chunk from at to end.
type decoder struct {
	c       *Chunk
	at, end int
	depth   int
}

const maxDepth = 24

func (d *decoder) byte() byte {
	if d.at >= d.end {
		d.at++
		return 0
	}
	d.at++
	return d.c.raw[d.at-1]
}

func (d *decoder) u16() int {
	if d.at+2 > d.end {
		d.at = d.end + 1
		return 0
	}
	d.at += 2
	return int(binary.LittleEndian.Uint16(d.c.raw[d.at-2:]))
}

func (d *decoder) u32() int {
	if d.at+4 > d.end {
		d.at = d.end + 1
		return 0
	}
	d.at += 4
	return int(binary.LittleEndian.Uint32(d.c.raw[d.at-4:]))
}

func (d *decoder) short() bool { return d.at > d.end }

// event reads the record's root and fills in e. Of an event that is not one of
// those that are read, only what stands in System is filled in.
func (d *decoder) event(e *winevent.Event) error {
	b := builder{c: d.c, e: e}
	if err := d.fragment(&b); err != nil && err != errUnwanted {
		return err
	}
	if b.wanted() != nil {
		e.Fields = e.Fields[:0]
	}
	return nil
}

// errUnwanted stops the work on an event that is not read.
var errUnwanted = errors.New("unwanted")

// fragment reads an optional fragment header and what follows it: a template
// instance or an element, which outside of a template's definition has no
// dependency id (events that were forwarded or exported have no templates).
func (d *decoder) fragment(b *builder) error {
	for d.at < d.end {
		switch token := d.c.raw[d.at]; token &^ tokenMore {
		case tokenFragment:
			d.at += 4
		case tokenTemplate:
			return d.instance(b)
		case tokenOpen:
			t := &template{}
			if err := d.element(t, nil, false); err != nil {
				return err
			}
			return b.take(t, nil)
		case tokenEnd:
			return nil
		default:
			return fmt.Errorf("token 0x%02x where an event should begin", token)
		}
	}
	return nil
}

// instance reads a template instance: its definition, compiled once a chunk, and
// the values.
func (d *decoder) instance(b *builder) error {
	d.at += 2 // token, unknown
	d.u32()   // template id
	offset := d.u32()
	if d.short() {
		return errShort
	}
	t, err := d.definition(offset)
	if err != nil {
		return err
	}
	count := d.u32()
	descriptors := d.at
	at := descriptors + 4*count
	if count > 4096 || at > d.end {
		return errShort
	}
	first := len(d.c.values)
	for i := range count {
		size := int(binary.LittleEndian.Uint16(d.c.raw[descriptors+4*i:]))
		if at+size > d.end {
			return errShort
		}
		d.c.values = append(d.c.values, value{d.c.raw[descriptors+4*i+2], at, size})
		at += size
	}
	d.at = at
	err = b.take(t, d.c.values[first:])
	d.c.values = d.c.values[:first]
	return err
}

// definition gives the template at an offset of the chunk. Where it stands in the
// record itself, the decoder moves behind it.
func (d *decoder) definition(offset int) (*template, error) {
	inline := offset == d.at
	if offset < 0 || offset+24 > len(d.c.raw) {
		return nil, fmt.Errorf("template at %d lies outside of the chunk", offset)
	}
	size := int(binary.LittleEndian.Uint32(d.c.raw[offset+20:]))
	if size > len(d.c.raw)-offset-24 {
		return nil, fmt.Errorf("template at %d is longer than the chunk", offset)
	}
	if inline {
		d.at = offset + 24 + size
	}
	key := uint32(offset)
	if t := d.c.templates[key]; t != nil {
		return t, nil
	}
	inner := decoder{c: d.c, at: offset + 24, end: offset + 24 + size}
	if inner.at+4 <= inner.end && inner.c.raw[inner.at] == tokenFragment {
		inner.at += 4
	}
	t := &template{}
	if err := inner.element(t, nil, true); err != nil {
		return nil, fmt.Errorf("template at %d: %w", offset, err)
	}
	d.c.templates[key] = t
	return t, nil
}

// element compiles an element and all in it into leaves.
func (d *decoder) element(t *template, path []string, dependency bool) error {
	if d.depth++; d.depth > maxDepth {
		return errors.New("elements nested too deep")
	}
	defer func() { d.depth-- }()
	token := d.byte()
	if token&^tokenMore != tokenOpen {
		return fmt.Errorf("token 0x%02x where an element should begin", token)
	}
	if dependency {
		d.u16()
	}
	d.u32() // size
	name, err := d.name()
	if err != nil {
		return err
	}
	path = append(path[:len(path):len(path)], name)
	var dataName []part
	if token&tokenMore != 0 {
		d.u32() // size of the attributes
		if dataName, err = d.attributes(t, path); err != nil {
			return err
		}
	}
	switch end := d.byte(); end {
	case tokenCloseEmpty:
		return nil
	case tokenCloseStart:
	default:
		return fmt.Errorf("token 0x%02x where a start tag should end", end)
	}
	return d.content(t, path, dataName, dependency)
}

// content compiles what stands between the tags of an element.
func (d *decoder) content(t *template, path []string, name []part, dependency bool) error {
	l := leaf{path: path, name: name}
	for {
		if d.at >= d.end {
			return errShort
		}
		token := d.c.raw[d.at]
		switch token &^ tokenMore {
		case tokenEndElement:
			d.at++
			if len(l.parts) > 0 {
				t.leaves = append(t.leaves, l)
			}
			return nil
		case tokenOpen:
			if err := d.element(t, path, dependency); err != nil {
				return err
			}
		case tokenTemplate, tokenFragment:
			return errors.New("a template instance inside an element")
		default:
			p, ok, err := d.part()
			if err != nil {
				return err
			}
			if ok {
				l.parts = append(l.parts, p)
			}
		}
	}
}

// attributes compiles attributes. That of the name Name is given back.
func (d *decoder) attributes(t *template, path []string) (name []part, err error) {
	for d.at < d.end && d.c.raw[d.at]&^tokenMore == tokenAttribute {
		d.at++
		attr, err := d.name()
		if err != nil {
			return nil, err
		}
		var parts []part
		for d.at < d.end && isPart(d.c.raw[d.at]&^tokenMore) {
			p, ok, err := d.part()
			if err != nil {
				return nil, err
			}
			if ok {
				parts = append(parts, p)
			}
		}
		if attr == "Name" {
			name = parts
		}
		t.leaves = append(t.leaves, leaf{path: path, attr: attr, parts: parts})
	}
	return name, nil
}

func isPart(token byte) bool {
	switch token {
	case tokenValue, tokenCDATA, tokenChar, tokenEntity, tokenSubstitution, tokenOptional:
		return true
	}
	return false
}

// part reads one piece of text.
func (d *decoder) part() (p part, ok bool, err error) {
	token := d.byte() &^ tokenMore
	switch token {
	case tokenValue:
		if kind := d.byte(); kind != typeString {
			return p, false, fmt.Errorf("a text of type 0x%02x", kind)
		}
		return d.fixed()
	case tokenCDATA:
		return d.fixed()
	case tokenSubstitution, tokenOptional:
		p.index = d.u16()
		d.byte() // type: the instance says it again
	case tokenChar:
		p = part{string(rune(d.u16())), -1}
	case tokenEntity:
		name, err := d.name()
		if err != nil {
			return p, false, err
		}
		p = part{entities[name], -1}
	case tokenPITarget:
		_, err := d.name()
		return p, false, err
	case tokenPIData:
		_, _, err := d.fixed()
		return p, false, err
	default:
		return p, false, fmt.Errorf("token 0x%02x in a text", token)
	}
	if d.short() {
		return p, false, errShort
	}
	return p, true, nil
}

var entities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

func (d *decoder) fixed() (part, bool, error) {
	n := 2 * d.u16()
	if d.short() || d.at+n > d.end {
		return part{}, false, errShort
	}
	d.at += n
	return part{string(appendUTF16(nil, d.c.raw[d.at-n:d.at])), -1}, true, nil
}

// name reads a name, which stands in the chunk once; where it stands here, the
// decoder moves behind it.
func (d *decoder) name() (string, error) {
	offset := d.u32()
	if d.short() || offset+8 > len(d.c.raw) {
		return "", errShort
	}
	n := 2 * int(binary.LittleEndian.Uint16(d.c.raw[offset+6:]))
	if offset+8+n > len(d.c.raw) {
		return "", errShort
	}
	if offset == d.at {
		d.at += 8 + n + 2
	}
	key := uint32(offset)
	s, ok := d.c.names[key]
	if !ok {
		s = string(appendUTF16(nil, d.c.raw[offset+8:offset+8+n]))
		d.c.names[key] = s
	}
	return s, nil
}

// builder makes an event of leaves.
type builder struct {
	c       *Chunk
	e       *winevent.Event
	path    []string // where an embedded fragment stands
	id      uint64
	source  string
	known   bool // provider and id were looked at
	unread  bool // and are not of an event that is read
	unnamed int
	depth   int
}

// take fills in what the leaves of a template hold.
func (b *builder) take(t *template, values []value) error {
	if b.depth++; b.depth > 4 {
		return errors.New("fragments nested too deep")
	}
	defer func() { b.depth-- }()
	for i := range t.leaves {
		l := &t.leaves[i]
		if err := b.leaf(l, values); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) leaf(l *leaf, values []value) error {
	path := l.path
	if b.depth > 1 {
		path = append(b.path[:len(b.path):len(b.path)], l.path...)
	}
	section := ""
	if len(path) > 1 {
		section = path[1]
	}
	if section == "System" {
		b.system(path, l, values)
		return nil
	}
	if section == "" && l.attr != "" {
		return nil // the name space
	}
	if err := b.wanted(); err != nil {
		return err
	}
	if len(l.parts) == 1 && l.parts[0].index >= 0 && l.attr == "" {
		if v := valueAt(values, l.parts[0].index); v.kind == typeBinXML {
			return b.embedded(path, v)
		}
	}
	if l.attr != "" {
		return nil
	}
	b.datum(path, l, values)
	return nil
}

// wanted stops the work on events that are not read. System comes first in an event.
func (b *builder) wanted() error {
	if !b.known {
		b.known = true
		b.e.ID = uint16(b.id)
		b.e.Provider = winevent.ProviderOf(b.source, b.e.Channel)
		b.unread = b.id > 0xffff || !b.e.Wanted()
	}
	if b.unread {
		return errUnwanted
	}
	return nil
}

func valueAt(values []value, i int) value {
	if i < 0 || i >= len(values) {
		return value{}
	}
	return values[i]
}

// embedded reads a fragment that is a value.
func (b *builder) embedded(path []string, v value) error {
	outer := b.path
	b.path = path
	d := decoder{c: b.c, at: v.at, end: v.at + v.size}
	err := d.fragment(b)
	b.path = outer
	return err
}

// system takes a leaf below System.
func (b *builder) system(path []string, l *leaf, values []value) {
	if len(path) < 3 {
		return
	}
	switch {
	case path[2] == "EventID" && l.attr == "":
		b.id, _ = strconv.ParseUint(strings.TrimSpace(b.string(l.parts, values)), 10, 32)
	case path[2] == "Provider" && l.attr == "Name":
		b.source = b.shared(l.parts, values)
	case path[2] == "TimeCreated" && l.attr == "SystemTime":
		b.time(l, values)
	case path[2] == "Keywords" && l.attr == "":
		b.e.SetKeywords(winevent.Number(b.string(l.parts, values)))
	case path[2] == "Channel" && l.attr == "":
		b.e.Channel = b.shared(l.parts, values)
	case path[2] == "Computer" && l.attr == "":
		b.e.Computer = b.shared(l.parts, values)
	case path[2] == "EventRecordID" && l.attr == "":
		if n, err := strconv.ParseUint(b.string(l.parts, values), 10, 64); err == nil && n != 0 {
			b.e.Record = n
		}
	}
}

// time takes the time of the event; without it the record's own stands.
func (b *builder) time(l *leaf, values []value) {
	if len(l.parts) == 1 {
		if v := valueAt(values, l.parts[0].index); v.kind == typeFileTime && v.size == 8 {
			if t := fileTime(binary.LittleEndian.Uint64(b.c.raw[v.at:])); t != 0 {
				b.e.Time = t
			}
			return
		}
	}
	if t, ok := winevent.ParseTime(b.string(l.parts, values)); ok {
		b.e.Time = t
	}
}

// datum takes a leaf of EventData or UserData.
func (b *builder) datum(path []string, l *leaf, values []value) {
	text := b.string(l.parts, values)
	last := path[len(path)-1]
	name := last
	switch {
	case len(l.name) > 0:
		name = b.shared(l.name, values)
	case last == "Data":
		b.unnamed++
		name = "Data" + strconv.Itoa(b.unnamed)
	}
	if name == "UtcTime" { // Sysmon's own time; the record's is that of its writing
		if t, ok := winevent.ParseTime(text); ok && !winevent.FarOff(t, b.e.Time) {
			b.e.Time = t
		}
	}
	if text != "" {
		b.e.Fields = append(b.e.Fields, winevent.Field{Name: name, Value: text})
	}
}

// string puts a text together.
func (b *builder) string(parts []part, values []value) string {
	if len(parts) == 1 && parts[0].index < 0 {
		return parts[0].text
	}
	return b.c.texts.OwnBytes(b.bytes(parts, values))
}

// shared is a text that many events have: one string for all of a chunk.
func (b *builder) shared(parts []part, values []value) string {
	if len(parts) == 1 && parts[0].index < 0 {
		return parts[0].text
	}
	return b.c.texts.SharedBytes(b.bytes(parts, values))
}

func (b *builder) bytes(parts []part, values []value) []byte {
	out := b.c.text[:0]
	for _, p := range parts {
		if p.index < 0 {
			out = append(out, p.text...)
			continue
		}
		v := valueAt(values, p.index)
		out = appendValue(out, b.c.raw[v.at:v.at+v.size], v.kind)
	}
	b.c.text = out
	return out
}
