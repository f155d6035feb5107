package unixhost_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestNFSDatastore: what shell.log shows of datastores on an NFS server.
func TestNFSDatastore(t *testing.T) {
	shell := func(commands ...string) string {
		var b strings.Builder
		for i, c := range commands {
			fmt.Fprintf(&b, "2023-12-05T17:36:%02d.835Z In(14) shell[1053659]: [root]: %s\n", i, c)
		}
		return b.String()
	}
	const (
		add  = "esxcli storage nfs add -H 10.77.0.20 -s /srv/nfs -v backup"
		push = "fs1>10.77.0.20 push nfs "
	)
	for name, c := range map[string]struct{ text, want string }{
		"to it":             {shell(add, "cp /vmfs/volumes/ds1/vm.vmdk /vmfs/volumes/backup/vm/vm.vmdk"), push + "vm/vm.vmdk claimed by source"},
		"into its root":     {shell(add, "cp -r /tmp/a /tmp/b /vmfs/volumes/backup"), push + "a claimed by source\n" + push + "b claimed by source"},
		"one into its root": {shell(add, "cp /tmp/a /vmfs/volumes/backup"), push + "a claimed by source"},
		"from it":           {shell("esxcli storage nfs41 add --hosts=10.77.0.20,10.77.0.21 --share=/srv --volume-name=backup", "cp /vmfs/volumes/backup/enc /tmp/"), "10.77.0.20>fs1 pull nfs enc claimed by destination"},
		"within it":         {shell(add, "mv /vmfs/volumes/backup/a /vmfs/volumes/backup/b"), ""},
		"on local stores":   {shell(add, "cp /vmfs/volumes/ds1/a /vmfs/volumes/ds2/a", "cp /tmp/a /vmfs/volumes/backup2/a"), ""},
		"removed":           {shell(add, "esxcli storage nfs remove -v backup", "cp /tmp/a /vmfs/volumes/backup/a"), ""},
		"not added":         {shell("esxcli storage nfs list", "cp /tmp/a /vmfs/volumes/backup/a"), ""},
		"its own server":    {shell(strings.Replace(add, "10.77.0.20", "127.0.0.1", 1), "cp /tmp/a /vmfs/volumes/backup/a"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(follow(t, c.text)); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
		})
	}
}
