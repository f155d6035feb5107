package synth

import (
	"encoding/json"
	"fmt"

	"waybill/internal/model"
)

// What a Mac logs: eslogger, and sshd in the unified log.

// Mac gives the logs of a Mac.
func Mac(h *Host) *UnixLogs { return &UnixLogs{Host: h.FQDN(), System: "macos"} }

// macEvent is an event of eslogger.
func (l *UnixLogs) macEvent(at model.Time, pid int, image, event string) {
	l.serial++
	l.line("eslogger.json", `{"schema_version":1,"event_type":%d,"time":"%s","process":{"audit_token":{"pid":%d,"asid":100000},"executable":{"path":%q},"is_platform_binary":true},"event":%s,"seq_num":%d}`,
		9, stamp(at, "2006-01-02T15:04:05.000000000Z"), pid, image, event, l.serial)
}

// MacLogin is a login over SSH, as eslogger and the unified log tell it.
func (l *UnixLogs) MacLogin(at model.Time, client, server *Host, user string) {
	l.pid++
	said := func(format string, args ...any) {
		l.line("unified.ndjson", `{"timestamp":"%s","eventMessage":%q,"processID":%d,"processImagePath":"\/usr\/sbin\/sshd","eventType":"logEvent"}`,
			stamp(at, "2006-01-02 15:04:05.000000-0700"), fmt.Sprintf(format, args...), 700+l.pid)
	}
	said("Connection from %s port %d on %s port 22 rdomain \"\"", client.Addr, 42000+l.pid, server.Addr)
	said("Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:x", user, client.Addr, 42000+l.pid)
	l.macEvent(at, 700+l.pid, "/usr/sbin/sshd", fmt.Sprintf(`{"openssh_login":{"success":true,"result_type":0,"source_address_type":1,"source_address":"%s","username":"%s"}}`, client.Addr, user))
}

// MacRan is the start of a program on a Mac.
func (l *UnixLogs) MacRan(at model.Time, pid int, image string, args ...string) {
	list, err := json.Marshal(args)
	if err != nil {
		panic(err) // strings
	}
	l.macEvent(at, pid, "/bin/zsh", fmt.Sprintf(`{"exec":{"target":{"audit_token":{"pid":%d},"executable":{"path":%q}},"args":%s}}`, pid, image, list))
}

// MacCreated is a file that a program made on a Mac.
func (l *UnixLogs) MacCreated(at model.Time, pid int, image, folder, name string) {
	l.macEvent(at, pid, image, fmt.Sprintf(`{"create":{"destination_type":1,"destination":{"new_path":{"dir":{"path":%q},"filename":%q,"mode":420}}}}`, folder, name))
}
