package http

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// FuzzConversation sends any bytes both ways, with a gap: there is no panic,
// all memory is given back, and how the bytes are cut does not matter.
func FuzzConversation(f *testing.F) {
	for _, tc := range conversations {
		var sent [2]string
		for _, a := range tc.acts {
			sent[a.from] += a.send
		}
		f.Add([]byte(sent[0]), []byte(sent[1]), uint16(300), uint16(10), byte(7))
		f.Add([]byte(sent[0]), []byte(sent[1]), uint16(0), uint16(0), byte(1))
	}
	f.Fuzz(func(t *testing.T, client, server []byte, gapAt, gap uint16, size byte) {
		if len(client)+len(server) > 1<<16 {
			return
		}
		acts := []act{{from: 0, send: string(client)}}
		if at := int(gapAt); gap > 0 && at < len(server) {
			acts = append(acts, act{from: 1, send: string(server[:at])}, lostS(int64(gap)))
			server = server[at:]
		}
		acts = append(acts, act{from: 1, send: string(server)})
		whole, cut := decodable(run(t, 0, acts)), decodable(run(t, int(size)+1, acts))
		if !slices.Equal(whole, cut) {
			t.Errorf("whole: %s\nin segments of %d: %s", strings.Join(whole, "\n"), int(size)+1, strings.Join(cut, "\n"))
		}
	})
}

// decodable leaves out what could not be decoded: how much a decompressor gives
// of broken input before it says so depends on how the input came.
func decodable(lines []string) []string {
	return slices.DeleteFunc(lines, func(line string) bool {
		return strings.Contains(line, "cannot be decoded") || strings.Contains(line, "encoded content")
	})
}

// FuzzChunked takes a chunked body apart that was made from the content: it
// must come back.
func FuzzChunked(f *testing.F) {
	f.Add([]byte(b2000), uint16(100), uint16(33))
	f.Add([]byte(strings.Repeat("\r\n0\r\n\r\n", 100)), uint16(1), uint16(1))
	f.Fuzz(func(t *testing.T, body []byte, chunk, size uint16) {
		if len(body) < minAnswer || len(body) > 1<<14 {
			return
		}
		env := wiretest.New(t)
		p := New(env)
		play(env, p, int(size), []act{get("/f"), chunked(chunks(string(body), int(chunk)+1)), ended(wire.EndOfCapture)})
		if len(env.Transfers) != 1 {
			t.Fatalf("%d transfers", len(env.Transfers))
		}
		if r := env.Result(env.Transfers[0]); !r.Whole || r.SHA256 != sum(string(body)) {
			t.Errorf("whole %v %q, hash %s", r.Whole, r.Reason, r.SHA256)
		}
	})
}

// FuzzMultipart does the same with the parts of a form.
func FuzzMultipart(f *testing.F) {
	f.Add([]byte("one"), []byte("\r\n--X"), uint16(3))
	f.Add([]byte("\r\n--XY--\r\n"), []byte("\r\r\n\r\n-"), uint16(1))
	f.Fuzz(func(t *testing.T, one, two []byte, size uint16) {
		if strings.Contains(string(one)+"|"+string(two), "--XX") || len(one) == 0 || len(two) == 0 || len(one)+len(two) > 1<<14 {
			return
		}
		env := wiretest.New(t)
		p := New(env)
		play(env, p, int(size), []act{post(formType, formOf(file("f", "one", string(one)), file("f", "two", string(two)))), status("200 OK")})
		if len(env.Transfers) != 2 {
			t.Fatalf("%d transfers", len(env.Transfers))
		}
		for i, want := range []string{string(one), string(two)} {
			if r := env.Result(env.Transfers[i]); !r.Whole || r.SHA256 != sum(want) {
				t.Errorf("part %d: whole %v %q, %d bytes", i, r.Whole, r.Reason, r.Size)
			}
		}
	})
}
