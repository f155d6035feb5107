package unixhost

import (
	"cmp"
	"path"
	"strings"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
)

// Datastores of ESXi that lie on an NFS server: a command of the shell adds one
// (ESXCLI reference, "esxcli storage nfs add" and "nfs41 add"), and what cp and mv are
// asked to bring to or from below it is a claim.

// datastores takes a command of the shell. One with quotes or marks of the shell is
// not looked at.
func (h *host) datastores(r *telemetry.Record, user, command string) {
	args := strings.Fields(command)
	if len(args) < 3 || len(args) > 32 || strings.ContainsAny(command, "'\"`$;|&<>*?") {
		return
	}
	switch base(args[0]) {
	case "esxcli":
		h.storage(args)
	case "cp", "mv":
		h.copyAsked(r, asker{user: user, command: command}, args)
	}
}

// storage takes esxcli storage nfs|nfs41 add|remove.
func (h *host) storage(args []string) {
	if len(args) < 5 || args[1] != "storage" || args[2] != "nfs" && args[2] != "nfs41" {
		return
	}
	at := "/vmfs/volumes/" + option(args, "-v", "--volume-name")
	switch args[3] {
	case "remove":
		h.unmount(at, "")
	case "add":
		server, _, _ := strings.Cut(cmp.Or(option(args, "-H", "--host"), option(args, "-H", "--hosts")), ",") // nfs41: several of one server
		share := option(args, "-s", "--share")
		if server != "" && share != "" && base(at) != "volumes" && !h.isSelf(endOf(server, "")) {
			h.mount(export{host: strings.Clone(server), path: strings.Clone(share), at: at, channel: "nfs"})
		}
	}
}

// option is the value of an option: "-v X", "--volume-name X" or "--volume-name=X".
func option(args []string, short, long string) string {
	for i, a := range args {
		if rest, ok := strings.CutPrefix(a, long+"="); ok {
			return rest
		}
		if (a == short || a == long) && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// copyAsked takes the operands of cp and mv, of which one side lies on an added datastore.
func (h *host) copyAsked(r *telemetry.Record, who asker, args []string) {
	var operands []string
	for _, a := range args[1:] {
		if !strings.HasPrefix(a, "-") {
			operands = append(operands, a)
		}
	}
	if len(operands) < 2 {
		return
	}
	sources, target := operands[:len(operands)-1], operands[len(operands)-1]
	_, whole := h.mounted(target + "/x")
	for _, source := range sources {
		to := path.Clean(target)
		if len(sources) > 1 || strings.HasSuffix(target, "/") || whole != nil && whole.at == to {
			to = path.Join(to, base(source))
		}
		mv := cmdline.Move{Tool: base(args[0]), Name: base(to), Channel: "nfs", From: cmdline.Place{Path: source}, To: cmdline.Place{Path: to}}
		onto, over := h.mounted(to)
		off, from := h.mounted(path.Clean(source))
		switch {
		case (over == nil) == (from == nil):
			continue
		case over != nil:
			mv.To = onto
		default:
			mv.From = off
		}
		h.claimed(r, who, mv)
	}
}
