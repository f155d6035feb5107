package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"waybill/internal/model"
)

// Truth is what a script did, in the order in which it was done.
type Truth struct {
	Moved   []Moved
	Started []Started
	Seen    []Seen
	Leases  []Leased
}

// Leased is an address that was a card's for a time.
type Leased struct {
	Addr        model.Addr
	MAC, Host   string
	Start, Ends model.Time
}

// Moved is one transfer that a reader of the whole capture must find, in the
// words of the contract's record.
type Moved struct {
	Source, Destination model.Addr
	Operation           string // push, pull or copy
	Channel             string
	Share, Path, Name   string
	Size                int64
	SHA256              string // "" when no content moved
	User, Domain        string
	Status              string // done, denied, ...
	Completeness        string // whole, partial, opaque, inferred
	// Ports are those of client and server, End is when it was over: what a sensor sees
	// of it, where the script says it.
	Ports [2]uint16
	End   model.Time
	// Quiet says that the default print rules leave it out: a page part.
	Quiet bool
}

// Seen is an access that a reader of the whole capture must find, in the words of
// the contract's record. Fields that are empty may be anything; Detail is a part of
// the record's.
type Seen struct {
	Source, Destination model.Addr
	What, Channel       string
	Object, Command     string
	Detail, User        string
	Status              string
	MAC, Host           string // of the source
}

// Started is one service that was created with a command and started.
type Started struct {
	Source, Destination model.Addr
	Service, Command    string
	User                string
}

// Whole gives the files that moved whole and are printed by default.
func (t Truth) Whole() []Moved {
	var out []Moved
	for _, m := range t.Moved {
		if m.Completeness == model.Whole && !m.Quiet {
			out = append(out, m)
		}
	}
	return out
}

// renamed gives what moved under a path a new one.
func (t Truth) renamed(channel, share, from, to string) {
	for i := range t.Moved {
		if m := &t.Moved[i]; m.Channel == channel && m.Share == share && m.Path == from {
			m.Path, m.Name = to, lastElement(to)
		}
	}
}

// on says which connection carried the content, until now.
func (m Moved) on(c *Conn) Moved {
	m.Ports, m.End = [2]uint16{c.ends[Client].port, c.ends[Server].port}, c.net.Now
	return m
}

// pulled begins the truth of content that went from a server to its client.
func pulled(client, server *Host, channel, path string, content []byte) Moved {
	return moved(server, client, model.Pull, channel, path, content)
}

// pushed begins the truth of content that went from a client to its server.
func pushed(client, server *Host, channel, path string, content []byte) Moved {
	return moved(client, server, model.Push, channel, path, content)
}

func moved(source, destination *Host, operation, channel, path string, content []byte) Moved {
	return Moved{
		Source: source.Model(), Destination: destination.Model(),
		Operation: operation, Channel: channel, Path: path, Name: lastElement(path),
		Size: int64(len(content)), SHA256: hashOf(content),
		Status: model.Done, Completeness: model.Whole,
	}
}

// sealed begins the truth of content that crossed in an encrypted session: what is
// known of it is how much there was.
func sealed(from, to *Host, operation, channel string, size int) Moved {
	return Moved{
		Source: from.Model(), Destination: to.Model(), Operation: operation, Channel: channel,
		Size: int64(size), Status: model.Done, Completeness: model.Opaque,
	}
}

// seen adds an access of a client at a server to the truth.
func (n *Net) seen(client, server *Host, s Seen) {
	s.Source, s.Destination = client.Model(), server.Model()
	n.Truth.Seen = append(n.Truth.Seen, s)
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// lastElement is the name at the end of a path with either slash.
func lastElement(path string) string {
	return path[strings.LastIndexAny(path, `\/`)+1:]
}
