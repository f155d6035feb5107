package content

import "sync"

// queue gives jobs to workers: those of one tally in order and one at a time,
// tallies in the order in which they got work. It never holds much more than
// limit bytes: who adds has to wait.
type queue struct {
	mu      sync.Mutex
	work    sync.Cond // a tally has work, or there will be none any more
	room    sync.Cond // pending fell
	ready   []*tally
	next    int // of ready
	pending int64
	limit   int64
	stopped bool
	workers sync.WaitGroup
}

func newQueue(workers int, limit int64) *queue {
	q := &queue{limit: limit}
	q.work.L, q.room.L = &q.mu, &q.mu
	for range workers {
		q.workers.Go(q.serve)
	}
	return q
}

// add queues jobs, and waits while too much is pending.
func (q *queue) add(jobs []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range jobs {
		q.pending += j.charge
		t := j.tally
		if t.first == nil {
			t.first = j
		} else {
			t.last.next = j
		}
		t.last = j
		if !t.queued {
			t.queued = true
			q.ready = append(q.ready, t)
			q.work.Signal()
		}
	}
	for q.pending > q.limit {
		q.room.Wait()
	}
}

// serve is one worker.
func (q *queue) serve() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for t := q.pick(); t != nil; t = q.pick() {
		j := t.first
		t.first, j.next = j.next, nil
		charge := j.charge
		q.mu.Unlock()
		j.run()
		q.mu.Lock()
		q.pending -= charge
		q.room.Signal()
		if t.first != nil {
			q.ready = append(q.ready, t)
		} else {
			t.queued = false
		}
	}
}

// pick waits for a tally with work; nil when all is done.
func (q *queue) pick() *tally {
	for q.next == len(q.ready) {
		if q.stopped {
			return nil
		}
		q.work.Wait()
	}
	t := q.ready[q.next]
	q.ready[q.next] = nil
	q.next++
	if q.next == len(q.ready) {
		q.ready, q.next = q.ready[:0], 0
	}
	return t
}

// stop waits until all is hashed and ends the workers.
func (q *queue) stop() {
	q.mu.Lock()
	q.stopped = true
	q.work.Broadcast()
	q.mu.Unlock()
	q.workers.Wait()
}
