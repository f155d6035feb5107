package smb2

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"unicode/utf16"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/wiretest"
)

// script is a conversation: messages in the order in which they cross the wire.
// It is written once and played in many ways.
type script struct {
	conns []wire.Conn
	steps []step1
}

// step1 is bytes of one side of one connection, or the end of the connection.
type step1 struct {
	conn int
	from wire.Side
	data []byte
	end  bool
	how  wire.Ending
	nap  int64
}

// peer is one connection of a script, with the ids that its next message takes.
type peer struct {
	s       *script
	conn    int
	mid     uint64
	session uint64
	tree    uint32
	flags   uint32
}

var (
	clientEnd = wire.AddrPort{Addr: addr("10.0.0.1"), Port: 50000}
	serverEnd = wire.AddrPort{Addr: addr("10.0.0.2"), Port: 445}
)

func addr(s string) model.Addr {
	var a model.Addr
	if err := a.UnmarshalText([]byte(s)); err != nil {
		panic(err)
	}
	return a
}

// dial adds a connection whose opening is seen.
func (s *script) dial(client, server wire.AddrPort) *peer {
	s.conns = append(s.conns, wire.Conn{Ends: [2]wire.AddrPort{client, server}, FromStart: [2]bool{true, true}, Opened: true})
	return &peer{s: s, conn: len(s.conns) - 1, session: 0x4000_0000_0011, tree: 5}
}

// late adds a connection that is captured from its middle on.
func (s *script) late(client, server wire.AddrPort) *peer {
	p := s.dial(client, server)
	s.conns[p.conn].FromStart = [2]bool{}
	s.conns[p.conn].Opened = false
	return p
}

func (s *script) nap(ns int64) { s.steps = append(s.steps, step1{nap: ns}) }

func (p *peer) end(how wire.Ending) {
	p.s.steps = append(p.s.steps, step1{conn: p.conn, end: true, how: how})
}

func (p *peer) raw(from wire.Side, b []byte) {
	p.s.steps = append(p.s.steps, step1{conn: p.conn, from: from, data: b})
}

// frame puts the length field before a message.
func frame(m []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(m))), m...)
}

// msg is a message with its header.
func (p *peer) msg(command uint16, flags, status uint32, mid uint64, body []byte) []byte {
	h := make([]byte, headerLen)
	copy(h, "\xfeSMB")
	binary.LittleEndian.PutUint16(h[4:], headerLen)
	binary.LittleEndian.PutUint32(h[8:], status)
	binary.LittleEndian.PutUint16(h[12:], command)
	binary.LittleEndian.PutUint32(h[16:], flags|p.flags)
	binary.LittleEndian.PutUint64(h[24:], mid)
	binary.LittleEndian.PutUint32(h[36:], p.tree)
	binary.LittleEndian.PutUint64(h[40:], p.session)
	return append(h, body...)
}

func (p *peer) ask(command uint16, body []byte) uint64 {
	p.mid++
	p.raw(0, frame(p.msg(command, 0, 0, p.mid, body)))
	return p.mid
}

func (p *peer) reply(mid uint64, command uint16, status uint32, body []byte) {
	if isError(status) && status != statusMoreProcessing {
		body = body9()
	}
	p.raw(1, frame(p.msg(command, flagResponse, status, mid, body)))
}

// both is a request and its response.
func (p *peer) both(command uint16, status uint32, request, response []byte) {
	p.reply(p.ask(command, request), command, status, response)
}

func body9() []byte { return le("2:9 2:0 4:0 1:0") }

// le packs little-endian fields: "size:value", "0:n" for n zero bytes.
func le(spec string, args ...any) []byte {
	var out []byte
	for _, f := range strings.Fields(fmt.Sprintf(spec, args...)) {
		var size int
		var v uint64
		if _, err := fmt.Sscanf(f, "%d:%d", &size, &v); err != nil {
			panic(f)
		}
		if size == 0 {
			out = append(out, make([]byte, v)...)
			continue
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], v)
		out = append(out, b[:size]...)
	}
	return out
}

