package ftp

import (
	"bytes"
	"strings"

	"waybill/internal/wire"
)

// verbs are the commands of FTP; true for those that no other protocol of lines
// (SMTP, POP3, IMAP, NNTP, IRC) has.
var verbs = map[string]bool{
	"USER": false, "PASS": false, "ACCT": false, "QUIT": false, "HELP": false, "NOOP": false, "LIST": false, "STAT": false,
	"AUTH": false, "MODE": false, "STRU": false, "ABOR": false, "SITE": false, "HOST": false, "LANG": false, "CLNT": false,
	"CWD": true, "XCWD": true, "CDUP": true, "SMNT": true, "REIN": true, "PORT": true, "PASV": true, "EPRT": true, "EPSV": true,
	"TYPE": true, "RETR": true, "STOR": true, "STOU": true, "APPE": true, "ALLO": true, "REST": true, "RNFR": true, "RNTO": true,
	"DELE": true, "RMD": true, "MKD": true, "PWD": true, "XPWD": true, "NLST": true, "SYST": true, "FEAT": true, "OPTS": true,
	"MLSD": true, "MLST": true, "SIZE": true, "MDTM": true, "PBSZ": true, "PROT": true, "CCC": true,
}

// Probe tells a control connection by its words, and the data connections of an
// encrypted session by their ends.
func (p *Protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return wire.No
	}
	if t, _ := p.tunnelOf(c); t != nil {
		return tunnelled(head)
	}
	verdict := wire.No
	for client := range head {
		v := speaks(head[client], head[1-client])
		if v == wire.Yes {
			return v
		}
		if v == wire.Maybe {
			verdict = v
		}
	}
	return verdict
}

// speaks weighs a client's and a server's first lines.
func speaks(client, server []byte) wire.Verdict {
	commands, certain, okClient := commandLines(client)
	replies, named, okServer := replyLines(server)
	switch {
	case !okClient || !okServer:
		return wire.No
	case commands > 0 && replies > 0, certain > 0, named:
		return wire.Yes
	}
	return wire.Maybe
}

// commandLines counts commands, and those that only FTP has. It says false for
// what no client says.
func commandLines(b []byte) (n, certain int, ok bool) {
	for n < 4 {
		line, rest, whole := cutLine(b)
		verb, _, _ := strings.Cut(string(line), " ")
		only, known := verbs[strings.ToUpper(verb)]
		switch {
		case len(line) == 0 && !whole:
			return n, certain, true
		case !whole:
			return n, certain, len(line) < maxLine && (known || n > 0 || len(verb) < 4 && letters(verb))
		case !known:
			return n, certain, n > 0
		}
		n++
		if only {
			certain++
		}
		b = rest
	}
	return n, certain, true
}

// replyLines counts replies; named says that they name FTP, or that only an FTP
// server says them.
func replyLines(b []byte) (n int, named, ok bool) {
	more := ""
	for n < 4 {
		line, rest, whole := cutLine(b)
		if len(line) == 0 && !whole {
			return n, named, true
		}
		code, _, is := replyCode(line)
		switch {
		case !is && more == "" && (whole || len(line) > 4):
			return n, named, n > 0
		case is && n == 0 && bytes.Contains(bytes.ToUpper(line), []byte("SMTP")):
			return 0, false, false
		}
		if is && len(line) > 3 && line[3] == '-' {
			more = string(line[:3])
		} else if is && string(line[:3]) == more {
			more = ""
		}
		if !whole {
			return n, named, true
		}
		named = named || is && (code == 227 || code == 229 || code == 220 && bytes.Contains(bytes.ToUpper(line), []byte("FTP")))
		n++
		b = rest
	}
	return n, named, true
}

// cutLine cuts the first line off, without its end. whole says that it had one.
func cutLine(b []byte) (line, rest []byte, whole bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil, false
	}
	return bytes.TrimRight(b[:i], "\r"), b[i+1:], true
}

// replyCode reads the three digits of a reply (RFC 959 4.2). A blank after them
// is missing in what some servers send.
func replyCode(line []byte) (code int, text string, ok bool) {
	if len(line) < 3 {
		return 0, "", false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, "", false
		}
		code = 10*code + int(c-'0')
	}
	if code < 100 || code > 699 || len(line) > 3 && line[3] >= '0' && line[3] <= '9' {
		return 0, "", false
	}
	return code, strings.TrimLeft(string(line[3:]), " -"), true
}

func letters(s string) bool {
	for _, c := range s {
		if (c|0x20) < 'a' || (c|0x20) > 'z' {
			return false
		}
	}
	return true
}
