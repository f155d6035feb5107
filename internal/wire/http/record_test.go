package http

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// transfers plays acts on one connection and gives the records.
func transfers(t *testing.T, acts ...act) (*wiretest.Env, []*wire.Transfer) {
	t.Helper()
	env := wiretest.New(t)
	p := New(env)
	play(env, p, 0, acts)
	p.Flush(env.Next())
	return env, env.Transfers
}

func TestPullRecord(t *testing.T) {
	_, got := transfers(t,
		dav("GET", "/d/f.bin", "User-Agent: curl/8", "Authorization: Basic Q09SUFxhbm46c2VjcmV0OnNlY3JldA=="),
		s("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\nContent-Disposition: inline; filename=\"x.bin\"\r\n\r\n"+pack("gzip", b600)[:300]),
		s(pack("gzip", b600)[300:]+strings.Repeat("\x00", 1000-len(pack("gzip", b600)))))
	if len(got) != 1 {
		t.Fatalf("%d transfers", len(got))
	}
	r := got[0]
	if r.Source.IP != server.Addr || r.Source.Port != server.Port || r.Destination.IP != client.Addr || r.Initiator != model.ByDestination {
		t.Errorf("ends: %v > %v by %s", r.Source, r.Destination, r.Initiator)
	}
	if r.User != "ann" || r.Domain != "CORP" || r.Auth != "basic" || r.Session.ClientSoftware != "curl/8" || r.Session.ServerSoftware != "nginx" {
		t.Errorf("user %q domain %q auth %q session %+v", r.User, r.Domain, r.Auth, r.Session)
	}
	if r.ContentEncoding != "gzip" || *r.WireSize != 1000 || r.DispositionName != "x.bin" {
		t.Errorf("encoding %q wire size %d disposition %q", r.ContentEncoding, *r.WireSize, r.DispositionName)
	}
	// Packets 1 (request), 2 and 3 (answer); content begins in the second one.
	if spans := r.Seen.Spans(); len(spans) != 1 || spans[0] != (wire.Span{First: 1, Last: 3}) {
		t.Errorf("packets %v", spans)
	}
	if r.Start != 1_002_000_000 || r.End != 1_003_000_000 {
		t.Errorf("from %d to %d", r.Start, r.End)
	}
	if want := wire.ID("t", "http", r.Conns[0], 0, 1000, 0); r.ID != want {
		t.Errorf("id %s, want %s", r.ID, want)
	}
}

// An upload and the answer to it have different ids, and so do parts.
func TestIDs(t *testing.T) {
	_, got := transfers(t, post(formType, formOf(file("f", "a", "1"), file("f", "b", "2"))), ok(b600))
	ids := map[string]bool{}
	for _, r := range got {
		ids[r.ID] = true
	}
	if len(got) != 3 || len(ids) != 3 {
		t.Errorf("%d transfers with %d ids", len(got), len(ids))
	}
}

func TestPartWithTransferEncoding(t *testing.T) {
	_, got := transfers(t, post(formType, formOf("Content-Disposition: form-data; name=f; filename=a\r\nContent-Transfer-Encoding: Base64\r\n\r\naGk=")), status("200 OK"))
	if len(got) != 1 || len(got[0].Notes) != 1 || !strings.Contains(got[0].Notes[0], "base64") {
		t.Errorf("%v", got)
	}
}

// The id of an answer whose request was not seen is that of the answer.
func TestIDWithoutRequest(t *testing.T) {
	_, got := transfers(t, ok(b600))
	if want := wire.ID("t", "http", got[0].Conns[0], 1, 500_000, 0); got[0].ID != want {
		t.Errorf("id %s, want %s", got[0].ID, want)
	}
}

// Who is client and who server shows in what they say, not in who opened the
// connection.
func TestServerOpened(t *testing.T) {
	env := wiretest.New(t)
	p := New(env)
	link := env.Dial(p, server, client)
	link.Send(1, []byte("GET /f HTTP/1.1\r\n\r\n"), 0)
	link.Send(0, []byte(ok(b600).send), 0)
	link.End(wire.FIN)
	if len(env.Transfers) != 1 || env.Transfers[0].Source.IP != server.Addr || env.Transfers[0].Path != "/f" {
		t.Errorf("transfers: %v", describeAll(env))
	}
}

