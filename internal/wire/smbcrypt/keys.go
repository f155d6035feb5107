package smbcrypt

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Keys are the keys that the user has of one session; those not given are empty.
type Keys struct {
	Session  []byte // the session key
	ToClient []byte // derived server-to-client cipher key
	ToServer []byte // derived client-to-server cipher key
}

// keysForm is what to type, for errors.
const keysForm = "SESSION_ID SESSION_KEY [SERVER_TO_CLIENT_KEY CLIENT_TO_SERVER_KEY], all in hex digits"

// ParseKeys reads a file of keys: a session a line, its id in wire
// (little-endian) byte order, as Wireshark takes it, and its keys in
// hex, parted by blanks or, as in Wireshark's smb2_seskey_list, by commas. A key
// that is not known is "" or -, or left out at the end of the line. Lines that
// start with # are comments. The map is by session id as a number. An error
// names the line, never a key.
func ParseKeys(r io.Reader) (map[uint64]Keys, error) {
	all := map[uint64]Keys{}
	seen := map[uint64]int{}
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, keys, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if old, ok := all[id]; ok && !old.equal(keys) {
			return nil, fmt.Errorf("line %d: the session of line %d has other keys here; keep one of the two lines", n, seen[id])
		}
		all[id], seen[id] = keys, n
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w; a line is %s", n+1, err, keysForm)
	}
	return all, nil
}

func (k Keys) equal(other Keys) bool {
	return bytes.Equal(k.Session, other.Session) &&
		bytes.Equal(k.ToClient, other.ToClient) && bytes.Equal(k.ToServer, other.ToServer)
}

func parseLine(line string) (id uint64, keys Keys, err error) {
	fields := strings.Fields(line)
	if strings.Contains(line, ",") {
		fields = strings.Split(line, ",")
	}
	if len(fields) < 2 || len(fields) > 4 {
		return 0, keys, fmt.Errorf("it has %d fields; type %s", len(fields), keysForm)
	}
	if id, err = parseID(clean(fields[0])); err != nil {
		return 0, keys, err
	}
	into := []*[]byte{&keys.Session, &keys.ToClient, &keys.ToServer}
	for i, f := range fields[1:] {
		if *into[i], err = parseKey(clean(f), i); err != nil {
			return 0, keys, err
		}
	}
	if keys.equal(Keys{}) {
		return 0, keys, fmt.Errorf("it gives no key; type %s", keysForm)
	}
	return id, keys, nil
}

// clean takes quotes and blanks off a field; - is an empty one.
func clean(field string) string {
	field = strings.Trim(strings.TrimSpace(field), `"`)
	if field == "-" {
		return ""
	}
	return field
}

func parseID(s string) (uint64, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 8 {
		return 0, fmt.Errorf("the session id (the first field, %d characters) is not 16 hex digits; type its bytes as they are on the wire, lowest first", len(s))
	}
	return binary.LittleEndian.Uint64(b), nil
}

// parseKey reads key i of a line. A session key can be of any Kerberos
// encryption type; a derived one is for AES-128 or AES-256.
func parseKey(s string, i int) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	name := [...]string{"session key", "server-to-client key", "client-to-server key"}[i]
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("the %s has other characters than hex digits, or an odd number of them; type two digits a byte", name)
	}
	derived := i > 0
	if derived && len(b) != 16 && len(b) != 32 || len(b) < 8 || len(b) > 32 {
		return nil, fmt.Errorf("the %s has %d bytes; type 16 (32 hex digits) or 32 (64 hex digits)", name, len(b))
	}
	return b, nil
}
