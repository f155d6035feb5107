package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configName is the configuration that is read when it is there.
const configName = "waybill.yaml"

// config is a YAML mapping of flag names to values, and the suppressions.
type config map[string]any

// readConfig is kong's loader of configurations. What the files suppress adds up.
func (p *program) readConfig(r io.Reader) (kong.Resolver, error) {
	file := configName
	if f, ok := r.(*os.File); ok {
		file = filepath.Base(f.Name())
	}
	c, nodes := config{}, map[string]yaml.Node{}
	if err := yaml.NewDecoder(r).Decode(&nodes); err != nil && !errors.Is(err, io.EOF) {
		return nil, usagef("configuration: %w: it is a YAML mapping of flag names to values", err)
	}
	for key, node := range nodes {
		if key == suppressKey {
			list, err := suppressions(file, &node)
			if err != nil {
				return nil, err
			}
			p.suppress = append(p.suppress, list...)
			continue
		}
		var v any
		if err := node.Decode(&v); err != nil {
			return nil, usagef("%s:%d: %w", file, node.Line, err)
		}
		c[key] = v
	}
	return c, nil
}

// Validate refuses keys that no flag has.
func (c config) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, command := range app.Leaves(true) {
		for _, f := range command.Flags {
			known[f.Name] = true
		}
	}
	for key := range c {
		if !known[key] {
			return fmt.Errorf("configuration: no flag --%s: take its line out", key)
		}
	}
	return nil
}

// Resolve gives the value of a flag that the command line does not set.
func (c config) Resolve(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
	v, ok := c[f.Name]
	if !ok || f.Tag.Has("noconfig") { // another flag of the same name is meant
		return nil, nil
	}
	if list, ok := v.([]any); ok {
		words := make([]string, len(list))
		for i, x := range list {
			words[i] = fmt.Sprint(x)
		}
		return strings.Join(words, ","), nil
	}
	return fmt.Sprint(v), nil
}

// defaultConfig is the configuration of the working folder, if there is one.
func defaultConfig() []string {
	if _, err := os.Stat(configName); err != nil {
		return nil
	}
	return []string{configName}
}
