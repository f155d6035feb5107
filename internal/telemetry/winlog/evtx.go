package winlog

import (
	"io"

	"waybill/internal/telemetry/evtx"
	"waybill/internal/telemetry/logtext"
)

// evtxLog reads a chunk a batch.
type evtxLog struct {
	file  *evtx.File
	chunk evtx.Chunk
	next  int
	logtext.Faults
}

// Next reads the next chunk.
func (l *evtxLog) Next(b *Batch) error {
	if l.next >= l.file.Chunks() {
		b.Bytes = 0
		return io.EOF
	}
	// The chunk fills the events of the batch, and gets its memory back with it.
	l.chunk.Events = b.Events
	err := l.file.Read(l.next, &l.chunk)
	l.next++
	if err != nil {
		l.Note("%v", err)
		l.chunk.Events = l.chunk.Events[:0]
	}
	for _, d := range l.chunk.Damage {
		l.Note("%s", d)
	}
	b.Events, b.Bytes = l.chunk.Events, evtx.ChunkSize
	return nil
}

// Damage adds what the file itself is missing.
func (l *evtxLog) Damage() []string {
	var out []string
	for _, d := range l.file.Damage() {
		out = append(out, d.String())
	}
	return append(out, l.Faults.Damage()...)
}
