package synth

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/url"
	"strings"
)

// HTTP is a connection on which requests for one host are made.
type HTTP struct {
	Host string // of the Host header

	net            *Net
	client, server *Host
	conn           *Conn
}

// Entity is what an HTTP answer or request carries.
type Entity struct {
	Content []byte
	Type    string // media type; application/octet-stream when empty
	Name    string // given in Content-Disposition: attachment
	Gzip    bool   // encoded, so that the wire has fewer bytes than the file
	Chunked bool   // sent in chunks, without Content-Length
	ETag    string
	Page    bool // part of a page, which is left out by default
}

// HTTP opens a connection to port 80 of a server.
func (n *Net) HTTP(client, server *Host, host string) *HTTP {
	return &HTTP{Host: host, net: n, client: client, server: server, conn: n.Dial(client, server, 80)}
}

// Get fetches an entity.
func (h *HTTP) Get(target string, e Entity) {
	h.request("GET", target, Entity{})
	h.answer("200 OK", e)
	m := pulled(h.client, h.server, "http", target, e.Content)
	m.Quiet = e.Page
	h.note(m)
}

// GetRange fetches the bytes [from, to) of an entity. Whoever fetches all of
// them adds the truth with Fetched.
func (h *HTTP) GetRange(target string, e Entity, from, to int) {
	h.request("GET", target, Entity{}, fmt.Sprintf("Range: bytes=%d-%d", from, to-1))
	total := len(e.Content)
	e.Content = e.Content[from:to]
	h.answer("206 Partial Content", e, fmt.Sprintf("Content-Range: bytes %d-%d/%d", from, to-1, total))
}

// Fetched says that ranges, on whatever connections, made up the whole entity.
func (h *HTTP) Fetched(target string, e Entity) {
	h.note(pulled(h.client, h.server, "http", target, e.Content))
}

// Put sends an entity.
func (h *HTTP) Put(target string, e Entity) {
	h.request("PUT", target, e)
	h.answer("201 Created", Entity{})
	h.note(pushed(h.client, h.server, "http", target, e.Content))
}

// Upload posts files as parts of a form (RFC 7578), by their entities' names.
func (h *HTTP) Upload(target string, files ...Entity) {
	boundary := "----waybill" + h.net.hex(8)
	var b bytes.Buffer
	fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nsent by hand\r\n", boundary)
	for _, f := range files {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\nContent-Type: %s\r\n\r\n", boundary, f.Name, f.mediaType())
		b.Write(f.Content)
		b.WriteString("\r\n")
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	h.request("POST", target, Entity{Content: b.Bytes(), Type: "multipart/form-data; boundary=" + boundary})
	h.answer("200 OK", Entity{})
	for _, f := range files {
		m := pushed(h.client, h.server, "http", target, f.Content)
		m.Name = f.Name
		h.note(m)
	}
}

// Close ends the connection.
func (h *HTTP) Close() { h.conn.Close() }

// note adds a transfer under the name that the target's last segment spells.
func (h *HTTP) note(m Moved) {
	m.Share = h.Host
	if m.Name == lastElement(m.Path) {
		path, _, _ := strings.Cut(m.Path, "?")
		if name, err := url.PathUnescape(lastElement(path)); err == nil {
			m.Name = name
		}
	}
	h.net.Truth.Moved = append(h.net.Truth.Moved, m.on(h.conn))
}

// request sends a request; content makes it one with a body.
func (h *HTTP) request(method, target string, e Entity, headers ...string) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: synth/1.0\r\nAccept: */*\r\n", method, target, h.Host)
	for _, line := range headers {
		b.WriteString(line + "\r\n")
	}
	if method != "GET" {
		e.Name = ""
		h.conn.Client(e.message(&b)...)
		return
	}
	b.WriteString("\r\n")
	h.conn.Client(b.Bytes())
}

// answer sends an answer.
func (h *HTTP) answer(status string, e Entity, headers ...string) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %s\r\nDate: Tue, 17 Mar 2026 09:00:00 GMT\r\nServer: synth\r\n", status)
	for _, line := range headers {
		b.WriteString(line + "\r\n")
	}
	h.conn.Server(e.message(&b)...)
}

func (e Entity) mediaType() string {
	if e.Type == "" {
		return "application/octet-stream"
	}
	return e.Type
}

// message ends the headers and gives the whole message.
func (e Entity) message(b *bytes.Buffer) [][]byte {
	body := e.Content
	if len(body) > 0 {
		fmt.Fprintf(b, "Content-Type: %s\r\n", e.mediaType())
	}
	if e.Name != "" {
		fmt.Fprintf(b, "Content-Disposition: attachment; filename=\"%s\"\r\n", e.Name)
	}
	if e.ETag != "" {
		fmt.Fprintf(b, "ETag: \"%s\"\r\n", e.ETag)
	}
	if e.Gzip {
		body = compressed(body)
		b.WriteString("Content-Encoding: gzip\r\n")
	}
	if e.Chunked {
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		return [][]byte{b.Bytes(), chunked(body)}
	}
	fmt.Fprintf(b, "Content-Length: %d\r\n\r\n", len(body))
	return [][]byte{b.Bytes(), body}
}

// chunked is a body in chunks of up to 4,000 bytes (RFC 9112 7.1).
func chunked(body []byte) []byte {
	var b bytes.Buffer
	for len(body) > 0 {
		n := min(4000, len(body))
		fmt.Fprintf(&b, "%x\r\n", n)
		b.Write(body[:n])
		b.WriteString("\r\n")
		body = body[n:]
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

// compressed is body in the gzip format.
func compressed(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(body)
	w.Close()
	return b.Bytes()
}
