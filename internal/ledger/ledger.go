// Package ledger makes one transfer of the observations that vouch for the same
// movement. In come transfers as single sensors saw them, with their evidence;
// out come transfers with the evidence of all, under the id of the best witness:
// packets before logs, what was done before what was claimed. It adds nothing that
// no sensor said, and joins nothing that two sensors contradict.
package ledger

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// Slack is how far apart two sensors may date one movement: the error of their
// clocks, and what lies between the ways to see it.
const Slack model.Time = 2 * 60e9

// Start is the start or load of a program on a host.
type Start struct {
	Host  model.Endpoint
	Image string
	model.Execution
}

// Join makes one transfer of those that are the same movement. Ends that the table
// knows are completed. The transfers are given up.
func Join(all []*model.Transfer, hosts *identity.Table) []*model.Transfer {
	for _, t := range all {
		at := cmp.Or(t.Start, t.End)
		hosts.Complete(&t.Source, at)
		hosts.Complete(&t.Destination, at)
	}
	ordered := slices.Clone(all)
	slices.SortStableFunc(ordered, func(a, b *model.Transfer) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
	})
	if n := len(ordered); n == 0 || rank(ordered[n-1]) == 0 {
		return ordered // packets alone
	}
	b := newBook(hosts)
	var out []*model.Transfer
	for _, t := range ordered {
		if best := b.find(t); best != nil {
			merge(best.t, t)
			b.add(best, t) // by the names it has now
			continue
		}
		e := &entry{t: t, order: len(out)}
		b.add(e, t)
		out = append(out, t)
	}
	return nameless(out, b)
}

// rank orders witnesses, the best first.
func rank(t *model.Transfer) int {
	switch {
	case t.Completeness == model.Inferred:
		return 3
	case t.Completeness != model.Logged:
		return 0
	case t.Status == model.Claimed:
		return 2
	}
	return 1
}

// apart is the time between two records of a movement.
func apart(a, b *model.Transfer) model.Time {
	return max(0, begin(a)-max(b.End, begin(b)), begin(b)-max(a.End, begin(a)))
}

func begin(t *model.Transfer) model.Time { return cmp.Or(t.Start, t.End) }

// conflict says whether two contents are known to differ: they have hashes of one
// kind, and none that is equal.
func conflict(o, t *model.Transfer) bool {
	differ, theirs := false, sums(t)
	for _, a := range sums(o) {
		alg, _, _ := strings.Cut(a, ":")
		for _, c := range theirs {
			if c == a {
				return false
			}
			differ = differ || strings.HasPrefix(c, alg+":")
		}
	}
	return differ
}

// sameChannel compares channels: logs seldom tell the dialect of SMB, and a
// download by BITS or by WebDAV is HTTP on the wire.
func sameChannel(o, t *model.Transfer) bool {
	a, c := family(o.Channel), family(t.Channel)
	return a == c || a == "unknown" || c == "unknown"
}

func family(channel string) string {
	switch channel {
	case "smb1", "smb2", "smb":
		return "smb"
	case "http", "webdav", "bits":
		return "http"
	}
	return channel
}

// merge adds what t says to o, which is the better witness.
func merge(o, t *model.Transfer) {
	if len(o.Observations) == 0 {
		o.Observations = []string{o.ID}
	}
	o.SensorComplete = seenBy(o, t)
	for _, id := range append([]string{t.ID}, t.Observations...) {
		if !slices.Contains(o.Observations, id) {
			o.Observations = append(o.Observations, id)
		}
	}
	if o.Status == model.Claimed && t.Status == model.Done {
		o.Status, o.Reason = model.Done, t.Reason
	}
	endpoint(&o.Source, &t.Source)
	endpoint(&o.Destination, &t.Destination)
	for _, p := range [][2]*string{{&o.User, &t.User}, {&o.Domain, &t.Domain}, {&o.UserSID, &t.UserSID}, {&o.InitiatorUser, &t.InitiatorUser},
		{&o.Process, &t.Process}, {&o.Tool, &t.Tool}, {&o.Command, &t.Command}, {&o.Share, &t.Share}, {&o.Path, &t.Path}, {&o.OrderedBy, &t.OrderedBy}, {&o.Initiator, &t.Initiator},
		{&o.OriginalName, &t.OriginalName}, {&o.Type, &t.Type}, {&o.DispositionName, &t.DispositionName}, {&o.Auth, &t.Auth}} {
		if *p[0] == "" {
			*p[0] = *p[1]
		}
	}
	if o.PID == 0 {
		o.PID = t.PID
	}
	if o.Size == nil {
		o.Size = t.Size
	}
	o.Logon, o.Receiver = cmp.Or(o.Logon, t.Logon), cmp.Or(o.Receiver, t.Receiver)
	for _, h := range t.Hashes {
		if !slices.Contains(o.Hashes, h) {
			o.Hashes = append(o.Hashes, h)
		}
	}
	name(o, t)
	for _, id := range t.CommunityID {
		if !slices.Contains(o.CommunityID, id) {
			o.CommunityID = append(o.CommunityID, id)
		}
	}
	if o.Session == nil {
		o.Session = t.Session
	}
	o.Executed = append(o.Executed, t.Executed...)
	o.Evidence = append(o.Evidence, t.Evidence...)
}

