package rdp

import (
	"fmt"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// session reports the session.
func (d *conn) session() {
	client, server := d.ends()
	a := &wire.Access{Conn: d.wire, Seen: d.seen}
	a.ID = wire.ID("a", channel, d.wire, d.from, d.first, 0, []byte("rdp-session")...)
	a.Time, a.What, a.Channel = d.start, "rdp-session", channel
	a.Source, a.Destination = client.Endpoint(), server.Endpoint()
	a.User, a.Object = d.cookie, d.name
	var detail []string
	add := func(when bool, text string) {
		if when {
			detail = append(detail, text)
		}
	}
	add(d.name != "", fmt.Sprintf("client name %s, build %d", d.name, d.build))
	add(!strings.HasPrefix(d.security, d.asked), "asked for "+d.asked)
	add(d.security != "", d.security)
	add(len(d.channels) > 0, "channels "+strings.Join(d.channels, " "))
	if d.drives != nil {
		add(len(d.drives.devices) > 0, "redirected "+d.drives.names())
	}
	up, down := d.sides()
	add(true, fmt.Sprintf("%d bytes sent, %d received", up.total, down.total))
	a.Detail = strings.Join(detail, ", ")
	d.p.env.Access(a)
}

// bulk is what of an encrypted direction looks like a copy.
type bulk struct {
	estimate   model.Estimate
	reason     string
	confidence string
}

// copyLeast is the least of a bulk: cards and certificates that a client sends
// are smaller.
const copyLeast = 32 << 10

// bulkOf says what of a side is a copy; nil when there is no sign of one.
func bulkOf(h *half, up bool) *bulk {
	h.volume.endRow()
	v := &h.volume
	switch {
	case h.moved >= opaqueFrom: // standard security leaves the channel's number in clear
		return &bulk{model.Estimate{Size: h.moved, Low: h.moved - h.moved/20, High: h.moved},
			"encrypted; on the channels of clipboard and redirected drives", "medium"}
	case up && v.carried-v.sound >= copyLeast:
		n := v.carried - v.sound
		return &bulk{model.Estimate{Size: n, Low: n - n/20, High: v.carried + h.volume.largest},
			"encrypted; the client sent full pieces of a channel, which keys, pointer and sound are not", "low"}
	case !up && v.alike >= opaqueFrom:
		return &bulk{model.Estimate{Size: v.alike, Low: v.alike - v.alike/20, High: max(v.alike, v.carried-v.sound)},
			fmt.Sprintf("encrypted; %d messages of one length in rows, the largest of %d bytes, as copies are and screens are not", v.units, v.largest), "low"}
	}
	return nil
}

// opaque reports what an encrypted session moved: each direction that looks like a
// copy, else the heavier one, in which no file need be.
func (d *conn) opaque(up, down *half) {
	sent, got := bulkOf(up, true), bulkOf(down, false)
	if sent == nil && got == nil && max(up.total, down.total) >= opaqueFrom {
		sent, got = heavier(up, down)
	}
	if sent != nil {
		d.emitOpaque(up, sent, true)
	}
	if got != nil {
		d.emitOpaque(down, got, false)
	}
}

// heavier is the bulk of a session without a sign of a copy. A client that sends
// more than it gets sends something else than keys; what it gets must be seen for that.
func heavier(up, down *half) (sent, got *bulk) {
	if up.total <= down.total {
		return nil, &bulk{model.Estimate{Size: down.total, High: down.total}, "encrypted; screens alone can be this much", "low"}
	}
	b := &bulk{model.Estimate{Size: up.large, High: up.total}, "encrypted; small messages and sound alone can be this much", "low"}
	if large := up.large - up.volume.sound - up.volume.sound/20; large > copyLeast && down.total > down.lost {
		b.estimate.Low = max(0, min(up.total-down.total, large))
		b.reason = "encrypted; more was sent than received, as keys and pointer are not"
	}
	return b, nil
}

func (d *conn) emitOpaque(h *half, b *bulk, up bool) {
	client, server := d.ends()
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}, Seen: d.seen, What: "RDP session"}
	t.Source, t.Destination, t.Operation, t.Initiator = server.Endpoint(), client.Endpoint(), model.Pull, model.ByDestination
	ordinal := 0
	if up {
		t.Source, t.Destination, t.Operation, t.Initiator = client.Endpoint(), server.Endpoint(), model.Push, model.BySource
		ordinal = 1
	}
	t.ID = wire.ID("t", channel, d.wire, d.from, d.first, ordinal)
	t.Start, t.End, t.Channel = d.start, d.end, channel
	t.Completeness, t.Status, t.Confidence, t.Reason = model.Opaque, model.Done, b.confidence, b.reason
	t.BytesSeen = new(int64)
	t.Estimate = &b.estimate
	t.User = d.cookie
	t.Session = &model.Session{Encrypted: true, Dialect: d.security, Workstation: d.name, Channels: 1}
	if h.lost > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d bytes of it were not captured", h.lost))
	}
	d.p.env.Transfer(t)
}

// moved starts the transfer of a file that a side gave.
func (d *conn) moved(from wire.Side, path string, seq uint32, ordinal int) *wire.Transfer {
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}}
	t.ID = wire.ID("t", channel, d.wire, from, seq, ordinal, []byte(path)...)
	t.Channel, t.Path, t.Name, t.Status = channel, path, fileshare.LastElement(path), model.Done
	t.Source, t.Destination = d.wire.Ends[from].Endpoint(), d.wire.Ends[from.Other()].Endpoint()
	t.Operation, t.Initiator = model.Push, model.BySource
	if int(from) != d.client {
		t.Operation, t.Initiator = model.Pull, model.ByDestination
	}
	t.User = d.cookie
	t.Session = &model.Session{Dialect: d.security, Workstation: d.name, Channels: 1}
	return t
}
