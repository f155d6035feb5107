package http

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/wire"
)

var (
	b600  = big(600)
	b2000 = big(2000)
)

// conversations are what is said on a connection and the transfers it makes.
var conversations = []struct {
	name string
	acts []act
	want []string
}{
	{"get", []act{get("/a/tool.bin?x=1"), ok(b600)},
		[]string{`http pull h/a/tool.bin?x=1 name="tool.bin" whole done 600 ` + sum(b600)[:8] + " page-part"}},
	{"put", []act{c("PUT /up HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"), s("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")},
		[]string{`http push h/up name="up" whole done 5 ` + sum("hello")[:8]}},
}

func TestConversations(t *testing.T) {
	for _, tc := range conversations {
		t.Run(tc.name, func(t *testing.T) {
			got := run(t, 0, tc.acts)
			if !slices.Equal(got, tc.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "))
			}
		})
	}
}

var _ = wire.FIN
