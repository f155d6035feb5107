package ledger

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// Start is the start or load of a program on a host.
type Start struct {
	Host  model.Endpoint
	Image string
	model.Execution
}

// Confirm takes the claims for done that reads of the source's share agree with:
// the file of that name, by the destination, at that time.
func Confirm(all []*model.Transfer, reads []*model.Access, hosts *identity.Table) {
	(*Clocks)(nil).Confirm(all, reads, hosts)
}

// Confirm is the same by what is known of clocks.
func (c *Clocks) Confirm(all []*model.Transfer, reads []*model.Access, hosts *identity.Table) {
	byName := newByEnd(hosts)
	for i, a := range reads {
		byName.add(lastPart(strings.ToLower(a.Object)), &a.Source, i)
	}
	for _, t := range all {
		if t.Status != model.Claimed && (t.Status != model.Done || t.User != "") || t.Operation != model.Pull || model.ChannelFamily(t.Channel) != "smb" {
			continue
		}
		path := strings.ToLower(strings.Trim(t.Path, `\`))
		first := len(reads)
		for i := range byName.all(lastPart(path), &t.Destination) {
			if i < first && c.agrees(reads[i], t, path, hosts) {
				first = i
			}
		}
		if first < len(reads) {
			confirm(t, reads[first])
		}
	}
}

// lastPart is the name in a path.
func lastPart(path string) string { return path[strings.LastIndexByte(path, '\\')+1:] }

// agrees says whether a read is that of a pull.
func (c *Clocks) agrees(a *model.Access, t *model.Transfer, path string, hosts *identity.Table) bool {
	at := a.Time + c.shift(a.Evidence) - c.shift(t.Evidence)
	if max(at-t.End, t.Start-at) > Slack || !strings.EqualFold(strings.Trim(a.Object, `\`), path) {
		return false
	}
	src, _ := hosts.Same(t.Source, a.Destination, a.Time)
	dst, known := hosts.Same(t.Destination, a.Source, a.Time)
	return (src || byDomain(t, a)) && dst && known
}

// confirm takes into a pull what the server's log says of it.
func confirm(t *model.Transfer, a *model.Access) {
	if t.Status == model.Claimed {
		t.Status, t.Reason = model.Done, model.ReasonLogged
	}
	if t.User == "" {
		t.User, t.Domain = a.User, a.Domain
	}
	if byDomain(t, a) {
		t.Source = a.Destination
	}
	t.Evidence = append(t.Evidence, a.Evidence...)
}

// byDomain says whether the source is named by its domain alone, as the shares of group
// policy are: the controller whose log has the read is the one that gave the file.
func byDomain(t *model.Transfer, a *model.Access) bool {
	return ofDomain(&t.Source, &a.Destination)
}

// ofDomain says whether an end is named by the domain of a host alone.
func ofDomain(e, host *model.Endpoint) bool {
	if e.IP.Known() || len(host.Host) <= len(e.Host) || e.Host == "" {
		return false
	}
	_, domain, _ := strings.Cut(host.Host, ".")
	return strings.EqualFold(e.Host, domain)
}

// window is how long after its arrival a start is tied to a file.
const window model.Time = 24 * 3600e9

// Tie notes the starts in the transfers that brought their programs: on that host,
// of that name and place, the latest before.
func Tie(all []*model.Transfer, starts []Start, hosts *identity.Table) {
	(*Clocks)(nil).Tie(all, starts, hosts)
}

// Tie is the same by what is known of clocks.
func (c *Clocks) Tie(all []*model.Transfer, starts []Start, hosts *identity.Table) {
	images := make([]string, len(starts))
	started := map[string]bool{}
	for i := range starts {
		images[i] = strings.ToLower(starts[i].Image)
		started[lastPart(images[i])] = true
	}
	byName := newByEnd(hosts)
	for i, t := range all {
		if n := strings.ToLower(t.Name); n != "" && started[n] && t.Status != model.Denied && t.Status != model.Failed {
			byName.add(n, &t.Destination, i)
		}
	}
	for k := range starts {
		s, image := &starts[k], images[k]
		best := -1
		for i := range byName.all(lastPart(image), &s.Host) {
			if (best < 0 || laterOf(all, best, i)) && c.brought(all[i], s, image, hosts) {
				best = i
			}
		}
		if best >= 0 {
			executed(all[best], s)
		}
	}
}

// laterOf says whether the transfer of number i began after that of best; of two that
// began at once the last counts.
func laterOf(all []*model.Transfer, best, i int) bool {
	return cmp.Or(cmp.Compare(begin(all[best]), begin(all[i])), cmp.Compare(best, i)) < 0
}

// brought says whether a transfer brought what was started.
func (c *Clocks) brought(t *model.Transfer, s *Start, image string, hosts *identity.Table) bool {
	at := s.Time + c.shift(s.Evidence) - c.shift(t.Evidence)
	if at < begin(t)-Slack || at > t.End+window {
		return false
	}
	same, known := hosts.Same(t.Destination, s.Host, s.Time)
	return same && known && fitsPlace(t, image)
}

// executed notes a start, if it is not known from another log.
func executed(t *model.Transfer, s *Start) {
	if !slices.ContainsFunc(t.Executed, func(x model.Execution) bool { return x.How == s.How && max(x.Time-s.Time, s.Time-x.Time) < 2e9 }) {
		t.Executed = append(t.Executed, s.Execution)
	}
}

// fitsPlace says whether the image lies where an SMB write put it, as far as the
// path below the share tells.
func fitsPlace(t *model.Transfer, image string) bool {
	if model.ChannelFamily(t.Channel) != "smb" || t.Operation != model.Push {
		return true
	}
	path := strings.ToLower(strings.Trim(strings.ReplaceAll(t.Path, "/", `\`), `\`))
	return strings.HasSuffix(image, `\`+path)
}
