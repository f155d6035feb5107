package tftp

import "waybill/internal/content"

// netascii turns network text into text: CR LF is a line end, CR NUL a carriage
// return (RFC 764). It works in order; a block that is missing ends it, since
// nobody knows where what follows belongs.
type netascii struct {
	file *content.File
	next int64 // number of the last block that was taken
	pos  int64
	cr   bool // the last byte was a CR
	lost bool
}

func (n *netascii) block(number int64, b []byte) {
	if number <= n.next {
		return
	}
	if number != n.next+1 || n.lost {
		n.lost = true
		return
	}
	n.next = number
	out := make([]byte, 0, len(b)+1)
	for _, c := range b {
		if n.cr {
			n.cr = false
			switch c {
			case '\n':
				out = append(out, '\n')
				continue
			case 0:
				out = append(out, '\r')
				continue
			}
			out = append(out, '\r')
		}
		if c == '\r' {
			n.cr = true
			continue
		}
		out = append(out, c)
	}
	n.file.Write(n.pos, out, nil)
	n.pos += int64(len(out))
}