func utf16le(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func id(n uint64) []byte { return le("8:%d 8:%d", n, n+0x1000) }

var clientGUID = bytes.Repeat([]byte{0xC1}, 16)
var serverGUID = bytes.Repeat([]byte{0x5E}, 16)

func (p *peer) negotiate(dialect uint16, contexts ...[]byte) {
	req := append(le("2:36 2:1 2:1 2:0 4:0"), clientGUID...)
	req = append(req, le("8:0 2:%d", dialect)...)
	mid := p.ask(cmdNegotiate, req)
	resp := append(le("2:65 2:1 2:%d 2:%d", dialect, len(contexts)), serverGUID...)
	resp = append(resp, le("4:7 4:8388608 4:8388608 4:8388608 8:1 8:1 2:128 2:0 4:128")...)
	for _, c := range contexts {
		resp = append(resp, c...)
		resp = append(resp, make([]byte, -len(resp)&7)...)
	}
	p.reply(mid, cmdNegotiate, 0, resp)
}

// type3 is an NTLMSSP AUTHENTICATE message.
func type3(domain, user, workstation string) []byte {
	d, u, w := utf16le(domain), utf16le(user), utf16le(workstation)
	at := 72
	f := func(b []byte) []byte {
		x := le("2:%d 2:%d 4:%d", len(b), len(b), at)
		at += len(b)
		return x
	}
	m := append([]byte("NTLMSSP\x00"), le("4:3 8:0 8:0")...)
	m = append(m, f(d)...)
	m = append(m, f(u)...)
	m = append(m, f(w)...)
	m = append(m, le("8:0 4:1 8:0")...)
	m = append(m, make([]byte, 72-len(m))...)
	return slices.Concat(m, d, u, w)
}

func (p *peer) setup(flags int, token []byte, sessionFlags int) {
	id := p.session
	p.session = 0
	if flags&setupBinding != 0 {
		p.session = id
	}
	mid := p.ask(cmdSessionSetup, append(le("2:25 1:%d 1:1 4:0 4:0 2:88 2:%d 8:0", flags, 8), "NTLMSSP\x00"...))
	p.session = id
	p.reply(mid, cmdSessionSetup, statusMoreProcessing, append(le("2:9 2:0 2:72 2:4"), 1, 2, 3, 4))
	mid = p.ask(cmdSessionSetup, append(le("2:25 1:%d 1:1 4:0 4:0 2:88 2:%d 8:0", flags, len(token)), token...))
	p.reply(mid, cmdSessionSetup, 0, le("2:9 2:%d 2:72 2:0", sessionFlags))
}

func (p *peer) connect(share string, kind int) {
	name := utf16le(share)
	tree := p.tree
	p.tree = 0
	mid := p.ask(cmdTreeConnect, append(le("2:9 2:0 2:72 2:%d", len(name)), name...))
	p.tree = tree
	p.reply(mid, cmdTreeConnect, 0, le("2:16 1:%d 1:0 4:0 4:0 4:2032127", kind))
}

// logon opens what an everyday client opens first.
func (p *peer) logon(dialect uint16, share string) *peer {
	p.negotiate(dialect)
	p.setup(0, type3("CORP", "anna", "WS1"), 0)
	p.connect(share, 1)
	return p
}

// file is what a CREATE asks for and gets.
type file struct {
	fid      uint64
	name     string
	access   uint32
	options  uint32
	action   uint32
	size     int64
	attr     uint32
	modified uint64
	request  []byte // create contexts
	response []byte
}

func (f file) asked() []byte {
	name := utf16le(f.name)
	b := le("2:57 1:0 1:0 4:2 8:0 8:0 4:%d 4:128 4:7 4:1 4:%d 2:120 2:%d", f.access, f.options, len(name))
	pad := -len(name) & 7
	at := 0
	if f.request != nil {
		at = 120 + len(name) + pad
	}
	b = append(b, le("4:%d 4:%d", at, len(f.request))...)
	b = append(b, name...)
	if f.request != nil {
		b = append(append(b, make([]byte, pad)...), f.request...)
	}
	return b
}

func (f file) granted() []byte {
	at := 0
	if f.response != nil {
		at = 152
	}
	if f.modified == 0 {
		f.modified = 77
	}
	b := le("2:89 1:0 1:0 4:%d 8:1 8:1 8:%d 8:1 8:%d 8:%d 4:%d 4:0", f.action, f.modified, f.size, f.size, f.attr)
	b = append(b, id(f.fid)...)
	return append(append(b, le("4:%d 4:%d", at, len(f.response))...), f.response...)
}

func (p *peer) create(f file) { p.both(cmdCreate, 0, f.asked(), f.granted()) }

func readBody(fid uint64, off int64, n int) []byte {
	return slices.Concat(le("2:49 1:80 1:0 4:%d 8:%d", n, off), id(fid), le("4:1 4:0 4:0 2:0 2:0 1:0"))
}

func readReply(data []byte) []byte {
	return append(le("2:17 1:80 1:0 4:%d 4:0 4:0", len(data)), data...)
}

func (p *peer) read(fid uint64, off int64, n int, data []byte) {
	p.both(cmdRead, 0, readBody(fid, off, n), readReply(data))
}

func writeBody(fid uint64, off int64, data []byte) []byte {
	return slices.Concat(le("2:49 2:112 4:%d 8:%d", len(data), uint64(off)), id(fid), le("4:0 4:0 2:0 2:0 4:0"), data)
}

func writeReply(n int) []byte { return le("2:17 2:0 4:%d 4:0 2:0 2:0", n) }

func (p *peer) write(fid uint64, off int64, data []byte) {
	p.both(cmdWrite, 0, writeBody(fid, off, data), writeReply(len(data)))
}

func closeBody(fid uint64) []byte { return append(le("2:24 2:1 4:0"), id(fid)...) }

// closeReply states the end-of-file; -1 states nothing.
func closeReply(size int64) []byte {
	if size < 0 {
		return le("2:60 2:0 0:56")
	}
	return le("2:60 2:1 4:0 8:1 8:1 8:77 8:1 8:%d 8:%d 4:32", size, size)
}

func (p *peer) close(fid uint64, size int64) {
	p.both(cmdClose, 0, closeBody(fid), closeReply(size))
}

func setInfoBody(fid uint64, class int, b []byte) []byte {
	return slices.Concat(le("2:33 1:1 1:%d 4:%d 2:96 2:0 4:0", class, len(b)), id(fid), b)
}

func (p *peer) setInfo(fid uint64, class int, b []byte) {
	p.both(cmdSetInfo, 0, setInfoBody(fid, class, b), le("2:2"))
}

func (p *peer) setEnd(fid uint64, n int64) { p.setInfo(fid, classEndOfFile, le("8:%d", n)) }

func (p *peer) rename(fid uint64, to string) {
	name := utf16le(to)
	p.setInfo(fid, classRename, append(le("1:1 0:7 8:0 4:%d", len(name)), name...))
}

func (p *peer) queryInfo(fid uint64, class int, answer []byte) {
	req := append(le("2:41 1:1 1:%d 4:1024 2:0 2:0 4:0 4:0 4:0", class), id(fid)...)
	p.both(cmdQueryInfo, 0, append(req, 0), append(le("2:9 2:72 4:%d", len(answer)), answer...))
}

func ioctlBody(fid uint64, code uint32, in []byte) []byte {
	return slices.Concat(le("2:57 2:0 4:%d", code), id(fid), le("4:120 4:%d 4:0 4:0 4:0 4:65536 4:1 4:0", len(in)), in)
}

func ioctlReply(fid uint64, code uint32, out []byte) []byte {
	return slices.Concat(le("2:49 2:0 4:%d", code), id(fid), le("4:112 4:0 4:112 4:%d 4:0 4:0", len(out)), out)
}

func (p *peer) ioctl(fid uint64, code uint32, in, out []byte) {
	p.both(cmdIoctl, 0, ioctlBody(fid, code, in), ioctlReply(fid, code, out))
}

// createContext is one create context, the last of its list.
func createContext(name string, data []byte) []byte {
	return slices.Concat(le("4:0 2:16 2:4 2:0 2:24 4:%d", len(data)), []byte(name), make([]byte, 4), data)
}

// chainOf joins the messages of a compound.
func chainOf(msgs ...[]byte) []byte {
	var out []byte
	for i, m := range msgs {
		if i < len(msgs)-1 {
			m = append(m, make([]byte, -len(m)&7)...)
			binary.LittleEndian.PutUint32(m[20:], uint32(len(m)))
		}
		out = append(out, m...)
	}
	return frame(out)
}

// pattern is n bytes that repeat nowhere soon.
func pattern(n int, seed byte) []byte {
	b := make([]byte, n)
	x := uint32(seed) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// played is what a script gave.
type played struct {
	*wiretest.Env
	t testing.TB
}

// how to play a script.
type playing struct {
	size int // of segments; 0: each message at once
	drop int // which segment is not seen; -1: none
	side int // only this side is captured; -1: both
	keys map[uint64]wire.SessionKeys
	// tickets answers for Kerberos tickets; may be nil.
	tickets *ticket.Table
	// blocks hands the bytes over in memory that may be kept.
	blocks bool
}

var plainly = playing{drop: -1, side: -1}

// block is memory that counts who keeps it.
type block struct{ kept int }

func (b *block) Retain()  { b.kept++ }
func (b *block) Release() { b.kept-- }

func (s *script) play(t testing.TB, how playing) *played {
	t.Helper()
	e := wiretest.New(t)
	e.SMBKeys = how.keys
	if how.tickets != nil {
		e.Tickets = how.tickets
	}
	p := New(e)
	decs := make([]wire.Decoder, len(s.conns))
	conns := slices.Clone(s.conns)
	seqs := make([][2]uint32, len(s.conns))
	n := 0
	for _, st := range s.steps {
		switch {
		case st.nap != 0:
			e.Sleep(st.nap)
			continue
		case decs[st.conn] == nil:
			decs[st.conn] = p.Open(&conns[st.conn])
			seqs[st.conn] = [2]uint32{1000, 900_000}
		}
		d := decs[st.conn]
		if st.end {
			at := e.Next()
			d.End(0, st.how, at)
			d.End(1, st.how, at)
			decs[st.conn] = nil
			continue
		}
		if how.side >= 0 && int(st.from) != how.side {
			continue
		}
		size := how.size
		if size <= 0 {
			size = len(st.data)
		}
		for b := st.data; len(b) > 0; {
			k := min(size, len(b))
			if n == how.drop {
				d.Gap(st.from, int64(k), e.Next())
			} else {
				seg := slices.Clone(b[:k])
				c := wire.Chunk{Data: seg, Seq: seqs[st.conn][st.from], At: e.Next()}
				if how.blocks {
					c.Block = &block{}
				}
				d.Data(st.from, c)
				if !how.blocks {
					for i := range seg {
						seg[i] = 0xAA
					}
				}
			}
			n++
			seqs[st.conn][st.from] += uint32(k)
			b = b[k:]
		}
	}
	for _, d := range decs {
		if d != nil {
			at := e.Next()
			d.End(0, wire.EndOfCapture, at)
			d.End(1, wire.EndOfCapture, at)
		}
	}
	p.Flush(e.Next())
	if used := e.Budget().Used; used > 0 {
		checkBudget(t, p.(*protocol), used)
	}
	e.Done()
	return &played{e, t}
}

// checkBudget fails when the decoder still holds budget after everything ended.
// What contents hold is theirs.
func checkBudget(t testing.TB, p *protocol, used int64) {
	t.Helper()
	if p.opens.n != 0 || p.sessions.live != 0 {
		t.Errorf("%d opens and %d sessions are left, %d bytes of budget in use", p.opens.n, p.sessions.live, used)
	}
}

func (s *script) run(t testing.TB) *played { t.Helper(); return s.play(t, plainly) }

// line is one transfer in a form that tests compare.
func line(t *wire.Transfer) string {
	var r content.Result
	if t.Content != nil {
		r = t.Content.Result()
	}
	state := t.Completeness
	if state == "" {
		state = model.Partial
		if r.Whole {
			state = model.Whole
		}
	}
	out := fmt.Sprintf("%s %s %s %s", t.Operation, t.Share+`\`+t.Path, state, t.Status)
	if r.Whole {
		out += fmt.Sprintf(" %d %s", r.Size, r.SHA256[:12])
	}
	if reason := t.Reason + r.Reason; reason != "" && state != model.Whole {
		out += " (" + reason + ")"
	}
	for _, n := range t.Notes {
		out += " [" + n + "]"
	}
	if len(t.EarlierNames) > 0 {
		out += " was " + strings.Join(t.EarlierNames, ",")
	}
	if t.Deleted != nil {
		out += " deleted"
	}
	return out
}

// whole is the line of a transfer of content that is all there.
func whole(op, path string, b []byte) string {
	return fmt.Sprintf("%s %s whole done %d %s", op, path, len(b), digest(b)[:12])
}

func (p *played) lines() []string {
	out := []string{}
	for _, t := range p.Transfers {
		out = append(out, line(t))
	}
	sort.Strings(out)
	return out
}

func (p *played) want(lines ...string) *played {
	p.t.Helper()
	sort.Strings(lines)
	if got := p.lines(); !slices.Equal(got, lines) {
		p.t.Errorf("transfers:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
	return p
}

// accesses gives "what object status" of each access of the kinds asked for.
func (p *played) accesses(kinds ...string) []string {
	out := []string{}
	for _, a := range p.Accesses {
		if slices.Contains(kinds, a.What) {
			out = append(out, strings.TrimSpace(strings.Join([]string{a.What, a.Object, a.Command, a.Status}, " ")))
		}
	}
	return out
}

func (p *played) wantAccesses(kinds string, lines ...string) *played {
	p.t.Helper()
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	got := p.accesses(strings.Fields(kinds)...)
	for i := range got {
		got[i] = strings.Join(strings.Fields(got[i]), " ")
	}
	if !slices.Equal(got, lines) {
		p.t.Errorf("accesses:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
	return p
}
