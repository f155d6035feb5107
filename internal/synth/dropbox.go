package synth

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

const dropboxPort = 17500

// Announce broadcasts that a host holds folders of Dropbox, and serves them at a port.
func (n *Net) Announce(h *Host, id int, port uint16, folders ...int) {
	u := n.UDP(h, n.Host("", "255.255.255.255"), dropboxPort)
	u.ports[Client] = dropboxPort
	list := strings.ReplaceAll(strings.Trim(fmt.Sprint(folders), "[]"), " ", ", ")
	u.Client(fmt.Appendf(nil, `{"host_int": %d, "version": [2, 0], "displayname": "", "port": %d, "namespaces": [%s]}`, id, port, list))
}

// LANSync lets a host fetch content of a shared folder from another one: TLS to the
// announced port, whose name is that of the folder.
func (n *Net) LANSync(client, server *Host, port uint16, folder, size int) {
	t := n.OpenTLS(client, server, port, fmt.Sprintf("%d.ns.dropbox", folder))
	t.Send(Server, size)
	t.Close()
	n.Sealed(server, client, model.Pull, "sync-folder", size)
}
