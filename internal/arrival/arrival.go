// Package arrival says what listings of files tell of movements. In come the files
// that lay on hosts, and the transfers and accesses that other witnesses showed; out
// come the files whose content moved, each with a transfer of it, and the arrivals
// that nothing shows but the file itself. What many hosts have, or got together with
// much else, is no arrival: software is installed every day. It names no source that
// no record names.
package arrival

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"sort"
	"strconv"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// Bounds and spans of time.
const (
	window   model.Time = 24 * 3600e9 // from one host to the next
	near     model.Time = 60e9        // of a sign of a remote cause (contract, completeness)
	slack    model.Time = 2 * 60e9    // clocks of hosts differ
	together            = 32          // files that came within a minute: an installation
	fewHosts            = 4           // listings of fewer hosts do not tell what is common
	perFile             = 64          // sightings of one content that are given on
)

// Result is what listings tell.
type Result struct {
	Arrivals []*model.Transfer
	Listed   []model.Listed
}

// Input is what is known.
type Input struct {
	Sightings []telemetry.Sighting // reordered
	Transfers []*model.Transfer
	Accesses  []*model.Access
	Hosts     *identity.Table
	Inputs    []string // names, by Sighting.Input
}

type finder struct {
	Input
	moved  map[string][]*model.Transfer // by what tells their content
	cameAt map[string][]model.Time      // when files came to be on a host, in order
	signs  map[string][]sign            // by host, in the order of time
	names  map[string]string            // hosts without their domain
	out    Result
}

// sign is something that another host did on this one.
type sign struct {
	at   model.Time
	from model.Endpoint
}

// Find looks at all files of all listings.
func Find(in Input) Result {
	f := &finder{Input: in, moved: map[string][]*model.Transfer{}, cameAt: map[string][]model.Time{}, signs: map[string][]sign{}, names: map[string]string{}}
	if len(in.Sightings) == 0 {
		return f.out
	}
	f.index()
	items := ordered(in.Sightings)
	var all []*telemetry.Sighting
	for len(items) > 0 {
		all = all[:0]
		for _, it := range items {
			if it.content != items[0].content {
				break
			}
			all = append(all, it.file)
		}
		f.content(all)
		items = items[len(all):]
	}
	slices.SortStableFunc(f.out.Arrivals, func(a, b *model.Transfer) int {
		return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(f.out.Listed, func(a, b model.Listed) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Host.Host, b.Host.Host), cmp.Compare(a.Path, b.Path))
	})
	return f.out
}

// item is a file and a digest of what tells its content.
type item struct {
	content [2]uint64
	file    *telemetry.Sighting
}

// ordered brings the files of one content together, in the order of time.
func ordered(all []telemetry.Sighting) []item {
	items := make([]item, len(all))
	for i := range all {
		sum := sha256.Sum256([]byte(key(&all[i])))
		items[i] = item{[2]uint64{binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])}, &all[i]}
	}
	slices.SortFunc(items, func(x, y item) int {
		if c := cmp.Or(cmp.Compare(x.content[0], y.content[0]), cmp.Compare(x.content[1], y.content[1])); c != 0 {
			return c
		}
		a, b := x.file, y.file
		return cmp.Or(cmp.Compare(since(a), since(b)), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Line, b.Line))
	})
	return items
}

// index puts what is known in order.
func (f *finder) index() {
	for i := range f.Sightings {
		if s := &f.Sightings[i]; s.Time != 0 {
			host := f.bare(s.Host)
			f.cameAt[host] = append(f.cameAt[host], s.Time)
		}
	}
	for _, times := range f.cameAt {
		slices.Sort(times)
	}
	for _, t := range f.Transfers {
		if t.Status != model.Done && t.Status != model.Interrupted && t.Status != model.Claimed {
			continue
		}
		for _, k := range contents(t) {
			f.moved[k] = append(f.moved[k], t)
		}
	}
	for _, a := range f.Accesses {
		if remote[a.What] && a.Source.Name() != "" && a.Destination.Host != "" {
			host := f.bare(a.Destination.Host)
			f.signs[host] = append(f.signs[host], sign{a.Time, a.Source})
		}
	}
	for _, list := range f.signs {
		slices.SortStableFunc(list, func(a, b sign) int { return cmp.Compare(a.at, b.at) })
	}
}

// remote are accesses by which a file may come.
var remote = map[string]bool{"logon": true, "share-connect": true, "service-create": true, "service-start": true, "service-change": true, "task-create": true,
	"task-run": true, "wmi-exec": true, "winrm-exec": true, "dcom-exec": true, "pipe-open": true, "ssh-session": true, "rdp-session": true, "network-write": true}

