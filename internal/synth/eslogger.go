package synth

import (
	"fmt"
	"path"
	"strings"
	"time"

	"waybill/internal/model"
)

// Eslogger is what a Mac's eslogger notes when a client puts files on it over SFTP: a
// login, and the files that sftp-server makes.
func Eslogger(client model.Addr, files []Laid) []byte {
	var b strings.Builder
	event := func(at model.Time, image string, pid int, what string) {
		fmt.Fprintf(&b, `{"schema_version":1,"event_type":0,"time":%q,"process":{"audit_token":{"pid":%d},"executable":{"path":%q}},"event":%s}`+"\n",
			stamp(at, time.RFC3339Nano), pid, image, what)
	}
	for i, f := range files {
		event(f.Since, "/usr/sbin/sshd", 100+i, fmt.Sprintf(`{"openssh_login":{"success":true,"source_address":%q,"username":"ops"}}`, client))
		event(f.Since+1e9, "/usr/libexec/sftp-server", 200+i, fmt.Sprintf(`{"create":{"destination_type":1,"destination":{"new_path":{"dir":{"path":%q},"filename":%q}}}}`, path.Dir(f.Path), path.Base(f.Path)))
	}
	return []byte(b.String())
}
