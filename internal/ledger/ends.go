package ledger

import (
	"iter"
	"slices"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// byEnd finds numbers by a name and the host of an end: of what one program's name has on
// thousands of hosts, only that of the host in question is compared.
type byEnd struct {
	hosts   *identity.Table
	numbers map[uint64][]int32
	labels  map[endName][]string // of ends
}

// endName is what tells a host in a record.
type endName struct {
	host string
	ip   model.Addr
}

func newByEnd(hosts *identity.Table) *byEnd {
	return &byEnd{hosts, map[uint64][]int32{}, map[endName][]string{}}
}

// add puts a number down for a name and all that its end may go by.
func (x *byEnd) add(name string, e *model.Endpoint, number int) {
	for _, label := range x.of(e) {
		key := digest(name, label)
		x.numbers[key] = append(x.numbers[key], int32(number))
	}
}

// all visits the numbers of a name whose ends may be the host of e, some of them twice.
func (x *byEnd) all(name string, e *model.Endpoint) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, label := range x.of(e) {
			for _, number := range x.numbers[digest(name, label)] {
				if !yield(int(number)) {
					return
				}
			}
		}
	}
}

func (x *byEnd) of(e *model.Endpoint) []string {
	key := endName{e.Host, e.IP}
	labels, known := x.labels[key]
	if !known {
		labels = slices.Clip(x.hosts.Labels(*e))
		x.labels[key] = labels
	}
	return labels
}
