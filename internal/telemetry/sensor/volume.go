package sensor

import (
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// What tells an SSH session that moved a file from one at a terminal, by the volumes of a
// connection alone.
const (
	volumeFrom  = 16 << 10 // contract, transfer: opaque
	oneWay      = 8        // times what went the other way
	fullSegment = 700      // bytes a packet: those of a terminal are far smaller
	sessionCost = 4 << 10  // what a key exchange and a login take, a side
)

// zeekVolume takes what an SSH session moved in its heavier direction for one opaque
// movement, where sizes are those of a file. Of what went on inside a row of conn.log tells nothing.
func (s *Sensors) zeekVolume(r *telemetry.Record, f *flow) {
	if !strings.Contains(r.Get("service"), "ssh") || f.id == "" {
		return
	}
	up, down := volumeOf(r, "orig_bytes", "orig_pkts"), volumeOf(r, "resp_bytes", "resp_pkts")
	t := &model.Transfer{ID: id("t", "ssh-volume", r.Get("uid")), Start: r.Time, End: r.Time + seconds(r.Get("duration")), Channel: "ssh",
		Source: f.server, Destination: f.client, Operation: model.Pull, Initiator: model.ByDestination, Reason: "encrypted; sizes are those of a file fetched",
		Confidence: "medium", Session: &model.Session{Encrypted: true, Channels: 1}, Evidence: []model.Evidence{s.evidence(r, "SSH session")}}
	heavy, light := down, up
	if up.bytes > down.bytes {
		heavy, light = up, down
		t.Source, t.Destination, t.Operation, t.Initiator = f.client, f.server, model.Push, model.BySource
		t.Reason = "encrypted; sizes are those of a file sent"
	}
	if heavy.bytes < volumeFrom || light.bytes > heavy.bytes/oneWay || heavy.packets > 0 && heavy.bytes/heavy.packets < fullSegment {
		return
	}
	n := heavy.bytes - sessionCost
	t.Estimate = &model.Estimate{Size: n - n/300, Low: max(0, n-n/40), High: heavy.bytes}
	t.BytesSeen = new(int64)
	s.said(t, f, false)
	t.Completeness = model.Opaque
}

// volume is what one side of a connection sent.
type volume struct{ bytes, packets int64 }

func volumeOf(r *telemetry.Record, bytes, packets string) volume {
	return volume{max(0, telemetry.Count(r.Get(bytes))), max(0, telemetry.Count(r.Get(packets)))}
}

// mostSeconds bounds how long a connection is believed to last.
const mostSeconds = 30 * 24 * 3600

// seconds reads a time span; 0 when there is none.
func seconds(text string) model.Time {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0 && n < mostSeconds) {
		return 0
	}
	return model.Time(n * 1e9)
}
