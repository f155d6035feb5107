package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"waybill/internal/judge"
	"waybill/internal/triage"
)

// suppressKey is the key of the configuration that is no flag.
const suppressKey = "suppress"

// suppressions reads the list under suppress: each entry says what it hides, why and
// until when. file is what the configuration is called.
func suppressions(file string, list *yaml.Node) ([]triage.Suppression, error) {
	if list.Kind != yaml.SequenceNode {
		return nil, usagef("%s:%d: suppress is a list of entries with reason and until", file, list.Line)
	}
	var out []triage.Suppression
	for _, entry := range list.Content {
		s, err := suppression(entry)
		if err != nil {
			return nil, usagef("%s:%d: suppression %w", file, entry.Line, err)
		}
		s.Where = fmt.Sprintf("%s:%d", file, entry.Line)
		out = append(out, s)
	}
	return out, nil
}

// suppression reads one entry.
func suppression(entry *yaml.Node) (s triage.Suppression, err error) {
	if entry.Kind != yaml.MappingNode {
		return s, fmt.Errorf("is no mapping: give it as {name: GLOB, reason: TEXT, until: 2027-01-31}")
	}
	globs := map[string]*[]string{"artifact": &s.Artifact, "sha256": &s.SHA256, "name": &s.Name, "path": &s.Path, "host": &s.Host,
		"source": &s.Source, "destination": &s.Destination, "account": &s.Account, "analytic": &s.Analytic}
	hides := false
	for i := 0; i+1 < len(entry.Content); i += 2 {
		key, value := entry.Content[i].Value, entry.Content[i+1]
		switch list := globs[key]; {
		case key == "reason":
			s.Reason = strings.TrimSpace(value.Value)
		case key == "until":
			s.Until, err = time.Parse(time.DateOnly, value.Value)
		case list == nil:
			err = fmt.Errorf("has the key %q: use artifact, sha256, name, path, host, source, destination, account, analytic, reason, until", key)
		default:
			hides = true
			*list, err = globsOf(value)
		}
		if err != nil {
			return s, err
		}
	}
	switch {
	case s.Reason == "":
		return s, fmt.Errorf("without reason: say why, as reason: TEXT")
	case s.Until.IsZero():
		return s, fmt.Errorf("without until: say its last day, as until: 2027-01-31")
	case !hides:
		return s, fmt.Errorf("that hides everything: say what, as name: GLOB")
	}
	return s, nil
}

// globsOf reads one glob or a list of them.
func globsOf(value *yaml.Node) ([]string, error) {
	var out []string
	if value.Kind == yaml.ScalarNode {
		out = []string{value.Value}
	} else if err := value.Decode(&out); err != nil {
		return nil, fmt.Errorf("with globs that are no list of texts: %w", err)
	}
	if bad := slices.IndexFunc(out, func(g string) bool { return g == "" || judge.CheckGlob(g) != nil }); bad >= 0 || len(out) == 0 {
		return nil, fmt.Errorf("with a glob that is none: use *, ? and [a-z]")
	}
	return out, nil
}
