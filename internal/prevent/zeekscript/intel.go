package zeekscript

import (
	"fmt"
	"slices"
	"strings"

	"waybill/internal/prevent"
)

// known is what findings hold, by how a script looks for it.
type known struct {
	intel    []prevent.Indicator // hashes and names of files: the Intel framework
	paths    []prevent.Indicator
	services []prevent.Indicator
	pipes    []prevent.Indicator
	kinds    map[string]bool // of hashes
	notes    []string
}

func sort(p *prevent.Policy) known {
	k := known{kinds: map[string]bool{}}
	for _, i := range p.Indicators {
		switch {
		case i.Sealed:
			k.note(i, "its bytes went encrypted (SMB 3, TLS, SSH), nothing on the wire shows it")
		case column(i.Value) == "":
			k.note(i, "the reader of intelligence takes it for no value")
		default:
			k.take(i)
		}
	}
	return k
}

func (k *known) note(i prevent.Indicator, why string) {
	k.notes = append(k.notes, fmt.Sprintf("%s %s of %s: %s", i.What, i.Value, i.Finding, why))
}

func (k *known) take(i prevent.Indicator) {
	switch i.What {
	case "sha256", "sha1", "md5":
		k.kinds[i.What] = true
		k.intel = append(k.intel, i)
	case "name":
		k.intel = append(k.intel, i)
	case "path":
		k.paths = append(k.paths, i)
	case "service-name":
		k.services = append(k.services, i)
	case "pipe":
		k.pipes = append(k.pipes, i)
	default:
		k.note(i, "Zeek sees none")
	}
}

// file is the intelligence file (Intel::Item; the Intel Framework's manual): columns apart by
// tabs, named in the first line.
func (k *known) file() []byte {
	var b strings.Builder
	b.WriteString("#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\n")
	for _, i := range k.intel {
		kind := "Intel::FILE_HASH"
		if i.What == "name" {
			kind = "Intel::FILE_NAME"
		}
		fmt.Fprintf(&b, "%s\t%s\twaybill-%s\t%s\n", column(i.Value), kind, word(i.Finding), column(says(i)))
	}
	return []byte(b.String())
}

// says is what a notice tells of an indicator.
func says(i prevent.Indicator) string {
	out := fmt.Sprintf("%s of finding %s (%s, %s)", i.What, i.Finding, i.Severity, i.Analytic)
	if len(i.Techniques) > 0 {
		out += " " + strings.Join(i.Techniques, " ")
	}
	return out
}

// table is indicators as entries of a table, by the text that fits them.
func table(all []prevent.Indicator, text func(string) string) string {
	seen := map[string]bool{}
	var lines []string
	for _, i := range all {
		key := quoted(text(i.Value))
		if !seen[key] {
			seen[key] = true
			lines = append(lines, fmt.Sprintf("\t[%s] = %s,\n", key, quoted(says(i))))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
