package http

import (
	"container/list"

	"waybill/internal/model"
)

// recent is a table of at most limit values. A value leaves it, through drop,
// when it was not touched for keep, or when it is the one untouched for longest
// and room is needed.
type recent[K comparable, V any] struct {
	limit int
	keep  model.Time
	drop  func(V)
	order *list.List // of *slot, least recently touched first
	slots map[K]*list.Element
}

type slot[K comparable, V any] struct {
	key     K
	value   V
	touched model.Time
}

func newRecent[K comparable, V any](limit int, keep model.Time, drop func(V)) *recent[K, V] {
	return &recent[K, V]{limit: limit, keep: keep, drop: drop, order: list.New(), slots: map[K]*list.Element{}}
}

// get finds the value of key and touches it.
func (r *recent[K, V]) get(key K, now model.Time) (v V, ok bool) {
	e := r.slots[key]
	if e == nil {
		return v, false
	}
	s := e.Value.(*slot[K, V])
	s.touched = max(s.touched, now)
	r.order.MoveToBack(e)
	return s.value, true
}

// put sets the value of key; a value already there is dropped.
func (r *recent[K, V]) put(key K, v V, now model.Time) {
	if old, ok := r.take(key); ok {
		r.drop(old)
	}
	for r.order.Len() >= r.limit {
		r.dropFirst()
	}
	r.slots[key] = r.order.PushBack(&slot[K, V]{key, v, now})
}

// take removes the value of key without dropping it.
func (r *recent[K, V]) take(key K) (v V, ok bool) {
	e := r.slots[key]
	if e == nil {
		return v, false
	}
	delete(r.slots, key)
	return r.order.Remove(e).(*slot[K, V]).value, true
}

// expire drops what was not touched for the table's time.
func (r *recent[K, V]) expire(now model.Time) {
	for e := r.order.Front(); e != nil && now-e.Value.(*slot[K, V]).touched > r.keep; e = r.order.Front() {
		r.dropFirst()
	}
}

// flush drops everything.
func (r *recent[K, V]) flush() {
	for r.order.Len() > 0 {
		r.dropFirst()
	}
}

func (r *recent[K, V]) dropFirst() {
	s := r.order.Remove(r.order.Front()).(*slot[K, V])
	delete(r.slots, s.key)
	r.drop(s.value)
}
