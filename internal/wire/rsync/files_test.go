package rsync

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// named is a file of a list.
type named struct {
	name string
	size int
}

// pull29 is a pull by protocol 29 with some words more: the list, then what is sent.
func pull29(words string, files []named, sent []byte) *talk {
	t := &talk{}
	t.daemon("@RSYNCD: 29\n")
	t.client("@RSYNCD: 31.0 md5\nmod\n")
	t.daemon("@RSYNCD: OK\n")
	t.client("--server\n--sender\n-tr\n", words, ".\nmod/\n\n")
	t.daemon(7)
	t.client(0)
	var l []byte
	for _, f := range files {
		l = put(l, byte(0x18), byte(len(f.name)), f.name, f.size, 1600000000, 0o100644)
	}
	t.daemon(message(4000, put(l, byte(0), 0)))
	t.daemon(message(4000, sent))
	return t
}

// item announces a file of which the receiver has blocks of 700 bytes.
func item(n, blocks, rest int) []byte { return put(n, uint16(1<<15), blocks, 700, 2, rest) }

func bytesOf(b []byte) []byte { return put(len(b), b) }

var over = put(-1, -1, -1)

func TestDifferences(t *testing.T) {
	a := pattern(5000)
	alive := put(1, uint16(1<<13)) // the number behind the last: only that the sender is there
	sent := put(alive, item(0, 4, 100), -2, bytesOf(a[700:1500]), -4, bytesOf(a[1600:1650]), 0, pattern(16), over)
	for _, size := range []int{0, 5} {
		env := pull29("", []named{{"a", 1650}}, sent).play(t, size)
		if len(env.Transfers) != 1 {
			t.Fatalf("%d transfers", len(env.Transfers))
		}
		x, got := env.Transfers[0], env.Result(env.Transfers[0])
		if got.Whole || got.Seen != 850 || got.Size != 1650 || got.Reason != "only differences were sent: 800 bytes of 1650 are of an older copy" || x.Status != model.Done {
			t.Errorf("%+v %+v", x.Transfer, got)
		}
	}
	// A whole file whose first bytes are known has the hashes of them.
	env := pull29("", []named{{"a", 5700}}, put(item(0, 4, 100), bytesOf(a), -1, 0, pattern(16), over)).play(t, 0)
	if got := env.Result(env.Transfers[0]); got.Prefix["4096"] != sum(a[:4096]) {
		t.Errorf("%+v", got)
	}
}

// TestCompressedDifferences: zlib counts the blocks that the receiver has among what it
// refers to, zlibx does not.
func TestCompressedDifferences(t *testing.T) {
	a, b := pattern(3000), []byte(strings.Repeat("abc", 500))
	for word, want := range map[string]struct {
		seen   int64
		reason string
	}{
		"--new-compress\n": {3000 + 1500, "only differences were sent: 77100 bytes of 81600 are of an older copy"},
		"--old-compress\n": {3000, whyWindow},
	} {
		first, second := pieces(a, b)
		sent := item(0, 200, 100)
		for _, r := range cut(first) {
			sent = put(sent, byte(0x40|len(r)>>8), byte(len(r)), r)
		}
		sent = put(sent, byte(0x80|5), byte(0xc0|2), uint16(96), byte(0x20), 150, byte(0x21), 160, uint16(10), byte(0x80|29)) // blocks 5, 7 to 103, 150, 160 to 170, 199
		for _, r := range cut(second) {
			sent = put(sent, byte(0x40|len(r)>>8), byte(len(r)), r)
		}
		sent = put(sent, byte(0), pattern(16), item(1, 0, 0), byte(0), pattern(16), over)
		env := pull29(word, []named{{"a", 81600}, {"b", 0}}, sent).play(t, 100)
		if len(env.Transfers) != 2 {
			t.Fatalf("%s: %d transfers", word, len(env.Transfers))
		}
		if got := env.Result(env.Transfers[0]); got.Whole || got.Seen != want.seen || got.Size != 81600 || got.Reason != want.reason {
			t.Errorf("%s: %+v", word, got)
		}
		if got := env.Result(env.Transfers[1]); !got.Whole || got.Size != 0 {
			t.Errorf("%s: %+v", word, got)
		}
	}
}

