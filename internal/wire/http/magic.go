package http

import "bytes"

// typeOf tells the types that the print rules ask for by a content's first bytes.
func typeOf(head []byte) string {
	for _, m := range [...]struct{ magic, kind string }{
		{"MZ", "pe"}, {"\x7fELF", "elf"}, {"\xcf\xfa\xed\xfe", "macho"}, {"PK\x03\x04", "archive"}, {"%PDF", "pdf"},
		{"Rar!", "archive"}, {"7z\xbc\xaf", "archive"}, {"MSCF", "archive"}, {"\x1f\x8b", "archive"}, {"\xd0\xcf\x11\xe0", "office"},
		{"#!", "script"}, {"\x89PNG", "image"}, {"GIF8", "image"}, {"\xff\xd8\xff", "image"},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind
		}
	}
	return ""
}
