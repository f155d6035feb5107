package scan

import (
	"slices"

	"waybill/internal/capture"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/auditd"
	"waybill/internal/telemetry/esxi"
	"waybill/internal/telemetry/eve"
	"waybill/internal/telemetry/ftplog"
	"waybill/internal/telemetry/leases"
	"waybill/internal/telemetry/listing"
	"waybill/internal/telemetry/logtext"
	"waybill/internal/telemetry/macos"
	"waybill/internal/telemetry/rsyncd"
	"waybill/internal/telemetry/sambalog"
	"waybill/internal/telemetry/sensor"
	"waybill/internal/telemetry/shellhist"
	"waybill/internal/telemetry/syslog"
	"waybill/internal/telemetry/unixhost"
	"waybill/internal/telemetry/weblog"
	"waybill/internal/telemetry/winlog"
	"waybill/internal/telemetry/zeek"
)

// formats are the forms of logs, besides those of Windows events, in the order in
// which they are asked.
var formats = slices.Concat(
	[]telemetry.Format{zeek.TSV, eve.JSON, zeek.JSON},
	[]telemetry.Format{macos.Eslogger, macos.Unified, macos.Quarantine, esxi.Format},
	unixFormats,
	leaseFormats,
	[]telemetry.Format{listing.CSV, listing.JSON, listing.Body, listing.Sums})

// unixFormats are the logs of Unix hosts.
var unixFormats = []telemetry.Format{syslog.Format, syslog.Journal, ftplog.Format, rsyncd.Format, sambalog.Format, weblog.Format, auditd.Format, auditd.AUOMS, auditd.Auditbeat, syslog.Bare, shellhist.Format}

// leaseFormats say which address was whose.
var leaseFormats = []telemetry.Format{leases.Windows, leases.KeaCSV, leases.KeaLog, leases.ISC, leases.Dnsmasq, leases.Neighbours}

// followers take the records of the families of logs.
var followers = map[string]func(telemetry.FollowerOptions) telemetry.Follower{
	sensor.Family:   sensor.New,
	unixhost.Family: unixhost.New,
	listing.Family:  listing.New,
	leases.Family:   leases.New,
}

// formatOf is the form of a kind, nil for events of Windows and captures.
func formatOf(kind string) *telemetry.Format {
	for i := range formats {
		if formats[i].Kind == kind {
			return &formats[i]
		}
	}
	return nil
}

// kind tells what an input is by its first bytes.
func kind(head []byte) string {
	if k := capture.Kind(head); k != "" {
		return k
	}
	if k := winlog.Kind(head); k != "" {
		return k
	}
	text := logtext.Head(head)
	for _, f := range formats {
		if f.Looks(text) {
			return f.Kind
		}
	}
	return ""
}
