package scan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/winhost"
	"waybill/internal/wire"
)

// records turns what the decoders left into records, in their order.
func (p *pipeline) records() *Records {
	r := &Records{}
	r.Summary.LeftOut = map[string]int64{}
	services := p.services()
	for _, t := range p.transfers {
		rec := p.transfer(t)
		services.local(rec)
		services.note(t, rec, p.evidence)
		if why := p.leaveOut(t, rec); why != "" {
			r.Summary.LeftOut[why]++
			continue
		}
		r.Transfers = append(r.Transfers, rec)
	}
	r.Transfers = append(r.Transfers, services.relays()...)
	for _, a := range p.accesses {
		r.Accesses = append(r.Accesses, p.access(a))
	}
	r.sort()
	return r
}

// sort puts the records in their order.
func (r *Records) sort() {
	slices.SortStableFunc(r.Transfers, func(a, b *model.Transfer) int {
		return cmp.Or(cmp.Compare(cmp.Or(a.Start, a.End), cmp.Or(b.Start, b.End)), cmp.Compare(a.ID, b.ID), cmp.Compare(a.End, b.End))
	})
	slices.SortStableFunc(r.Accesses, func(a, b *model.Access) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID))
	})
}

// transfer completes a transfer's record with what its content turned out to be.
func (p *pipeline) transfer(t *wire.Transfer) *model.Transfer {
	rec := t.Transfer
	rec.Kind = "transfer"
	if t.Content != nil {
		fillContent(&rec, t.Content.Result())
	}
	if rec.Completeness == "" {
		rec.Completeness = model.Partial
	}
	p.noteConflicts(t, &rec)
	rec.Scope = p.o.scope(&rec, nil)
	rec.Techniques = techniques(&rec)
	rec.CommunityID = communityIDs(t.Conns)
	rec.Evidence = p.evidence(&t.Seen, t.What)
	return &rec
}

// fillContent fills in what the content decides. What the decoder set, stands.
func fillContent(rec *model.Transfer, c content.Result) {
	if rec.Size == nil {
		rec.Size = &c.Size
	}
	if rec.BytesSeen == nil {
		rec.BytesSeen = &c.Seen
	}
	if rec.Type == "" {
		rec.Type = c.Type
	}
	rec.Notes = append(rec.Notes, c.Notes...)
	if len(c.Prefix) > 0 {
		rec.Prefix = c.Prefix
	}
	if rec.Completeness != "" {
		return
	}
	if !c.Whole {
		rec.Completeness = model.Partial
		rec.Reason = cmp.Or(rec.Reason, c.Reason)
		return
	}
	rec.Completeness = model.Whole
	rec.SHA256, rec.MD5, rec.SHA1 = c.SHA256, c.MD5, c.SHA1
}

// noteConflicts notes bytes that were seen in differing copies while the
// transfer went on. Where the copy that counted is known to be the wrong one,
// the transfer is not whole.
func (p *pipeline) noteConflicts(t *wire.Transfer, rec *model.Transfer) {
	for _, c := range t.Conns {
		at := c.ConflictAt
		if c.Conflicts == [2]int64{} || at.Time < rec.Start {
			continue
		}
		note := fmt.Sprintf("conflicting bytes at packet %d", at.Packet)
		if !slices.Contains(rec.Notes, note) {
			rec.Notes = append(rec.Notes, note)
		}
		if c.Corrupt && rec.Completeness == model.Whole {
			rec.Completeness, rec.SHA256, rec.MD5, rec.SHA1 = model.Partial, "", "", ""
			rec.Reason = "a copy with a wrong checksum came first: " + note
		}
	}
}

// techniques names what a movement is by itself (contract, techniques): T1570
// between hosts inside, T1105 from outside, T1039 for documents read from a share.
func techniques(rec *model.Transfer) []string {
	switch {
	case rec.Status == model.Denied || rec.Status == model.Failed:
		return nil
	case rec.Scope == model.ScopeInbound:
		return []string{"T1105"}
	case rec.Scope != model.ScopeInternal || rec.Source.IP == rec.Destination.IP:
		return nil
	case rec.Operation == model.Pull && strings.HasPrefix(rec.Channel, "smb") && document(rec.Type):
		return []string{"T1039"}
	}
	return []string{"T1570"}
}

