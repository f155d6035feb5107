package ledger

import (
	"strings"
)

// garbled is a name as logs of FTP servers may have it: lines for blanks (xferlog(5)),
// question marks for bytes outside ASCII (vsftpd).
func garbled(name string) string {
	out := []byte(strings.ToLower(name))
	for i, c := range out {
		switch {
		case c == ' ':
			out[i] = '_'
		case c >= 0x80:
			out[i] = '?'
		}
	}
	return string(out)
}
