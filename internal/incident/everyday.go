package incident

import (
	"slices"
	"strings"

	"waybill/internal/model"
)

// everyday is what these inputs show of life outside the findings: which hosts serve
// many others, and which accounts work from many.
type everyday struct {
	clients  map[string]few // hosts that opened exchanges with a host
	stations map[string]few // hosts that an account worked from
	roles    map[string]bool
}

const (
	// serves is how many hosts make a server that many use of the one that they do it with.
	serves = 8
	// works is from how many hosts an account works that is more than a person's.
	works = 3
)

// few is up to as many different words as matter.
type few []string

func (f few) with(word string, most int) few {
	if len(f) >= most || word == "" || slices.Contains(f, word) {
		return f
	}
	return append(f, word)
}

// everydayOf looks at all transfers that are part of no finding of worth.
func everydayOf(in *Input, members []*member) *everyday {
	e := &everyday{clients: map[string]few{}, stations: map[string]few{}, roles: map[string]bool{}}
	suspect := map[*model.Transfer]bool{}
	for _, m := range members {
		for _, t := range m.moves {
			suspect[t] = suspect[t] || m.core()
		}
	}
	for _, t := range in.Transfers {
		e.role(t.Source)
		e.role(t.Destination)
		if !suspect[t] {
			e.note(t)
		}
	}
	return e
}

func (e *everyday) note(t *model.Transfer) {
	actor := hostKey(t.Actor())
	for _, end := range [...]model.Endpoint{t.Source, t.Destination} {
		if host := hostKey(end); host != actor && host != "" {
			e.clients[host] = e.clients[host].with(actor, serves)
		}
	}
	if account := personal(t); account != "" {
		e.stations[account] = e.stations[account].with(actor, works)
	}
}

// role notes a host whose role says that many use it.
func (e *everyday) role(end model.Endpoint) {
	if end.Role == "" {
		return
	}
	role := strings.ToLower(end.Role)
	for _, word := range [...]string{"controller", "file", "deploy", "backup", "scanner", "print", "distribut", "update", "nas"} {
		if strings.Contains(role, word) {
			e.roles[hostKey(end)] = true
		}
	}
}

// server says whether many hosts use this one.
func (e *everyday) server(host string) bool { return e.roles[host] || len(e.clients[host]) >= serves }

// personal says whether an account is one that few hosts work with.
func (e *everyday) personal(account string) bool {
	return account != "" && len(e.stations[account]) < works
}

// idle says whether an account of a domain does nothing here outside the findings. One
// without domain, such as root, is another one on each host.
func (e *everyday) idle(account string) bool {
	return strings.Contains(account, `\`) && len(e.stations[account]) == 0
}
