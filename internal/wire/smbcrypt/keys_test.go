package smbcrypt

import (
	"reflect"
	"strings"
	"testing"
)

const (
	keyA = "000102030405060708090a0b0c0d0e0f"
	keyB = "101112131415161718191a1b1c1d1e1f"
	keyC = "202122232425262728292a2b2c2d2e2f"
)

func TestParseKeys(t *testing.T) {
	const id = 0x100000000025
	all := Keys{unhex(keyA), unhex(keyB), unhex(keyC)}
	tests := []struct {
		name, in string
		want     map[uint64]Keys
	}{
		{"nothing", "", map[uint64]Keys{}},
		{"comments", "\ufeff# keys\r\n\r\n  # more\n", map[uint64]Keys{}},
		{"session key", "2500000000100000 " + keyA + "\n", map[uint64]Keys{id: {Session: unhex(keyA)}}},
		{"capitals and tabs", "\t2500000000100000\t" + strings.ToUpper(keyA) + "\r\n", map[uint64]Keys{id: {Session: unhex(keyA)}}},
		{"all", "2500000000100000 " + keyA + " " + keyB + " " + keyC, map[uint64]Keys{id: all}},
		{"derived", "2500000000100000 - " + keyB + " " + keyC, map[uint64]Keys{id: {nil, unhex(keyB), unhex(keyC)}}},
		{"derived, quotes", `2500000000100000 "" ` + keyB + " " + keyC, map[uint64]Keys{id: {nil, unhex(keyB), unhex(keyC)}}},
		{"Wireshark's file", "2500000000100000," + keyA + ",,\n", map[uint64]Keys{id: {Session: unhex(keyA)}}},
		{"Wireshark's file, quotes", `"2500000000100000", "", "` + keyB + `","` + keyC + `"`, map[uint64]Keys{id: {nil, unhex(keyB), unhex(keyC)}}},
		{"one direction", "2500000000100000,,," + keyC, map[uint64]Keys{id: {ToServer: unhex(keyC)}}},
		{"long keys", "2500000000100000 " + keyA + keyB, map[uint64]Keys{id: {Session: unhex(keyA + keyB)}}},
		{"the same twice", "2500000000100000 " + keyA + "\n2500000000100000," + keyA, map[uint64]Keys{id: {Session: unhex(keyA)}}},
		{"two sessions", "2500000000100000 " + keyA + "\n0100000000000000 " + keyB, map[uint64]Keys{id: {Session: unhex(keyA)}, 1: {Session: unhex(keyB)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseKeys(strings.NewReader(tt.in))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseKeysErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"one field", "# x\n" + keyA, "line 2: it has 1 fields; type SESSION_ID SESSION_KEY [SERVER_TO_CLIENT_KEY CLIENT_TO_SERVER_KEY]"},
		{"five fields", "2500000000100000,,,,", "line 1: it has 5 fields"},
		{"id of a number", "0x100000000025 " + keyA, "line 1: the session id (the first field, 14 characters) is not 16 hex digits"},
		{"key in the id's place", keyA + " 2500000000100000", "line 1: the session id (the first field, 32 characters)"},
		{"no key", `2500000000100000,"",,`, "line 1: it gives no key"},
		{"odd digits", "2500000000100000 " + keyA[1:], "line 1: the session key has other characters than hex digits, or an odd number"},
		{"short derived key", "2500000000100000 - " + keyB + " " + keyC[:30], "line 1: the client-to-server key has 15 bytes; type 16"},
		{"long session key", "2500000000100000 " + keyA + keyA + "00", "line 1: the session key has 33 bytes"},
		{"two keys", "2500000000100000 " + keyA + "\n\n2500000000100000 " + keyB, "line 3: the session of line 1 has other keys here"},
		{"endless line", "# x\n" + strings.Repeat("0", 1<<17), "line 2: bufio.Scanner: token too long; a line is SESSION_ID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseKeys(strings.NewReader(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v\nwant  %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), keyA[2:20]) {
				t.Errorf("a key is in the error: %v", err)
			}
		})
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add("2500000000100000 " + keyA + "\n# x\n")
	f.Add(`"2500000000100000","","` + keyB + `","` + keyC + `"`)
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ParseKeys(strings.NewReader(in))
		if err != nil {
			return
		}
		for id, k := range got {
			if k.equal(Keys{}) || len(k.Session) > 32 || len(k.ToClient)%16 != 0 || len(k.ToServer)%16 != 0 {
				t.Fatalf("session %x: %+v", id, k)
			}
		}
		// Commented out, nothing is left.
		none, err := ParseKeys(strings.NewReader("#" + strings.ReplaceAll(in, "\n", "\n#")))
		if err != nil || len(none) != 0 {
			t.Fatalf("commented out: %d sessions, %v", len(none), err)
		}
	})
}
