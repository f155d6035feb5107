package history

import (
	"net/netip"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// mostHomes bounds the addresses that are remembered: those that were seen least lately go
// first.
const mostHomes = 1 << 16

// Locate notes at which addresses a run saw hosts.
func (m *Memory) Locate(all []identity.Home) {
	for _, x := range all {
		x.Host = shortName(x.Host)
		m.Homes.Add(x)
	}
}

// newest is the time of the last that is known.
func (m *Memory) newest() model.Time {
	t := m.Normal.last
	for _, x := range m.Homes {
		t = max(t, x.Last)
	}
	return t
}

func (f *File) loadHomes(m *Memory) error {
	var addr string
	var x identity.Home
	return f.each("SELECT addr, host, first, last, moved FROM homes", []any{&addr, &x.Host, (*int64)(&x.First), (*int64)(&x.Last), &x.Moved}, func() error {
		ip, err := netip.ParseAddr(addr)
		if err != nil || !ip.Is4() || ip.String() != addr || !text(x.Host) || x.First <= 0 || x.Last < x.First || len(m.Homes) >= 2*mostHomes {
			return errValue
		}
		x.Addr = model.AddrOf(ip)
		m.Homes[x.Addr] = x
		return nil
	})
}

func (f *File) saveHomes(m *Memory) error {
	return f.replaced("homes", "INSERT INTO homes VALUES (?, ?, ?, ?, ?)", func(put func(...any) error) error {
		for _, x := range m.Homes.Sorted() {
			if err := put(x.Addr.String(), x.Host, int64(x.First), int64(x.Last), x.Moved); err != nil {
				return err
			}
		}
		return nil
	})
}
