package identity

import (
	"waybill/internal/model"
)

// habits is what a host was seen doing, in a fixed size, as it is kept.
type habits struct {
	ID          uint64
	First, Last model.Time
	Now, Before period // this month and the one before
	Begun       model.Time
	Signs       uint16 // of what it is, which hold for good
	Active      int64  // the last hour in which it opened an exchange

	Desk, Remote             days // somebody worked at it, or over Remote Desktop
	Deployed, Nights, Sweeps days
	Polled                   int64  // the last hour in which it looked at many hosts
	Hours                    uint64 // those of the 64 up to then
	SweepHour                int64
	Sweep                    sketch
	SweepBytes               int64
	Night                    int64
	NightHosts               sketch
	NightBytes, NightFiles   int64
	Handed                   [4]handed
}

// period is what happened in a month.
type period struct {
	Clients, Accounts, Servers, Readers sketch // readers: of files of ordinary shares
	Served, Asked, Files                uint32
	TakenByDay, TakenByNight            uint32 // files of others
}

// handed is a program that the host gave to others on a day.
type handed struct {
	Content uint64
	Hosts   sketch
	Day     int64
}

// month is how long a period is: what a host was is forgotten in two of them.
const month = 30 * oneDay

// turn begins a new period where the last one is over.
func (h *habits) turn(t model.Time) {
	switch {
	case h.Begun == 0:
		h.Begun, h.First = t, t
	case t >= h.Begun+2*month:
		h.Now, h.Before, h.Begun = period{}, period{}, t
	case t >= h.Begun+month:
		h.Now, h.Before, h.Begun = period{}, h.Now, h.Begun+month
	}
	h.First, h.Last = min(h.First, t), max(h.Last, t)
}

// lately is what the host did in both periods.
func (h *habits) lately() counts {
	p := h.Now
	p.merge(&h.Before)
	return counts{p.Clients.count(), p.Accounts.count(), p.Servers.count(), p.Readers.count(), int(p.Served), int(p.Asked), int(p.Files), int(p.TakenByDay), int(p.TakenByNight)}
}

func (p *period) merge(o *period) {
	p.Clients.merge(&o.Clients)
	p.Accounts.merge(&o.Accounts)
	p.Servers.merge(&o.Servers)
	p.Readers.merge(&o.Readers)
	p.Served += o.Served
	p.Asked += o.Asked
	p.Files += o.Files
	p.TakenByDay += o.TakenByDay
	p.TakenByNight += o.TakenByNight
}

// Signs that hold for good.
const (
	issuesTickets = 1 << iota
	answersLDAP
	servesLogon // SYSVOL and NETLOGON
	replicates
	saysController
	prints
	runsGuests
)

const oneHour = model.Time(3600e9)

// manyHosts is how many hosts in an hour are a look around, and littleEach how few
// bytes a host then are no work with them.
const (
	manyHosts  = 64
	somePolled = 16
	littleEach = 64 << 10
)

// asks notes that the host opened an exchange with another one.
func (h *habits) asks(server uint64, t model.Time, bytes int64) {
	h.turn(t)
	h.Now.Servers.add(server)
	h.Now.Asked++
	if hour := int64(t / oneHour); hour != h.SweepHour {
		h.SweepHour, h.Sweep, h.SweepBytes = hour, sketch{}, 0
	}
	h.Sweep.add(server)
	h.SweepBytes += bytes
	n := h.Sweep.count()
	if n < somePolled || h.SweepBytes > int64(n)*littleEach {
		return
	}
	h.polled(h.SweepHour)
	if n >= manyHosts {
		h.Sweeps.set(dayOf(t))
	}
}

// polled notes an hour in which many hosts were looked at.
func (h *habits) polled(hour int64) {
	if hour > h.Polled {
		h.Hours = shifted(h.Hours, hour-h.Polled)
		h.Polled = hour
	}
	h.Hours |= 1
}

func shifted(b uint64, by int64) uint64 {
	if by >= 64 {
		return 0
	}
	return b << by
}

// serves notes that another host opened an exchange with this one.
func (h *habits) serves(client uint64, account string, t model.Time) {
	h.turn(t)
	h.Now.Clients.add(client)
	h.Now.Served++
	if account != "" {
		h.Now.Accounts.add(hash(account))
	}
}