// pieces compresses two parts of a file, flushed between them.
func pieces(a, b []byte) (first, second []byte) {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 6)
	w.Write(a)
	w.Flush()
	first = bytes.Clone(bytes.TrimSuffix(out.Bytes(), syncMark))
	out.Reset()
	w.Write(b)
	w.Flush()
	return first, bytes.TrimSuffix(out.Bytes(), syncMark)
}

// TestAppend: what is appended is the content.
func TestAppend(t *testing.T) {
	a := pattern(900)
	sent := put(item(0, 2, 100), bytesOf(a), 0, pattern(16), item(1, 0, 0), bytesOf(a), 0, pattern(16), item(2, 1, 0), 0, pattern(16), item(0, 0, 0), bytesOf(a), 0, pattern(16), item(1, 1, 0), -1, bytesOf(a[:250]), 0, pattern(16), over)
	env := pull29("--append\n", []named{{"a", 1700}, {"b", 900}, {"c", 700}}, sent).play(t, 0)
	if len(env.Transfers) != 4 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[3]); got.Whole || got.Size != 950 || got.Seen != 250 {
		t.Errorf("the second try is not appended: %+v", got)
	}
	for i, notes := range [][]string{{"appended at 800"}, nil, {"its size was 1700 when it was listed", "sent again: what the receiver had made of it was wrong"}} {
		x, got := env.Transfers[i], env.Result(env.Transfers[i])
		slices.Sort(x.Notes)
		if !got.Whole || got.Size != 900 || got.SHA256 != sum(a) || !slices.Equal(x.Notes, notes) {
			t.Errorf("%+v %+v", x.Transfer, got)
		}
	}
}

// TestNothingSent: dry runs, listings of modules, errors and leave move nothing.
func TestNothingSent(t *testing.T) {
	dry := pull29("-n\n", []named{{"a", 1700}, {"b", 900}}, put(0, uint16(1<<15), 1, uint16(1<<15), over))
	list, refused, denied := &talk{}, &talk{}, &talk{}
	list.daemon("@RSYNCD: 31.0 md5\n")
	list.client("@RSYNCD: 31.0 md5\n#list\n")
	list.daemon("mod            \ta module\n@RSYNCD: EXIT\n")
	refused.daemon("@RSYNCD: 31.0 md5\n")
	refused.client("@RSYNCD: 31.0 md5\n#early_input=5\nabc\n\nmod\n")
	refused.daemon("@ERROR: Unknown module 'mod'\n@RSYNCD: EXIT\n")
	denied.daemon("@RSYNCD: 31.0 md5\n")
	denied.client("@RSYNCD: 31.0 md5\nmod\n")
	denied.daemon("@RSYNCD: AUTHREQD abc\n")
	denied.client("bob hash\n")
	denied.daemon("@ERROR: auth failed on module mod\n")
	for what, x := range map[string]struct {
		t      *talk
		status string
		user   string
	}{"dry run": {dry, "", ""}, "list": {list, "none", ""}, "refused": {refused, "Unknown module 'mod'", ""}, "denied": {denied, "auth failed on module mod", "bob"}} {
		env := x.t.play(t, 3)
		if len(env.Transfers) != 0 || len(env.BlindSeen) != 0 {
			t.Errorf("%s: %d transfers, blind %v", what, len(env.Transfers), env.BlindSeen)
		}
		if x.status == "none" && len(env.Accesses) == 0 {
			continue
		}
		if len(env.Accesses) != 1 || env.Accesses[0].Status != x.status || env.Accesses[0].User != x.user {
			t.Errorf("%s: %+v", what, env.Accesses)
		}
	}
}

