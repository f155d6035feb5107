package judge

import (
	"encoding/binary"
	"hash/maphash"
	"strings"

	"waybill/internal/hashed"
	"waybill/internal/model"
	"waybill/internal/spread"
)

// accounts makes the names of accounts, lower case, and remembers those that it made.
type accounts struct {
	seed  maphash.Seed
	known hashed.Index
	names []user
}

// user is a name, and a number that stands for it as it was written.
type user struct {
	name string
	sum  uint64
}

// remembered bounds the texts that are kept.
const remembered = 1 << 17

func newAccounts() accounts { return accounts{seed: maphash.MakeSeed()} }

// of is the account of a transfer.
func (a *accounts) of(t *model.Transfer) user {
	sum := sumOf(a.seed, maphash.String(a.seed, t.Domain), maphash.String(a.seed, t.User))
	if n := a.known.Get(sum); n != 0 {
		return a.names[n-1]
	}
	if len(a.names) >= remembered {
		a.known, a.names = hashed.Index{}, nil
	}
	x := user{strings.ToLower(t.Account()), sum}
	a.names = append(a.names, x)
	a.known.Set(sum, uint32(len(a.names)))
	return x
}

// sumOf makes one number of some.
func sumOf(seed maphash.Seed, numbers ...uint64) uint64 {
	var text [4 * 8]byte
	for i, n := range numbers {
		binary.LittleEndian.PutUint64(text[8*i:], n)
	}
	return maphash.Bytes(seed, text[:8*len(numbers)])
}

// exchange stands for the two hosts of a transfer, who of them asked, and the account.
func (a *accounts) exchange(actor, other spread.Host, by user) uint64 {
	return sumOf(a.seed, actor.Sum, other.Sum, by.sum)
}

// today is who exchanged files that are no programs on the day of the last one.
type today struct {
	day       model.Time
	exchanges hashed.Index
}

// seen notes an exchange, and says whether it was there on the same day.
func (d *today) seen(exchange uint64, at model.Time) bool {
	if day := at / Window; day != d.day || d.exchanges.Len() >= remembered {
		d.day, d.exchanges = day, hashed.Index{}
	}
	if d.exchanges.Get(exchange) != 0 {
		return true
	}
	d.exchanges.Set(exchange, 1)
	return false
}