// name takes the name that t has: as the file's own where o has none, else as one that
// it had before. A name of another script is one that a sensor could not write.
func name(o, t *model.Transfer) {
	switch {
	case o.Name == "":
		o.Name = t.Name
	case t.Name == "" || strings.EqualFold(o.Name, t.Name) || slices.Contains(o.EarlierNames, t.Name):
	case o.Channel == "ftp" && garbled(o.Name) == garbled(t.Name):
	case ascii(o.Name) || !passedBy(t):
		o.EarlierNames = append(o.EarlierNames, t.Name)
	}
}

// seenBy says whether a sensor saw all of what is only logged: one that did is enough.
func seenBy(o, t *model.Transfer) *bool {
	if o.Completeness != model.Logged || t.SensorComplete == nil || o.SensorComplete != nil && *o.SensorComplete {
		return o.SensorComplete
	}
	return t.SensorComplete
}

func endpoint(o, t *model.Endpoint) {
	if !o.IP.Known() {
		o.IP, o.Port = t.IP, t.Port
	}
	if o.Port == 0 && o.IP == t.IP {
		o.Port = t.Port
	}
	o.Host = cmp.Or(o.Host, t.Host)
}

// Confirm takes the claims for done that reads of the source's share agree with:
// the file of that name, by the destination, at that time.
func Confirm(all []*model.Transfer, reads []*model.Access, hosts *identity.Table) {
	byName := map[string][]*model.Access{}
	for _, a := range reads {
		path := strings.ToLower(a.Object)
		name := path[strings.LastIndexByte(path, '\\')+1:]
		byName[name] = append(byName[name], a)
	}
	for _, t := range all {
		if t.Status != model.Claimed || t.Operation != model.Pull || family(t.Channel) != "smb" {
			continue
		}
		path := strings.ToLower(strings.Trim(t.Path, `\`))
		for _, a := range byName[path[strings.LastIndexByte(path, '\\')+1:]] {
			if max(a.Time-t.End, t.Start-a.Time) > Slack || !strings.EqualFold(strings.Trim(a.Object, `\`), path) {
				continue
			}
			src, _ := hosts.Same(t.Source, a.Destination, a.Time)
			dst, known := hosts.Same(t.Destination, a.Source, a.Time)
			if src && dst && known {
				t.Status, t.Reason = model.Done, model.ReasonLogged
				t.Evidence = append(t.Evidence, a.Evidence...)
				break
			}
		}
	}
}

// window is how long after its arrival a start is tied to a file.
const window model.Time = 24 * 3600e9

// Tie notes the starts in the transfers that brought their programs: on that host,
// of that name and place, the latest before.
func Tie(all []*model.Transfer, starts []Start, hosts *identity.Table) {
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
			if s.Time < begin(t)-Slack || s.Time > t.End+window || best != nil && begin(t) < begin(best) {
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
	if family(t.Channel) != "smb" || t.Operation != model.Push {
		return true
	}
	path := strings.ToLower(strings.Trim(strings.ReplaceAll(t.Path, "/", `\`), `\`))
	return strings.HasSuffix(image, `\`+path)
}