func TestRename(t *testing.T) {
	env, got := transfers(t, put("/d/t.tmp", "hello"), status("201 Made"), dav("MOVE", "/d/t.tmp", "Destination: http://u:pw@h/d/a.exe"), status("201 Made"),
		dav("DELETE", "/d/a.exe"), status("204 Gone"))
	r := got[0]
	if r.Name != "a.exe" || !slices.Equal(r.EarlierNames, []string{"t.tmp"}) || r.Path != "/d/a.exe" {
		t.Errorf("name %q, earlier %q, path %q", r.Name, r.EarlierNames, r.Path)
	}
	if r.Deleted == nil || r.Deleted.Time != env.Now()-2_000_000 {
		t.Errorf("deleted %v", r.Deleted)
	}
}

// A rename over a minute later is not part of the upload.
func TestLateRename(t *testing.T) {
	_, got := transfers(t, put("/t.tmp", "hello"), status("201 Made"), idle(61), dav("MOVE", "/t.tmp", "Destination: /a.exe"), status("201 Made"))
	if len(got) != 1 || got[0].Name != "t.tmp" || got[0].EarlierNames != nil {
		t.Errorf("%+v", got[0].Transfer)
	}
}

func TestCopyRecord(t *testing.T) {
	_, got := transfers(t, dav("COPY", "/d/f.exe", "Destination: http://h/d/g.exe"), status("201 Made"))
	r := got[0]
	if r.Source.IP != server.Addr || r.Destination.IP != server.Addr || r.Client == nil || r.Client.IP != client.Addr || r.Initiator != model.ByOther {
		t.Errorf("%+v", r.Transfer)
	}
	if r.Content != nil || !slices.Equal(r.Notes, []string{"copied from /d/f.exe"}) {
		t.Errorf("content %v, notes %q", r.Content, r.Notes)
	}
}

