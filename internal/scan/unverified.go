package scan

import (
	"maps"
	"slices"
)

// unverifiedKinds are kinds of records, as coverage counts them, whose form was checked
// against no real sample: what docs/formats.md calls unverified, and no Format or Record
// says itself.
var unverifiedKinds = map[string]bool{
	"eventlog/6011": true, "vhdmp/1": true, "vhdmp/12": true, "partition/1006": true,
	"defender-hunting/1": true, "defender-hunting/3": true, "defender-hunting/7": true, "defender-hunting/11": true,
	"sharingd": true, "velociraptor": true,
}

// unconfirmed names what gave records of a log and was checked against no real sample.
func (s *logSource) unconfirmed(events map[string]int64) []string {
	names := maps.Clone(s.unverified)
	if f := formatOf(s.in.Kind); f != nil && f.Unverified && len(events) > 0 {
		names[f.Kind] = true
	}
	for kind := range events {
		if unverifiedKinds[kind] {
			names[kind] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// union joins two sorted lists of names.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
