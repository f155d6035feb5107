// Package stored keeps the events of a log in a file, so that they need not be
// decoded again. In go batches of events as package winlog gives them; out comes a
// log that gives the same events. It names no file and knows nothing of what the
// events mean; a file that is cut short or damaged is refused, never read in part.
package stored

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
	"waybill/internal/telemetry/winlog"
)

// Magic begins a file; it names the version of the form.
const Magic = "waybill events 1\n"

// Writer writes events.
type Writer struct {
	out    *bufio.Writer
	pack   *zstd.Encoder
	buf    []byte
	names  map[string]uint64
	before winevent.Event
}

// NewWriter begins a file.
func NewWriter(w io.Writer) (*Writer, error) {
	if _, err := io.WriteString(w, Magic); err != nil {
		return nil, err
	}
	pack, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return &Writer{out: bufio.NewWriterSize(pack, 64<<10), pack: pack, names: map[string]uint64{}}, nil
}

// maxNames bounds the texts that are written once and named by a number.
const maxNames = 1 << 14

// name writes a text that comes again: its number, or 0 and the text.
func (w *Writer) name(s string) {
	if n, ok := w.names[s]; ok {
		w.buf = binary.AppendUvarint(w.buf, n)
		return
	}
	if len(w.names) < maxNames {
		w.names[s] = uint64(len(w.names) + 1)
	}
	w.buf = append(w.buf, 0)
	w.text(s)
}

func (w *Writer) text(s string) {
	w.buf = append(binary.AppendUvarint(w.buf, uint64(len(s))), s...)
}

// Batch writes the events of a batch.
func (w *Writer) Batch(b *winlog.Batch) error {
	for i := range b.Events {
		w.event(&b.Events[i])
	}
	_, err := w.out.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

const (
	endMark = iota
	eventMark
)

const (
	assumedBit = 1 << iota
	failureBit
)

func (w *Writer) event(e *winevent.Event) {
	flags := byte(0)
	if e.Assumed {
		flags |= assumedBit
	}
	if e.Failure {
		flags |= failureBit
	}
	w.buf = append(w.buf, eventMark, byte(e.Provider), flags)
	w.buf = binary.AppendUvarint(w.buf, uint64(e.ID))
	w.buf = binary.AppendVarint(w.buf, int64(e.Time-w.before.Time))
	w.buf = binary.AppendVarint(w.buf, int64(e.Record-w.before.Record))
	w.buf = binary.AppendVarint(w.buf, int64(e.Line-w.before.Line))
	w.buf = binary.AppendVarint(w.buf, e.Offset-w.before.Offset)
	w.name(e.Channel)
	w.name(e.Computer)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(e.Fields)))
	for _, f := range e.Fields {
		w.name(f.Name)
		w.text(f.Value)
	}
	w.before = winevent.Event{Time: e.Time, Record: e.Record, Line: e.Line, Offset: e.Offset}
}

// Close ends the file with what of the log was damaged, and its size.
func (w *Writer) Close(damage []string, bytes int64) error {
	w.buf = append(w.buf, endMark)
	w.buf = binary.AppendVarint(w.buf, bytes)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(damage)))
	for _, d := range damage {
		w.text(d)
	}
	if _, err := w.out.Write(w.buf); err != nil {
		return err
	}
	return errors.Join(w.out.Flush(), w.pack.Close())
}

// log reads a file that was written.
type log struct {
	in     *bufio.Reader
	pack   *zstd.Decoder
	names  []string
	texts  winevent.Texts
	buf    []byte
	before winevent.Event
	bytes  int64
	damage []string
	ended  bool
}

// Open reads a file. An error of its Next that is not io.EOF says that the file is damaged.
func Open(r io.Reader) (winlog.Log, error) {
	head := make([]byte, len(Magic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != Magic {
		return nil, errors.New("no stored events of this version")
	}
	pack, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	return &log{in: bufio.NewReaderSize(pack, 256<<10), pack: pack}, nil
}

// Damage is what was damaged of the log that was stored.
func (l *log) Damage() []string { return l.damage }

const batchSize = 256

// Next gives the next events.
func (l *log) Next(b *winlog.Batch) error {
	b.Events, b.Bytes = b.Events[:0], 0
	for len(b.Events) < batchSize && !l.ended {
		mark, err := l.in.ReadByte()
		if err != nil {
			return cut(err)
		}
		if mark == endMark {
			if err := l.end(); err != nil {
				return cut(err)
			}
			b.Bytes = l.bytes
			break
		}
		if err := l.event(b.Next()); err != nil {
			return cut(err)
		}
	}
	if l.ended && len(b.Events) == 0 {
		l.pack.Close()
		return io.EOF
	}
	return nil
}

// cut makes an end in the middle an error.
func cut(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("stored events: %w", err)
}

func (l *log) end() error {
	var err error
	if l.bytes, err = binary.ReadVarint(l.in); err != nil {
		return err
	}
	n, err := binary.ReadUvarint(l.in)
	if err != nil || n > 1<<16 {
		return errors.Join(err, errors.New("damaged"))
	}
	for range n {
		s, err := l.text()
		if err != nil {
			return err
		}
		l.damage = append(l.damage, s)
	}
	l.ended = true
	return nil
}

// maxText is the longest text that is believed.
const maxText = 64 << 20

func (l *log) text() (string, error) {
	n, err := binary.ReadUvarint(l.in)
	if err != nil {
		return "", err
	}
	if n > maxText {
		return "", errors.New("damaged")
	}
	if uint64(cap(l.buf)) < n {
		l.buf = make([]byte, n)
	}
	if _, err := io.ReadFull(l.in, l.buf[:n]); err != nil {
		return "", err
	}
	return l.texts.OwnBytes(l.buf[:n]), nil
}

func (l *log) name() (string, error) {
	n, err := binary.ReadUvarint(l.in)
	if err != nil {
		return "", err
	}
	if n > uint64(len(l.names)) {
		return "", errors.New("damaged")
	}
	if n > 0 {
		return l.names[n-1], nil
	}
	s, err := l.text()
	if err == nil && len(l.names) < maxNames {
		s = l.texts.Shared(s)
		l.names = append(l.names, s)
	}
	return s, err
}

func (l *log) event(e *winevent.Event) error {
	provider, err1 := l.in.ReadByte()
	flags, err2 := l.in.ReadByte()
	id, err3 := binary.ReadUvarint(l.in)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if provider > byte(winevent.Hunting) || id > 0xffff {
		return errors.New("damaged")
	}
	e.Provider, e.ID, e.Assumed, e.Failure = winevent.Provider(provider), uint16(id), flags&assumedBit != 0, flags&failureBit != 0
	var d [4]int64
	for i := range d {
		var err error
		if d[i], err = binary.ReadVarint(l.in); err != nil {
			return err
		}
	}
	p := &l.before
	p.Time, p.Record, p.Line, p.Offset = p.Time+model.Time(d[0]), p.Record+uint64(d[1]), p.Line+int(d[2]), p.Offset+d[3]
	e.Time, e.Record, e.Line, e.Offset = p.Time, p.Record, p.Line, p.Offset
	var err error
	if e.Channel, err = l.name(); err != nil {
		return err
	}
	if e.Computer, err = l.name(); err != nil {
		return err
	}
	n, err := binary.ReadUvarint(l.in)
	if err != nil || n > 1<<16 {
		return errors.Join(err, errors.New("damaged"))
	}
	for range n {
		var f winevent.Field
		if f.Name, err = l.name(); err == nil {
			f.Value, err = l.text()
		}
		if err != nil {
			return err
		}
		e.Fields = append(e.Fields, f)
	}
	return nil
}