// Ranges join over connections of the same two hosts, and only over those.
func TestRangesOverConnections(t *testing.T) {
	env := wiretest.New(t)
	p := New(env)
	other := client
	other.Port++
	elsewhere := server
	elsewhere.Addr[15] = 9
	playOn(env, env.Dial(p, client, server), 0, []act{get("/f"), part206(b2000, 0, 1000)})
	playOn(env, env.Dial(p, other, server), 0, []act{get("/f"), part206(b2000, 1000, 2000)})
	playOn(env, env.Dial(p, other, elsewhere), 0, []act{get("/f"), part206(b2000, 1000, 2000)})
	p.Flush(env.Next())
	got := describeAll(env)
	want := []string{`http pull h/f name="f" whole done 2000 ` + s2000 + " page-part", `http pull h/f name="f" partial done 2000 (the ranges seen cover 1000 of 2000 bytes) page-part`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	if n := len(env.Transfers[0].Conns); n != 2 {
		t.Errorf("%d connections named", n)
	}
}

// Another validator is another entity.
func TestRangesOfAnotherVersion(t *testing.T) {
	second := part206(b2000, 1000, 2000)
	second.send = strings.Replace(second.send, "v1", "v2", 1)
	_, got := transfers(t, get("/f"), part206(b2000, 0, 1000), get("/f"), second)
	if len(got) != 2 {
		t.Errorf("%d transfers", len(got))
	}
}

func TestConflictsAreNoted(t *testing.T) {
	env := wiretest.New(t)
	p := New(env)
	link := env.Dial(p, client, server)
	link.Send(0, []byte(get("/f").send), 0)
	answer := ok(b600).send
	link.Send(1, []byte(answer[:200]), 0)
	link.Conn.Conflicts[1], link.Conn.Corrupt = 10, true
	link.Send(1, []byte(answer[200:]), 0)
	link.End(wire.FIN)
	r := env.Transfers[0]
	if got := env.Result(r); got.Whole || got.Reason != "bytes with a wrong checksum" {
		t.Errorf("result %+v", got)
	}
	if !slices.Equal(r.Notes, []string{"conflicting bytes at 600"}) {
		t.Errorf("notes %q", r.Notes)
	}
}

// A bomb costs its own transfer and no more than a bounded amount of work.
func TestBomb(t *testing.T) {
	bomb := pack("br", strings.Repeat("\x00", 8<<20))
	env, got := transfers(t, get("/f"), ok(bomb, "Content-Encoding: br"), get("/g"), ok(b600))
	if len(got) != 2 {
		t.Fatalf("%d transfers", len(got))
	}
	if r := env.Result(got[0]); r.Whole || !strings.HasPrefix(r.Reason, "encoded content cannot be decoded: expands without end") || r.Size > 2<<20 {
		t.Errorf("whole %v, size %d, reason %q", r.Whole, r.Size, r.Reason)
	}
	if r := env.Result(got[1]); !r.Whole {
		t.Errorf("next answer: %q", r.Reason)
	}
}

// Without memory for a decoder the content is partial, and the next is not.
func TestNoMemoryToDecode(t *testing.T) {
	env := wiretest.New(t)
	p := New(env)
	env.Budget().Used = env.Budget().Limit - 64<<10
	play(env, p, 0, []act{get("/f"), ok(pack("br", b2000)+strings.Repeat(" ", 600), "Content-Encoding: br"), get("/g"), ok(b600)})
	env.Budget().Used = 0
	got := describeAll(env)
	want := []string{`http pull h/f name="f" partial done 0 (encoded content cannot be decoded: no memory left in the budget to decode it) page-part`,
		`http pull h/g name="g" whole done 600 ` + s600 + " page-part"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// More requests than are kept: the answers to the kept ones still find them.
func TestManyPipelined(t *testing.T) {
	var acts []act
	for range maxQueue + 5 {
		acts = append(acts, get("/f"))
	}
	for range maxQueue + 5 {
		acts = append(acts, ok(b600))
	}
	acts = append(acts, get("/last"), ok(b600))
	_, got := transfers(t, acts...)
	unseen := 0
	for _, r := range got {
		if r.Path == "" {
			unseen++
		}
	}
	if len(got) != maxQueue+6 || unseen != 5 || got[len(got)-1].Path != "/last" {
		t.Errorf("%d transfers, %d without request, last %q", len(got), unseen, got[len(got)-1].Path)
	}
}

func TestManyParts(t *testing.T) {
	var parts []string
	for range maxParts + 5 {
		parts = append(parts, file("f", "a", "x"))
	}
	env, got := transfers(t, post(formType, formOf(parts...)), status("200 OK"))
	if len(got) != maxParts || env.BlindSeen["over-budget"] != 5 {
		t.Errorf("%d transfers, blind %v", len(got), env.BlindSeen)
	}
}

func TestBlind(t *testing.T) {
	env, _ := transfers(t, get("/f"), ok(b600), lostS(10), s("rest of something\r\n"))
	if env.BlindSeen["around-loss"] != 19 {
		t.Errorf("blind %v", env.BlindSeen)
	}
	env, _ = transfers(t, dav("GET", "/"), s("HTTP/1.1 101 Other\r\n\r\n"), s("\x81\x05hello"))
	if env.BlindSeen["unknown-protocol"] != 7 {
		t.Errorf("blind %v", env.BlindSeen)
	}
}

// A body that is streamed as it is costs no memory by segment.
func TestSegmentsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, head := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n",
		"close":   "HTTP/1.1 200 OK\r\n\r\n",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3fffffff\r\n",
	} {
		env := wiretest.New(t)
		p := New(env)
		link := env.Dial(p, client, server)
		link.Send(0, []byte(get("/f").send), 0)
		link.Send(1, []byte(head), 0)
		d := link.Dec.(*conn)
		m := d.half[1].sink.(*movement)
		d.half[1].sink = &discard{m}
		segment := wire.Chunk{Data: make([]byte, 1448), At: env.Next()}
		if n := testing.AllocsPerRun(100, func() { d.Data(1, segment) }); n != 0 {
			t.Errorf("%s: %v allocations a segment", name, n)
		}
	}
}

// discard counts as a movement does, but keeps no content: the content's own
// allocations are not this package's.
type discard struct{ *movement }

func (d *discard) write(c wire.Chunk) { d.touch(c.At); d.pos += int64(len(c.Data)) }