// TestRefusals: what a daemon does not let be read or written is an access.
func TestRefusals(t *testing.T) {
	say := func(tag int, text string) []byte { return put((7+tag)<<24|len(text), text) }
	pull := pull29("", []named{{"a", 3}}, nil)
	pull.daemon(say(tagFileError, "rsync: [sender] send_files failed to open \"/b\" (in mod): Permission denied (13)\n"),
		message(100, put(item(0, 0, 0), 3, "abc", 0, pattern(16), over)))
	push := &talk{}
	push.daemon("@RSYNCD: 31.0 md5\n")
	push.client("@RSYNCD: 31.0 md5\nmod\n")
	push.daemon("@RSYNCD: OK\n")
	push.client("--server\x00-tre.v\x00.\x00mod/in/\x00\x00")
	push.daemon([]byte{0x80, 0x80}, byte(3), "md5", 7)
	push.client(byte(3), "md5", message(9, put(byte(0))))
	push.daemon(say(tagError, "ERROR: module is read only\n"), say(tagError, "rsync error: syntax or usage error (code 1) at main.c(1153) [Receiver=3.2.7]\n"), "\x00\x00\x00\xff junk")
	for what, x := range map[string]struct {
		t      *talk
		status string
		files  int
	}{"pull": {pull, `rsync: [sender] send_files failed to open "/b" (in mod): Permission denied (13)`, 1}, "push": {push, "ERROR: module is read only", 0}} {
		for _, size := range []int{0, 3} {
			env := x.t.play(t, size)
			if len(env.Accesses) != 2 || env.Accesses[1].What != "refused-open" || env.Accesses[1].Status != x.status || env.Accesses[1].Source.Port != 50000 {
				t.Fatalf("%s: %d accesses: %+v", what, len(env.Accesses), env.Accesses[1].Access)
			}
			if len(env.Transfers) != x.files {
				t.Errorf("%s: %d transfers", what, len(env.Transfers))
			}
		}
	}
}

// TestSecluded: the rest of the command line follows, and ends in zero bytes.
func TestSecluded(t *testing.T) {
	k := &talk{}
	k.daemon("@RSYNCD: 29\n")
	k.client("@RSYNCD: 29\nmod\n")
	k.daemon("@RSYNCD: OK\n")
	k.client("--server\n--sender\n-sltr\n\n", "rsync\x00--numeric-ids\x00.\x00mod/x y/\x00\x00")
	k.daemon(7)
	k.client(0)
	k.daemon(message(99, put(byte(0x18), byte(1), "a", 3, 1, 0o100644, byte(0x18), byte(1), "b", 1, 1, 0o120777, 1, "a", byte(0), 0, item(0, 0, 0), 3, "abc", 0, pattern(16), over)))
	env := k.play(t, 0)
	if len(env.Transfers) != 1 || env.Transfers[0].Path != "x y/a" || env.Result(env.Transfers[0]).SHA256 != sum([]byte("abc")) {
		t.Errorf("%d transfers", len(env.Transfers))
	}
}

