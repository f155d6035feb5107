package smb2

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

// isMetadata says that what moved is small shell metadata (contract, "No
// transfer"): by its name, and no payload under that name.
func (o *open) isMetadata(f *flow) bool {
	if f.file.Seen() > metadataSize || f.file.High() > metadataSize || !metadataName(lastElement(o.path)) {
		return false
	}
	return !isPayload(f.file.Head())
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

// emitMetadata reports shell metadata that moved.
func (o *open) emitMetadata(d direction, f *flow) {
	f.file.Abandon()
	a := o.session.access(o.conn, "metadata", o.at, int(d))
	a.Share, a.Object = o.tree.share, o.path
	a.Detail = "read"
	if d == writing {
		a.Detail = "written"
	}
	a.Seen.Merge(f.seen)
	o.p.env.Access(a)
}
