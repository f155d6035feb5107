package unixhost_test

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/unixhost"
)

// TestHypervisor: machines that are started, what is typed in the shell, and what the kernel
// says of datastores and migrations. Lines as public logs and vendors' texts have them.
func TestHypervisor(t *testing.T) {
	const (
		uuid    = "5b2cf72d-c314ef74-0f37-8cdf9d51786c"
		on      = "2018-07-05T21:55:18.661Z info hostd[6C88890] [Originator@6876 sub=Vmsvc.vm:/vmfs/volumes/" + uuid + "/app 1/app 1.vmx opID=ecb6776e user=root] State Transition (VM_STATE_OFF -> VM_STATE_POWERING_ON)"
		upload  = "2018-07-05T21:50:18.661Z info hostd[6C88890] [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 9 : File upload to path '[ds1] app 1/app 1.vmdk' was initiated from 'x@10.77.0.5' and completed with status 'Success'\n"
		web     = "2018-07-05T21:50:17.091Z In(166) envoy-access[2098447]: "
		shell   = "2023-12-07T05:36:00.835Z In(14) shell[1053659]: [root]: "
		kernel  = "2023-12-07T05:04:55.162Z In(182) vmkernel: cpu10:2099084 opID=a9f5cca4)"
		mounted = kernel + "NFS: 317: NFS mount succeeded for 10.77.0.20:/srv/nfs volume backup.\n"
		again   = kernel + `NFS: 340: Restored connection to the server 10.77.0.20 mount point /srv/nfs, mounted as f0102e1f-41b7b812-0000-000000000000 ("backup")` + "\n"
		copied  = "fs1>10.77.0.20 push nfs vm/a.vmdk claimed by source"
	)
	for name, c := range map[string]struct{ text, moves, starts, accesses string }{
		"a machine starts": {on, "", `power-on \vmfs\volumes\` + uuid + `\app 1\app 1.vmx root`, ""},
		"with a disk":      {upload + on, "10.77.0.5>fs1 push http app 1/app 1.vmdk done by source", `power-on \vmfs\volumes\` + uuid + `\app 1\app 1.vmx root, power-on app 1\app 1.vmdk root`, ""},
		"a request for a datastore": {web + "PUT /folder/app%201/a.sh?dcPath=ha-datacenter&dsName=ds1 201 via_upstream - 4096 0 - 3 2 0 10.77.0.5:50258 HTTP/1.1 TLSv1.2 10.77.0.30:443 127.0.0.1:25733\n",
			"10.77.0.5>fs1 push http app 1/a.sh done by source", "", ""},
		"one that hostd tells too": {upload + web + "PUT /folder/app%201/app%201.vmdk?dsName=ds1 HTTP/1.1 200 10.77.0.5:50258\n", "10.77.0.5>fs1 push http app 1/app 1.vmdk done by source", "", ""},
		"a file that is fetched":   {web + "GET /folder/a.vmdk?dsName=ds1 HTTP/2 200 via_upstream 10.77.0.5:50258\n", "fs1>10.77.0.5 pull http a.vmdk done by destination", "", ""},
		"refused":                  {web + "PUT /folder/a.sh?dsName=ds1 403 - 10.77.0.5:50258\n", "10.77.0.5>fs1 push http a.sh denied by source", "", ""},
		"a folder's list":          {web + "GET /folder/app/?dsName=ds1 200 - 10.77.0.5:50258\n", "", "", ""},
		"another request":          {web + "POST /sdk 200 via_upstream - 10.77.0.5:50258\n" + web + "PUT /folder/a.sh?dsName=ds1 500 -\n", "", "", ""},
		"it may not":               {on + " not allowed for this Vm", "", "", ""},
		"it stops":                 {strings.Replace(on, "VM_STATE_OFF -> VM_STATE_POWERING_ON", "VM_STATE_ON -> VM_STATE_OFF", 1), "", "", ""},
		"a script by path":         {shell + "/tmp/enc.sh -x", "", `process \tmp\enc.sh root`, ""},
		"in a system log":          {"<14>2026-11-07T05:36:00.835Z fs1 shell[2000]: [root]: /tmp/encrypt /vmfs/volumes", "", `process \tmp\encrypt root`, ""},
		"by an interpreter":        {shell + "python /tmp/a.py", "", `process \tmp\a.py root`, ""},
		"a VIB":                    {shell + "esxcli software vib install -v /tmp/lsu.vib --no-sig-check", "", `process \tmp\lsu.vib root`, ""},
		"a command":                {shell + "ls /tmp", "", "", ""},
		"a datastore is there":     {mounted + shell + "cp /tmp/a.vmdk /vmfs/volumes/backup/vm/a.vmdk", copied, "", ""},
		"it is there again":        {again + shell + "cp /tmp/a.vmdk /vmfs/volumes/f0102e1f-41b7b812-0000-000000000000/vm/a.vmdk", copied, "", ""},
		"by its name":              {again + shell + "cp /tmp/a.vmdk /vmfs/volumes/backup/vm/a.vmdk", copied, "", ""},
		"another datastore":        {mounted + shell + "cp /tmp/a.vmdk /vmfs/volumes/backup2/a.vmdk", "", "", ""},
		"older lines": {"2013-12-07T05:04:55.162Z cpu10:2099084)NFS: 157: NFS mount succeeded for 10.77.0.20:/srv/nfs volume backup.\n" + shell + "cp /tmp/a.vmdk /vmfs/volumes/backup/vm/a.vmdk",
			copied, "", ""},
		"a migration": {kernel + "Migrate: 314: vmotion: Source vmmLeaderID = 2118927, ts = 7182955985622810397, srcIP = <10.77.0.1> dstIP = <10.77.0.2> Dest wid = 2109446 using SHARED swap, encrypted",
			"", "", "vm-migration 10.77.0.1>10.77.0.2"},
		"its other end": {kernel + "Migrate: 314: vmotion: Dest vmmLeaderID = 2109446, ts = 7182955985622810397, srcIP = <10.77.0.1> dstIP = <10.77.0.2> Dest wid = 0", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := follow(t, c.text)
			var starts, accesses []string
			for _, s := range r.Starts {
				starts = append(starts, fmt.Sprint(s.How, " ", s.Image, " ", s.User))
			}
			for _, a := range r.Accesses {
				accesses = append(accesses, fmt.Sprint(a.What, " ", a.Source.Name(), ">", a.Destination.Name()))
			}
			if got := told(r); got != c.moves || strings.Join(starts, ", ") != c.starts || strings.Join(accesses, ", ") != c.accesses {
				t.Errorf("%q %q %q\ninstead of %q %q %q", got, starts, accesses, c.moves, c.starts, c.accesses)
			}
		})
	}
}

// TestUnverified: records say what of them no real sample confirms, and only where it was
// used.
func TestUnverified(t *testing.T) {
	const hostd = "2018-07-05T21:50:18.661Z info hostd[6C88890] [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 9 : "
	for name, c := range map[string]struct{ text, want string }{
		"datastore":       {hostd + "File upload to path '[ds1] a.vmdk' was initiated from 'x@10.77.0.5' and completed with status 'Success'\n", "esxi/hostd/datastore"},
		"its request":     {"2023-12-07T05:36:00.835Z In(166) envoy-access[1]: PUT /folder/a.sh?dsName=ds1 200 10.77.0.5:50258\n", "esxi/web"},
		"a login":         {hostd + "User root@10.77.0.5 logged in as pyvmomi\n", ""},
		"received":        {sysmonLine(11, "Image", "/usr/sbin/smbd", "ProcessId", "60", "TargetFilename", "/srv/in/a.bin"), "sysmon/received"},
		"made":            {sysmonLine(11, "Image", "/usr/bin/vim", "ProcessId", "60", "TargetFilename", "/srv/in/a.bin"), ""},
		"a Mac's SSH":     {sshIn, "eslogger/openssh_login"},
		"screen sharing":  {esCreate(2, 812, "/System/Library/CoreServices/SSFileCopyReceiver", "/Users/a", "x.dmg"), "eslogger/screen-sharing"},
		"AirDrop":         {esCreate(2, 812, "/usr/libexec/sharingd", "/Users/a/Downloads", "x.dmg"), "eslogger/airdrop"},
		"a synced folder": {esCreate(2, 812, "/Applications/Dropbox.app/Contents/MacOS/Dropbox", "/Users/a/Dropbox", "x.dmg"), "eslogger/sync-folder"},
		"copyfile":        {esCopyfile(3, finder, "/tmp/a", "/tmp/b", "a"), "eslogger/copyfile"},
	} {
		var got []string
		seen := func(r *telemetry.Record) { got = append(got, r.Unverified) }
		feed(t, seeing{unixhost.New(telemetry.FollowerOptions{Inputs: make([]string, 1)}), seen}, 0, c.text)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// seeing shows the records that a follower took.
type seeing struct {
	telemetry.Follower
	seen func(*telemetry.Record)
}

func (s seeing) Record(r *telemetry.Record) {
	s.Follower.Record(r)
	s.seen(r)
}
