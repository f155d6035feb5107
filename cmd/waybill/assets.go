package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"

	"waybill/internal/model"
	"waybill/internal/scan"
)

// assetColumns are those of an inventory, any of which may be missing or empty.
var assetColumns = []string{"ip", "mac", "name", "role", "os"}

// assets reads an inventory: a first line of column names, then a line for each host.
func assets(file string) ([]scan.Asset, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, usagef("--assets: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = -1, true, '#'
	head, err := r.Read()
	if err == io.EOF {
		return nil, usagef("--assets %s: empty: give a first line with ip,mac,name,role,os and a line for each host", file)
	}
	if err != nil {
		return nil, usagef("--assets %s: %w", file, err)
	}
	column, err := columns(head)
	if err != nil {
		return nil, usagef("--assets %s: line 1: %w", file, err)
	}
	var out []scan.Asset
	for {
		row, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, usagef("--assets %s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		a, err := assetOf(row, column)
		if err != nil {
			return nil, usagef("--assets %s: line %d: %w", file, line, err)
		}
		if a != (scan.Asset{}) {
			out = append(out, a)
		}
	}
}

// columns gives the place of each column by its name. Others are left alone.
func columns(head []string) (map[string]int, error) {
	column := map[string]int{}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if _, twice := column[name]; twice && name != "" {
			return nil, fmt.Errorf("two columns %s", name)
		}
		column[name] = i
	}
	for _, name := range []string{"ip", "mac", "name"} {
		if _, ok := column[name]; ok {
			return column, nil
		}
	}
	return nil, fmt.Errorf("name the columns %s", strings.Join(assetColumns, ","))
}

// assetOf reads a line.
func assetOf(row []string, column map[string]int) (a scan.Asset, err error) {
	get := func(name string) string {
		if i, ok := column[name]; ok && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	a = scan.Asset{Name: get("name"), Role: get("role"), OS: get("os")}
	if s := get("ip"); s != "" {
		ip, err := netip.ParseAddr(s)
		if err != nil {
			return a, fmt.Errorf("%q is no IP address", s)
		}
		a.IP = model.AddrOf(ip.WithZone(""))
	}
	if s := get("mac"); s != "" {
		mac, err := net.ParseMAC(s)
		if err != nil || len(mac) != 6 {
			return a, fmt.Errorf("%q is no hardware address", s)
		}
		a.MAC = mac.String()
	}
	return a, nil
}
