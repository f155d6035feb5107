package scan

import (
	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/tls"
)

// env is what the protocols may ask of the pipeline.
type env struct {
	p    *pipeline
	name string // of the protocol, as coverage names it
}

func (e *env) Transfer(t *wire.Transfer)         { e.p.transfers = append(e.p.transfers, t) }
func (e *env) Access(a *wire.Access)             { e.p.accesses = append(e.p.accesses, a) }
func (e *env) File(m content.Mode) *content.File { return e.p.pool.File(m) }
func (e *env) Expect(x wire.Expectation)         { e.p.detector.expect(x) }
func (e *env) Budget() *content.Budget           { return e.p.budget }

// Inner knows TLS, which proxies are asked to pass on (RFC 9110 9.3.6).
func (e *env) Inner(c *wire.Conn, next []byte) wire.Decoder {
	if !tls.IsHello(next) {
		return nil
	}
	return tls.Within(e).Open(c)
}

func (e *env) Now() model.Time { return e.p.table.Now() }

// Blind says that of the bytes of this protocol, which the end of their flow counts,
// some could not be read.
func (e *env) Blind(reason string, n int64) {
	e.p.coverage[e.p.at.Input].blame(e.name, reason, n)
}

// Unverified notes that bytes of the input were read as no real sample confirms.
func (e *env) Unverified(what string) {
	t := &e.p.coverage[e.p.at.Input]
	if t.unverified == nil {
		t.unverified = map[string]bool{}
	}
	t.unverified[what] = true
}

func (e *env) Ticket(apReq []byte) wire.Ticket      { return e.p.tickets.Ticket(apReq) }
func (e *env) Issued(t []byte, user, domain string) { e.p.tickets.Issued(t, user, domain) }

func (e *env) Keys(id uint64) (wire.SessionKeys, bool) {
	k, ok := e.p.o.SMBKeys[id]
	return k, ok
}
