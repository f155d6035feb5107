package http

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

func TestStartLine(t *testing.T) {
	for _, tc := range []struct {
		line string
		want wire.Verdict
	}{
		{"HTTP/1.1 200 OK\r", wire.Yes}, {"HTTP/1.0 200\r", wire.Yes}, {"HTTP/1.0 200", wire.Yes}, {"HTTP/2 200 OK", wire.No}, {"HTTP/1.1 2000 X", wire.No}, {"HTTP/1.1 000 X", wire.No},
		{"HTTP/1.1", wire.No}, {"GET / HTTP/1.1\r", wire.Yes}, {"M-SEARCH * HTTP/1.1", wire.Yes}, {"GET / HTTP/1.1 \r", wire.Yes}, {"GET /", wire.No},
		{"get / HTTP/1.1", wire.No}, {"PRI * HTTP/2.0", wire.No}, {"OPTIONS rtsp://h RTSP/1.0", wire.No}, {"INVITE sip:a SIP/2.0", wire.No},
		{"220 ready HTTP/1.1", wire.No}, {"GET \x01 HTTP/1.1", wire.No}, {"ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1", wire.No}, {"", wire.No},
	} {
		if _, got := startLine([]byte(tc.line), true); got != tc.want {
			t.Errorf("%q: %v, want %v", tc.line, got, tc.want)
		}
		if tc.want != wire.Yes {
			continue
		}
		for n := range len(tc.line) { // the beginning of a good line is never refused
			if _, got := startLine([]byte(tc.line[:n]), false); got == wire.No {
				t.Errorf("%q refused", tc.line[:n])
			}
		}
	}
}

func TestFindStart(t *testing.T) {
	for _, tc := range []struct {
		line string
		k    kind
		want int
	}{
		{"end of fileHTTP/1.1 200 OK\r\n", unknown, 11}, {"HTTP/1.1 200 OK\r\n", requests, -1}, {"\xff\x00GET /a HTTP/1.1\r\n", unknown, 2},
		{"x=1PUT http://h/ HTTP/1.0\n", requests, 3}, {"GET /a HTTP/1.1\r\n", responses, -1}, {"TARGET no HTTP/1.1\r\n", unknown, -1},
		{"forGET /x GET /y HTTP/1.1", unknown, 3}, {"", unknown, -1}, {"HTTP/1.1 is a protocol", unknown, -1},
	} {
		got, ok := findStart([]byte(tc.line), tc.k)
		if !ok {
			got = -1
		}
		if got != tc.want {
			t.Errorf("%q: %d, want %d", tc.line, got, tc.want)
		}
	}
}

