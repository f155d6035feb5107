package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/spread"
)

// disguise marks content that does not fit its name: a program or archive under
// the name of a document, picture or text, a program with two extensions of which
// the first is harmless (ATT&CK T1036.007, T1036.008), and one in an odd folder.
func disguise() Analytic {
	return &rule[aliases]{name: "disguise", key: named, look: lookDisguise, able: needsFiles}
}

func named(e Event) string {
	if !e.moved() || e.Transfer.Name == "" {
		return ""
	}
	return cmp.Or(e.Content, e.Transfer.ID)
}

// aliases is the name under which one content that runs was first seen.
type aliases struct {
	First string `json:"first"`
}

func lookDisguise(s aliases, e Event) (aliases, []Mark) {
	t := e.Transfer
	text, technique := unfit(strings.ToLower(t.Name), t.Type)
	if text == "" && renamed(t.Name, t.OriginalName) {
		text, technique = fmt.Sprintf("the program calls itself %q and bears the name %q", t.OriginalName, t.Name), "T1036.003"
	}
	nats := nameUnfit
	poses := posesAsSystem(t)
	if text == "" && poses {
		text = "it bears the name of a program of Windows, and came to another folder"
	}
	if text == "" && !e.Usual.habit() {
		text, technique, nats = s.alias(t), "T1036", 2
	}
	if text == "" && !e.Usual.habit() {
		text, technique, nats = oddlyPlaced(t)
	}
	if text == "" && !e.Usual.habit() && opened(t) {
		text, technique, nats = "a disk image that was opened where it came: what it holds bears no mark of where it is from", "T1553.005", tempFolder
	}
	if s.First == "" && runs(t) && spread.Hash(t) != "" {
		s.First = t.Name
	}
	if text == "" {
		return s, nil
	}
	m := Mark{Family: "file", Analytic: "disguise", Transfer: t.ID, Time: t.End, Nats: nats, Text: text, Evidence: t.Evidence}
	if technique != "" {
		m.Techniques = []string{technique}
	}
	if poses {
		m.Techniques = append(m.Techniques, "T1036.005")
	}
	return s, []Mark{m}
}

// opened says whether a file is a disk image that was mounted, and none of software.
func opened(t *model.Transfer) bool {
	return !installer(t.Name) && slices.ContainsFunc(t.Executed, func(x model.Execution) bool { return x.How == "mount" })
}

// alias says that the same program bore another name before.
func (s *aliases) alias(t *model.Transfer) string {
	if s.First == "" || !runs(t) || !renamed(t.Name, s.First) || form(strings.ToLower(t.Name)) == form(strings.ToLower(s.First)) {
		return ""
	}
	return fmt.Sprintf("the same content was called %q before, now %q", s.First, t.Name)
}

// renamed says whether a program bears another name than its version resource
// gives it. What differs in the extension or in a copy's number is the same name.
func renamed(name, original string) bool {
	if original == "" {
		return false
	}
	a, b := plainName(name), plainName(original)
	return a != "" && b != "" && a != b && !strings.HasPrefix(a, b) && !strings.HasPrefix(b, a)
}

// plainName is a name without extension, number and what parts words.
func plainName(name string) string {
	name = strings.ToLower(name)
	for _, ext := range []string{".mui", ".exe", ".dll", ".sys", ".scr", ".com"} {
		name = strings.TrimSuffix(name, ext)
	}
	name = strings.TrimRight(name, " ()0123456789._-")
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "64"), "x"), "_")
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, name)
}

// harmless is what content the extensions that people take for harmless stand for.
var harmless = map[string]string{
	"jpg": "a picture", "jpeg": "a picture", "png": "a picture", "gif": "a picture", "bmp": "a picture", "tif": "a picture",
	"tiff": "a picture", "ico": "a picture", "webp": "a picture", "svg": "a picture",
	"txt": "a text", "log": "a text", "csv": "a text", "ini": "a text", "md": "a text", "xml": "a text", "json": "a text", "rtf": "a document",
	"pdf": "a document", "doc": "a document", "docx": "a document", "xls": "a document", "xlsx": "a document", "ppt": "a document",
	"pptx": "a document", "odt": "a document", "ods": "a document", "eml": "a message", "msg": "a message",
	"htm": "a web page", "html": "a web page", "css": "a style sheet",
	"mp3": "a recording", "wav": "a recording", "mp4": "a film", "avi": "a film", "mov": "a film", "mkv": "a film",
	"ttf": "a font", "woff": "a font", "woff2": "a font", "lnk": "a shortcut", "evtx": "an event log",
}

var contentNames = map[string]string{
	"pe": "a Windows program", "elf": "a Linux program", "macho": "a macOS program", "java": "a Java program", "archive": "an archive",
}

// unfit says why a name does not fit a type of content, and the technique.
func unfit(name, typ string) (text, technique string) {
	stem, ext := cutExtension(name)
	if is, ok := contentNames[typ]; ok && harmless[ext] != "" && !packed(ext, typ) {
		return fmt.Sprintf("the content is %s, the name %q says %s", is, name, harmless[ext]), "T1036.008"
	}
	_, inner := cutExtension(strings.TrimRight(stem, " "))
	if harmless[inner] != "" && opensAsProgram[ext] && (typ == "pe" || typ == "elf" || typ == "script" || typ == "") {
		return fmt.Sprintf("a program with two extensions, %q", name), "T1036.007"
	}
	return "", ""
}

// packed says whether files of the extension are archives by nature, or are
// often kept compressed.
func packed(ext, typ string) bool {
	if typ != "archive" {
		return false
	}
	switch ext {
	case "docx", "xlsx", "pptx", "odt", "ods", "log", "txt", "csv", "xml", "json", "svg", "css", "html", "htm":
		return true
	}
	return false
}

// cutExtension cuts a name at its last dot.
func cutExtension(name string) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}
