package http

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

var (
	client = wire.AddrPort{Addr: model.Addr{10: 0xff, 11: 0xff, 12: 10, 15: 1}, Port: 50001}
	server = wire.AddrPort{Addr: model.Addr{10: 0xff, 11: 0xff, 12: 10, 15: 2}, Port: 8080}
)

// act is one thing that happens on a connection, as a test writes it.
type act struct {
	from wire.Side
	send string
	lose int64
	end  wire.Ending
	over bool
	idle int64 // nanoseconds that pass
}

func c(text string) act         { return act{from: 0, send: text} } // the client sends
func s(text string) act         { return act{from: 1, send: text} } // the server sends
func lostC(n int64) act         { return act{from: 0, lose: n} }
func lostS(n int64) act         { return act{from: 1, lose: n} }
func ended(how wire.Ending) act { return act{over: true, end: how} }
func idle(seconds int64) act    { return act{idle: seconds * 1e9} }
func get(path string) act       { return c("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n") }
func ok(body string, h ...string) act {
	return s(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s", len(body), fieldLines(h), body))
}

func fieldLines(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	return strings.Join(fields, "\r\n") + "\r\n"
}

// big is n bytes that repeat no long run.
func big(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%x\r\n", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	return b.String()[:n]
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// play runs acts on one connection, in segments of at most size bytes.
func play(env *wiretest.Env, p wire.Protocol, size int, acts []act) {
	playOn(env, env.Dial(p, client, server), size, acts)
}

func playOn(env *wiretest.Env, link *wiretest.Link, size int, acts []act) {
	over := false
	for _, a := range acts {
		switch {
		case a.idle > 0:
			env.Sleep(a.idle)
		case a.over:
			over = true
			link.End(a.end)
		case a.lose > 0:
			link.Lose(a.from, a.lose)
		default:
			link.Send(a.from, []byte(a.send), size)
		}
	}
	if !over {
		link.End(wire.FIN)
	}
}

// describe prints what tests compare of a transfer.
func describe(env *wiretest.Env, t *wire.Transfer) string {
	r := env.Result(t)
	whole := "partial"
	if r.Whole {
		whole = "whole"
	}
	if t.Completeness != "" {
		whole = t.Completeness
	}
	line := fmt.Sprintf("%s %s %s name=%q %s %s %d", t.Channel, t.Operation, t.Share+t.Path, t.Name, whole, t.Status, r.Size)
	if r.Whole {
		line += " " + r.SHA256[:8]
	}
	if r.Reason != "" || t.Reason != "" {
		line += " (" + strings.Trim(r.Reason+"; "+t.Reason, "; ") + ")"
	}
	if t.PagePart {
		line += " page-part"
	}
	return line
}

func describeAll(env *wiretest.Env) []string {
	env.Done()
	var out []string
	for _, t := range env.Transfers {
		out = append(out, describe(env, t))
	}
	return out
}

// run plays acts and gives the transfers.
func run(t testing.TB, size int, acts []act) []string {
	env := wiretest.New(t)
	p := New(env)
	play(env, p, size, acts)
	p.Flush(env.Next())
	if used := env.Budget().Used; used != 0 {
		t.Errorf("budget: %d bytes not given back", used)
	}
	return describeAll(env)
}
