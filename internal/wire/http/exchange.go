package http

import (
	"encoding/base64"
	"strings"

	"waybill/internal/wire"
)

const (
	exchangeCost = 512  // bytes of budget that a waiting request takes besides its strings
	maxParts     = 1000 // uploads of one request that are told apart
)

// exchange is one request with what its answer said.
type exchange struct {
	side        wire.Side
	seq         uint32
	first, last wire.At // packets of the header

	method, target, host string
	agent                string // User-Agent
	auth, domain, user   string
	destination          string // of MOVE and COPY
	expect               bool   // the client asks before it sends the body

	unseen    bool // stands for a request that was lost
	bodyOver  bool
	concluded bool
	cost      int64
	status    int // of the final answer, 0 while there is none
	server    string
	answer    wire.At
	uploads   []*movement
	logon     *wire.Access // that the request asks for
}

func newExchange(h *half, hd *header) *exchange {
	x := &exchange{side: h.side, seq: hd.seq, first: hd.first, last: hd.last}
	x.method = short(hd.method, maxMethod)
	target, user := maskUser(short(hd.target, maxTarget))
	x.target = target
	x.host = hostOf(target)
	if x.host == "" {
		x.host = short(hd.get("Host"), maxText)
	}
	x.agent = short(hd.get("User-Agent"), maxText)
	x.destination, _ = maskUser(short(hd.get("Destination"), maxTarget))
	x.expect = strings.EqualFold(hd.get("Expect"), "100-continue")
	x.auth, x.domain, x.user = credentials(hd.get("Authorization"))
	if x.user == "" {
		x.user = short(user, maxText)
	}
	return x
}

// answered notes what the final answer says.
func (x *exchange) answered(hd *header) {
	x.status, x.answer = hd.status, hd.last
	x.server = short(hd.get("Server"), maxText)
}

// conclude hands out what an exchange moved, once nothing more will be known of it.
func (c *conn) conclude(x *exchange) {
	if x.concluded {
		return
	}
	x.concluded = true
	c.p.env.Budget().Give(x.cost)
	c.outcome(x)
	for _, m := range x.uploads {
		m.uploaded(x)
	}
	x.uploads = nil
	if x.status/100 == 2 {
		c.changed(x)
	}
}

// credentials reads the name that an Authorization field shows (RFC 7617,
// RFC 7616). The secret in it is not kept.
func credentials(value string) (auth, domain, user string) {
	scheme, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "basic":
		auth = "basic"
		user = basicUser(rest)
	case "digest":
		auth = "digest"
		user = quoted(rest, "username")
	}
	if d, u, ok := strings.Cut(user, `\`); ok {
		domain, user = short(d, maxText), u
	}
	return auth, domain, short(user, maxText)
}

// basicUser is the part of Basic credentials before the colon.
func basicUser(text string) string {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return ""
	}
	user, _, ok := strings.Cut(string(raw), ":")
	if !ok {
		return "" // without a colon it may be the secret itself
	}
	return user
}

// quoted is the value of name="value" in a list of parameters.
func quoted(text, name string) string {
	for rest := text; ; {
		i := indexFold(rest, name+`="`)
		if i < 0 {
			return ""
		}
		value := rest[i+len(name)+2:]
		end := strings.IndexByte(value, '"')
		if end < 0 {
			return ""
		}
		if i == 0 || strings.IndexByte(" ,;\t", rest[i-1]) >= 0 {
			return value[:end]
		}
		rest = value[end+1:]
	}
}
