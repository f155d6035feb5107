package suricata

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// rule is one rule before it has a number.
type rule struct {
	key     string   // stays the same from export to export: it keeps the number
	why     []string // the comment above
	msg     string
	proto   string // what the header begins with, after the action
	from    string
	to      string
	ports   string // of the server, "any"
	options []string
	silent  bool // sets bits for other rules, and never alerts

	kind       string // indicator, behaviour, policy
	severity   model.Severity
	techniques []string
	finding    string
	analytic   string
	list       *list

	// sees says whether Suricata would match the rule on what it is shown, if it reads all of it.
	sees func(*sight) bool
}

// list is a file of hashes that a rule reads.
type list struct {
	name   string
	hashes []string
}

func (l *list) text() []byte {
	return []byte("# " + l.name + ": written by waybill with " + rulesFile + "\n" + strings.Join(l.hashes, "\n") + "\n")
}

// body is the rule without its number and revision.
func (r *rule) body() string {
	options := append([]string{`msg:"waybill: ` + said(r.msg) + `";`}, r.options...)
	if r.silent {
		options = append(options, "noalert;")
	}
	options = append(options, "classtype:"+r.class()+";", fmt.Sprintf("priority:%d;", r.priority()), "metadata:"+r.metadata()+";")
	return fmt.Sprintf("alert %s %s any -> %s %s (%s", r.proto, r.from, r.to, r.ports, strings.Join(options, " "))
}

func (r *rule) class() string {
	if r.kind == kindPolicy {
		return "policy-violation"
	}
	return "bad-unknown"
}

// priority goes from 1, the first to look at.
func (r *rule) priority() int {
	switch {
	case r.severity >= model.High:
		return 1
	case r.severity == model.Medium:
		return 2
	}
	return 3
}

// maxTechniques bounds what the metadata of a rule say.
const maxTechniques = 16

func (r *rule) metadata() string {
	pairs := []string{"waybill_key " + r.key, "waybill_kind " + r.kind}
	add := func(name, value string) {
		if value = word(value); value != "" {
			pairs = append(pairs, name+" "+value)
		}
	}
	add("waybill_finding", r.finding)
	add("waybill_analytic", r.analytic)
	for _, t := range r.techniques[:min(len(r.techniques), maxTechniques)] {
		add("mitre_technique_id", t)
	}
	return strings.Join(pairs, ", ")
}

// keyOf is a key made of texts that may hold anything.
func keyOf(kind string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return fmt.Sprintf("%s-%x", kind, sum[:6])
}

func sortRules(rules []*rule) {
	slices.SortStableFunc(rules, func(a, b *rule) int { return strings.Compare(a.key, b.key) })
}
