package ticket

import (
	"encoding/binary"
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire/der"
	"waybill/internal/wire/ticket/tickettest"
)

func budget() *content.Budget { return &content.Budget{Limit: 64 << 20} }

// inside is the inside of the ticket's application tag.
func inside(ticket []byte) []byte {
	v, _, _ := der.Run(ticket).Next()
	return v.Body
}

// TestIssued: without a keytab a ticket shows its owner by the exchange in which it
// was given out, and only that ticket.
func TestIssued(t *testing.T) {
	login := tickettest.Alice(18)
	mine, other := login.TicketBytes(t), login.TicketBytes(t)
	table := NewTable(nil, budget())
	if got := table.Ticket(login.APReq(t, mine)); got.User != "" {
		t.Errorf("nobody got it yet: %+v", got)
	}
	table.Issued(inside(mine), "alice", "LAB.TEST")
	if got := table.Ticket(login.APReq(t, mine)); got.User != "alice" || got.Domain != "LAB.TEST" || got.SessionKey(nil) != nil {
		t.Errorf("got %+v", got)
	}
	if got := table.Ticket(login.APReq(t, other)); got.User != "" {
		t.Errorf("another ticket for the same service: %+v", got)
	}
	if table.Opened != 0 || len(table.Unopened) != 0 {
		t.Errorf("counts %d, %v without a keytab", table.Opened, table.Unopened)
	}
}

// TestCounts: each logon counts, and what the keytab says stands over what a reply
// said.
func TestCounts(t *testing.T) {
	login := tickettest.Alice(18)
	bytes := login.TicketBytes(t)
	table := NewTable(mustKeytab(t, login.Keytab()), budget())
	table.Issued(inside(bytes), "mallory", "LAB.TEST")
	for range 3 {
		got := table.Ticket(login.APReq(t, bytes))
		if got.User != "alice" || string(got.SessionKey(login.APRep(t))) != string(login.FromServer.Value) {
			t.Errorf("got %+v", got)
		}
	}
	table.Issued(inside(bytes), "mallory", "LAB.TEST")
	if got := table.Ticket(login.APReq(t, bytes)); got.User != "alice" {
		t.Errorf("what the keytab said is forgotten: %+v", got)
	}
	elsewhere := login
	elsewhere.Server, elsewhere.Service = tickettest.NewKey(17, 1), "cifs/other"
	for range 2 {
		if got := table.Ticket(elsewhere.APReq(t, elsewhere.TicketBytes(t))); got.Key != nil || got.User != "" {
			t.Errorf("got %+v", got)
		}
	}
	if table.Opened != 4 || table.Unopened["no key of type aes128-cts-hmac-sha1-96 for cifs/other@LAB.TEST"] != 2 || len(table.Unopened) != 1 {
		t.Errorf("opened %d, unopened %v", table.Opened, table.Unopened)
	}
	// Whom the ticket was given to is known all the same.
	named := elsewhere.TicketBytes(t)
	table.Issued(inside(named), "bob", "LAB.TEST")
	if got := table.Ticket(elsewhere.APReq(t, named)); got.User != "bob" || got.Key != nil {
		t.Errorf("got %+v", got)
	}
}

// TestBounded: a flood of tickets takes a bounded part of the budget, and the newest
// stay known.
func TestBounded(t *testing.T) {
	for _, limit := range []int64{100 * knownCost, 64 << 20} {
		b := &content.Budget{Limit: limit}
		table := NewTable(nil, b)
		login := tickettest.Alice(18)
		last := login.TicketBytes(t)
		made := inside(last)
		for i := range 3 * maxKnown {
			binary.BigEndian.PutUint32(made[len(made)-4:], uint32(i))
			table.Issued(made, "alice", "LAB.TEST")
		}
		if n := len(table.young) + len(table.old); n > 2*maxKnown || n == 0 || b.Used != int64(n)*knownCost {
			t.Errorf("limit %d: %d tickets, %d bytes", limit, n, b.Used)
		}
		if got := table.Ticket(login.APReq(t, last)); got.User != "alice" {
			t.Errorf("limit %d: the last ticket is forgotten", limit)
		}
	}
}