// document says whether content of a type is something that people write.
func document(typ string) bool {
	switch typ {
	case "office", "pdf", "text", "image", "audio", "video", "database":
		return true
	}
	return false
}

// scope says which ends are inside. ours are the names of hosts whose logs were
// read, and of their domains.
func (o *Options) scope(t *model.Transfer, ours map[string]bool) string {
	in, out := o.inside(t.Source, ours), o.inside(t.Destination, ours)
	switch {
	case in && out:
		return model.ScopeInternal
	case out:
		return model.ScopeInbound
	case in:
		return model.ScopeOutbound
	}
	return model.ScopeExternal
}

// inside: a host whose logs were read is inside whatever its address. Another one
// of which only a name is known, or nothing, is taken for inside unless it bears
// a name of the Internet.
func (o *Options) inside(e model.Endpoint, ours map[string]bool) bool {
	name := strings.ToLower(e.Host)
	_, domain, _ := strings.Cut(name, ".")
	if name != "" && (ours[name] || ours[domain]) {
		return true
	}
	if !e.IP.Known() {
		return !public(name)
	}
	ip := e.IP.Netip()
	return slices.ContainsFunc(o.Internal, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// public says whether a host name is one of the Internet.
func public(name string) bool {
	if !strings.Contains(name, ".") {
		return false
	}
	suffix, icann := publicsuffix.PublicSuffix(strings.TrimSuffix(name, "."))
	return icann || strings.Contains(suffix, ".") // the rest are no suffixes of the list
}

// leaveOut says why a transfer is not printed, "" when it is.
func (p *pipeline) leaveOut(t *wire.Transfer, rec *model.Transfer) string {
	return p.o.leaveOut(rec, t.PagePart)
}

// What most of what is left out is.
const (
	webOutside = "web traffic with the outside (--all prints it)"
	pageParts  = "page parts and API chatter (--all prints them)"
)

// leaveOut says why a record is not printed, "" when it is.
func (o *Options) leaveOut(rec *model.Transfer, pagePart bool) string {
	hidden := rec.Completeness == model.Opaque && (rec.Channel == "tcp" || rec.Channel == "udp")
	if o.All || !hidden && rec.Channel != "bits" && rec.Channel != "http" && rec.Channel != "webdav" {
		return ""
	}
	switch {
	case rec.Scope != model.ScopeInternal && hidden:
		return "encrypted connections with the outside (--all prints them)"
	case hidden && pagePart:
		return "encrypted connections through a proxy (--all prints them)"
	case rec.Scope != model.ScopeInternal:
		return webOutside
	case pagePart:
		return pageParts
	}
	return ""
}

func (o *Options) inTime(start, end model.Time) bool {
	return (o.From == 0 || max(start, end) >= o.From) && (o.To == 0 || start <= o.To)
}

func (p *pipeline) access(a *wire.Access) *model.Access {
	rec := a.Access
	rec.Kind = "access"
	rec.Command = cmdline.Redact(rec.Command)
	if rec.What == "pipe-open" && rec.Detail == "" {
		rec.Detail = winhost.RemotePipe(rec.Object)
	}
	rec.Evidence = p.evidence(&a.Seen, rec.What)
	return &rec
}

// evidence names the packets by their inputs.
func (p *pipeline) evidence(seen *wire.Packets, what string) []model.Evidence {
	out := []model.Evidence{}
	for _, s := range seen.Spans() {
		out = append(out, model.Evidence{Input: p.sources[s.Input].in.Name, Kind: "packets",
			Packets: &[2]uint64{s.First, s.Last}, What: what})
	}
	slices.SortFunc(out, func(a, b model.Evidence) int { return cmp.Compare(a.Input, b.Input) })
	return out
}

func communityIDs(conns []*wire.Conn) []string {
	var ids []string
	for _, c := range conns {
		proto := uint8(packet.TCP)
		if c.UDP {
			proto = packet.UDP
		}
		id := packet.CommunityID(proto, c.Ends[0].Addr, c.Ends[1].Addr, c.Ends[0].Port, c.Ends[1].Port)
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
