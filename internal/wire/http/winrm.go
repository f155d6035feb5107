package http

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// maxSOAP is how much of a message of WS-Management is looked at.
const maxSOAP = 64 << 10

// winrm is WS-Management on one connection (MS-WSMV): remote execution and no file.
type winrm struct {
	c      *conn
	first  *exchange
	calls  int
	sealed [2]int64 // bytes of encrypted messages, sent and received
	last   model.Time
	seen   wire.Packets
	said   map[string]bool
}

// opaqueFrom is how much an encrypted session carries that is a transfer (contract).
const opaqueFrom = 16 << 10

// isWinRM tells WS-Management by its target and media type.
func isWinRM(x *exchange, hd *header) bool {
	path, _, _ := strings.Cut(x.target, "?")
	media := strings.ToLower(hd.get("Content-Type"))
	return x.method == "POST" && strings.HasSuffix(strings.ToLower(path), "/wsman") &&
		(media == "" || strings.Contains(media, "soap") || strings.Contains(media, "encrypted"))
}

// isRemoteShell says whether an answer is one of WS-Management, also where its
// request was not seen: an encrypted message (MS-WSMV 2.2.9.1), or SOAP.
func (c *conn) isRemoteShell(x *exchange, hd *header) bool {
	media := strings.ToLower(hd.get("Content-Type"))
	return c.winrm != nil || strings.HasPrefix(media, "multipart/encrypted") || x == nil && strings.HasPrefix(media, "application/soap+xml")
}

// winrmAnswer takes the body of an answer; one in clear is of no use.
func (c *conn) winrmAnswer(x *exchange, hd *header) sink {
	if !isSealed(hd) || c.winrm == nil && x == nil {
		return nil
	}
	return &soap{w: c.remoteShell(x), sealed: true, way: 1}
}

func (c *conn) remoteShell(x *exchange) *winrm {
	if c.winrm == nil {
		c.winrm = &winrm{c: c, first: x, said: map[string]bool{}}
	}
	return c.winrm
}

func isSealed(hd *header) bool {
	return strings.Contains(strings.ToLower(hd.get("Content-Type")), "encrypted")
}

// winrmSink takes the body of a request of WS-Management.
func (c *conn) winrmSink(x *exchange, hd *header) sink {
	w := c.remoteShell(x)
	w.calls++
	w.seen.Add(x.first)
	w.seen.Add(x.last)
	return &soap{w: w, x: x, sealed: isSealed(hd)}
}

// soap gathers one message.
type soap struct {
	w      *winrm
	x      *exchange // of a request
	way    int       // 0 a request, 1 an answer
	sealed bool
	b      []byte
}

func (s *soap) write(c wire.Chunk) {
	s.w.seen.Add(c.At)
	s.w.last = max(s.w.last, c.Time)
	if s.sealed {
		s.w.sealed[s.way] += int64(len(c.Data))
		s.w.c.p.env.Blind("encrypted-winrm", int64(len(c.Data)))
		return
	}
	s.b = append(s.b, c.Data[:min(len(c.Data), maxSOAP-len(s.b))]...)
}

func (s *soap) lose(n int64) {
	if s.sealed {
		s.w.sealed[s.way] += n
	}
}

var (
	soapAction    = regexp.MustCompile(`<(?:\w+:)?Action[^>]*>([^<]+)<`)
	soapCommand   = regexp.MustCompile(`<(?:\w+:)?Command>([^<]+)<`)
	soapArguments = regexp.MustCompile(`<(?:\w+:)?Arguments>([^<]+)<`)
	soapShell     = regexp.MustCompile(`ShellId[^>]*>([0-9A-Fa-f-]{36})<`)
)

// close reports an action in clear: each kind once, each command.
func (s *soap) close(closing) {
	if s.sealed || len(s.b) == 0 {
		return
	}
	text := bytes.ReplaceAll(s.b, []byte{0}, nil) // UTF-16 of ASCII
	action := group(soapAction, text)
	action = action[strings.LastIndexByte(action, '/')+1:]
	command := commandLine(text)
	shell := group(soapShell, text)
	key := action + "\x00" + command
	if action == "" || s.w.said[key] || len(s.w.said) > 256 {
		return
	}
	s.w.said[key] = true
	a := s.w.access(s.x, len(s.w.said))
	a.Object, a.Command = action, command
	if shell != "" {
		a.Detail = "shell " + shell
	}
	s.w.c.p.env.Access(a)
}

// commandLine is what a message asks a shell to run. PowerShell has no command there,
// but a pipeline in its arguments (MS-PSRP 3.1.5.3.3 over MS-WSMV 3.1.4.11).
func commandLine(soap []byte) string {
	words := texts(soapCommand, soap)
	arguments := texts(soapArguments, soap)
	if len(words) > 0 {
		return strings.Join(append(words, arguments...), " ")
	}
	for _, a := range arguments {
		words = append(words, pipeline(a)...)
	}
	return strings.Join(words, " ")
}