func TestProbe(t *testing.T) {
	for _, tc := range []struct {
		name      string
		head      [2]string
		late, udp bool
		want      wire.Verdict
	}{
		{name: "request", head: [2]string{"GET / HTTP/1.1\r\n"}, want: wire.Yes},
		{name: "answer", head: [2]string{"", "HTTP/1.1 200 OK\r\n"}, want: wire.Yes},
		{name: "the side that opened answers", head: [2]string{"HTTP/1.1 200 OK\r\n", "GET"}, want: wire.Yes},
		{name: "nothing yet", want: wire.No},
		{name: "half a line", head: [2]string{"GET /a"}, want: wire.Maybe},
		{name: "a greeting", head: [2]string{"", "220 ready\r\n"}, want: wire.No},
		{name: "binary", head: [2]string{"\x16\x03\x01"}, want: wire.No},
		{name: "datagram", head: [2]string{"M-SEARCH * HTTP/1.1\r\n"}, udp: true, want: wire.No},
		{name: "late", head: [2]string{"", "rest\xff\nof itHTTP/1.1 200 OK\r\nServer: x\r\n"}, late: true, want: wire.Yes},
		{name: "late, nothing found yet", head: [2]string{"", "rest\xff\nof it"}, late: true, want: wire.Maybe},
		{name: "late, nothing found", head: [2]string{"", strings.Repeat("x", maxHeader)}, late: true, want: wire.No},
		{name: "from the start, found late", head: [2]string{"", "rest\xff\nof itHTTP/1.1 200 OK\r\nServer: x\r\n"}, want: wire.No},
	} {
		p := New(wiretest.New(t))
		c := &wire.Conn{UDP: tc.udp, FromStart: [2]bool{!tc.late, !tc.late}}
		if got := p.Probe(c, [2][]byte{[]byte(tc.head[0]), []byte(tc.head[1])}); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestPageParts(t *testing.T) {
	large := big(70000)
	for _, tc := range []struct {
		name string
		acts []act
		want bool
	}{
		{"small data", []act{get("/f.bin"), ok(b600, "Content-Type: application/octet-stream")}, true},
		{"large data", []act{get("/f.bin"), ok(large, "Content-Type: application/octet-stream")}, false},
		{"large video", []act{get("/f"), ok(large, "Content-Type: video/mp4")}, false},
		{"large page", []act{get("/f"), ok(large, "Content-Type: text/html; charset=utf-8")}, true},
		{"large script of a page", []act{get("/f.js"), ok(large, "Content-Type: application/javascript")}, true},
		{"large JSON", []act{get("/f"), ok(large, "Content-Type: application/vnd.api+json")}, true},
		{"large image", []act{get("/f"), ok(large, "Content-Type: image/png")}, true},
		{"large style sheet without type", []act{get("/f.css"), ok(large)}, true},
		{"large file without type", []act{get("/f"), ok(large)}, false},
		{"attachment", []act{get("/f"), ok(b600, "Content-Type: text/html", "Content-Disposition: attachment")}, false},
		{"executable that claims to be a page", []act{get("/f.html"), ok("MZ"+b600, "Content-Type: text/html")}, false},
		{"archive", []act{get("/f"), ok("PK\x03\x04"+b600, "Content-Type: text/plain")}, false},
		{"script by name", []act{get("/a/F.PS1?x=.html"), ok(b600, "Content-Type: text/plain")}, false},
		{"script by name of the disposition", []act{get("/f"), ok(b600, "Content-Disposition: inline; filename=run.vbs")}, false},
		{"upload by PUT", []act{put("/f", `{"a":1}`, "Content-Type: application/json"), status("200 OK")}, false},
		{"form", []act{post("application/x-www-form-urlencoded", "a=b"), status("200 OK")}, true},
		{"API call", []act{post("application/json", "{}"), status("200 OK")}, true},
		{"encrypted remote shell", []act{post("multipart/encrypted; boundary=x", large), status("200 OK")}, true},
		{"small body of a type of its own", []act{post("vendor/stats", b600), status("200 OK")}, true},
		{"large body of a type of its own", []act{post("vendor/stats", large), status("200 OK")}, false},
		{"posted bytes", []act{post("application/octet-stream", b600), status("200 OK")}, false},
		{"executable in a form type", []act{post("application/x-www-form-urlencoded", "MZ"+b600), status("200 OK")}, false},
		{"posted image", []act{post("image/png", "\x89PNG"), status("200 OK")}, false},
		{"form part", []act{post(formType, formOf(file("f", "a.json", "{}"))), status("200 OK")}, false},
	} {
		_, got := transfers(t, tc.acts...)
		if len(got) != 1 {
			t.Errorf("%s: %d transfers", tc.name, len(got))
			continue
		}
		if got[0].PagePart != tc.want {
			t.Errorf("%s: page part %v", tc.name, got[0].PagePart)
		}
	}
}

func TestNames(t *testing.T) {
	for target, want := range map[string]string{
		"/a/b.exe": "b.exe", "/a/b.exe?x=/c": "b.exe", "/": "", "*": "*", "http://h/a/b": "b", "http://h": "", "/a%2": "a%2", "": "",
		"/q;x=1#frag/ment": "q;x=1", "/a/?u=http://x/y": "", "/r/http://x/y": "y", "/SMS_DP_SMSPKG$/ACM00016.1/sccm?/setup%201.exe": "setup 1.exe", "/a/b?/c": "b",
	} {
		if got := nameOf(target); got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
}

func TestDisposition(t *testing.T) {
	for value, want := range map[string]string{
		`attachment; filename="a b.exe"`:                           "attachment||a b.exe",
		`attachment; filename=plain.exe`:                           "attachment||plain.exe",
		`ATTACHMENT; filename*=UTF-8''%e2%82%ac.exe; filename="e"`: "attachment||€.exe",
		`form-data; name="f"; filename="a;b.exe"`:                  "form-data|f|a;b.exe",
		`form-data; name="f"`:                                      "form-data|f|",
		`attachment; filename=with space.exe`:                      "attachment||with space.exe",
		`form-data; name="f"; filename="un\finished`:               "form-data|f|un\\finished",
		``: "||",
	} {
		kind, name, file, _ := disposition(value)
		if got := kind + "|" + name + "|" + file; got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func TestCredentials(t *testing.T) {
	for value, want := range map[string]string{
		"Basic dXNlcjpwYXNz":      "basic||user",
		"basic  dXNlcjpwYTpzcw==": "basic||user",
		"Basic bm9jb2xvbg==":      "basic||",
		"Basic ???":               "basic||",
		`Digest realm="x", username="CORP\ann", uri="/"`: "digest|CORP|ann",
		`Digest xusername="no", username="ann"`:          "digest||ann",
		"Bearer abc":                                     "||",
		"":                                               "||",
	} {
		auth, domain, user := credentials(value)
		if got := auth + "|" + domain + "|" + user; got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestMaskUser(t *testing.T) {
	for target, want := range map[string]string{
		"http://u:p@h/a": "http://u:***@h/a|u", "http://u:p@q@h": "http://u:***@h|u", "http://u@h/": "http://u@h/|u",
		"/a:b@c": "/a:b@c|", "http://h/a@b:c": "http://h/a@b:c|", "/r?u=http://u:p@h/": "/r?u=http://u:p@h/|",
	} {
		masked, user := maskUser(target)
		if got := masked + "|" + user; got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
}

func TestParseRange(t *testing.T) {
	for value, want := range map[string]string{
		"bytes 0-99/1000": "0 100 1000 true", "bytes 5-5/*": "5 6 -1 true", "Bytes 0-0/1": "0 1 1 true", "bytes 0-1000/1000": "false",
		"bytes 9-5/10": "false", "bytes */10": "false", "items 0-1/2": "false", "bytes 0-99": "false", "": "false",
		"bytes 0-99999999999999999999/*": "false", "bytes -1-2/3": "false",
	} {
		r, ok := parseRange(value)
		got := "false"
		if ok {
			got = fmt.Sprint(r.from, r.to, r.total, ok)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func TestBrotliWindow(t *testing.T) {
	// RFC 7932, 9.1: the first bits, lowest first.
	for b, want := range map[byte]int64{0b0: 1 << 16, 0b0000001: 1 << 17, 0b0011: 1 << 18, 0b1111: 1 << 24, 0b1000001: 1 << 12, 0b0100001: 1 << 10} {
		if got := brotliWindow(b); got != want {
			t.Errorf("%07b: %d, want %d", b, got, want)
		}
	}
}

func TestRecent(t *testing.T) {
	var dropped []string
	r := newRecent[string](2, 10, func(v string) { dropped = append(dropped, v) })
	step := func(want string) {
		t.Helper()
		if got := strings.Join(dropped, " "); got != want {
			t.Errorf("dropped %q, want %q", got, want)
		}
	}
	r.put("a", "a1", 0)
	r.put("b", "b1", 1)
	r.get("a", 2)
	r.put("c", "c1", 3)
	step("b1") // a was touched later
	r.put("a", "a2", 4)
	step("b1 a1")
	r.expire(13)
	step("b1 a1")
	r.expire(14)
	step("b1 a1 c1")
	if v, ok := r.take("a"); !ok || v != "a2" {
		t.Errorf("took %q %v", v, ok)
	}
	r.put("d", "d1", model.Time(20))
	r.flush()
	step("b1 a1 c1 d1")
}
