package winhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winevent"
)

// maxUses bounds what is told of how hosts are used, of all hosts (some 80 MiB).
const maxUses = 1 << 20

// used is one kind of use of a host, told once a day.
type used struct {
	what, channel, account, share string
	from                          model.Addr
}

// use notes how the host is used.
func (h *host) use(e *winevent.Event, u used) {
	if d := day(e.Time); d != h.usedOn || h.used == nil {
		h.usedOn, h.used = d, map[used]bool{}
	}
	if h.used[u] || len(h.used) >= maxFacts || len(h.s.out.Uses) >= maxUses {
		return
	}
	u.account = h.s.texts.Shared(u.account)
	h.used[u] = true
	h.s.out.Uses = append(h.s.out.Uses, telemetry.Use{Time: e.Time, Host: h.end, What: u.what, Channel: u.channel, From: u.from, Port: uint16(e.Number("IpPort")), Account: u.account, Share: u.share, Input: h.s.o.Inputs[e.Input]})
}

// ticketsIssued takes a 4768 or 4769, which only domain controllers log.
func (h *host) ticketsIssued(e *winevent.Event) {
	if e.Provider == winevent.Security && (e.ID == 4768 || e.ID == 4769) {
		h.use(e, used{what: "tickets-issued"})
		account, _, _ := strings.Cut(e.Get("TargetUserName"), "@")
		if name, computer := strings.CutSuffix(account, "$"); computer {
			h.s.joined(name, e.Get("TargetDomainName"), e.Time)
		}
	}
}

// loggedOn takes a logon: at the console (2, 7 is its unlocking, 11 with cached
// credentials), over Remote Desktop (10), or by another host (3).
func (h *host) loggedOn(e *winevent.Event, l *logon) {
	switch {
	case windowManager(l.user):
	case l.kind == 2 || l.kind == 11 || l.kind == 7 && !l.from.Known():
		h.use(e, used{what: "desktop-use"})
	case l.kind == 10:
		h.use(e, used{what: "desktop-use", channel: "rdp", from: l.from})
	case l.kind == 3 && l.from.Known() && !loopback(l.from) && !h.isOwn(l.from, e.Time):
		h.use(e, used{what: "logon", from: l.from, account: l.user})
	}
}

// windowManager says whether an account is a virtual one that draws windows and fonts:
// it logs on at the console of every Windows.
func windowManager(user string) bool {
	up := strings.ToUpper(user)
	return strings.HasPrefix(up, "DWM-") || strings.HasPrefix(up, "UMFD-")
}

// deskPrograms are those that people work with at a desk.
var deskPrograms = set("winword.exe excel.exe powerpnt.exe outlook.exe onenote.exe msedge.exe chrome.exe firefox.exe brave.exe teams.exe ms-teams.exe acrobat.exe acrord32.exe")

// atDesk takes a start of such a program.
func (h *host) atDesk(e *winevent.Event, x *start) {
	if !x.system && deskPrograms[baseName(x.image)] {
		h.use(e, used{what: "desktop-use"})
	}
}

// servesLogons takes a read of a share that only domain controllers have: what is in it
// matters to nobody here.
func (h *host) servesLogons(e *winevent.Event, share string, from model.Addr, mask uint64) {
	if mask&1 == 0 || e.Failure || !from.Known() || loopback(from) || h.isOwn(from, e.Time) {
		return
	}
	if model.PolicyShare(share) {
		h.use(e, used{what: "share-read", share: "sysvol"})
	}
}