// pipelineText are commands and the values of their parameters (MS-PSRP 2.2.3.12, 2.2.3.13).
var pipelineText = regexp.MustCompile(`<S N="(?:Cmd|V)">([^<]*)</S>`)

// pipeline is what the fragments of a pipeline, in base64, run (MS-PSRP 2.2.4).
func pipeline(argument string) []string {
	raw, err := base64.StdEncoding.DecodeString(argument)
	if err != nil {
		return nil
	}
	return texts(pipelineText, raw)
}

// maxCommand bounds a command; that of a process has 32,767 characters at most.
const maxCommand = 32 << 10

// texts are the first groups of all matches, as text of XML on one line.
func texts(re *regexp.Regexp, b []byte) (out []string) {
	for _, m := range re.FindAllSubmatch(b, 64) {
		text := html.UnescapeString(string(m[1][:min(len(m[1]), maxCommand)]))
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }), " ")
		if text = strings.TrimSpace(strings.ToValidUTF8(text, "")); text != "" {
			out = append(out, text)
		}
	}
	return out
}

func group(re *regexp.Regexp, b []byte) string {
	if m := re.FindSubmatch(b); m != nil {
		return wire.Printable(string(m[1]))
	}
	return ""
}

// access starts an access of a request.
func (w *winrm) access(x *exchange, ordinal int) *wire.Access {
	a := &wire.Access{Conn: w.c.wire}
	a.ID = wire.ID("a", "winrm", w.c.wire, x.side, x.seq, ordinal)
	a.Time, a.What, a.Channel = x.first.Time, "winrm-exec", "winrm"
	a.Source, a.Destination = w.c.wire.Ends[x.side].Endpoint(), w.c.wire.Ends[x.side.Other()].Endpoint()
	a.User, a.Domain = w.c.who.user, w.c.who.domain
	a.Seen.Add(x.first)
	a.Seen.Add(x.last)
	return a
}

// end reports what was encrypted: that a shell was used, and how much was sent.
func (w *winrm) end() {
	sealed := w.sealed[0] + w.sealed[1]
	if len(w.said) > 0 && sealed == 0 {
		return
	}
	a := w.access(w.first, 0)
	a.Seen = w.seen
	a.Object = w.first.target
	a.Detail = fmt.Sprintf("%d requests", w.calls)
	if sealed > 0 {
		a.Status = "sealed"
		a.Detail += fmt.Sprintf(", %d encrypted bytes sent, %d received; the commands do not show", w.sealed[0], w.sealed[1])
	}
	w.c.p.env.Access(a)
	if max(w.sealed[0], w.sealed[1]) >= opaqueFrom {
		w.transfer()
	}
}

// transfer reports what an encrypted session moved in its heavier direction. What
// crosses is SOAP with its streams in base64 (MS-WSMV 2.2.4.29), files once more so
// inside: the content is between half and all of it (unverified).
func (w *winrm) transfer() {
	c, x := w.c, w.first
	t := &wire.Transfer{Conns: []*wire.Conn{c.wire}, Seen: w.seen, What: "WinRM session"}
	client, server := c.wire.Ends[x.side].Endpoint(), c.wire.Ends[x.side.Other()].Endpoint()
	n := w.sealed[0]
	t.Source, t.Destination, t.Operation, t.Initiator = client, server, model.Push, model.BySource
	if w.sealed[1] > n {
		n = w.sealed[1]
		t.Source, t.Destination, t.Operation, t.Initiator = server, client, model.Pull, model.ByDestination
	}
	t.ID = wire.ID("t", "winrm", c.wire, x.side, x.seq, 0)
	t.Start, t.End, t.Channel, t.Status = x.first.Time, w.last, "winrm", model.Done
	t.Completeness, t.Reason, t.Confidence = model.Opaque, "encrypted; commands and what they print are this much too", "low"
	t.User, t.Domain, t.Auth = c.who.user, c.who.domain, c.who.auth
	t.BytesSeen = new(int64)
	t.Estimate = &model.Estimate{Size: n * 3 / 4, High: n}
	t.Session = &model.Session{Encrypted: true, Channels: 1}
	c.p.env.Transfer(t)
}

// otherProtocol reports a server that answers a request with the greeting of
// another protocol.
func (c *conn) otherProtocol(from wire.Side, line string, seq uint32, at wire.At) {
	a := &wire.Access{Conn: c.wire}
	a.ID = wire.ID("a", "http", c.wire, from, seq, 0, []byte("banner")...)
	a.Time, a.What, a.Channel = at.Time, "ssh-session", "ssh"
	a.Source, a.Destination = c.wire.Ends[from.Other()].Endpoint(), c.wire.Ends[from].Endpoint()
	a.Object, a.Status = "no login", "no login seen"
	a.Detail = "server " + wire.Printable(line) + ", asked in HTTP"
	a.Seen.Add(at)
	c.p.env.Access(a)
}