// hands notes that the host gave a program to another one. Only those of one day count
// together: a tool that goes to one host a day is not deployed.
func (h *habits) hands(content, to uint64, t model.Time) {
	h.turn(t)
	day := dayOf(t)
	x := h.slot(content, day)
	if x.Day < day {
		*x = handed{Content: content, Day: day}
	}
	x.Hosts.add(to)
	if x.Hosts.count() >= deployedTo {
		h.Deployed.set(day)
	}
}

// deployedTo is to how many hosts a content goes in a day that is deployed.
const deployedTo = 5

// slot finds the place of a content: its own, else that of the one that was handed
// out longest ago, of equals to the fewest.
func (h *habits) slot(content uint64, day int64) *handed {
	best := &h.Handed[0]
	for i := range h.Handed {
		x := &h.Handed[i]
		if x.Content == content {
			return x
		}
		if x.Day < best.Day || x.Day == best.Day && x.Hosts.count() < best.Hosts.count() {
			best = x
		}
	}
	*best = handed{Content: content, Day: day}
	return best
}

// What is a backup's night: so many hosts, and so much of them or so many files.
const (
	backedUp    = 3
	backupBytes = 1 << 30
	backupFiles = 300
)

// collects notes that the host took a file of another one in the night.
func (h *habits) collects(from uint64, t model.Time, bytes int64) {
	h.turn(t)
	h.Now.TakenByNight++
	night := dayOf(t + oneDay/2) // one night, whatever side of midnight
	if night != h.Night {
		h.Night, h.NightHosts, h.NightBytes, h.NightFiles = night, sketch{}, 0, 0
	}
	h.NightHosts.add(from)
	h.NightBytes += bytes
	h.NightFiles++
	if h.NightHosts.count() >= backedUp && (h.NightBytes >= backupBytes || h.NightFiles >= backupFiles) {
		h.Nights.set(night)
	}
}

// merge adds what another run saw of the host.
func (h *habits) merge(o *habits) {
	if h.Begun == 0 || o.Begun > h.Begun {
		*h, *o = *o, *h
	}
	if o.Begun == 0 {
		return
	}
	switch {
	case h.Begun-o.Begun < month:
		h.Now.merge(&o.Now)
		h.Before.merge(&o.Before)
	case h.Begun-o.Begun < 2*month:
		h.Before.merge(&o.Now)
	}
	h.Signs |= o.Signs
	h.First, h.Last = min(h.First, o.First), max(h.Last, o.Last)
	for _, d := range [...][2]*days{{&h.Desk, &o.Desk}, {&h.Remote, &o.Remote}, {&h.Deployed, &o.Deployed}, {&h.Nights, &o.Nights}, {&h.Sweeps, &o.Sweeps}} {
		d[0].merge(*d[1])
	}
	h.mergeHours(o)
	for _, x := range o.Handed {
		if x.Content == 0 {
			continue
		}
		switch slot := h.slot(x.Content, x.Day); {
		case slot.Day < x.Day:
			*slot = x
		case slot.Day == x.Day:
			slot.Hosts.merge(&x.Hosts)
		}
	}
}

// mergeHours merges what only holds within an hour or a night.
func (h *habits) mergeHours(o *habits) {
	if o.Polled > h.Polled {
		h.Polled, h.Hours = o.Polled, o.Hours|shifted(h.Hours, o.Polled-h.Polled)
	} else {
		h.Hours |= shifted(o.Hours, h.Polled-o.Polled)
	}
	if o.SweepHour > h.SweepHour {
		h.SweepHour, h.Sweep, h.SweepBytes = o.SweepHour, o.Sweep, o.SweepBytes
	} else if o.SweepHour == h.SweepHour {
		h.Sweep.merge(&o.Sweep)
		h.SweepBytes += o.SweepBytes
	}
	if o.Night > h.Night {
		h.Night, h.NightHosts, h.NightBytes, h.NightFiles = o.Night, o.NightHosts, o.NightBytes, o.NightFiles
	} else if o.Night == h.Night {
		h.NightHosts.merge(&o.NightHosts)
		h.NightBytes += o.NightBytes
		h.NightFiles += o.NightFiles
	}
}
