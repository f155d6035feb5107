package behaviour

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/synth"
)

const second model.Time = 1e9

// stage is one playing of scenarios: the logs and packets of an office.
type stage struct {
	*synth.Net
	office  *office
	rng     *rand.Rand
	unix    map[string]*synth.UnixLogs // by role
	awake   map[string]bool            // roles whose hosts have said what address they have
	quiet   map[string]bool
	bound   map[string]string // role of a role
	words   map[string]string
	kinds   map[string]string // of files, by name
	content map[string][]byte
	moved   []*movement
	packets bool // what is played goes over the wire, and into no log
	pids    int
	started map[string]int    // the last process of a program, by role and its path
	rdp     map[string]string // the client of the last Remote Desktop session, by role
	logon   string            // the last network logon's id
	context bool              // what moves now is no tool
}

// movement is a file that the steps moved between hosts.
type movement struct {
	from, to          string // roles; "" where the logs do not tell
	channel           string
	share, path, name string
	user              string // without domain
	started, context  bool
	hash              string // where the telemetry has it
	sourceless        bool
}

func newStage(o *office, salt string) *stage {
	sum := sha256.Sum256([]byte(fmt.Sprint(o.seed, " ", salt)))
	seed := uint64(sum[0]) | uint64(sum[1])<<8 | uint64(sum[2])<<16 | uint64(sum[3])<<24 | uint64(sum[4])<<32
	return &stage{Net: synth.New(seed), office: o, rng: rand.New(rand.NewPCG(seed, 1)), unix: map[string]*synth.UnixLogs{}, awake: map[string]bool{},
		quiet: map[string]bool{}, bound: map[string]string{}, words: map[string]string{}, kinds: map[string]string{}, content: map[string][]byte{}, rdp: map[string]string{}, started: map[string]int{}, pids: 3000}
}

// draw gives a scenario its hosts, accounts, words and files.
func (b *stage) draw(s *Scenario, change map[string]string) {
	b.moved, b.packets, b.logon = nil, s.packets, "0x0"
	clear(b.words)
	clear(b.kinds)
	b.deal(drawnDesks, b.office.desks)
	b.deal(drawnServers, b.office.racks)
	for from, to := range s.bind {
		b.bound[from] = to
	}
	b.accounts()
	for _, l := range s.let {
		values := strings.Split(l[1], "|")
		b.words[l[0]] = b.text(values[b.rng.IntN(len(values))])
	}
	for from, to := range change {
		if _, isRole := b.office.addr[b.role(from)]; isRole {
			b.bound[from] = b.role(to)
			continue
		}
		b.words[from] = b.text(to)
	}
	for _, k := range s.kinds {
		b.kinds[strings.ToLower(b.text(k[0]))] = k[1]
	}
	for _, q := range s.quiet {
		b.quiet[b.role(q)] = true
	}
}

func (b *stage) deal(to, from []string) {
	order := b.rng.Perm(len(from))
	for i, role := range to {
		b.bound[role] = from[order[i]]
	}
}