// TestAttributes: long ones come when they are asked for, not for what is only linked.
func TestAttributes(t *testing.T) {
	k := &talk{}
	k.daemon("@RSYNCD: 31.0 md5\n")
	k.client("@RSYNCD: 31.0 md5\nmod\n")
	k.daemon("@RSYNCD: OK\n")
	k.client("--server\x00--sender\x00-togXre.v\x00.\x00mod/\x00\x00")
	k.daemon([]byte{0x81, 0x80}, byte(3), "md5")
	k.client(byte(3), "md5")
	k.daemon(7)
	k.client(message(9, put(0)))
	l := put(byte(0x18), byte(1), "a", []byte{0, 3, 0}, []byte{0x5f, 0, 0, 0}, 0o100644, byte(0), byte(1), byte(4), []byte{0x81, 0x2c}, "u.a\x00", pattern(16))
	l = put(l, []byte{0x80, 0x9a}, byte(1), "b", []byte{0, 0, 0}, byte(1), byte(0), byte(0))
	l = put(l, byte(33), byte(3), "www", byte(0), byte(4), "root", byte(0), byte(5), "wheel") // users, groups
	long := put(byte(1), []byte{0x81, 0x2c}, pattern(300), byte(0))
	l = put(l, byte(2), uint16(1<<8), long)                                      // "b": only its attributes change
	l = put(l, byte(0xff), byte(2), byte(9), byte(8), byte(7), byte(6), byte(5)) // -3: what was deleted
	l = put(l, byte(0xfe), uint16(0), uint16(1<<8|1<<12|1<<14), byte(1), "a")    // "b" is linked to "a"
	l = put(l, byte(0xfe), byte(0x80), byte(0), byte(0), byte(0), uint16(1<<15|1<<8), long, 0, 700, 2, 0, 3, "abc", 0, pattern(16))
	k.daemon(message(100, put(l, byte(0), byte(0), byte(0))))
	env := k.play(t, 7)
	if len(env.Transfers) != 1 || env.Transfers[0].Path != "a" || env.Result(env.Transfers[0]).SHA256 != sum([]byte("abc")) || len(env.BlindSeen) != 0 {
		t.Errorf("%d transfers, blind %v", len(env.Transfers), env.BlindSeen)
	}
}

// TestParts: a list in parts is done part by part.
func TestParts(t *testing.T) {
	k := &talk{}
	k.daemon("@RSYNCD: 30.0\n")
	k.client("@RSYNCD: 30.0\nmod\n")
	k.daemon("@RSYNCD: OK\n")
	k.client("--server\x00--sender\x00-tre.i\x00.\x00mod/\x00\x00")
	k.daemon(byte(inParts), 7)
	k.client(message(9, put(0)))
	stamp := []byte{0x5f, 0, 0, 0}
	l := put(byte(0x19), byte(1), ".", []byte{0, 0, 0}, stamp, 0o040755)
	for c := range byte(5) {
		l = put(l, byte(0x9a), byte(1), 'a'+c, []byte{0, 0, 0})
	}
	l = put(l, byte(0))
	for c := range byte(5) {
		l = put(l, byte(0xff), byte(101-min(c, 1)*100), byte(0x18), byte(3), 'a'+c, "/f", []byte{0, 3, 0}, stamp, 0o100644, byte(0))
	}
	for c := range byte(5) {
		l = put(l, byte(0), byte(9-min(c, 1)*7), uint16(1<<15), 0, 700, 2, 0, 3, "ab", 'c'+c, 0, pattern(16))
	}
	k.daemon(message(50, put(l, byte(0), byte(0), byte(0), byte(0))))
	env := k.play(t, 11)
	if len(env.Transfers) != 5 || len(env.BlindSeen) != 0 {
		t.Fatalf("%d transfers, blind %v", len(env.Transfers), env.BlindSeen)
	}
	for i, x := range env.Transfers {
		if c := string(rune('a' + i)); x.Path != c+"/f" || env.Result(x).SHA256 != sum([]byte("ab"+string(rune('c'+i)))) {
			t.Errorf("%s %+v", x.Path, env.Result(x))
		}
	}
}

