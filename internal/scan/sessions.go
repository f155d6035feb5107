package scan

import (
	"waybill/internal/identity"
	"waybill/internal/ledger"
	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// login is what a host logged of a client that logged in: its own address is not in it.
type login struct {
	host   string
	time   model.Time
	within model.Time // of the session that packets or a sensor saw
}

// desktop is how long after its session began somebody is logged on over Remote Desktop. The
// client's port is in neither log.
const desktop model.Time = 30e9

// sessions adds the addresses of hosts that logged a login of a client's address and port, as
// sshd and Windows do: packets or a sensor saw whom that client had a session with.
func (r *Records) sessions(hosts *identity.Table, found *telemetry.Result) {
	logins := loginsOf(found)
	if len(logins) == 0 {
		return
	}
	seen := map[model.Endpoint][]*model.Access{}
	for _, all := range [...][]*model.Access{r.Accesses, found.Accesses} {
		for _, a := range all {
			if key, ok := sessionOf(a); ok && logins[key] != nil {
				seen[key] = append(seen[key], a)
			}
		}
	}
	for _, all := range [...][]*model.Access{r.Accesses, found.Accesses} { // in their order
		for _, a := range all {
			key, ok := sessionOf(a)
			if !ok || logins[key] == nil {
				continue
			}
			for _, l := range logins[key] {
				if l.of(a.Time) && l.alone(a, seen[key], logins[key]) {
					hosts.Add(identity.Binding{Addr: a.Destination.IP, Host: l.host, First: l.time, Last: l.time, Weak: true})
				}
			}
		}
	}
}

func (l *login) of(at model.Time) bool { return max(l.time-at, at-l.time) <= l.within }

// alone says whether neither the login may be of another session, nor the session of another
// host's login.
func (l *login) alone(a *model.Access, sessions []*model.Access, logins []login) bool {
	for _, s := range sessions {
		if l.of(s.Time) && s.Destination.IP != a.Destination.IP {
			return false
		}
	}
	for i := range logins {
		if logins[i].of(a.Time) && !identity.SameName(logins[i].host, l.host) {
			return false
		}
	}
	return true
}

// loginsOf gives the logins of clients, by their address and port; of Remote Desktop by
// the address and the port that is served.
func loginsOf(found *telemetry.Result) map[model.Endpoint][]login {
	out := map[model.Endpoint][]login{}
	for _, a := range found.Accesses {
		if a.What == "logon" && a.Channel == "ssh" && a.Source.Port != 0 && a.Destination.Host != "" && !a.Destination.IP.Known() {
			key := model.Endpoint{IP: a.Source.IP, Port: a.Source.Port}
			out[key] = append(out[key], login{a.Destination.Host, a.Time, ledger.Slack})
		}
	}
	for i := range found.Uses {
		u := &found.Uses[i]
		key, within := model.Endpoint{IP: u.From, Port: u.Port}, ledger.Slack
		if u.Channel == "rdp" {
			key.Port, within = desktopPort, desktop
		}
		if u.From.Known() && key.Port != 0 && u.Host.Host != "" && (u.What == "logon" || u.Channel == "rdp") {
			out[key] = append(out[key], login{u.Host.Host, u.Time, within})
		}
	}
	return out
}

const desktopPort = 3389

// sessionOf is the client's end of a session that packets or a sensor saw.
func sessionOf(a *model.Access) (client model.Endpoint, ok bool) {
	client = model.Endpoint{IP: a.Source.IP, Port: a.Source.Port}
	switch a.What {
	case "ssh-session", "share-connect":
	case "rdp-session":
		client.Port = desktopPort
	default:
		return client, false
	}
	return client, client.IP.Known() && a.Source.Port != 0 && a.Destination.IP.Known() && a.Destination.Port != 0
}