// contents are what tells the content of a transfer: its hashes, or name and size.
func contents(t *model.Transfer) []string {
	var out []string
	add := func(alg, v string) {
		if k := alg + ":" + v; v != "" && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	add("sha256", t.SHA256)
	add("sha1", t.SHA1)
	add("md5", t.MD5)
	for _, h := range t.Hashes {
		add(h.Alg, h.Value)
	}
	if t.Size != nil && *t.Size > 0 && t.Completeness != model.Partial {
		for _, n := range append([]string{t.Name}, t.EarlierNames...) {
			if n != "" {
				add("name", named(n, *t.Size))
			}
		}
	}
	return out
}

func named(name string, size int64) string {
	return strings.ToLower(name) + ":" + strconv.FormatInt(size, 10)
}

// key is what tells the content of a file: its strongest hash, else name and size.
func key(s *telemetry.Sighting) string {
	return cmp.Or(s.SHA256, s.SHA1, s.MD5, named(base(s.Path), s.Size))
}

func hashed(s *telemetry.Sighting) bool { return s.SHA256 != "" || s.SHA1 != "" || s.MD5 != "" }

func base(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }

// bare is a host's name without its domain, lower case.
func (f *finder) bare(host string) string {
	name, known := f.names[host]
	if !known {
		name = identity.Bare(host)
		f.names[host] = name
	}
	return name
}

// since orders files of unknown time behind the others.
func since(s *telemetry.Sighting) model.Time {
	if s.Time == 0 {
		return 1<<63 - 1
	}
	return s.Time
}

// transfers are those of the content of a file. One that is told by name and size
// alone must not contradict a hash.
func (f *finder) transfers(s *telemetry.Sighting) []*model.Transfer {
	for _, k := range [...]string{"sha256:" + s.SHA256, "sha1:" + s.SHA1, "md5:" + s.MD5} {
		if all := f.moved[k]; len(all) > 0 {
			return all
		}
	}
	if s.Size <= 0 {
		return nil
	}
	all := f.moved["name:"+named(base(s.Path), s.Size)]
	if !hashed(s) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(t *model.Transfer) bool {
		return slices.ContainsFunc(contents(t), func(c string) bool {
			alg, _, _ := strings.Cut(c, ":")
			return alg == "sha256" && s.SHA256 != "" || alg == "sha1" && s.SHA1 != "" || alg == "md5" && s.MD5 != ""
		})
	})
}

// content looks at the files of one content, in the order of time.
func (f *finder) content(all []*telemetry.Sighting) {
	moved := f.transfers(all[0])
	if len(moved) == 0 && len(all) == 1 {
		return
	}
	firsts := f.first(all)
	if len(moved) == 0 && len(firsts) == 1 {
		return
	}
	var arrived []*model.Transfer
	if !f.common(firsts) {
		for i, s := range firsts {
			if t := f.arrival(s, firsts[:i], moved); t != nil {
				arrived = append(arrived, t)
			}
		}
	}
	f.out.Arrivals = append(f.out.Arrivals, arrived...)
	of := append(slices.Clone(moved), arrived...)
	if len(of) == 0 {
		return
	}
	for _, s := range firsts[:min(len(firsts), perFile)] {
		if slices.ContainsFunc(arrived, func(t *model.Transfer) bool { return t.Destination.Host == s.Host }) {
			continue // its arrival says so
		}
		l := model.Listed{Of: of[0], Host: model.Endpoint{Host: s.Host}, Path: s.Path, Time: s.Time, Evidence: []model.Evidence{f.evidence(s)}}
		f.Hosts.Complete(&l.Host, s.Time)
		f.out.Listed = append(f.out.Listed, l)
	}
}

// first gives the first file of each host.
func (f *finder) first(all []*telemetry.Sighting) []*telemetry.Sighting {
	var out []*telemetry.Sighting
	seen := map[string]bool{}
	for _, s := range all {
		if host := f.bare(s.Host); !seen[host] {
			seen[host] = true
			out = append(out, s)
		}
	}
	return out
}

// common says whether most of the hosts that were listed have the content, and did not
// get it within a day of each other.
func (f *finder) common(firsts []*telemetry.Sighting) bool {
	if len(f.cameAt) < fewHosts || 2*len(firsts) <= len(f.cameAt) {
		return false
	}
	return since(firsts[len(firsts)-1])-firsts[0].Time > window
}

// arrival says that a file came from another host: its content moved, or lay on another
// host before, within a day. Without a hash, a host that had it must have done something
// here at that time.
func (f *finder) arrival(s *telemetry.Sighting, before []*telemetry.Sighting, moved []*model.Transfer) *model.Transfer {
	if s.Time == 0 || f.installed(s) {
		return nil
	}
	here := model.Endpoint{Host: s.Host}
	f.Hosts.Complete(&here, s.Time)
	why := ""
	for _, t := range moved {
		if f.same(here, t.Source, s.Time) || f.same(here, t.Destination, s.Time) {
			return nil // how it came, or that it was here, is known
		}
		if at := cmp.Or(t.Start, t.End); at <= s.Time+slack && s.Time-t.End <= window && (hashed(s) || f.sign(s, t.Source, t.Destination) != nil) {
			why = "its content moved from " + cmp.Or(t.Source.Name(), "an unknown host") + " to " + cmp.Or(t.Destination.Name(), "an unknown host") + " before"
		}
	}
	by := f.sign(s)
	for _, o := range before {
		there := model.Endpoint{Host: o.Host}
		f.Hosts.Complete(&there, o.Time)
		switch from := f.sign(s, there); {
		case o.Time == 0 || o.Time >= s.Time || s.Time-o.Time > window || f.installed(o):
		case from != nil:
			by, why = from, "its content was on "+o.Host+" before, which was active here at the time"
		case hashed(s) && !packaged(s.Path):
			why = cmp.Or(why, "its content was on "+o.Host+" before")
		}
	}
	if why == "" {
		return nil
	}
	return f.transfer(s, here, by, why, moved)
}

