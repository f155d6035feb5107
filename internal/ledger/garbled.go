package ledger

import (
	"strings"

	"waybill/internal/model"
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

// garbledNames are the names of what moved over FTP as its server may have logged them.
func garbledNames(t *model.Transfer) []string {
	if t.Channel != "ftp" {
		return nil
	}
	var out []string
	for _, n := range names(t) {
		if g := garbled(n); g != strings.ToLower(n) {
			out = append(out, g)
		}
	}
	return out
}
