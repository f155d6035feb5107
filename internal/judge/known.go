package judge

import (
	"strings"

	"waybill/internal/model"
)

// Known is something that the user knows: a hash, name, host, account or address.
// A transfer that has it is shown first, whatever its score.
type Known struct {
	What  string // hash, name, host, account, address
	Value string
	Note  string
}

// knownMarks marks the transfers that have something known. It adds nothing to a
// score: what the user knows is no likelihood.
func knownMarks(all []Known, t *model.Transfer) []Mark {
	var out []Mark
	for _, k := range all {
		if !k.fits(t) {
			continue
		}
		text := "known " + k.What + " " + k.Value
		if k.Note != "" {
			text += ": " + k.Note
		}
		out = append(out, Mark{Family: "known", Analytic: "known", Transfer: t.ID, Time: max(t.Start, t.End), Text: text, Evidence: t.Evidence})
	}
	return out
}

func (k *Known) fits(t *model.Transfer) bool {
	v := strings.ToLower(k.Value)
	host := func(e model.Endpoint) bool {
		bare, _, _ := strings.Cut(strings.ToLower(e.Host), ".")
		return e.Host != "" && (strings.EqualFold(e.Host, v) || bare == v)
	}
	switch k.What {
	case "hash":
		if v == t.SHA256 || v == t.MD5 && v != "" || v == t.SHA1 && v != "" {
			return true
		}
		for _, h := range t.Hashes {
			if h.Value == v {
				return true
			}
		}
	case "name":
		for _, n := range append([]string{t.Name, t.OriginalName}, t.EarlierNames...) {
			if n != "" && strings.EqualFold(n, v) {
				return true
			}
		}
	case "host":
		return host(t.Source) || host(t.Destination)
	case "account":
		return sameKnown(t.User, t.Account(), v) || sameKnown(bareAccount(t.InitiatorUser), t.InitiatorUser, v)
	case "address":
		return t.Source.IP.String() == v || t.Destination.IP.String() == v
	}
	return false
}

func sameKnown(user, full, v string) bool {
	return user != "" && (strings.EqualFold(user, v) || strings.EqualFold(full, v))
}
