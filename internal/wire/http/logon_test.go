package http

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/ticket/tickettest"
	"waybill/internal/wire/wiretest"
)

// ntlmMessage is an NTLMSSP message of type 1, or 3 with names (MS-NLMP 2.2.1).
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

func withToken(field, scheme string, token []byte) act {
	return c(fmt.Sprintf("PUT /d/f HTTP/1.1\r\nHost: h\r\n%s: %s %s\r\nContent-Length: 600\r\n\r\n%s",
		field, scheme, base64.StdEncoding.EncodeToString(token), b600))
}

func line(status string) act { return s("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n") }

// TestLogons: NTLM and Kerberos name the connection, refused ones do not.
func TestLogons(t *testing.T) {
	login := tickettest.Alice(18)
	login.Service = "HTTP/h.lab.test"
	apReq := login.APReq(t, login.TicketBytes(t))
	put := c("PUT /d/g HTTP/1.1\r\nHost: h\r\nContent-Length: 600\r\n\r\n" + b600)
	hello, anna := ntlmMessage(1, "", "", ""), ntlmMessage(3, "CORP", "anna", "WS1")
	for _, tt := range []struct {
		name   string
		acts   []act
		logons []string
		users  []string // of what was put
	}{
		{"NTLM", []act{withToken("Authorization", "NTLM", hello), line("401 no"), withToken("Authorization", "NTLM", anna), line("201 made"), put, line("201 made")},
			[]string{"CORP/anna h ntlm from WS1 "}, []string{"", "CORP/anna ntlm", "CORP/anna ntlm"}},
		{"refused", []act{withToken("Authorization", "NTLM", anna), line("401 no"), put, line("201 made")},
			[]string{"CORP/anna h ntlm from WS1 401"}, []string{"CORP/anna ntlm", ""}},
		{"Kerberos with each request", []act{withToken("Authorization", "Negotiate", tickettest.Init(apReq)), line("201 made"),
			withToken("Authorization", "Negotiate", tickettest.Init(apReq)), line("201 made")},
			[]string{"LAB.TEST/alice HTTP/h.lab.test kerberos "}, []string{"LAB.TEST/alice kerberos", "LAB.TEST/alice kerberos"}},
		{"proxy", []act{withToken("Proxy-Authorization", "Negotiate", tickettest.Init(apReq)), line("407 no")},
			[]string{"LAB.TEST/alice HTTP/h.lab.test kerberos 407"}, []string{"LAB.TEST/alice kerberos"}},
		{"no answer", []act{withToken("Authorization", "NTLM", anna)},
			[]string{"CORP/anna h ntlm from WS1 no answer seen"}, []string{"CORP/anna ntlm"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := ticket.ParseKeytab(login.Keytab())
			if err != nil {
				t.Fatal(err)
			}
			env := wiretest.New(t)
			env.Tickets = ticket.NewTable(keys, &content.Budget{Limit: 1 << 20})
			p := New(env)
			play(env, p, 0, tt.acts)
			p.Flush(env.Next())
			var logons, users []string
			for _, a := range env.Accesses {
				if a.What == "logon" {
					logons = append(logons, fmt.Sprintf("%s/%s %s %s %s", a.Domain, a.User, a.Object, a.Detail, a.Status))
				}
			}
			for _, x := range env.Transfers {
				who := ""
				if x.Auth != "" {
					who = x.Domain + "/" + x.User + " " + x.Auth
				}
				users = append(users, who)
			}
			if !slices.Equal(logons, tt.logons) || !slices.Equal(users, tt.users) {
				t.Errorf("logons %q, users %q\nwant %q, %q", logons, users, tt.logons, tt.users)
			}
		})
	}
}
