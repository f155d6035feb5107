package unixhost

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// esxiWeb takes "METHOD TARGET STATUS ..." or "METHOD TARGET HTTP/2 STATUS ..." of the proxy
// of ESXi 8 (envoy-access.log): files of datastores are under /folder (vSphere Web Services
// SDK Programming Guide, HTTP access). No public line of such a request was found.
func (h *host) esxiWeb(r *telemetry.Record) {
	words := strings.Fields(r.Get("message"))
	if len(words) < 3 || words[0] != "PUT" && words[0] != "GET" || !strings.HasPrefix(words[1], "/folder/") {
		return
	}
	u, err := url.Parse(words[1])
	status := statusOf(words[2:])
	if err != nil || status == 0 || strings.HasSuffix(u.Path, "/") {
		return
	}
	m := moved{operation: model.Pull, channel: "http", other: clientOf(words[2:]), share: u.Query().Get("dsName"), path: strings.TrimPrefix(u.Path, "/folder/"), size: -1, what: "datastore request"}
	if words[0] == "PUT" {
		m.operation = model.Push
	}
	switch {
	case status == 401 || status == 403:
		m.status, m.reason = model.Denied, "the host answered "+strconv.Itoa(status)
	case status < 200 || status > 299:
		return
	}
	m.user = h.managers[m.other.IP]
	r.Unverified = "esxi/web"
	h.found(r, m)
}

// statusOf is the first number of three digits, where a request has its status.
func statusOf(words []string) int {
	for _, w := range words[:min(2, len(words))] {
		if n, err := strconv.Atoi(w); err == nil && n >= 100 && n < 600 {
			return n
		}
	}
	return 0
}

// clientOf is the first address with a port that is none of the host's own.
func clientOf(words []string) model.Endpoint {
	for _, w := range words {
		if a, err := netip.ParseAddrPort(strings.Trim(w, `"`)); err == nil && !a.Addr().IsLoopback() {
			return model.Endpoint{IP: model.AddrOf(a.Addr()), Port: a.Port()}
		}
	}
	return model.Endpoint{}
}
