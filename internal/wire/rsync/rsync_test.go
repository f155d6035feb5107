package rsync

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// put joins strings, bytes, numbers of four bytes (int) and of two (uint16).
func put(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		case byte:
			b = append(b, p)
		case int:
			b = binary.LittleEndian.AppendUint32(b, uint32(p))
		case uint16:
			b = binary.LittleEndian.AppendUint16(b, p)
		}
	}
	return b
}

// message is data in messages of at most size bytes, a text of the daemon between them.
func message(size int, b []byte) []byte {
	var out []byte
	for part := range slices.Chunk(b, size) {
		out = append(out, put(7<<24|len(part), part, (7+2)<<24|6, "hello\n", 7<<24)...)
	}
	return out
}

// talk is a conversation: sides 0, the client, and 1, the daemon.
type talk struct{ turns []wiretest.Turn }

func (t *talk) client(parts ...any) {
	t.turns = append(t.turns, wiretest.Turn{From: 0, Data: put(parts...)})
}
func (t *talk) daemon(parts ...any) {
	t.turns = append(t.turns, wiretest.Turn{From: 1, Data: put(parts...)})
}

var ends = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:873")}}

func (t *talk) play(tb testing.TB, size int) *wiretest.Env {
	return wiretest.Play(tb, New, ends, size, t.turns)
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8*13 + i>>16)
	}
	return b
}

// pull27 is a pull by protocol 27 of two files of a folder: all numbers have four
// bytes, flags of the list one, and a file is named by its number alone.
func pull27(a, b []byte) *talk {
	t := &talk{}
	t.daemon("@RSYNCD: 31.0 sha512 md5\nwelcome\n\n")
	t.client("@RSYNCD: 27\nmod\n")
	t.daemon("@RSYNCD: OK\n")
	t.client("--server\n--sender\n-logDtpr\n.\nmod/of/day/\n\n")
	t.daemon(0x12345678)
	t.client(0)
	l := put(byte(0x01), byte(1), ".", 4096, 1600000000, 0o040755, 0, 0)
	l = put(l, byte(0x9a), byte(3), "sub", 4096) // mode, user, group and time are the same
	l = put(l, byte(0x38), byte(3), byte(2), "/b", len(b), 1600000001, 0o100644)
	l = put(l, byte(0x9a), byte(1), "a", len(a))
	l = put(l, byte(0x9c), byte(3), "dev", 0, 0o020600) // so is the device
	l = put(l, byte(0x98), byte(4), "link", 3, 0o120777, 3, "sub")
	l = put(l, byte(0), 33, byte(3), "www", 0, 0, 0) // the end, users, groups, errors
	t.daemon(message(13, l))
	// By 27 names are compared as they are: ".", "a", "dev", "link", "sub", "sub/b".
	t.client(1, 0, 700, 2, 0, 5, 0, 700, 2, 0)
	t.daemon(message(1000, put(1, 0, 700, 2, 0, len(a), a, 0, pattern(16), 5, 0, 700, 2, 0, 10, b[:10], len(b)-10, b[10:], 0, pattern(16))))
	t.client(-1, -1)
	t.daemon(message(9, put(-1, -1)), message(12, put(1, 2, 3)))
	t.client(-1)
	return t
}

func TestProtocol27(t *testing.T) {
	a, b := pattern(4000), pattern(90)
	for _, size := range []int{0, 1, 7, 1000} {
		env := pull27(a, b).play(t, size)
		if len(env.Transfers) != 2 || len(env.BlindSeen) != 0 {
			t.Fatalf("segments of %d: %d transfers, blind %v", size, len(env.Transfers), env.BlindSeen)
		}
		for i, want := range []struct {
			path string
			b    []byte
		}{{"of/day/a", a}, {"of/day/sub/b", b}} {
			x, got := env.Transfers[i], env.Result(env.Transfers[i])
			if !got.Whole || got.SHA256 != sum(want.b) || x.Path != want.path || x.Share != "mod" || x.Operation != model.Pull || x.Source.Port != 873 ||
				x.Status != model.Done || x.User != "" || x.Session.Dialect != "rsync protocol 27" {
				t.Errorf("segments of %d: %+v %+v", size, x.Transfer, got)
			}
		}
		if len(env.Accesses) != 1 || env.Accesses[0].What != "share-connect" || env.Accesses[0].Object != "mod" {
			t.Errorf("accesses: %d", len(env.Accesses))
		}
	}
}

// codecs are how content is compressed: the words that ask for it, and what makes the
// runs of bytes of a file of it, which a file without content has none of.
var codecs = []struct {
	word string
	runs func(whole [][]byte) [][][]byte // of each file
}{
	{"--new-compress", deflated}, {"--old-compress", deflated}, {"--compress-choice=zstd", zstandard}, {"--compress-choice=lz4", lz4Blocks},
}

