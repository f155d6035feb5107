package http

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"waybill/internal/wire"
)

var (
	b600  = big(600)
	b2000 = big(2000)
	s600  = sum(b600)[:8]
	s2000 = sum(b2000)[:8]
)

// pack encodes text.
func pack(coding, text string) string {
	var b bytes.Buffer
	var w interface {
		Write([]byte) (int, error)
		Close() error
	}
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	case "deflate":
		w, _ = flate.NewWriter(&b, 6)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	}
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// chunks is text in the chunked coding, in chunks of size bytes.
func chunks(text string, size int) string {
	var b strings.Builder
	for len(text) > 0 {
		n := min(size, len(text))
		fmt.Fprintf(&b, "%x;ext=\"1\"\r\n%s\r\n", n, text[:n])
		text = text[n:]
	}
	return b.String() + "0\r\nX-Trailer: yes\r\n\r\n"
}

// chunked is an answer in the chunked coding.
func chunked(body string, fields ...string) act {
	return s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + fieldLines(fields) + "\r\n" + body)
}

// part206 is an answer with one range of text.
func part206(text string, from, to int, fields ...string) act {
	return s(fmt.Sprintf("HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Length: %d\r\nContent-Range: bytes %d-%d/%d\r\n%s\r\n%s",
		to-from, from, to-1, len(text), fieldLines(fields), text[from:to]))
}

