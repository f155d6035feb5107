package http

import (
	"strings"

	"waybill/internal/webmedia"
)

// pagePart says whether the default print rules leave a movement out. Printed
// are attachments, uploads, executables, archives, scripts and documents, and
// more than 64 KiB of what is no part of a page (issue "Captures", 7).
func (m *movement) pagePart() bool {
	kind := typeOf(m.file.Head())
	switch {
	case m.attachment || m.c.dav:
		return false
	case kind == "pe" || kind == "elf" || kind == "macho" || kind == "archive" || kind == "office" || kind == "pdf":
		return false
	case m.upload:
		return m.chatter()
	case kind == "script" && !webmedia.Page(m.media):
		return false
	case webmedia.ScriptName(m.t.Name) || webmedia.ScriptName(m.t.DispositionName):
		return false
	}
	return m.file.Seen() <= webmedia.BigContent || m.ofPage(kind)
}

// chatter says whether an upload is a form, or a call of an API: a body of POST
// or PATCH that does not claim to be a file, and is not large.
func (m *movement) chatter() bool {
	if strings.HasPrefix(m.t.What, "HTTP PUT") || m.part || webmedia.File(m.media) {
		return false
	}
	return m.file.Seen() <= webmedia.BigContent || m.media == "" || m.media == "application/x-www-form-urlencoded" || webmedia.Page(m.media)
}

// ofPage says whether content is a part of a page, by its stated type and where
// there is none by its name and bytes.
func (m *movement) ofPage(kind string) bool {
	if m.media != "" && m.media != "application/octet-stream" {
		return webmedia.Page(m.media)
	}
	return kind == "image" || webmedia.PageName(m.t.Name)
}