// TestHoles loses bytes at each place of a conversation. In content they cost
// themselves; elsewhere all that follows, and that is said.
func TestHoles(t *testing.T) {
	a, b := pattern(3000), pattern(2000)
	sent := put(item(0, 0, 0), bytesOf(a), 0, pattern(16), item(1, 0, 0), bytesOf(b), 0, pattern(16), over)
	for word, content := range map[string][]byte{"": sent, "--new-compress\n": compressed(deflated, a, b), "--compress-choice=zstd\n": compressed(zstandard, a, b), "--compress-choice=lz4\n": compressed(lz4Blocks, a, b)} {
		k := pull29(word, []named{{"a", 3000}, {"b", 2000}}, content)
		last := len(k.turns) - 1
		kept := 0
		for at := range len(k.turns[last].Data) - 20 {
			env := wiretest.New(t)
			l := env.Dial(New(env), wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:873"))
			for _, x := range k.turns[:last] {
				l.Send(x.From, x.Data, 0)
			}
			l.Send(1, k.turns[last].Data[:at], 0)
			l.Lose(1, 20)
			l.Send(1, k.turns[last].Data[at+20:], 0)
			l.End(wire.FIN)
			whole := 0
			for _, x := range env.Transfers {
				got := env.Result(x)
				if got.Whole && got.SHA256 != sum(a) && got.SHA256 != sum(b) || !got.Whole && got.Reason == "" {
					t.Errorf("%sat %d: %+v", word, at, got)
				}
				if got.Whole {
					whole++
				}
				if strings.Contains(word, "zstd") && whole == 0 && x.Path == "b" && got.Reason != whyHole && !strings.HasSuffix(got.Reason, "lost") {
					t.Errorf("%sat %d: %s", word, at, got.Reason)
				}
			}
			if len(env.Transfers) == 2 && whole == 1 {
				kept++
			}
			if at > 100 && at < len(content)-100 && len(env.Transfers) < 2 && env.BlindSeen["around-loss"]+env.BlindSeen["unknown-protocol"] == 0 {
				t.Errorf("%sat %d: %d transfers, blind %v", word, at, len(env.Transfers), env.BlindSeen)
			}
			if used := env.Budget().Used; used != 0 {
				t.Errorf("%sat %d: %d bytes of budget not given back", word, at, used)
			}
		}
		if word == "" && kept < 4700 || strings.Contains(word, "new") && kept == 0 {
			t.Errorf("%s: only %d holes cost one file", word, kept)
		}
	}
}

func compressed(how func([][]byte) [][][]byte, files ...[]byte) []byte {
	var out []byte
	for i, runs := range how(files) {
		out = put(out, item(i, 0, 0))
		for _, r := range runs {
			out = put(out, byte(0x40|len(r)>>8), byte(len(r)), r)
		}
		out = put(out, byte(0), pattern(16))
	}
	return put(out, over)
}

// TestBrokenOff: what a connection was in the middle of is interrupted; what came whole
// is whole.
func TestBrokenOff(t *testing.T) {
	a := pattern(3000)
	k := pull29("", []named{{"a", 3000}, {"b", 3000}}, put(item(0, 0, 0), bytesOf(a), 0, pattern(3)))
	env := k.play(t, 0)
	if got := env.Result(env.Transfers[0]); !got.Whole || env.Transfers[0].Status != model.Done {
		t.Errorf("only the checksum is missing: %+v", got)
	}
	k = pull29("", []named{{"a", 3000}, {"b", 3000}}, put(item(1, 0, 0), 3000, a[:700]))
	env = k.play(t, 0)
	if got := env.Result(env.Transfers[0]); got.Whole || got.Size != 3000 || got.Seen != 700 || got.Reason != "interrupted: closed" || env.Transfers[0].Status != model.Interrupted {
		t.Errorf("%+v %+v", env.Transfers[0].Transfer, got)
	}
}

// TestHugeBlocks: blocks add up to more than there can be; nothing is whole for it.
func TestHugeBlocks(t *testing.T) {
	f := &sending{count: 1<<31 - 1, block: maxBlock}
	for range 64 {
		f.match(0, f.count)
	}
	if f.at != most || f.matched != most {
		t.Errorf("%d, of which %d matched", f.at, f.matched)
	}
}

// TestConflict: copies of bytes that differ are noted, and where the wrong one was
// taken the file is not whole.
func TestConflict(t *testing.T) {
	k := pull29("", []named{{"a", 3000}, {"b", 3}}, put(item(0, 0, 0), bytesOf(pattern(3000)), 0, pattern(16), item(1, 0, 0), 3, "abc", 0, pattern(16), over))
	for _, corrupt := range []bool{false, true} {
		env := wiretest.New(t)
		l := env.Dial(New(env), wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:873"))
		last := len(k.turns) - 1
		for _, x := range k.turns[:last] {
			l.Send(x.From, x.Data, 0)
		}
		l.Send(1, k.turns[last].Data[:1000], 0)
		l.Conn.Conflicts[1], l.Conn.Corrupt = 3, corrupt
		l.Send(1, k.turns[last].Data[1000:], 0)
		l.End(wire.FIN)
		if got := env.Result(env.Transfers[0]); got.Whole == corrupt || len(env.Transfers[0].Notes) != 1 {
			t.Errorf("corrupt %v: %+v %v", corrupt, got, env.Transfers[0].Notes)
		}
		if len(env.Transfers[1].Notes) != 0 || !env.Result(env.Transfers[1]).Whole {
			t.Errorf("its neighbour: %v", env.Transfers[1].Notes)
		}
	}
}

// TestNonsense gives up on what makes no sense, and says so.
func TestNonsense(t *testing.T) {
	for what, sent := range map[string][]byte{
		"a file that is not listed": put(item(9, 0, 0), bytesOf(pattern(300))),
		"a negative block":          put(0, uint16(1<<15), -5, 700, 2, 0, pattern(300)),
		"a list of no folder":       put(-500, pattern(300)),
	} {
		env := pull29("", []named{{"a", 3000}}, sent).play(t, 50)
		if env.BlindSeen["unknown-protocol"] < 100 {
			t.Errorf("%s: blind %v", what, env.BlindSeen)
		}
	}
	k := pull29("", []named{{"a", 3000}}, nil)
	k.daemon(250<<24|5, pattern(300))
	if env := k.play(t, 0); env.BlindSeen["unknown-protocol"] < 100 {
		t.Errorf("a message that does not exist: blind %v", env.BlindSeen)
	}
	env := pull29("-z\n--compress-choice=brotli\n", []named{{"a", 3000}}, put(item(0, 0, 0), byte(0x40), byte(3), "abc", byte(0), pattern(16), over)).play(t, 0)
	if got := env.Result(env.Transfers[0]); got.Whole || got.Reason != whyUnknown || got.Size != 3000 || env.BlindSeen["compressed-unknown"] != 3 {
		t.Errorf("%+v", got)
	}
	env = pull29("--new-compress\n", []named{{"a", 3000}}, put(item(0, 0, 0), byte(0x40), byte(3), "\xff\xff\xff", byte(0), pattern(16), over)).play(t, 0)
	if got := env.Result(env.Transfers[0]); got.Whole || got.Reason != whyBroken {
		t.Errorf("%+v", got)
	}
}

// TestLittleMemory says what did not fit.
func TestLittleMemory(t *testing.T) {
	k := pull29("", []named{{"a", 3000}, {"b", 3000}}, put(item(0, 0, 0), bytesOf(pattern(3000)), 0, pattern(16), over))
	env := wiretest.New(t)
	env.Budget().Limit = 100
	l := env.Dial(New(env), wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:873"))
	for _, x := range k.turns {
		l.Send(x.From, x.Data, 0)
	}
	l.End(wire.FIN)
	if len(env.Transfers) != 0 || env.BlindSeen["over-budget"] < 3000 || env.Budget().Used != 0 {
		t.Errorf("%d transfers, blind %v", len(env.Transfers), env.BlindSeen)
	}
}

func FuzzConversation(f *testing.F) {
	files := [3][]byte{pattern(500), pattern(60), pattern(7)}
	seeds := [][]wiretest.Turn{pull27(pattern(400), pattern(90)).turns}
	for _, c := range codecs {
		seeds = append(seeds, push31(c.word, files, c.runs(files[:])).turns)
	}
	for _, word := range []string{"", "-A\n-X\n-c\n", "--append\n"} {
		seeds = append(seeds, pull29(word, []named{{"a", 300}}, put(item(0, 1, 0), -1, bytesOf(pattern(100)), 0, pattern(16), over)).turns)
	}
	wiretest.Fuzz(f, New, ends, seeds...)
}