// put is an upload.
func put(path, body string, fields ...string) act {
	return c(fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%s\r\n%s", path, len(body), fieldLines(fields), body))
}

// post is a body of POST.
func post(media, body string) act {
	return c(fmt.Sprintf("POST /in HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", media, len(body), body))
}

func dav(method, path string, fields ...string) act {
	return c(method + " " + path + " HTTP/1.1\r\nHost: h\r\n" + fieldLines(fields) + "\r\n")
}

func status(line string) act { return s("HTTP/1.1 " + line + "\r\nContent-Length: 0\r\n\r\n") }

func formOf(parts ...string) string {
	return "preamble\r\n--XX\r\n" + strings.Join(parts, "\r\n--XX\r\n") + "\r\n--XX--\r\n"
}

func file(field, name, body string) string {
	return fmt.Sprintf("Content-Disposition: form-data; name=%q; filename=%q\r\nContent-Type: application/octet-stream\r\n\r\n%s", field, name, body)
}

const formType = "multipart/form-data; boundary=XX"

// conversations are what is said on a connection and the transfers it makes.
var conversations = []struct {
	name string
	acts []act
	want []string
}{
	{"get", []act{get("/a/tool.bin?x=1"), ok(b600)},
		[]string{`http pull h/a/tool.bin?x=1 name="tool.bin" whole done 600 ` + s600 + " page-part"}},
	{"name with escapes", []act{get("/a%20b/t%2Fo%C3%A9l.bin"), ok(b600)},
		[]string{`http pull h/a%20b/t%2Fo%C3%A9l.bin name="t/oél.bin" whole done 600 ` + s600 + " page-part"}},
	{"request without target", []act{c("GET HTTP/1.1\r\nHost: h\r\n\r\n"), ok(b600)},
		[]string{`http pull h name="" whole done 600 ` + s600 + " page-part"}},
	{"target with spaces", []act{c("GET /a b.bin HTTP/1.1\r\nHost: h\r\n\r\n"), ok(b600)},
		[]string{`http pull h/a b.bin name="a b.bin" whole done 600 ` + s600 + " page-part"}},
	{"empty lines before a message, bare line feeds, a folded field",
		[]act{c("\r\n\r\nGET /f HTTP/1.0\nX: a\n  b\nHost: h\n\n"), s("HTTP/1.0 200 OK\nContent-Length:\n 600\n\n" + b600)},
		[]string{`http pull h/f name="f" whole done 600 ` + s600 + " page-part"}},
	{"small answers, error pages, answers without body", []act{
		get("/1"), ok(big(511)), get("/2"), s("HTTP/1.1 404 No\r\nContent-Length: 600\r\n\r\n" + b600),
		dav("HEAD", "/3"), s("HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n"), get("/4"), s("HTTP/1.1 304 Same\r\nContent-Length: 600\r\n\r\n"),
		get("/5"), s("HTTP/1.1 204 None\r\n\r\n"), get("/6"), ok(b600)},
		[]string{`http pull h/6 name="6" whole done 600 ` + s600 + " page-part"}},
	{"interim answers", []act{get("/1"), s("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), ok(b600)},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part"}},
	{"pipelined", []act{c("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"), ok(b600), ok(b2000)},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part", `http pull h/2 name="2" whole done 2000 ` + s2000 + " page-part"}},
	{"until the connection closes", []act{get("/1"), s("HTTP/1.0 200 OK\r\n\r\n" + b600)},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part"}},
	{"until the connection breaks", []act{get("/1"), s("HTTP/1.0 200 OK\r\n\r\n" + b600), ended(wire.RST)},
		[]string{`http pull h/1 name="1" partial interrupted 600 (connection ended before the body did (reset)) page-part`}},
	{"stated length, then a reset", []act{get("/1"), ok(b600), ended(wire.RST)},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part"}},
	{"cut short", []act{get("/1"), s("HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n" + b600)},
		[]string{`http pull h/1 name="1" partial interrupted 700 (connection ended before the body did (closed)) page-part`}},
	{"differing lengths: until the end", []act{get("/1"), s("HTTP/1.1 200 OK\r\nContent-Length: 600\r\nContent-Length: 7\r\n\r\n" + b600)},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part"}},
	{"chunked", []act{get("/1"), chunked(chunks(b2000, 700)), get("/2"), ok(b600)},
		[]string{`http pull h/1 name="1" whole done 2000 ` + s2000 + " page-part", `http pull h/2 name="2" whole done 600 ` + s600 + " page-part"}},
	{"chunked, cut in the last chunk", []act{get("/1"), chunked(chunks(b2000, 700)[:1900])},
		[]string{`http pull h/1 name="1" partial interrupted 1857 (connection ended before the body did (closed)) page-part`}},
	{"chunked, bad size", []act{get("/1"), chunked("258\r\n" + b600 + "\r\nzz\r\n"), get("/2"), ok(b600)},
		[]string{`http pull h/1 name="1" partial done 600 (a chunk has no readable size) page-part`, `http pull h/2 name="2" whole done 600 ` + s600 + " page-part"}},
	{"chunk longer than its size", []act{get("/1"), chunked("258\r\n" + b600 + "more\r\n0\r\n\r\n")},
		[]string{`http pull h/1 name="1" partial done 600 (a chunk is not as long as its size says) page-part`}},

	{"gzip", []act{get("/1"), ok(pack("gzip", b2000), "Content-Encoding: x-gzip")},
		[]string{`http pull h/1 name="1" whole done 2000 ` + s2000 + " page-part"}},
	{"gzip of two members and padding", []act{get("/1"), ok(pack("gzip", b2000[:900])+pack("gzip", b2000[900:])+"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "Content-Encoding: gzip")},
		[]string{`http pull h/1 name="1" whole done 2000 ` + s2000 + " page-part"}},
	{"deflate as zlib", []act{get("/1"), ok(pack("zlib", b2000), "Content-Encoding: deflate")},
		[]string{`http pull h/1 name="1" whole done 2000 ` + s2000 + " page-part"}},
	{"deflate, raw", []act{get("/1"), ok(pack("deflate", b2000), "Content-Encoding: deflate")},
		[]string{`http pull h/1 name="1" whole done 2000 ` + s2000 + " page-part"}},
	{"br", []act{get("/1"), ok(pack("br", b2000), "Content-Encoding: br")},
		[]string{`http pull h/1 name="1" whole done 2000 ` + s2000 + " page-part"}},
	{"zstd, chunked", []act{get("/1"), chunked(chunks(pack("zstd", b2000), 50), "Content-Encoding: zstd")},
		[]string{`http pull h/1 name="1" whole done 2000 ` + s2000 + " page-part"}},
	{"three encodings and one of the transfer", []act{get("/1"),
		s("HTTP/1.1 200 OK\r\nContent-Encoding: br, deflate\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunks(pack("gzip", pack("zlib", pack("br", b2000))), 99))},
		[]string{`http pull h/1 name="1" whole done 2000 ` + s2000 + " page-part"}},
	{"an encoding that is not known", []act{get("/1"), ok(b600, "Content-Encoding: aes128gcm")},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part"}},
	{"not gzip although it says so", []act{get("/1"), ok(b600, "Content-Encoding: gzip")},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part"}},
	{"gzip that ends early", []act{get("/1"), ok(pack("gzip", b2000)[:900], "Content-Encoding: gzip")},
		[]string{`http pull h/1 name="1" partial done 885 (encoded content cannot be decoded: unexpected EOF) page-part`}},
	{"gap in gzip", []act{get("/1"), s("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n" + pack("gzip", b2000)[:500]), lostS(500), get("/2"), ok(b600)},
		[]string{`http pull h/1 name="1" partial done 485 (bytes missing in the encoded content) page-part`, `http pull h/2 name="2" whole done 600 ` + s600 + " page-part"}},

	{"gap in a body", []act{get("/1"), s("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b2000[:700]), lostS(300), s(b2000[1000:]), get("/2"), ok(b600)},
		[]string{`http pull h/2 name="2" whole done 600 ` + s600 + " page-part", `http pull h/1 name="1" partial done 2000 (bytes missing) page-part`}},
	{"gap over all of a body", []act{get("/1"), s("HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n"), lostS(600), get("/2"), ok(b2000)},
		[]string{`http pull h/2 name="2" whole done 2000 ` + s2000 + " page-part", `http pull h/1 name="1" partial done 600 (bytes missing) page-part`}},
	{"nothing but a header", []act{get("/1"), s("HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n"), ended(wire.EndOfCapture)}, nil},
	{"gap in a chunk", []act{get("/1"), chunked("7d0\r\n" + b2000[:700]), lostS(300), s(b2000[1000:] + "\r\n0\r\n\r\n"), get("/2"), ok(b600)},
		[]string{`http pull h/2 name="2" whole done 600 ` + s600 + " page-part", `http pull h/1 name="1" partial done 2000 (bytes missing) page-part`}},
	{"gap over a chunk's size", []act{get("/1"), chunked("3e8\r\n" + b2000[:700]), lostS(310), s(b2000[:500] + "\r\n0\r\n\r\n"), get("/2"), ok(b600)},
		[]string{`http pull h/1 name="1" partial done 700 (the size of a chunk is missing) page-part`, `http pull h/2 name="2" whole done 600 ` + s600 + " page-part"}},
	{"gap over the end of a body and the next header", []act{get("/1"), s("HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n" + b600[:590]), get("/2"), lostS(50), s("th: 9\r\n\r\nsome bytes\r\n"), get("/3"), ok(b2000)},
		[]string{`http pull h/3 name="3" whole done 2000 ` + s2000 + " page-part", `http pull h/1 name="1" partial done 600 (bytes missing) page-part`}},
	{"a lost request", []act{get("/1"), ok(b600), lostC(40), get("/3"), ok(b2000)},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part", `http pull h/3 name="3" whole done 2000 ` + s2000 + " page-part"}},
	{"a lost request with its answer seen", []act{get("/1"), ok(b600), lostC(40), ok(b2000), get("/3"), ok(b600)},
		[]string{`http pull h/1 name="1" whole done 600 ` + s600 + " page-part", `http pull  name="" whole done 2000 ` + s2000 + " page-part", `http pull h/3 name="3" whole done 600 ` + s600 + " page-part"}},
	{"a lost answer", []act{get("/1"), lostS(700), get("/2"), ok(b600)},
		[]string{`http pull h/2 name="2" whole done 600 ` + s600 + " page-part"}},
	{"late start in a body", []act{s("the rest of a file\x00\xff\r\nand its end"), get("/2"), ok(b600)},
		[]string{`http pull h/2 name="2" whole done 600 ` + s600 + " page-part"}},
	{"answers only", []act{ok(b600), ok(b2000, "Content-Disposition: attachment; filename*=UTF-8''na%C3%AFve.exe")},
		[]string{`http pull  name="" whole done 600 ` + s600 + " page-part", `http pull  name="naïve.exe" whole done 2000 ` + s2000}},

	{"put", []act{put("/up", "hello"), status("201 Created")},
		[]string{`http push h/up name="up" whole done 5 ` + sum("hello")[:8]}},
	{"put refused", []act{put("/1", "hello"), status("401 No"), put("/2", "hello"), status("500 No"), put("/3", "hello"), status("307 There")},
		[]string{`http push h/1 name="1" whole denied 5 2cf24dba (server answered 401)`, `http push h/2 name="2" whole failed 5 2cf24dba (server answered 500)`, `http push h/3 name="3" whole failed 5 2cf24dba (server answered 307)`}},
	{"put without an answer", []act{put("/1", "hello")},
		[]string{`http push h/1 name="1" partial done 5 (answers not captured)`}},
	{"put cut short", []act{c("PUT /1 HTTP/1.1\r\nContent-Length: 9\r\n\r\nhello"), ended(wire.RST)},
		[]string{`http push /1 name="1" partial interrupted 9 (connection ended before the body did (reset))`}},
	{"put of a range", []act{put("/1", "hello", "Content-Range: bytes 5-9/10"), status("201 Made")},
		[]string{`http push h/1 name="1" partial done 5 (one range of the file: bytes 5 to 9)`}},
	{"put of nothing", []act{put("/1", ""), status("201 Created")},
		[]string{`http push h/1 name="1" whole done 0 e3b0c442`}},
	{"put that asks first and is refused", []act{c("PUT /1 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"), status("401 No"),
		c("PUT /1 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"), s("HTTP/1.1 100 Continue\r\n\r\n"), c("hello"), status("201 Created")},
		[]string{`http push h/1 name="1" whole done 5 2cf24dba`}},
	{"put chunked and encoded", []act{c("PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(pack("gzip", b2000), 100)), status("204 Fine")},
		[]string{`http push h/1 name="1" whole done 2000 ` + s2000}},
	{"answer before the body is over", []act{c("PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello"), status("413 Large"), c("hello"), get("/2"), ok(b600)},
		[]string{`http push h/1 name="1" whole failed 10 ` + sum("hellohello")[:8] + ` (server answered 413)`, `http pull h/2 name="2" whole done 600 ` + s600 + " page-part"}},
	{"posts", []act{post("application/x-www-form-urlencoded", "a=1&b=2"), status("200 OK"), post("application/soap+xml", "<a/>"), status("200 OK"), post("application/pdf", "%PDF-1"), ok(b600)},
		[]string{`http push h/in name="in" whole done 7 ` + sum("a=1&b=2")[:8] + " page-part", `http push h/in name="in" whole done 4 ` + sum("<a/>")[:8] + " page-part",
			`http push h/in name="in" whole done 6 ` + sum("%PDF-1")[:8], `http pull h/in name="in" whole done 600 ` + s600 + " page-part"}},
	{"form with files", []act{post(formType, formOf("Content-Disposition: form-data; name=\"x\"\r\n\r\nvalue", file("f", "a.txt", "\r\n--X not a boundary\r\n"), file("g", "", ""), file("f", `C:\dir\b.exe`, "MZ"+b2000))), status("302 There")},
		[]string{`http push h/in name="a.txt" whole done 22 ` + sum("\r\n--X not a boundary\r\n")[:8], `http push h/in name="b.exe" whole done 2002 ` + sum("MZ" + b2000)[:8]}},
	{"form in a form", []act{post(formType, formOf("Content-Disposition: form-data; name=\"x\"\r\nContent-Type: multipart/mixed; boundary=\"Y Y\"\r\n\r\n--Y Y\r\nContent-Disposition: file; filename=in.txt\r\n\r\ninner\r\n--Y Y--")), status("200 OK")},
		[]string{`http push h/in name="in.txt" whole done 5 ` + sum("inner")[:8]}},
	{"form with an empty file", []act{post(formType, formOf(file("f", "none.txt", ""), file("g", "", ""))), status("200 OK")},
		[]string{`http push h/in name="none.txt" whole done 0 ` + sum("")[:8]}},
	{"form with gaps", []act{c("POST /in HTTP/1.1\r\nHost: h\r\nContent-Type: " + formType + "\r\nContent-Length: 1000\r\n\r\n--XX\r\n" + file("f", "a.txt", "abc")), lostC(100),
		c("def\r\n--XX\r\n" + file("f", "b.txt", "whole") + "\r\n--XX--"), lostC(1000 - 338), status("200 OK")},
		[]string{`http push h/in name="a.txt" partial done 106 (bytes missing)`, `http push h/in name="b.txt" whole done 5 ` + sum("whole")[:8]}},
	{"form cut short", []act{c("POST /in HTTP/1.1\r\nHost: h\r\nContent-Type: " + formType + "\r\nContent-Length: 1000\r\n\r\n--XX\r\n" + file("f", "a.txt", "abc"))},
		[]string{`http push h/in name="a.txt" partial interrupted 3 (connection ended before the body did (closed))`}},

	{"two ranges", []act{get("/f"), part206(b2000, 1000, 2000), get("/f"), part206(b2000, 0, 1100)},
		[]string{`http pull h/f name="f" whole done 2000 ` + s2000 + " page-part"}},
	{"two ranges with a hole between", []act{get("/f"), part206(b2000, 0, 900), get("/f"), part206(b2000, 1000, 2000)},
		[]string{`http pull h/f name="f" partial done 2000 (the ranges seen cover 1900 of 2000 bytes) page-part`}},
	{"ranges five minutes apart", []act{get("/f"), part206(b2000, 0, 1000), idle(301), get("/f"), part206(b2000, 1000, 2000)},
		[]string{`http pull h/f name="f" partial done 2000 (the ranges seen cover 1000 of 2000 bytes) page-part`, `http pull h/f name="f" partial done 2000 (the ranges seen cover 1000 of 2000 bytes) page-part`}},
	{"several ranges in one answer", []act{get("/f"), s("HTTP/1.1 206 Partial\r\nContent-Type: multipart/byteranges; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n" +
		chunks("--B\r\nContent-Range: bytes 1200-1999/2000\r\n\r\n"+b2000[1200:]+"\r\n--B\r\nContent-range: bytes 0-1199/2000\r\n\r\n"+b2000[:1200]+"\r\n--B--\r\n", 333))},
		[]string{`http pull h/f name="f" whole done 2000 ` + s2000 + " page-part"}},
	{"download broken off and resumed", []act{get("/f"), s("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2000\r\n\r\n" + b2000[:700]), lostS(1300), get("/f"), part206(b2000, 700, 2000)},
		[]string{`http pull h/f name="f" whole done 2000 ` + s2000 + " page-part"}},
	{"all of an encoded entity as one range", []act{get("/f"), part206(pack("gzip", b2000), 0, len(pack("gzip", b2000)), "Content-Encoding: gzip")},
		[]string{`http pull h/f name="f" whole done 2000 ` + s2000 + " page-part"}},
	{"a range of no known place", []act{get("/f"), s("HTTP/1.1 206 Partial\r\nContent-Length: 600\r\n\r\n" + b600)},
		[]string{`http pull h/f name="f" partial done 600 (a range of unknown place) page-part`}},
	{"more bytes than the range", []act{get("/f"), s("HTTP/1.1 206 P\r\nContent-Range: bytes 0-599/600\r\nContent-Length: 604\r\n\r\n" + b600 + "more")},
		[]string{`http pull h/f name="f" whole done 600 ` + s600 + " page-part"}},

	{"proxy", []act{c("GET http://u:secret@far.example:81/d/f.exe HTTP/1.1\r\nHost: x\r\n\r\n"), ok(b600)},
		[]string{`http pull far.example:81http://u:***@far.example:81/d/f.exe name="f.exe" whole done 600 ` + s600 + " page-part"}},
	{"tunnel with HTTP inside", []act{c("CONNECT far:80 HTTP/1.1\r\n\r\n"), s("HTTP/1.1 200 Yes\r\n\r\n"), get("/f"), ok(b600)},
		[]string{`http pull h/f name="f" whole done 600 ` + s600 + " page-part"}},
	{"tunnel with something else inside", []act{c("CONNECT far:443 HTTP/1.1\r\n\r\n"), s("HTTP/1.1 200 Yes\r\n\r\n"), c("\x16\x03\x01\x00\x05hello"), get("/f"), ok(b600)}, nil},
	{"upgrade", []act{dav("GET", "/ws", "Upgrade: websocket"), s("HTTP/1.1 101 Switching\r\n\r\n"), get("/f"), ok(b600)}, nil},

	{"webdav put, rename, delete", []act{put("/d/t.tmp", "hello", "User-Agent: Microsoft-WebDAV-MiniRedir/10.0"), status("201 Made"),
		dav("MOVE", "/d/t.tmp", "Destination: http://h/d/a%20b.exe"), status("201 Made"), dav("DELETE", "/d/a%20b.exe"), status("204 Gone")},
		[]string{`webdav push h/d/a%20b.exe name="a b.exe" whole done 5 2cf24dba`}},
	{"webdav put of nothing first", []act{put("/d/f", ""), status("201 Made"), dav("LOCK", "/d/f"), status("200 OK"), put("/d/f", "hello"), status("204 Fine")},
		[]string{`webdav push h/d/f name="f" whole done 5 2cf24dba`}},
	{"webdav copy", []act{dav("COPY", "/d/f", "Destination: http://h/d/g.exe"), status("201 Made"), dav("COPY", "/d/f", "Destination: /d/h"), status("412 No")},
		[]string{`webdav copy h/d/g.exe name="g.exe" inferred done 0 (copied by the server: its bytes were not on the wire)`}},
	{"webdav read and listing", []act{dav("PROPFIND", "/d/"), s("HTTP/1.1 207 Multi\r\nContent-Length: 600\r\n\r\n" + b600), get("/d/f.txt"), ok(b600)},
		[]string{`webdav pull h/d/f.txt name="f.txt" whole done 600 ` + s600}},
}

func TestConversations(t *testing.T) {
	for _, tc := range conversations {
		t.Run(tc.name, func(t *testing.T) {
			got := run(t, 0, tc.acts)
			if !slices.Equal(got, tc.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "))
			}
		})
	}
}

// However the bytes are cut into segments, the transfers are the same.
func TestSegmentation(t *testing.T) {
	for _, tc := range conversations {
		for _, size := range []int{1, 2, 3, 7, 64, 601} {
			if got := run(t, size, tc.acts); !slices.Equal(got, tc.want) {
				t.Errorf("%s, segments of %d: got  %s\nwant %s", tc.name, size, strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "))
			}
		}
	}
}
