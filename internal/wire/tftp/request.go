package tftp

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"
)

// request is an RRQ or WRQ.
type request struct {
	write    bool
	name     string
	netascii bool
	options  options
}

// options are what both sides may agree on; zero is not given.
type options struct {
	blockSize  int64 // RFC 2348
	size       int64 // tsize of RFC 2349; -1 when it was not stated
	windowSize int64 // RFC 7440
}

// maxName bounds a file name.
const maxName = 1024

// parseRequest reads a request; false for anything else.
func parseRequest(b []byte) (r request, ok bool) {
	if len(b) < 6 || b[0] != 0 || b[1] != opRead && b[1] != opWrite {
		return r, false
	}
	r.write = b[1] == opWrite
	words, ok := fields(b[2:])
	if !ok || len(words) < 2 || words[0] == "" || len(words[0]) > maxName || !printable(words[0]) {
		return r, false
	}
	r.name = words[0]
	switch strings.ToLower(words[1]) {
	case "octet", "binary":
	case "netascii", "mail":
		r.netascii = true
	default:
		return r, false
	}
	r.options = parseOptions(words[2:])
	if r.options.size == 0 && !r.write {
		r.options.size = -1 // a reader asks for the size by stating 0
	}
	return r, true
}

// fields splits bytes that end in NUL into words.
func fields(b []byte) ([]string, bool) {
	if len(b) == 0 || b[len(b)-1] != 0 {
		return nil, false
	}
	var out []string
	for _, w := range bytes.Split(b[:len(b)-1], []byte{0}) {
		out = append(out, string(w))
	}
	return out, true
}

func printable(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s) || len(s) > 1
}

// parseOptions reads pairs of names and values.
func parseOptions(words []string) options {
	o := options{size: -1}
	for i := 0; i+1 < len(words); i += 2 {
		n, err := strconv.ParseInt(words[i+1], 10, 62)
		if err != nil || n < 0 {
			continue
		}
		switch strings.ToLower(words[i]) {
		case "blksize":
			if n >= 8 && n <= 65464 {
				o.blockSize = n
			}
		case "tsize":
			o.size = n
		case "windowsize":
			o.windowSize = n
		}
	}
	return o
}

// parseOAck reads an option acknowledgement.
func parseOAck(b []byte) (options, bool) {
	if len(b) < 2 || binary.BigEndian.Uint16(b) != opOAck {
		return options{}, false
	}
	words, ok := fields(b[2:])
	return parseOptions(words), ok
}
