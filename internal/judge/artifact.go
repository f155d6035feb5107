package judge

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"waybill/internal/model"
)

// contentKey is the strongest key of a transfer's content: its hash, the longest
// prefix hash with the size, another hash by a log's word, or name and size; "" when there is none.
func contentKey(t *model.Transfer) string {
	if h := contentHash(t); h != "" {
		return "sha256:" + h
	}
	if t.Size == nil || *t.Size == 0 {
		return ""
	}
	for _, n := range []string{"16777216", "1048576", "65536"} {
		if p := t.Prefix[n]; p != "" {
			return fmt.Sprintf("prefix:%s:%s:%d", n, p, *t.Size)
		}
	}
	for _, alg := range [...]string{"sha1", "md5"} {
		for _, h := range t.Hashes {
			if h.Alg == alg {
				return alg + ":" + h.Value
			}
		}
	}
	if t.Name == "" {
		return ""
	}
	return fmt.Sprintf("name:%s:%d", t.Name, *t.Size)
}

// contentHash is the SHA-256 of the content: computed, else by a log's word, which
// proves the content at that time.
func contentHash(t *model.Transfer) string {
	if t.SHA256 != "" {
		return t.SHA256
	}
	for _, h := range t.Hashes {
		if h.Alg == "sha256" {
			return h.Value
		}
	}
	return ""
}

// artifactID is the id of the content with that key.
func artifactID(key string) string { return digest("a-", key) }

func digest(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return kind + hex.EncodeToString(h.Sum(nil)[:8])
}

// artifacts gathers the contents that moved and the hosts that they were seen on.
func artifacts(transfers []*model.Transfer, listed []model.Listed) []*model.Artifact {
	byKey := map[string]*model.Artifact{}
	for _, t := range transfers {
		key := contentKey(t)
		if key == "" || t.Status != model.Done && t.Status != model.Interrupted {
			continue
		}
		a := byKey[key]
		if a == nil {
			a = &model.Artifact{Kind: "artifact", ID: artifactID(key), SHA256: contentHash(t), Prefix: t.Prefix, Size: t.Size, Type: t.Type, Names: []string{}}
			byKey[key] = a
		}
		sight(a, t)
	}
	for _, l := range listed {
		if a := byKey[contentKey(l.Of)]; a != nil {
			a.Sightings = append(a.Sightings, model.Sighting{Host: l.Host.Host, IP: l.Host.IP, Time: l.Time, How: "listed", Path: l.Path, Evidence: l.Evidence})
		}
	}
	out := make([]*model.Artifact, 0, len(byKey))
	for _, key := range sortedKeys(byKey) {
		a := byKey[key]
		slices.Sort(a.Names)
		slices.SortStableFunc(a.Sightings, func(x, y model.Sighting) int {
			return cmp.Or(cmp.Compare(since(x), since(y)), cmp.Compare(x.Transfer, y.Transfer), cmp.Compare(y.How, x.How), cmp.Compare(x.Host, y.Host), cmp.Compare(x.Path, y.Path))
		})
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *model.Artifact) int {
		return cmp.Or(cmp.Compare(a.Sightings[0].Time, b.Sightings[0].Time), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// since is when a sighting counts in the order of time: one without a time comes last.
func since(s model.Sighting) model.Time {
	if s.Time == 0 {
		return math.MaxInt64
	}
	return s.Time
}

// sight adds both ends of a transfer to an artifact.
func sight(a *model.Artifact, t *model.Transfer) {
	if t.Name != "" && !slices.Contains(a.Names, t.Name) {
		a.Names = append(a.Names, t.Name)
	}
	a.Type = cmp.Or(a.Type, t.Type)
	if t.Source.Name() != "" {
		a.Sightings = append(a.Sightings, model.Sighting{Host: t.Source.Host, IP: t.Source.IP, Time: t.Start, How: "sent", Transfer: t.ID})
	}
	a.Sightings = append(a.Sightings,
		model.Sighting{Host: t.Destination.Host, IP: t.Destination.IP, Time: t.End, How: "received", Transfer: t.ID})
}
