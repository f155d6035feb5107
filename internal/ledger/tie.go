package ledger

import (
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
	byName := map[string][]*model.Access{}
	for _, a := range reads {
		path := strings.ToLower(a.Object)
		name := path[strings.LastIndexByte(path, '\\')+1:]
		byName[name] = append(byName[name], a)
	}
	for _, t := range all {
		if t.Status != model.Claimed && (t.Status != model.Done || t.User != "") || t.Operation != model.Pull || model.ChannelFamily(t.Channel) != "smb" {
			continue
		}
		path := strings.ToLower(strings.Trim(t.Path, `\`))
		for _, a := range byName[path[strings.LastIndexByte(path, '\\')+1:]] {
			at := a.Time + c.shift(a.Evidence) - c.shift(t.Evidence)
			if max(at-t.End, t.Start-at) > Slack || !strings.EqualFold(strings.Trim(a.Object, `\`), path) {
				continue
			}
			src, _ := hosts.Same(t.Source, a.Destination, a.Time)
			dst, known := hosts.Same(t.Destination, a.Source, a.Time)
			if (src || byDomain(t, a)) && dst && known {
				confirm(t, a)
				break
			}
		}
	}
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
	byName := map[string][]*model.Transfer{}
	for _, t := range all {
		if t.Name != "" && t.Status != model.Denied && t.Status != model.Failed {
			n := strings.ToLower(t.Name)
			byName[n] = append(byName[n], t)
		}
	}
	for _, s := range starts {
		image := strings.ToLower(s.Image)
		var best *model.Transfer
		for _, t := range byName[image[strings.LastIndexByte(image, '\\')+1:]] {
			at := s.Time + c.shift(s.Evidence) - c.shift(t.Evidence)
			if at < begin(t)-Slack || at > t.End+window || best != nil && begin(t) < begin(best) {
				continue
			}
			if same, known := hosts.Same(t.Destination, s.Host, s.Time); same && known && fitsPlace(t, image) {
				best = t
			}
		}
		if best != nil && !slices.ContainsFunc(best.Executed, func(x model.Execution) bool { return x.How == s.How && max(x.Time-s.Time, s.Time-x.Time) < 2e9 }) {
			best.Executed = append(best.Executed, s.Execution)
		}
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
