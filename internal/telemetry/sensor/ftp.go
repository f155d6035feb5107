package sensor

import (
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// ftp is one command that moves a file (Zeek's ftp.log, Suricata's ftp).
type ftp struct {
	id, flow, key  string
	time           model.Time
	client, server model.Endpoint
	upload         bool
	path           string
	size           int64
	reply          int64
	user           string
	evidence       []model.Evidence
	told           bool
}

func (s *Sensors) zeekFTP(r *telemetry.Record) {
	f := s.flow(r)
	command := r.Get("command")
	if user := r.Get("user"); user != "" && user != "<unknown>" {
		f.user, f.auth = strings.Clone(user), "ftp"
	}
	upload := command == "STOR" || command == "APPE" || command == "STOU"
	if !upload && command != "RETR" {
		return
	}
	c := &ftp{id: id("t", "ftp", r.Get("uid"), r.Get("fuid"), command, r.Get("arg"), strconv.FormatInt(int64(r.Time), 10)), flow: f.id, key: strings.Clone(r.Get("fuid")),
		time: r.Time, client: f.client, server: f.server, upload: upload, path: ftpPath(r.Get("arg")), size: telemetry.Count(r.Get("file_size")),
		reply: telemetry.Count(r.Get("reply_code")), user: f.user, evidence: []model.Evidence{s.evidence(r, "FTP "+command)}}
	s.ordered(c)
}

// ordered keeps a command for the data connection that carries it out.
func (s *Sensors) ordered(c *ftp) {
	all := s.ftps[c.key]
	if slices.ContainsFunc(all, func(old *ftp) bool { return old.id == c.id }) {
		return // the same row in another file
	}
	if c.key != "" && len(s.ftps) < maxFacts && len(all) < maxOpens {
		s.ftps[c.key] = append(all, c)
	}
	s.name(c)
}

// order gives the first command under a key that nothing carried out yet.
func (s *Sensors) order(key string) *ftp {
	for _, c := range s.ftps[key] {
		if !c.told {
			return c
		}
	}
	return nil
}

// forget takes the command out of the table in which its data connection looks for it.
func (c *ftp) forget(s *Sensors) {
	all := slices.DeleteFunc(s.ftps[c.key], func(o *ftp) bool { return o == c })
	if s.ftps[c.key] = all; len(all) == 0 {
		delete(s.ftps, c.key)
	}
}

// ftpPath is the path in what Zeek makes of an argument: a URL of the server.
func ftpPath(arg string) string {
	if rest, ok := strings.CutPrefix(arg, "ftp://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return strings.Clone(rest[i+1:])
		}
	}
	return strings.Clone(arg)
}

func (c *ftp) describe(t *model.Transfer) {
	t.Path, t.Name = c.path, c.path[strings.LastIndexByte(c.path, '/')+1:]
	t.User, t.Start = c.user, min(t.Start, c.time)
	if c.user != "" {
		t.Auth = "ftp"
	}
	// The data connection may have been opened by the server.
	t.Source, t.Destination, t.Operation, t.Initiator = c.server, c.client, model.Pull, model.ByDestination
	if c.upload {
		t.Source, t.Destination, t.Operation, t.Initiator = c.client, c.server, model.Push, model.BySource
	}
	t.Evidence = append(t.Evidence, c.evidence...)
}

// say gives a command that the server confirmed and of which no files.log is there.
func (c *ftp) say(s *Sensors) {
	c.forget(s)
	if c.told || c.reply/100 != 2 {
		return
	}
	t := &model.Transfer{ID: c.id, Start: c.time, End: c.time, Channel: "ftp"}
	if c.size >= 0 {
		t.Size = &c.size
	}
	c.describe(t)
	s.said(t, s.known(c.flow), false)
}
