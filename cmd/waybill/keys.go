package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/dustin/go-humanize"

	"waybill/internal/report"
	"waybill/internal/scan"
	"waybill/internal/wire"
	"waybill/internal/wire/smbcrypt"
	"waybill/internal/wire/ticket"
)

// sessionKeys reads the file of --smb-keys.
func sessionKeys(path string) (map[uint64]wire.SessionKeys, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("--smb-keys: %w", err)
	}
	defer f.Close()
	keys, err := smbcrypt.ParseKeys(f)
	if err != nil {
		return nil, usagef("--smb-keys %s: %w", path, err)
	}
	out := make(map[uint64]wire.SessionKeys, len(keys))
	for id, k := range keys {
		out[id] = wire.SessionKeys(k)
	}
	return out, nil
}

// keytab reads the file of --keytab.
func keytab(path string) (*ticket.Keytab, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("--keytab: %w: name a keytab that you may read", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, ticket.MaxKeytab+1))
	if err != nil {
		return nil, usagef("--keytab: %w: name a keytab that you may read", err)
	}
	k, err := ticket.ParseKeytab(b)
	if err != nil {
		return nil, usagef("--keytab %s: %w", path, err)
	}
	return k, nil
}

// ticketNotices says what the keytab opened, and why not more.
func (c *scanCommand) ticketNotices(p *program, found *scan.Records) {
	for _, cov := range found.Coverage {
		t := cov.Tickets
		if t == nil {
			continue
		}
		fmt.Fprintf(p.stderr, "waybill: --keytab: logons whose ticket was opened: %s\n", humanize.Comma(t.Opened))
		for _, why := range slices.Sorted(maps.Keys(t.Unopened)) {
			fmt.Fprintf(p.stderr, "waybill: --keytab: logons whose ticket was not opened: %s: %s\n", humanize.Comma(t.Unopened[why]), report.Plain(why))
		}
	}
}