// transfer is the arrival of a file. Of where it came from is known who was active here.
func (f *finder) transfer(s *telemetry.Sighting, here model.Endpoint, by *model.Endpoint, why string, moved []*model.Transfer) *model.Transfer {
	t := &model.Transfer{Kind: "transfer", ID: id(s), End: s.Time, Destination: here, Operation: model.Push, Channel: "unknown", Path: s.Path, Name: base(s.Path),
		Completeness: model.Inferred, Status: model.Done, Confidence: "low", Reason: "a listing shows the file, no log how it came: " + why,
		Evidence: []model.Evidence{f.evidence(s)}}
	if s.Size >= 0 {
		t.Size = &s.Size
	}
	for _, h := range [...][2]string{{"md5", s.MD5}, {"sha1", s.SHA1}, {"sha256", s.SHA256}} {
		if h[1] != "" {
			t.Hashes = append(t.Hashes, model.Hash{Alg: h[0], Value: h[1], From: "listing", Time: s.Time})
		}
	}
	if hashed(s) && s.SHA256 == "" { // another witness of the same content knows more
		if i := slices.IndexFunc(moved, func(m *model.Transfer) bool { return m.SHA256 != "" }); i >= 0 {
			t.Hashes = append(t.Hashes, model.Hash{Alg: "sha256", Value: moved[i].SHA256, From: "bytes", Time: moved[i].End})
		}
	}
	if by != nil {
		t.Source, t.Initiator, t.Confidence = *by, model.BySource, "medium"
		t.Source.Port = 0
	}
	return t
}

// id is an observation's id: by what the listing says, not by where it lay.
func id(s *telemetry.Sighting) string {
	sum := sha256.Sum256([]byte("listing\x00" + identity.Bare(s.Host) + "\x00" + s.Path + "\x00" + key(s)))
	return "t-" + hex.EncodeToString(sum[:8])
}

func (f *finder) evidence(s *telemetry.Sighting) model.Evidence {
	return model.Evidence{Input: f.Inputs[s.Input], Kind: "event", Computer: s.Host, Channel: s.Stream, Line: int(s.Line), What: "file on the host"}
}

// same says whether two endpoints are known to be one host.
func (f *finder) same(a, b model.Endpoint, at model.Time) bool {
	same, known := f.Hosts.Same(a, b, at)
	return same && known
}

// installed says whether a file came together with many others.
func (f *finder) installed(s *telemetry.Sighting) bool {
	times := f.cameAt[f.bare(s.Host)]
	from := sort.Search(len(times), func(i int) bool { return times[i] >= s.Time-near })
	to := sort.Search(len(times), func(i int) bool { return times[i] > s.Time+near })
	return to-from > together
}

// sign gives the one host that did something on a file's host when the file came; of
// those that are named, if any are. nil is none, or several.
func (f *finder) sign(s *telemetry.Sighting, of ...model.Endpoint) *model.Endpoint {
	list := f.signs[f.bare(s.Host)]
	var from *model.Endpoint
	for i := sort.Search(len(list), func(i int) bool { return list[i].at >= s.Time-near }); i < len(list) && list[i].at <= s.Time+near; i++ {
		e := &list[i].from
		if f.same(*e, model.Endpoint{Host: s.Host}, s.Time) || len(of) > 0 && !slices.ContainsFunc(of, func(o model.Endpoint) bool { return f.same(*e, o, s.Time) }) {
			continue
		}
		if from != nil && !f.same(*from, *e, s.Time) {
			return nil
		}
		from = e
	}
	return from
}

// packaged says whether a path is one where software is installed.
func packaged(path string) bool {
	path = strings.ToLower(strings.ReplaceAll(path, `\`, "/"))
	return slices.ContainsFunc(homes[:], func(h string) bool { return strings.Contains(path, h) })
}

var homes = [...]string{"/program files/", "/program files (x86)/", "/windows/system32/", "/windows/syswow64/", "/windows/microsoft.net/", "/windows/systemapps/",
	"/programdata/package cache/", "/programdata/microsoft/", "/appdata/local/microsoft/", "/usr/bin/", "/usr/sbin/", "/usr/lib", "/usr/share/", "/opt/", "/applications/", "/library/", "/boot/"}
