package sensor

import (
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// smbFile is what smb_files.log says of one file of a connection.
type smbFile struct {
	id, flow       string
	time           model.Time
	client, server model.Endpoint
	share, path    string
	earlier        []string
	size           int64
	read, written  bool
	deleted        model.Time
	evidence       []model.Evidence
	told           bool
}

const maxOpens = 512 // of a connection

// zeekSMBFile takes a row of smb_files.log: opened, read, written, renamed, deleted.
// It has no count of bytes: the size is that of the file when it was opened.
func (s *Sensors) zeekSMBFile(r *telemetry.Record) {
	f := s.flow(r)
	path := strings.ReplaceAll(r.Get("name"), "/", `\`)
	if path == "" || path == "<share_root>" || strings.Contains(r.Get("path"), "IPC$") {
		return
	}
	x := f.smbFile(path)
	if x == nil {
		if len(f.opens) >= maxOpens {
			f.opens = f.opens[1:]
		}
		x = &smbFile{id: id("t", "smb", r.Get("uid"), path), flow: f.id, time: r.Time, client: f.client, server: f.server,
			share: strings.Clone(r.Get("path")), path: strings.Clone(path), size: -1}
		f.opens = append(f.opens, x)
		s.named = append(s.named, x)
	}
	x.size = max(x.size, number(r.Get("size")))
	switch r.Get("action") {
	case "SMB::FILE_READ":
		x.read = true
	case "SMB::FILE_WRITE":
		x.written = true
	case "SMB::FILE_RENAME":
		if old := r.Get("prev_name"); old != "" && !slices.Contains(x.earlier, old) && len(x.earlier) < maxEvidence {
			x.earlier = append(x.earlier, strings.Clone(old))
			if o := f.smbFile(strings.ReplaceAll(old, "/", `\`)); o != nil {
				o.earlier, o.path = slices.Compact(append(o.earlier, o.path)), x.path
				x.told = true // the older one speaks for both
			}
		}
	case "SMB::FILE_DELETE":
		x.deleted = r.Time
	}
	if len(x.evidence) < maxEvidence {
		x.evidence = append(x.evidence, s.evidence(r, "SMB "+strings.ToLower(strings.TrimPrefix(r.Get("action"), "SMB::"))))
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
	e := s.flows[x.flow]
	if e == nil {
		return
	}
	for _, o := range e.Value.(*flow).opens {
		if !strings.EqualFold(o.path, t.Path) && !slices.ContainsFunc(o.earlier, func(n string) bool { return strings.EqualFold(n, t.Path) }) {
			continue
		}
		o.told = true
		o.describe(t)
		return
	}
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

func (x *smbFile) when() model.Time { return x.time }

// say gives what was read or written and has no row in files.log: a claim, since the
// sensor names requests and counts nothing.
func (x *smbFile) say(s *Sensors) {
	if x.told || !x.read && !x.written || shellMetadata(lastElement(x.path)) {
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
	s.said(t, x.flow, false)
}

// zeekMapping takes a row of smb_mapping.log.
func (s *Sensors) zeekMapping(r *telemetry.Record) {
	f := s.flow(r)
	a := s.access(r, f, "share-connect", "smb")
	a.Share, a.Object = strings.Clone(r.Get("path")), strings.Clone(r.Get("share_type"))
	s.report(a)
}
