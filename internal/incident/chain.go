package incident

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"waybill/internal/model"
)

// chain is the findings of one incident, in the order of their starts.
type chain struct {
	known     *knowledge
	members   []*member
	strongest *member
	lead      string // to the origin
	moves     []move
	domain    string            // that most of its hosts are of; the narrative leaves it out
	artifacts []*model.Artifact // of the findings of worth
}

// move is a transfer of a chain.
type move struct {
	*model.Transfer
	content string // artifact, "" where it is not known
	had     *move  // how its sender came by it in this chain; nil where that is not shown

	from, to, by string // what its hosts are called in the narrative
	retold       bool   // an earlier move has described the file
	rehad        bool   // an earlier move has told how its sender came by it
}

func newChain(known *knowledge, members []*member) *chain {
	c := &chain{known: known, members: members}
	for _, m := range members {
		if c.strongest == nil || m.Score > c.strongest.Score {
			c.strongest = m
		}
		if m.core() {
			c.addArtifacts(m.Artifacts)
		}
		for _, t := range m.moves {
			if !m.tells(t) {
				continue
			}
			v := move{Transfer: t}
			if len(m.Artifacts) == 1 {
				v.content = m.Artifacts[0]
			}
			c.moves = append(c.moves, v)
		}
	}
	slices.SortFunc(c.moves, func(a, b move) int {
		return cmp.Or(cmp.Compare(begin(a.Transfer), begin(b.Transfer)), cmp.Compare(a.ID, b.ID))
	})
	c.moves = slices.CompactFunc(c.moves, func(a, b move) bool { return a.ID == b.ID })
	c.relays()
	c.names()
	c.lead = c.earliest()
	return c
}

// tells says whether a move is part of the story. What the host at work fetched in a weak
// finding is context: the finding is listed, and no more.
func (m *member) tells(t *model.Transfer) bool { return m.serious || t.Operation != model.Pull }

func (c *chain) addArtifacts(ids []string) {
	for _, id := range ids {
		if a := c.known.artifacts[id]; a != nil && !slices.Contains(c.artifacts, a) {
			c.artifacts = append(c.artifacts, a)
		}
	}
}

// relays notes which moves pass on what their sender had received before.
func (c *chain) relays() {
	first, told := map[[2]string]*move{}, map[*move]bool{} // by host and content
	for i := range c.moves {
		m := &c.moves[i]
		if m.content == "" || !landed(m.Transfer) {
			continue
		}
		m.had = first[[2]string{hostKey(m.Source), m.content}]
		m.rehad = told[m.had]
		told[m.had] = true
		at := [2]string{hostKey(m.Destination), m.content}
		if first[at] == nil {
			first[at] = m
		}
	}
}

// names says how the narrative calls hosts, and which move describes a file.
func (c *chain) names() {
	hosts, domains := map[string]bool{}, map[string]int{}
	for i := range c.moves {
		for _, e := range [...]model.Endpoint{c.moves[i].Source, c.moves[i].Destination, c.moves[i].Actor()} {
			if key := strings.ToLower(e.Host); !hosts[key] {
				hosts[key] = true
				_, domain, _ := strings.Cut(key, ".")
				domains[domain]++
			}
		}
	}
	for _, domain := range slices.Sorted(maps.Keys(domains)) {
		if domain != "" && domains[domain] > domains[c.domain] || c.domain == "" {
			c.domain = domain
		}
	}
	described := map[string]bool{}
	for i := range c.moves {
		m := &c.moves[i]
		m.from, m.to, m.by = c.call(m.Source), c.call(m.Destination), c.call(m.Actor())
		what := m.content + "\x00" + m.Name
		m.retold = described[what]
		described[what] = true
	}
}

// call is what the narrative calls a host.
func (c *chain) call(e model.Endpoint) string {
	bare, domain, _ := strings.Cut(e.Host, ".")
	if domain != "" && strings.EqualFold(domain, c.domain) {
		return bare
	}
	return name(e)
}

// The score of an incident is that of its strongest finding. A further one adds when it
// is independent, by another host and of another file: the first an eighth of its score,
// each next one half as much of its own, all together not more than furtherMost. More of
// the same adds nothing, or any software deployment would win (design, Scores).
const (
	furtherShare = 8
	furtherMost  = 3.0
)

// shares says what each finding gives to the score.
func (c *chain) shares() []model.Share {
	out := []model.Share{{Finding: c.strongest.ID, Nats: c.strongest.Score, Text: c.strongest.Title}}
	actors, artifacts := map[string]bool{c.strongest.actor: true}, map[string]bool{}
	for _, a := range c.strongest.Artifacts {
		artifacts[a] = true
	}
	left, share := furtherMost, 1.0/furtherShare
	for _, m := range c.byScore() {
		same := slices.ContainsFunc(m.Artifacts, func(a string) bool { return artifacts[a] })
		if m == c.strongest || !m.core() || same || m.actor == "" || actors[m.actor] {
			continue
		}
		nats := min(m.Score*share, left)
		if nats < 0.05 {
			break
		}
		out = append(out, model.Share{Finding: m.ID, Nats: nats, Text: "independent, another host and file: " + m.Title})
		left, share = left-nats, share/2
		actors[m.actor] = true
		for _, a := range m.Artifacts {
			artifacts[a] = true
		}
	}
	return out
}

// byScore gives the members, the strongest first.
func (c *chain) byScore() []*member {
	out := slices.Clone(c.members)
	slices.SortStableFunc(out, func(a, b *member) int { return cmp.Compare(b.Score, a.Score) })
	return out
}