// accounts draws who is who, and the names of what is brought.
func (b *stage) accounts() {
	for name, value := range map[string]string{"account": `CORP\` + people[b.rng.IntN(len(people))] + "-adm", "it": `CORP\it.admin`, "system": `NT AUTHORITY\SYSTEM`} {
		b.words[name] = value
	}
	for _, name := range []string{"tool", "tool2", "tool3", "svc", "task", "pipe"} {
		b.words[name] = b.word()
	}
	b.words["epoch"] = fmt.Sprintf("%d.%d", b.Now/second, 1000000+b.rng.IntN(8999999))
	b.words["digits"] = fmt.Sprint(100000 + b.rng.IntN(899999))
	b.words["eight"] = b.letters(8)
	b.words["seven"] = strings.ToLower(b.letters(7))
	b.words["twelve"] = strings.ToLower(b.letters(12))
}

func (b *stage) letters(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[b.rng.IntN(52)]
	}
	return string(out)
}

// word is a name that nobody has used: two to three syllables.
func (b *stage) word() string {
	var w string
	for range 2 + b.rng.IntN(2) {
		w += []string{"ba", "dor", "fi", "gan", "ke", "lum", "mor", "ni", "pra", "qua", "ris", "sto", "ta", "ven", "wi", "zul"}[b.rng.IntN(16)]
	}
	return w + []string{"", "64", "x", "_v2", ""}[b.rng.IntN(5)]
}

// role follows what roles are bound to.
func (b *stage) role(name string) string {
	for range 4 {
		to, ok := b.bound[name]
		if !ok {
			return name
		}
		name = to
	}
	return name
}

// host gives the host of a role.
func (b *stage) host(role string) *synth.Host {
	role = b.role(role)
	if b.office.addr[role] == "" {
		panic("no host is called " + role) // a test plays all scenarios
	}
	h := b.office.host(b.Net, role)
	b.wake(role, h)
	return h
}

// wake lets a host say what address it has, at the beginning of its logs.
func (b *stage) wake(role string, h *synth.Host) {
	if b.awake[role] || b.packets {
		return
	}
	b.awake[role] = true
	now := b.Now
	b.Now -= 1800 * second
	switch b.office.kind[role] {
	case windows:
		b.Spoke(h, h, b.office.host(b.Net, "dc"), 389, `C:\Windows\System32\lsass.exe`, 700)
		b.runs(role, systemUser, servicesEXE, `C:\Windows\System32\spoolsv.exe`, `C:\Windows\System32\spoolsv.exe`)
	case linux:
		b.unix[role] = &synth.UnixLogs{Host: h.FQDN()}
		b.unix[role].SSHLogin(b.Now, b.office.host(b.Net, "mgmt"), h, "ops", 1)
	case hypervisor:
		b.unix[role] = synth.ESX(h)
		b.unix[role].ESXLogin(b.Now, b.office.host(b.Net, "mgmt"), h, "root")
	case mac:
		b.unix[role] = synth.Mac(h)
		b.unix[role].MacLogin(b.Now, b.office.host(b.Net, "mgmt"), h, "ops")
	}
	b.Now = now
}

// logs says whether the host of a role writes event logs of Windows.
func (b *stage) logs(role string) bool { return b.office.kind[b.role(role)] == windows && !b.packets }

func (b *stage) unixLogs(role string) *synth.UnixLogs {
	b.host(role)
	return b.unix[b.role(role)]
}

// text puts words and names of hosts in the place of {NAME}.
func (b *stage) text(s string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{")
		out.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return out.String()
		}
		out.WriteString(b.value(name))
		s = after
	}
}

func (b *stage) value(name string) string {
	if v, ok := b.words[name]; ok {
		return v
	}
	role, part, _ := strings.Cut(name, ".")
	if v, ok := b.words[role]; ok && part == "user" {
		return bare(v)
	}
	if b.office.addr[b.role(role)] == "" {
		if name == "" || strings.ContainsAny(name, "-,;") { // a GUID
			return "{" + name + "}"
		}
		panic("nothing is called " + name)
	}
	if part == "ip" {
		return b.office.addr[b.role(role)]
	}
	return b.office.name[b.role(role)]
}

// bare is an account without its domain.
func bare(account string) string { return account[strings.LastIndexByte(account, '\\')+1:] }

// later lets seconds pass.
func (b *stage) later(seconds float64) { b.Sleep(model.Time(seconds * 1e9)) }

// file gives what a file of a name holds: the same wherever it is.
func (b *stage) file(name string) []byte {
	name = strings.ToLower(name)
	if c, ok := b.content[name]; ok {
		return c
	}
	kind := cmp.Or(b.kinds[name], kindOf(name))
	var c []byte
	switch kind {
	case "pe":
		c = b.PE(24<<10 + b.rng.IntN(40<<10))
	case "zip":
		c = b.Zip("setup.bin", 30<<10+b.rng.IntN(20<<10))
	case "doc":
		c = b.DOCX(20<<10 + b.rng.IntN(20<<10))
	case "elf":
		c = b.ELF(20<<10 + b.rng.IntN(40<<10))
	case "iso":
		c = append(make([]byte, 0x8001), append([]byte("CD001\x01"), b.Bytes(40<<10)...)...)
	default:
		c = append(scriptHead(name), b.Text(600+b.rng.IntN(900))...)
	}
	b.content[name] = c
	return c
}

func scriptHead(name string) []byte {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "sh":
		return []byte("#!/bin/sh\n")
	case "py":
		return []byte("#!/usr/bin/python3\nimport os\n")
	case "bat", "cmd":
		return []byte("@echo off\r\nsetlocal\r\n")
	case "aspx":
		return []byte("<%@ Page Language=\"C#\" %>\r\n")
	}
	return nil
}

// kindOf tells by the extension what a file holds.
func kindOf(name string) string {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "exe", "dll", "sys", "scr", "com", "ocx":
		return "pe"
	case "zip", "cab", "msi", "jar", "nupkg", "pkg", "apk", "msu":
		return "zip"
	case "docx", "xlsx", "pptx":
		return "doc"
	case "iso":
		return "iso"
	}
	if !strings.Contains(name, ".") {
		return "elf"
	}
	return "text"
}

func (b *stage) hashOf(name string) string { return hashOf(b.file(name)) }

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// lastElement is the name at the end of a path with either slash.
func lastElement(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }

// play goes through steps.
func (b *stage) play(steps []step) {
	for _, s := range steps {
		v := Verbs[s.verb]
		c, err := b.call(v, s.text)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", s.line, err)) // a test plays all scenarios
		}
		v.play(b, c)
		if s.verb != "context" {
			b.context = false
		}
	}
}

// files gives everything that the hosts of the stage logged, and the capture. raised is
// added to the numbers of records, which must not be those of another playing.
func (b *stage) files(raised uint64) map[string][]byte {
	out := map[string][]byte{}
	logs := b.Logs.Sorted()
	for i := range logs {
		logs[i].Record += raised
	}
	loud := slices.DeleteFunc(logs, func(l synth.Logged) bool { return b.isQuiet(l.Computer) })
	if len(loud) > 0 {
		out["collected.json"] = loud.Winlogbeat()
	}
	for _, role := range slices.Sorted(maps.Keys(b.unix)) {
		l := b.unix[role]
		if b.quiet[role] {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(l.Text)) {
			out[fmt.Sprintf("uac-%s-%s-20260317120000/[root]/var/log/%s", l.Host, cmp.Or(l.System, "linux"), name)] = []byte(l.Text[name])
		}
	}
	if c := b.Take(); len(c) > 0 {
		out["tap.pcap"] = c.PCAP()
	}
	return out
}

func (b *stage) isQuiet(computer string) bool {
	for role := range b.quiet {
		if b.office.name[role]+"."+synth.Domain == computer {
			return true
		}
	}
	return false
}
