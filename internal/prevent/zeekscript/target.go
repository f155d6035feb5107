package zeekscript

import (
	_ "embed"
	"fmt"
	"strings"

	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// Target is Zeek.
var Target = prevent.Target{
	Name:  "zeek",
	What:  "a script and an intelligence file for Zeek 6 and later: what findings hold, programs on administrative shares, what the policy denies; unverified",
	Write: Write,
}

// The files; Zeek is told to load the folder that they lie in.
const (
	scriptFile = "waybill.zeek"
	intelFile  = "waybill.intel"
	loadFile   = "__load__.zeek"
)

// script is the part that is the same for every policy.
//
//go:embed waybill.zeek
var script string

// Write gives the script, the intelligence file and the one line that loads the script.
func Write(p *prevent.Policy, c prevent.Choice) ([]prevent.File, error) {
	asked, err := plan.Of(p)
	if err != nil {
		return nil, fmt.Errorf("zeek: %w", err)
	}
	k := sort(p)
	text := script + proposed(p) + settings(asked, &k, c.Strict) + left(append(k.notes, asked.Unwritten...))
	return []prevent.File{{Name: scriptFile, Text: []byte(text)}, {Name: intelFile, Text: k.file()}, {Name: loadFile, Text: []byte("@load ./waybill\n")}}, nil
}

func proposed(p *prevent.Policy) string {
	if !p.Proposed() {
		return ""
	}
	return "\n# The management sources are PROPOSED: look at them in the policy before you rely on this script.\n"
}

// settings are what the policy and its findings say, as redefinitions.
func settings(p *plan.Plan, k *known, strict bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n# Who administers: left out of all but what findings hold.\nredef Waybill::management = %s;\n", subnets(p.Management.Prefixes()))
	for _, kind := range []string{"md5", "sha1", "sha256"} {
		if k.kinds[kind] {
			fmt.Fprintf(&b, "redef Waybill::hashes += { Files::ANALYZER_%s };\n", strings.ToUpper(kind))
		}
	}
	redef := func(name, entries string) {
		if entries != "" {
			fmt.Fprintf(&b, "\nredef Waybill::%s += {\n%s};\n", name, entries)
		}
	}
	redef("paths", table(k.paths, func(s string) string { return strings.ToLower(strings.Trim(s, `\`)) }))
	redef("pipes", table(k.pipes, func(s string) string { return strings.ToLower(strings.Trim(s, `\`)) }))
	redef("services", table(k.services, func(s string) string { return wide(s) + "\x00\x00" }))
	fmt.Fprintf(&b, "\n# The policy: the first that fits counts.\nredef Waybill::rules = vector(\n%s);\n", strings.TrimSuffix(order(p, strict), ",\n")+"\n")
	return b.String()
}

// left names what the script cannot see.
func left(notes []string) string {
	var b strings.Builder
	if len(notes) > 0 {
		b.WriteString("\n# Left out:\n")
	}
	for _, n := range notes {
		b.WriteString(comment("", n))
	}
	return b.String()
}
