// Package logtest is what tests of the readers of logs share: a fuzz target that holds
// for each of them. In comes a format; texts that it tells come from package synth, and
// any text that Go's fuzzer makes of them. It is for tests only, and reads no file.
package logtest

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"waybill/internal/model"
	"waybill/internal/synth"
	"waybill/internal/telemetry"
)

// begin is the time of the seeds, and near which stamps without a year lie.
const begin model.Time = 1_795_451_091e9

// seeds are the logs of one movement that the format tells.
func seeds(format telemetry.Format) (out []string) {
	m := synth.Moved{Source: addr(11), Destination: addr(20), Operation: model.Push, Path: "/srv/in/svc.bin", Name: "svc.bin", Size: 720_001, User: "ops", End: begin}
	pull := m
	pull.Source, pull.Destination, pull.Operation = m.Destination, m.Source, model.Pull
	for _, m := range []synth.Moved{m, pull} {
		for _, form := range synth.UnixForms(m, "fs1") {
			if format.Looks([]byte(form.Text)) {
				out = append(out, form.Text)
			}
		}
	}
	return out
}

func addr(last byte) model.Addr { return model.Addr{10: 0xff, 11: 0xff, 12: 10, 13: 77, 15: last} }

// Fuzz asks of a reader, whatever it is given: each record says what wrote it and where it
// stands; there are no more of them than bytes; damage is named in few words; a text that
// comes a byte at a time gives the same.
func Fuzz(f *testing.F, format telemetry.Format, more ...string) {
	all := append(seeds(format), more...)
	if len(all) == 0 {
		f.Fatalf("%s: no seed", format.Kind)
	}
	for _, s := range all {
		if len(records(f, format, strings.NewReader(s), len(s))) == 0 {
			f.Errorf("%s: a seed without records: %q", format.Kind, s)
		}
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		format.Looks([]byte(text))
		whole := records(t, format, strings.NewReader(text), len(text))
		if bytewise := records(t, format, iotest.OneByteReader(strings.NewReader(text)), len(text)); strings.Join(whole, "\n") != strings.Join(bytewise, "\n") {
			t.Errorf("%q\na byte at a time: %q", whole, bytewise)
		}
	})
}

// records reads a text and writes its records and damage a line each.
func records(t testing.TB, format telemetry.Format, r io.Reader, size int) (out []string) {
	log := format.Open(r, telemetry.OpenOptions{Near: begin})
	var b telemetry.Batch
	for {
		err := log.Next(&b)
		if err != nil && (err != io.EOF || len(b.Records) > 0) {
			t.Fatalf("%v with %d records", err, len(b.Records))
		}
		for i := range b.Records {
			r := &b.Records[i]
			if r.Stream == "" || r.Line < 1 || r.Line > size+1 {
				t.Errorf("%+v", r)
			}
			line := r.Stream + " " + r.Host
			for _, f := range r.Fields {
				line += " " + f.Name + "=" + f.Value
			}
			out = append(out, line)
		}
		if len(out) > size {
			t.Fatalf("%d records of %d bytes", len(out), size)
		}
		if err != nil {
			break
		}
	}
	if damage := log.Damage(); len(damage) > 17 {
		t.Errorf("%d pieces of damage", len(damage))
	}
	return append(out, log.Damage()...)
}