func deflated(files [][]byte) (out [][][]byte) {
	for _, f := range files {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 6)
		w.Write(f)
		w.Flush()
		out = append(out, cut(bytes.TrimSuffix(b.Bytes(), syncMark)))
	}
	return out
}

func zstandard(files [][]byte) (out [][][]byte) {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b)
	for _, f := range files {
		w.Write(f)
		w.Flush()
		out = append(out, cut(bytes.Clone(b.Bytes())))
		b.Reset()
	}
	return out
}

func lz4Blocks(files [][]byte) (out [][][]byte) {
	for _, f := range files {
		var runs [][]byte
		for part := range slices.Chunk(f, 16383) {
			b := make([]byte, 20000)
			n, _ := lz4.CompressBlock(part, b, nil)
			runs = append(runs, b[:n])
		}
		out = append(out, runs)
	}
	return out
}

func cut(b []byte) [][]byte { return slices.Collect(slices.Chunk(b, 1000)) }

// push31 pushes files by protocol 31 to a folder, compressed, by a user; the list
// comes in parts.
func push31(word string, files [3][]byte, runs [][][]byte) *talk {
	t := &talk{}
	t.client("@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\nmod\n")
	t.daemon("@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\n@RSYNCD: AUTHREQD QUJDREVG\n")
	t.client("night TopSecretDigest\n")
	t.daemon("@RSYNCD: OK\n")
	t.client("--server\x00-logDtpre.iLsfxCIvu\x00", word, "\x00--delete\x00.\x00mod/in/\x00\x00")
	t.daemon([]byte{0x81, 0xf1}, byte(10), "xxh128 md5")
	t.client(byte(7), "md4 md5")
	t.daemon(0x12345678)
	size := func(b []byte) []byte { return put(byte(0), uint16(len(b))) }
	stamp := []byte{0x5f, 0x00, 0x10, 0x5e}
	l := put(4, "- .o", 0) // a filter
	l = put(l, byte(0x01), byte(1), ".", size(nil), stamp, 0o040755, byte(0), byte(0))
	l = put(l, []byte{0x84, 0x92}, byte(1), "d", size(nil), []byte{0x83, 0xe8}, byte(3), "usr")
	l = put(l, byte(0x18), byte(1), "b", size(files[1]), stamp, 0o100644)
	l = put(l, []byte{0x80, 0x9a}, byte(1), "a", size(files[0]))
	l = put(l, byte(0), byte(0))
	// The list of the second folder, which is -102, and that there are no more, which is -2.
	l = put(l, byte(0xff), byte(101), []byte{0x80, 0x9a}, byte(3), "d/c", size(files[2]), byte(0), byte(0))
	l = put(l, []byte{0xff, 0xfe, 0x80, 2, 0, 0})
	item := func(step int, k int) {
		l = put(l, byte(step), uint16(0xa000), 0, 700, 2, 0)
		for _, r := range runs[k] {
			l = put(l, byte(0x40|len(r)>>8), byte(len(r)), r)
		}
		l = put(l, byte(0), pattern(16))
	}
	item(3, 0)                                     // 2: "a"
	item(1, 1)                                     // 3: "b"
	l = put(l, byte(1), uint16(1<<13))             // 4: the folder is new, nothing is sent
	item(2, 2)                                     // 6: "d/c", behind a number that stands for the folder
	l = put(l, byte(0), byte(0), byte(0), byte(0)) // a part is done; three phases
	t.client(message(333, l))
	return t
}

func TestProtocol31(t *testing.T) {
	files := [3][]byte{pattern(5000), []byte(strings.Repeat("all work and no play ", 2000)), pattern(77)}
	for _, c := range codecs {
		runs := c.runs(files[:])
		for _, size := range []int{0, 1, 9, 1000} {
			env := push31(c.word, files, runs).play(t, size)
			if len(env.Transfers) != 3 || len(env.BlindSeen) != 0 {
				t.Fatalf("%s, segments of %d: %d transfers, blind %v", c.word, size, len(env.Transfers), env.BlindSeen)
			}
			for i, path := range []string{"in/a", "in/b", "in/d/c"} {
				x, got := env.Transfers[i], env.Result(env.Transfers[i])
				if !got.Whole || got.SHA256 != sum(files[i]) || x.Path != path || x.User != "night" || x.Operation != model.Push || x.Destination.Port != 873 || !x.Session.Compressed {
					t.Errorf("%s, segments of %d: %+v %+v", c.word, size, x.Transfer, got)
				}
				if strings.Contains(x.User+x.Auth+x.Path, "Digest") {
					t.Error("the answer to a challenge is in a record")
				}
			}
		}
	}
}
