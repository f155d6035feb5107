package rpc

import (
	"fmt"
	"slices"
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/ticket/tickettest"
	"waybill/internal/wire/wiretest"
)

// secured is a message with a security token behind its body (C706 13.2.6, MS-RPCE
// 2.2.2.11).
func secured(kind byte, call uint32, body []byte, mechanism byte, token []byte) []byte {
	body = le(body, mechanism, byte(5), byte(0), byte(0), uint32(1), token)
	return le(byte(5), byte(0), kind, byte(3), uint32(0x10), uint16(16+len(body)), uint16(len(token)), call, body)
}

func ntlmMessage(kind byte, domain, user, station string) []byte {
	m := append([]byte("NTLMSSP\x00"), kind, 0, 0, 0)
	if kind != 3 {
		return append(m, make([]byte, 28)...)
	}
	m = append(m, make([]byte, 52)...)
	for i, s := range []string{domain, user, station} {
		at := 28 + 8*i
		m[at], m[at+2], m[at+4] = byte(len(s)), byte(len(s)), byte(len(m))
		m = append(m, s...)
	}
	return m
}

// TestLogons: the tokens of binds name who calls: NTLM in the third message, Kerberos
// in the bind itself, in SPNEGO and without a frame (MS-RPCE 2.2.1.1.7).
func TestLogons(t *testing.T) {
	login := tickettest.Alice(18)
	login.Service = "RPCSS/files.lab.test"
	apReq := login.APReq(t, login.TicketBytes(t))
	offer := bind(taskScheduler)[16:]
	run := request(9, 0, 12, ndrText(`\x`))
	for _, tt := range []struct {
		name  string
		turns []wiretest.Turn
		want  string
	}{
		{"NTLM", []wiretest.Turn{{From: 0, Data: secured(11, 1, offer, 10, ntlmMessage(1, "", "", ""))},
			{From: 1, Data: secured(12, 1, le(make([]byte, 12)), 10, ntlmMessage(2, "", "", ""))},
			{From: 0, Data: secured(16, 1, le(uint32(0)), 10, ntlmMessage(3, "CORP", "anna", "WS1"))}},
			"CORP/anna  ntlm from WS1"},
		{"Kerberos in SPNEGO", []wiretest.Turn{{From: 0, Data: secured(11, 1, offer, 9, tickettest.Init(apReq))},
			{From: 1, Data: secured(12, 1, le(make([]byte, 12)), 9, tickettest.Resp(0, login.APRep(t)))}},
			"LAB.TEST/alice RPCSS/files.lab.test kerberos"},
		{"Kerberos without a frame", []wiretest.Turn{{From: 0, Data: secured(11, 1, offer, 16, apReq)},
			{From: 1, Data: secured(12, 1, le(make([]byte, 12)), 16, login.APRep(t))},
			{From: 0, Data: secured(14, 2, offer, 16, login.APRep(t))}},
			"LAB.TEST/alice RPCSS/files.lab.test kerberos"},
		{"later context", []wiretest.Turn{{From: 0, Data: bind(taskScheduler)}, {From: 0, Data: secured(14, 2, offer, 9, tickettest.Init(apReq))}},
			"LAB.TEST/alice RPCSS/files.lab.test kerberos"},
	} {
		keys, err := ticket.ParseKeytab(login.Keytab())
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{0, 1, 500} {
			env := wiretest.Play(t, func(env wire.Env) wire.Protocol {
				env.(*wiretest.Env).Tickets = ticket.NewTable(keys, &content.Budget{Limit: 1 << 20})
				return NewProtocol(env)
			}, ends, size, append(slices.Clone(tt.turns), wiretest.Turn{From: 0, Data: run}))
			var logons []string
			for _, a := range env.Accesses {
				if a.What == "logon" {
					logons = append(logons, fmt.Sprintf("%s/%s %s %s", a.Domain, a.User, a.Object, a.Detail))
				} else if tt.want[:len(a.Domain)] != a.Domain || a.User == "" {
					t.Errorf("%s: %s of %s/%s", tt.name, a.What, a.Domain, a.User)
				}
			}
			if !slices.Equal(logons, []string{tt.want}) {
				t.Errorf("%s in segments of %d: %q, want %q", tt.name, size, logons, tt.want)
			}
		}
	}
}
