package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"waybill/internal/synth"
	"waybill/internal/wire/smbcrypt"
	"waybill/internal/wire/ticket/tickettest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"waybill": main})
}

// TestScripts runs testdata/*.txtar: whole commands, with their output and exit
// codes. $EXAMPLES is the project's folder of examples.
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs(filepath.Join("..", "..", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			return errors.Join(captures(e.WorkDir), tickets(t, e.WorkDir))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"rc": exitCodeIs, "grab": grab},
	})
}

// exitCodeIs runs a command and compares its exit code: rc 2 waybill scan.
func exitCodeIs(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("rc CODE COMMAND...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s instead of %s", got, args[0])
	}
}

// grab sets a variable to what the group of a pattern finds first in a file:
// grab ID '(f-[0-9a-f]+)' records.
func grab(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("grab VARIABLE PATTERN FILE")
	}
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile(args[2]))
	if len(found) != 2 {
		ts.Fatalf("no %s in %s", args[1], args[2])
	}
	ts.Setenv(args[0], found[1])
}

// captures makes the files that the scripts read.
func captures(dir string) error {
	scene := synth.Record(2026, synth.Intrusion)
	c := scene.Capture
	whole := c.PCAP()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write(whole)
	if err := w.Close(); err != nil {
		return err
	}
	damaged := bytes.Clone(whole)
	for i := range 64 {
		damaged[len(damaged)/2+i] ^= 0xA5
	}
	hostile := synth.Record(1, func(n *synth.Net) {
		s := n.SMB(n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"), synth.SMBOptions{User: "=cmd|' /C calc'!A0"})
		s.Tree("D").Put("x\x1b[31m\u202egnp.exe", n.PE(4000))
		s.Tree("D").Put("=1+1.exe", n.PE(4000))
		s.Tree("D").Put(`..\..\..\etc\passwd`, n.Text(4000))
		s.Logoff()
	}).Capture.PCAP()
	files := map[string][]byte{
		"again/forwarded.json": scene.Logs.Winlogbeat(),
		"a.pcap":               whole, "a.pcap.gz": zipped.Bytes(), "a.pcapng": c.PCAPNG(synth.PCAPNGOptions{}),
		"cut.pcap": whole[:len(whole)-7], "damaged.pcap": damaged, "empty.pcap": whole[:24], "nothing": nil, "hostile.pcap": hostile,
		"notes.txt":     []byte("nothing but words\n"),
		"mixed/a.pcap":  whole,
		"mixed/note.md": []byte("# words\n"),
	}
	for _, folder := range []string{"mixed", "again"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			return err
		}
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tickets makes an encrypted session that Kerberos authenticated, and keytabs.
func tickets(t *testing.T, dir string) error {
	login := tickettest.Alice(18)
	scene := synth.Record(3, func(n *synth.Net) {
		s := n.SMB(n.Host("WS-31", "10.20.1.31"), n.Host("FILES", "10.20.0.5"), synth.SMBOptions{Kerberos: &synth.Kerberos{
			Token: tickettest.Init(login.APReq(t, login.TicketBytes(t))), Answer: tickettest.Resp(0, login.APRep(t)),
			Key: login.FromServer.Value, Cipher: smbcrypt.AES256GCM}})
		s.Tree("Data").Put("plan.exe", n.PE(200_000))
		s.Logoff()
	})
	good := login.Keytab()
	other := tickettest.Keytab(tickettest.Entry{Principal: "cifs/other@LAB.TEST", Version: 1, Key: tickettest.NewKey(18, 9)})
	files := map[string][]byte{"kerberos.pcap": scene.Capture.PCAP(), "files.keytab": good, "cut.keytab": good[:len(good)-9], "other.keytab": other}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// TestReadme compares the outputs that the README shows with what their commands print.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join("..", ".."))
	shown := strings.Split(string(text), "```\n")
	commands := [][]string{{"scan", "examples/intrusion"}, {"prevent", "examples/intrusion"}}
	if len(shown) != 2*len(commands)+1 {
		t.Fatalf("README.md shows %d outputs, of %d commands", len(shown)/2, len(commands))
	}
	for i, command := range commands {
		if !strings.Contains(shown[2*i], "go run ./cmd/waybill "+strings.Join(command, " ")+"\n") {
			t.Errorf("output %d is not of %v", i+1, command)
		}
		out := outputOf(t, command)
		for _, piece := range strings.Split(shown[2*i+1], "...\n") {
			if !strings.Contains(out, piece) {
				t.Errorf("the README shows what is not printed:\n%s\nprinted:\n%s", piece, out)
			}
		}
	}
}

// outputOf is what a command prints.
func outputOf(t *testing.T, command []string) string {
	t.Helper()
	var out, problems bytes.Buffer
	p := &program{ctx: context.Background(), stdin: strings.NewReader(""), stdout: &out, stderr: &problems}
	if code := p.run(command); code != 0 {
		t.Fatalf("exit code %d: %s", code, problems.String())
	}
	return out.String()
}

// TestInterrupted prints what was complete and exits with 130.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, problems bytes.Buffer
	p := &program{ctx: ctx, stdin: strings.NewReader(""), stdout: &out, stderr: &problems}
	if code := p.run([]string{"scan", "--format", "ndjson", filepath.Join("..", "..", "examples", "intrusion")}); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(out.String(), `{"kind":"summary"`) {
		t.Errorf("no summary: %q", out.String())
	}
}
