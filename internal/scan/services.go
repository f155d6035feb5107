package scan

import (
	"waybill/internal/cloudsync"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/dropbox"
)

// services tells which connections go to services that keep folders the same on many
// hosts, and which are between such hosts.
type services struct {
	o       *Options
	answers map[lookup][]*wire.Access
	lan     map[wire.AddrPort]bool // where hosts announced that they serve folders
	moved   []cloudsync.Movement
}

// lookup is an address that a host got for some name.
type lookup struct{ asker, got model.Addr }

func (p *pipeline) services() *services {
	s := &services{o: &p.o, answers: map[lookup][]*wire.Access{}, lan: map[wire.AddrPort]bool{}}
	for _, a := range p.accesses {
		switch a.What {
		case "name-answer":
			for _, ip := range a.Answers {
				k := lookup{a.Source.IP, ip}
				s.answers[k] = append(s.answers[k], a)
			}
		case "sync-announce":
			s.lan[wire.AddrPort{Addr: a.Source.IP, Port: a.Source.Port}] = true
		}
	}
	return s
}

// ends gives the client and the server of a record.
func ends(rec *model.Transfer) (client, server model.Endpoint) {
	if rec.Initiator == model.ByDestination {
		return rec.Destination, rec.Source
	}
	return rec.Source, rec.Destination
}

// encrypted says whether a record is a TLS connection or its like.
func encrypted(rec *model.Transfer) bool {
	return rec.Completeness == model.Opaque && (rec.Channel == "tcp" || rec.Channel == "udp") && rec.Session != nil && rec.Session.Encrypted
}

// local marks a connection between inside hosts that Dropbox's LAN sync made: to
// where the server announced it, or to its usual port.
func (s *services) local(rec *model.Transfer) {
	_, server := ends(rec)
	if !encrypted(rec) || rec.Channel != "tcp" || rec.Scope != model.ScopeInternal {
		return
	}
	switch {
	case s.lan[wire.AddrPort{Addr: server.IP, Port: server.Port}]:
		rec.Channel, rec.Reason = "sync-folder", "encrypted: Dropbox LAN sync, which the server announced"
	case server.Port == dropbox.Port:
		rec.Channel, rec.Reason = "sync-folder", "encrypted: Dropbox LAN sync by its port, no announcement was captured"
	}
}

// note keeps what a host inside moved to or from a service outside, also through a
// proxy inside.
func (s *services) note(t *wire.Transfer, rec *model.Transfer, evidence func(*wire.Packets, string) []model.Evidence) {
	if len(t.Bursts) == 0 || !encrypted(rec) {
		return
	}
	client, server := ends(rec)
	if !s.o.inside(client, nil) || s.o.inside(server, nil) && !t.PagePart {
		return
	}
	name, known := s.nameOf(rec, client, server)
	service := cloudsync.Of(name)
	if service == "" {
		return
	}
	side := 0
	if e := t.Conns[0].Ends[1]; e.Addr == client.IP && e.Port == client.Port {
		side = 1
	}
	for i := range t.Bursts {
		b := &t.Bursts[i]
		s.moved = append(s.moved, cloudsync.Movement{ID: rec.ID, Part: i, Flows: rec.CommunityID, Host: model.Endpoint{IP: client.IP}, Service: service, Server: name, Known: known,
			Start: b.Start, End: b.End, Up: b.Content[side], Down: b.Content[1-side], Evidence: evidence(&b.Seen, t.What+" to "+service)})
	}
}

// nameOf is a server's name: as the client's hello asks for it, else on the server's
// certificate, else as the client looked it up.
func (s *services) nameOf(rec *model.Transfer, client, server model.Endpoint) (name, known string) {
	switch {
	case rec.Session.SNI != "":
		return rec.Session.SNI, ""
	case rec.Session.Certificate != "":
		return rec.Session.Certificate, "named by its certificate"
	}
	return s.lookedUp(client, server, rec.Start), "named by DNS"
}

// stale is how long after its time to live an address may still be used for a new
// connection: programs keep addresses.
const stale model.Time = 600e9

// lookedUp is the name for which a host got an address, as long as the answer holds.
// Where it got one address for names of several services, or of none, it is unknown.
func (s *services) lookedUp(client, server model.Endpoint, at model.Time) string {
	name := ""
	for _, a := range s.answers[lookup{client.IP, server.IP}] {
		if a.Time > at || at > a.Until+stale {
			continue
		}
		if service := cloudsync.Of(a.Object); service == "" || name != "" && service != cloudsync.Of(name) {
			return ""
		}
		name = a.Object
	}
	return name
}

// relays are the files that seem to have gone from host to host through a service.
func (s *services) relays() []*model.Transfer {
	var out []*model.Transfer
	for _, r := range cloudsync.Relays(s.moved) {
		rec := r.Transfer()
		rec.Kind = "transfer"
		rec.Scope = s.o.scope(rec, nil)
		rec.Techniques = techniques(rec)
		if s.o.inTime(rec.Start, rec.End) {
			out = append(out, rec)
		}
	}
	return out
}
