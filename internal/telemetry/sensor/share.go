package sensor

import (
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/webmedia"
)

// smbFile is what smb_files.log says of one file of a connection.
type smbFile struct {
	id, flow       string
	handle         string // of Suricata
	time           model.Time
	client, server model.Endpoint
	share, path    string
	earlier        []string
	size           int64
	read, written  bool
	deleted        model.Time
	evidence       []model.Evidence
	told           bool // by what counted its bytes
	said           bool
	claim          *model.Transfer // that was said before it was counted
}

const maxOpens = 512 // of a connection

// zeekSMBFile takes a row of smb_files.log: opened, read, written, renamed, deleted.
// It has no count of bytes: the size is that of the file when it was opened.
func (s *Sensors) zeekSMBFile(r *telemetry.Record) {
	f := s.flow(r)
	share, action := r.Get("path"), r.Get("action")
	x := s.opened(f, r, share, r.Get("name"))
	if x == nil {
		return
	}
	x.size = max(x.size, telemetry.Count(r.Get("size")))
	switch action {
	case "SMB::FILE_READ":
		x.read = true
	case "SMB::FILE_WRITE":
		x.written = true
	case "SMB::FILE_RENAME":
		x.renamed(f, r.Get("prev_name"))
	case "SMB::FILE_DELETE":
		x.deleted = r.Time
	}
	x.cite(s.evidence(r, "SMB "+strings.ToLower(strings.TrimPrefix(action, "SMB::"))))
}

// opened gives what is known of a file of a share, nil for folders and pipes.
func (s *Sensors) opened(f *flow, r *telemetry.Record, share, name string) *smbFile {
	path := strings.ReplaceAll(name, "/", `\`)
	if path == "" || path == "<share_root>" || strings.Contains(share, "IPC$") {
		return nil
	}
	x := f.smbFile(path)
	if x == nil || x.said {
		f.opens = slices.DeleteFunc(f.opens, func(o *smbFile) bool { return o == x })
		if len(f.opens) >= maxOpens {
			f.opens = f.opens[1:]
		}
		x = &smbFile{id: id("t", "smb", r.First("uid", "flow_id"), path, strconv.FormatInt(int64(r.Time), 10)), flow: f.id, time: r.Time, client: f.client, server: f.server,
			share: strings.Clone(share), path: strings.Clone(path), size: -1}
		f.opens = append(f.opens, x)
		s.hold(f)
		s.name(x)
	}
	if x.share == "" {
		x.share = strings.Clone(share)
	}
	return x
}

// renamed takes the name that the file had before. What was done under it is the
// same file's.
func (x *smbFile) renamed(f *flow, old string) {
	old = strings.ReplaceAll(old, "/", `\`)
	if old == "" || slices.Contains(x.earlier, old) || len(x.earlier) >= maxEvidence {
		return
	}
	x.earlier = append(x.earlier, strings.Clone(old))
	o := f.smbFile(old)
	if o == nil || o == x {
		return
	}
	for _, n := range o.earlier {
		if len(x.earlier) < maxEvidence && !slices.Contains(x.earlier, n) {
			x.earlier = append(x.earlier, n)
		}
	}
	x.read, x.written, x.size, x.time = x.read || o.read, x.written || o.written, max(x.size, o.size), min(x.time, o.time)
	for _, e := range o.evidence {
		x.cite(e)
	}
	o.told = true // the file speaks under its new name
	o.path = ""
}

func (x *smbFile) cite(e model.Evidence) {
	if len(x.evidence) < maxEvidence {
		x.evidence = append(x.evidence, e)
	}
}

func (f *flow) smbFile(path string) *smbFile {
	for _, x := range f.opens {
		if strings.EqualFold(x.path, path) {
			return x
		}
	}
	return nil
}

// describeSMB says in a movement what smb_files.log knows of it.
func (s *Sensors) describeSMB(t *model.Transfer, x *file) {
	t.Path = strings.ReplaceAll(x.name, "/", `\`)
	if t.Path == "" {
		return
	}
	for _, o := range x.flow.opens {
		if !strings.EqualFold(o.path, t.Path) && !slices.ContainsFunc(o.earlier, func(n string) bool { return strings.EqualFold(n, t.Path) }) {
			continue
		}
		o.told = true
		x.measure(t, o.size)
		o.describe(t)
		if o.claim != nil {
			s.taken[o.claim] = true
		}
		return
	}
}

// measure compares what was read with the size of the file when it was opened. A small
// part of a larger one is a peek (contract, "No transfer").
func (x *file) measure(t *model.Transfer, size int64) {
	if x.fromClient || size <= x.seen {
		return
	}
	whole := false
	t.Size, t.SensorComplete = &size, &whole
	if !x.lost {
		t.Notes = append(t.Notes, "the sensor saw "+strconv.FormatInt(x.seen, 10)+" bytes of it")
	}
	x.peek = x.seen <= webmedia.BigContent && x.seen < size/10
}

func (x *smbFile) describe(t *model.Transfer) {
	t.Share, t.Path = x.share, x.path
	t.Name = lastElement(x.path)
	for _, n := range x.earlier {
		if n = lastElement(n); n != t.Name && !slices.Contains(t.EarlierNames, n) {
			t.EarlierNames = append(t.EarlierNames, n)
		}
	}
	if x.deleted != 0 {
		t.Deleted = &model.Deleted{Time: x.deleted}
	}
	t.Evidence = append(t.Evidence, x.evidence...)
}

func lastElement(path string) string { return path[strings.LastIndexByte(path, '\\')+1:] }

// say gives what was read or written and has no row in files.log: a claim, since the
// sensor names requests and counts nothing.
func (x *smbFile) say(s *Sensors) {
	x.said = true
	if x.told || !x.read && !x.written || telemetry.ShellMetadata(lastElement(x.path)) {
		return
	}
	t := &model.Transfer{ID: x.id, Start: x.time, End: x.time, Source: x.server, Destination: x.client, Channel: "smb",
		Operation: model.Pull, Initiator: model.ByDestination, Status: model.Claimed, Reason: "the sensor names the request and counts no bytes"}
	if x.written {
		t.Source, t.Destination, t.Operation, t.Initiator = x.client, x.server, model.Push, model.BySource
	} else if x.size >= 0 {
		t.Size = &x.size
	}
	x.describe(t)
	s.said(t, s.known(x.flow), false)
	x.claim = t
}

// zeekMapping takes a row of smb_mapping.log.
func (s *Sensors) zeekMapping(r *telemetry.Record) {
	f := s.flow(r)
	if server, _, ok := strings.Cut(strings.TrimLeft(r.Get("path"), `\`), `\`); ok && f.auth == byKerberos && f.user == "" {
		s.ticketed(r, f, "cifs/"+server)
	}
	a := s.access(r, f, "share-connect", "smb")
	a.Share, a.Object = strings.Clone(r.Get("path")), strings.Clone(r.Get("share_type"))
	s.report(a)
}
