package suricata

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"waybill/internal/model"
)

// sight is a transfer or an access as rules see it: with its ends, and what Suricata would
// remember of the flow and of the two hosts.
type sight struct {
	t *model.Transfer // nil for an access
	a *model.Access   // nil for a transfer

	client, server model.Endpoint
	home           []netip.Prefix
	flow           *flow
	pair           *pair
}

// flow is what rules remember of a connection (flowbits).
type flow struct {
	admin, wrote bool
	bound        map[string]bool // interfaces that calls went to
	shown        map[string]bool // keys of rules that look once
}

// once says whether a rule looks at the flow for the first time.
func (f *flow) once(key string) bool {
	first := !f.shown[key]
	f.shown[key] = true
	return first
}

// pair is what rules remember of two hosts (xbits).
type pair struct {
	wrote model.Time
	ever  bool
}

func (p *pair) lately(now model.Time) bool {
	return p.ever && now-p.wrote < model.Time(3600e9)
}

func (s *sight) time() model.Time {
	if s.t != nil {
		return max(s.t.Start, s.t.End)
	}
	return s.a.Time
}

// between says whether the client is of one set and the server of another.
func (s *sight) between(from, to set) bool {
	return from.holds(s.client.IP.Netip(), s.home) && to.holds(s.server.IP.Netip(), s.home)
}

// inside says whether both ends are in HOME_NET.
func (s *sight) inside() bool { return s.between(set{home: true}, set{home: true}) }

func (s *sight) transport() string {
	channel := ""
	if s.t != nil {
		channel = s.t.Channel
	} else {
		channel = s.a.Channel
	}
	if channel == "udp" || channel == "tftp" {
		return "udp"
	}
	return "tcp"
}

// carried says whether bytes of a file went over the wire in clear.
func (s *sight) carried() bool {
	if s.t == nil || s.t.Completeness == model.Opaque || s.t.Completeness == model.Inferred {
		return false
	}
	if s.t.Session != nil && s.t.Session.Encrypted {
		return false
	}
	return s.t.BytesSeen != nil && *s.t.BytesSeen > 0 || s.t.Completeness == model.Logged && s.t.Status == model.Done
}

// withFiles are the families of channels that Suricata finds files in ("File Extraction").
var withFiles = []string{"smb", "http", "ftp", "nfs"}

// moved says whether a file moved in a protocol that Suricata finds files in.
func (s *sight) moved() bool {
	return s.carried() && slices.Contains(withFiles, model.ChannelFamily(s.t.Channel)) && s.transport() == "tcp"
}

// pushed says whether a client wrote a file over SMB.
func (s *sight) pushed() bool {
	return s.moved() && model.ChannelFamily(s.t.Channel) == "smb" && s.t.Initiator == model.BySource
}

// wrote remembers that the flow wrote a program. It is always true.
func (s *sight) wrote() bool {
	s.flow.wrote = true
	s.pair.ever, s.pair.wrote = true, s.time()
	return true
}

// names are those that Suricata has for the file: as it was opened, before it was renamed.
func (s *sight) names() []string {
	out := s.t.EarlierNames
	if len(out) == 0 {
		out = []string{s.t.Name, s.t.Path, s.t.DispositionName}
	}
	return slices.DeleteFunc(slices.Clone(out), func(n string) bool { return n == "" })
}

func (s *sight) named(e *regexp.Regexp) bool { return slices.ContainsFunc(s.names(), e.MatchString) }

// digest is the hash of the content, "" where it is not known.
func (s *sight) digest(alg string) string {
	switch {
	case alg == "sha256" && s.t.SHA256 != "":
		return s.t.SHA256
	case alg == "md5" && s.t.MD5 != "":
		return s.t.MD5
	case alg == "sha1" && s.t.SHA1 != "":
		return s.t.SHA1
	}
	for _, h := range s.t.Hashes {
		if strings.EqualFold(h.Alg, alg) {
			return strings.ToLower(h.Value)
		}
	}
	return ""
}
