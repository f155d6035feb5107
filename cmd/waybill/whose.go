package main

import (
	"encoding/csv"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"waybill/internal/judge"
	"waybill/internal/model"
	"waybill/internal/scan"

	_ "time/tzdata" // zones on machines that have none
)

// whose reads the flags that say whose logs these are, at what time, and what of
// them is known already.
func (c *scanCommand) whose(o *scan.Options) error {
	o.HostOf, o.Zones, o.Clocks = map[string]string{}, map[string]*time.Location{}, map[string]time.Duration{}
	for _, g := range slices.Concat(c.Host, c.User, c.Name, c.Exclude, c.TrustedAccount, c.TrustedPath, c.TrustedChannel, c.AllowedTool) {
		if judge.CheckGlob(g) != nil {
			return usagef("%q: no glob: use *, ? and [a-z]", g)
		}
	}
	for _, s := range c.HostOf {
		name, path, ok := strings.Cut(s, "=")
		if !ok || name == "" || path == "" {
			return usagef("--host-of %s: give it as NAME=PATH", s)
		}
		o.HostOf[path] = name
	}
	for _, s := range c.Timezone {
		path, name, ok := strings.Cut(s, "=")
		if !ok {
			path, name = "", s
		}
		zone, err := zone(name)
		if err != nil {
			return usagef("--timezone %s: give a zone as Europe/Vienna, UTC or +02:00, for some inputs as PATH=ZONE", s)
		}
		o.Zones[path] = zone
	}
	for _, s := range c.Clock {
		host, by, ok := strings.Cut(s, "=")
		d, err := time.ParseDuration(by)
		if !ok || host == "" || err != nil {
			return usagef("--clock %s: give it as HOST=+3h, what is to be added to the host's times", s)
		}
		o.Clocks[strings.ToLower(host)] = d
	}
	if c.Window <= 0 {
		return usagef("--window %s: give how far back to look, as 24h", c.Window)
	}
	if o.Entropy = c.EntropyThreshold; !(o.Entropy > 0 && o.Entropy <= 8) {
		return usagef("--entropy-threshold %g: give bits a byte, above 0 and up to 8", o.Entropy)
	}
	var err error
	o.Settings = judge.Settings{Window: model.Time(c.Window), TrustedAccounts: c.TrustedAccount, TrustedPaths: c.TrustedPath,
		TrustedChannels: c.TrustedChannel, AllowedTools: c.AllowedTool}
	o.SyncApps = c.SyncApp
	if o.Assets, err = assets(c.Assets); err != nil {
		return err
	}
	o.Settings.Known, err = known(c.Known)
	return err
}

// zone reads a zone's name or its offset from UTC.
func zone(s string) (*time.Location, error) {
	if t, err := time.Parse("-07:00", s); err == nil {
		_, offset := t.Zone()
		return time.FixedZone(s, offset), nil
	}
	return time.LoadLocation(s)
}

// known reads a table of what is known.
func known(file string) ([]judge.Known, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, usagef("--known: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	var out []judge.Known
	for {
		row, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, usagef("--known %s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if line == 1 && strings.EqualFold(strings.TrimSpace(row[0]), "what") {
			continue
		}
		k := judge.Known{What: strings.ToLower(strings.TrimSpace(row[0]))}
		if len(row) > 1 {
			k.Value = strings.TrimSpace(row[1])
		}
		if len(row) > 2 {
			k.Note = strings.TrimSpace(row[2])
		}
		if !slices.Contains([]string{"hash", "name", "host", "account", "address"}, k.What) || k.Value == "" {
			return nil, usagef("--known %s: line %d: give what,value,note, and for what one of hash, name, host, account, address", file, line)
		}
		out = append(out, k)
	}
}
