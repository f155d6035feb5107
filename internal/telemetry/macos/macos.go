// Package macos reads what a Mac logs as JSON: events of the Endpoint Security
// framework as eslogger(1) writes them, the unified log as log(1) shows it, and the table of what was quarantined. In come
// files; out come records for package unixhost: starts of programs, files made, written,
// copied and renamed, mounts, logins over SSH in the words of the Linux audit system, and messages of
// servers in those of system logs. It judges nothing.
package macos

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/jsonlog"
)

// The forms.
var (
	Eslogger = telemetry.Format{Kind: "eslogger", Family: "unixhost", Looks: endpoint.Looks, Open: endpoint.Open}
	Unified  = telemetry.Format{Kind: "unified-log", Family: "unixhost", Looks: unified.Looks, Open: unified.Open}
)

var (
	endpoint = jsonlog.Form{Name: eventName, Finish: event, Repeats: func(name string) bool { return name == "event.exec.args" }}
	unified  = jsonlog.Form{Name: messageName, Finish: message}
)

// eventNames are the members of an event that are used, with what they are in
// (EndpointSecurity, es_message_t). An event is told by its name and not by its
// number, which differs between releases.
var eventNames = func() map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(`time event_type process.audit_token.pid process.executable.path
		event.exec.target.audit_token.pid event.exec.target.executable.path event.exec.args event.exec.cwd.path
		event.create.destination.existing_file.path event.create.destination.new_path.dir.path event.create.destination.new_path.filename
		event.rename.source.path event.rename.destination.existing_file.path event.rename.destination.new_path.dir.path event.rename.destination.new_path.filename
		event.unlink.target.path event.close.modified event.close.target.path
		event.copyfile.source.path event.copyfile.target_file.path event.copyfile.target_dir.path event.copyfile.target_name
		event.mount.statfs.f_mntfromname event.mount.statfs.f_mntonname event.unmount.statfs.f_mntfromname event.unmount.statfs.f_mntonname
		event.openssh_login.success event.openssh_login.source_address event.openssh_login.username`) {
		for i := range name {
			if name[i] == '.' {
				out[name[:i]] = true
			}
		}
		out[name] = true
	}
	return out
}()

func eventName(path string) string {
	if !eventNames[path] {
		return ""
	}
	return path
}

// event turns an event into a record of the audit system.
func event(r *telemetry.Record) bool {
	o := telemetry.Record{Fields: slices.Clone(r.Fields)}
	t, err := time.Parse(time.RFC3339Nano, o.Get("time"))
	if err != nil || o.Get("event_type") == "" || o.Get("process.executable.path") == "" && o.Get("process.audit_token.pid") == "" {
		return false
	}
	r.Time, r.Stream, r.Fields = model.Time(t.UnixNano()), "eslogger", r.Fields[:0]
	r.Set("pid", o.First("event.exec.target.audit_token.pid", "process.audit_token.pid"))
	r.Set("exe", o.First("event.exec.target.executable.path", "process.executable.path"))
	switch {
	case o.Get("event.exec.target.executable.path") != "":
		r.Set("type", "EXECVE")
		r.Set("cwd", o.Get("event.exec.cwd.path"))
		for _, f := range o.Fields {
			if f.Name == "event.exec.args" {
				r.Set("arg", f.Value)
			}
		}
	case o.Get("event.openssh_login.source_address") != "":
		login(r, &o)
	case o.First("event.mount.statfs.f_mntonname", "event.unmount.statfs.f_mntonname") != "":
		r.Set("type", "PATH")
		r.Set("MOUNT", plain(o.Get("event.mount.statfs.f_mntonname")))
		r.Set("UNMOUNT", plain(o.Get("event.unmount.statfs.f_mntonname")))
		r.Set("FROM", o.First("event.mount.statfs.f_mntfromname", "event.unmount.statfs.f_mntfromname"))
	default:
		names(r, &o)
	}
	return true
}

// login is a login over SSH (macOS 13 and later), as sshd's PAM modules say it on Linux.
func login(r, o *telemetry.Record) {
	r.Fields = r.Fields[:0]
	r.Unverified = "eslogger/openssh_login"
	r.Set("type", "USER_LOGIN")
	r.Set("pid", o.Get("process.audit_token.pid"))
	r.Set("exe", "/usr/sbin/sshd")
	r.Set("addr", o.Get("event.openssh_login.source_address"))
	r.Set("acct", o.Get("event.openssh_login.username"))
	if s := o.Get("event.openssh_login.success"); s == "T" || s == "1" {
		r.Set("res", "success")
	}
}

// names are those that a call made, wrote and removed.
func names(r, o *telemetry.Record) {
	r.Set("type", "PATH")
	for _, gone := range [...]string{"event.rename.source.path", "event.unlink.target.path"} {
		if path := o.Get(gone); path != "" {
			r.Set("DELETE", plain(path))
		}
	}
	for _, what := range [...]string{"event.create.destination.", "event.rename.destination."} {
		if path := o.Get(what + "existing_file.path"); path != "" {
			r.Set("CREATE", plain(path))
		} else if name := o.Get(what + "new_path.filename"); name != "" {
			r.Set("CREATE", plain(strings.TrimSuffix(o.Get(what+"new_path.dir.path"), "/")+"/"+name))
		}
	}
	if m := o.Get("event.close.modified"); m == "T" || m == "1" {
		r.Set("WRITTEN", plain(o.Get("event.close.target.path")))
	}
	if from := o.Get("event.copyfile.source.path"); from != "" {
		r.Set("COPIED", plain(from))
		r.Set("CREATE", plain(cmp.Or(o.Get("event.copyfile.target_file.path"), strings.TrimSuffix(o.Get("event.copyfile.target_dir.path"), "/")+"/"+o.Get("event.copyfile.target_name"))))
	}
}

// plain is a path without what macOS puts before /tmp, /var and /etc.
func plain(path string) string {
	for _, folder := range [...]string{"/tmp/", "/var/", "/etc/"} {
		if rest, ok := strings.CutPrefix(path, "/private"+folder); ok {
			return folder + rest
		}
	}
	return path
}

// messageNames are the members of an entry of the unified log that are used, by the
// names that the records have.
var messageNames = map[string]string{"timestamp": "timestamp", "eventMessage": "message", "category": "category", "processID": "pid", "processImagePath": "exe", "eventType": "eventType"}

func messageName(path string) string { return messageNames[path] }

// programs whose messages are followed. Others are counted as "unified-log".
var programs = map[string]string{"sshd": "sshd", "sshd-session": "sshd", "sftp-server": "sftp-server", "sudo": "sudo", "screensharingd": "screensharingd", "sharingd": "sharingd"}

// unifiedStamp is how log(1) writes times.
const unifiedStamp = "2006-01-02 15:04:05.999999-0700"

func message(r *telemetry.Record) bool {
	t, err := time.Parse(unifiedStamp, r.Get("timestamp"))
	if err != nil || r.Get("exe") == "" {
		return false
	}
	image, pid, said, category := r.Get("exe"), r.Get("pid"), r.Get("message"), r.Get("category")
	r.Time, r.Stream, r.Fields = model.Time(t.UnixNano()), programs[image[strings.LastIndexByte(image, '/')+1:]], r.Fields[:0]
	if r.Stream == "" || r.Stream == "sharingd" && !strings.HasPrefix(category, "AirDrop") {
		r.Stream, r.Fields = "unified-log", r.Fields[:0]
		return true
	}
	r.Set("pid", pid)
	r.Set("message", said)
	if r.Stream == "sharingd" {
		r.Set("category", category)
	}
	return true
}
