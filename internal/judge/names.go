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
	known hashed.Index // numbers of names, by hashes of accounts as they are written
	names []string
	text  []byte
}

// remembered bounds the texts that are kept.
const remembered = 1 << 17

func newAccounts() accounts { return accounts{seed: maphash.MakeSeed()} }

// of is the account of a transfer, lower case.
func (a *accounts) of(t *model.Transfer) string {
	if t.User == "" {
		return ""
	}
	a.text = written(a.text[:0], t)
	sum := maphash.Bytes(a.seed, a.text)
	if n := a.known.Get(sum); n != 0 {
		return a.names[n-1]
	}
	if len(a.names) >= remembered {
		a.known, a.names = hashed.Index{}, nil
	}
	name := strings.ToLower(t.Account())
	a.names = append(a.names, name)
	a.known.Set(sum, uint32(len(a.names)))
	return name
}

// exchange stands for the two hosts of a transfer, who of them asked, and the account.
func (a *accounts) exchange(actor, other spread.Host, t *model.Transfer) uint64 {
	text := binary.LittleEndian.AppendUint64(a.text[:0], actor.Sum)
	text = binary.LittleEndian.AppendUint64(text, other.Sum)
	a.text = written(text, t)
	return maphash.Bytes(a.seed, a.text)
}

// written appends the account of a transfer as it is written.
func written(text []byte, t *model.Transfer) []byte {
	return append(append(append(text, t.Domain...), 0), t.User...)
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
