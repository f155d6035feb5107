// Package fileshare holds what the protocols that share files have in common: what
// is a mere look into a file, what is metadata of a shell, and the names of NT
// statuses (MS-ERREF). In come names, sizes and first bytes; out come answers. It reads no
// message and keeps no state.
package fileshare

import (
	"bytes"
	"strings"
)

// metadataSize bounds what a shell keeps about a folder or file.
const metadataSize = 64 << 10

// shellNames are the files in which shells keep what they know of a folder, and
// shellStreams what they attach to files; a trailing * stands for any ending.
var (
	shellNames   = []string{"desktop.ini", "thumbs.db", ".ds_store", "._*"}
	shellStreams = []string{"zone.identifier", "afp_afpinfo", "com.apple.*"}
)

// payloads are how executables, scripts and archives start.
var payloads = [][]byte{
	[]byte("MZ"), []byte("\x7fELF"), []byte("\xfe\xed\xfa\xce"), []byte("\xfe\xed\xfa\xcf"), []byte("\xce\xfa\xed\xfe"),
	[]byte("\xcf\xfa\xed\xfe"), []byte("\xca\xfe\xba\xbe"), []byte("#!"), []byte("PK"), []byte("7z\xbc\xaf\x27\x1c"),
	[]byte("Rar!"), []byte("MSCF"), []byte("\x1f\x8b"), []byte("BZh"), []byte("\xfd7zXZ"), []byte("\x28\xb5\x2f\xfd"),
}

// Metadata says that a file that moved is small shell metadata (contract, "No
// transfer"): by its name, and no payload under that name. Seen and high are the
// bytes seen and the end of the highest one; head is how it starts.
func Metadata(path string, seen, high int64, head []byte) bool {
	return seen <= metadataSize && high <= metadataSize && metadataName(LastElement(path)) && !isPayload(head)
}

func metadataName(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ":$data")
	file, stream, named := strings.Cut(name, ":")
	if named {
		return fitsAny(shellStreams, stream)
	}
	return fitsAny(shellNames, file)
}

func fitsAny(patterns []string, name string) bool {
	for _, p := range patterns {
		prefix, open := strings.CutSuffix(p, "*")
		if name == p || open && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func isPayload(head []byte) bool {
	for _, p := range payloads {
		if bytes.HasPrefix(head, p) {
			return true
		}
	}
	return false
}

// LastElement is what follows the last backslash or slash of a path.
func LastElement(path string) string {
	return path[strings.LastIndexAny(path, `\/`)+1:]
}

// PeekSize bounds a peek: at most so many bytes, and less than a tenth of the file.
const PeekSize = 64 << 10

const peekPart = 10

// Peek says that having read n bytes of a file of a size was a look into it and
// no transfer (contract, "No transfer").
func Peek(n, size int64) bool { return n <= PeekSize && n*peekPart < size }
