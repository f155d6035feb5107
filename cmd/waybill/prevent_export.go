package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"waybill/internal/prevent"
)

// preventExport writes the files of a target.
type preventExport struct {
	Policy string `arg:"" help:"The policy, as waybill prevent learn writes it."`
	To     string `required:"" placeholder:"TARGET" noconfig:"" help:"What enforces it: ${targets}."`
	Strict bool   `help:"Deny candidates too: what never happened in what was learned from."`
	Output string `short:"o" placeholder:"DIR" help:"Write the files there, instead of to standard output. Files of an export before keep their numbers."`
	Quiet  bool   `help:"No notices on standard error."`
}

// Run writes. It applies nothing.
func (c *preventExport) Run(p *program) error {
	target, err := targetOf(c.To)
	if err != nil {
		return err
	}
	policy, err := readPolicy(c.Policy)
	if err != nil {
		return err
	}
	choice := prevent.Choice{Strict: c.Strict}
	if choice.Previous, err = previous(c.Output); err != nil {
		return err
	}
	files, err := target.Write(policy, choice)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Policy, err)
	}
	if !c.Quiet {
		c.notices(p, policy)
	}
	if c.Output == "" || c.Output == "-" {
		return c.print(p, files)
	}
	if err := writeAll(c.Output, files); err != nil {
		return fmt.Errorf("-o %s: %w", c.Output, err)
	}
	if !c.Quiet {
		fmt.Fprintf(p.stderr, "waybill: wrote %s to %s; waybill applies nothing: how to do it, and how to take it back, stands in them\n", nameList(files), c.Output)
		if left := leftOver(choice.Previous, files); len(left) > 0 {
			fmt.Fprintf(p.stderr, "waybill: in %s and not of this export: %s\n", c.Output, few(left))
		}
	}
	return nil
}

// notices says what to look at before the files are used.
func (c *preventExport) notices(p *program, policy *prevent.Policy) {
	if policy.Proposed() {
		fmt.Fprintf(p.stderr, "waybill: %s: its management sources are proposals (%s): whoever is none gets in anyway, whoever is missing may be locked out; set learned.management to given when they are right\n",
			c.Policy, strings.Join(policy.Management, ", "))
	}
	sayShadowed(p, c.Policy, policy)
	if policy.Learned != nil {
		sayExpired(p, c.Policy, policy, policy.Learned.To, "at the end of what it was learned from")
	}
}

// print writes files to standard output, with their names where there are several.
func (c *preventExport) print(p *program, files []prevent.File) error {
	for _, f := range files {
		if len(files) > 1 {
			if _, err := fmt.Fprintf(p.stdout, "# ==> %s <==\n", f.Name); err != nil {
				return err
			}
		}
		if _, err := p.stdout.Write(f.Text); err != nil {
			return err
		}
	}
	return nil
}

func targetOf(name string) (prevent.Target, error) {
	for _, t := range targets {
		if t.Name == name {
			return t, nil
		}
	}
	return prevent.Target{}, usagef("--to %s: give one of %s", name, targetNames())
}

func targetNames() string {
	var out []string
	for _, t := range targets {
		out = append(out, t.Name)
	}
	return strings.Join(out, ", ")
}

func nameList(files []prevent.File) string {
	var out []string
	for _, f := range files {
		out = append(out, f.Name)
	}
	return strings.Join(out, ", ")
}

// leftOver are files that were there and that the export does not write.
func leftOver(before map[string][]byte, files []prevent.File) (out []string) {
	for name := range before {
		if !slices.ContainsFunc(files, func(f prevent.File) bool { return f.Name == name }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// maxPrevious bounds the files of an export before that are read.
const maxPrevious = 64 << 20

// previous reads the files of an export before.
func previous(folder string) (map[string][]byte, error) {
	if folder == "" || folder == "-" {
		return nil, nil
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, usagef("-o %s: %w: give a folder", folder, err)
	}
	out := map[string][]byte{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxPrevious {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, usagef("-o %s: %w", folder, err)
		}
		out[e.Name()] = text
	}
	return out, nil
}

// writeAll writes files into a folder, each complete or not at all.
func writeAll(folder string, files []prevent.File) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var outs []*output
	defer func() {
		for _, o := range outs {
			o.discard()
		}
	}()
	for _, f := range files {
		if f.Name != filepath.Base(f.Name) {
			return fmt.Errorf("%q is no name of a file", f.Name)
		}
		o, err := newOutput(nil, filepath.Join(folder, f.Name))
		if err != nil {
			return err
		}
		outs = append(outs, o)
		if _, err := o.Write(f.Text); err != nil {
			return err
		}
	}
	for _, o := range outs {
		if err := o.commit(); err != nil {
			return err
		}
	}
	return nil
}
