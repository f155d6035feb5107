package scan

import (
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// remoteStarts are the ways in which a capture shows that a host was told to run a
// program, each with the analytics that must say so.
var remoteStarts = map[string]struct {
	run       func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions)
	analytics []string
}{
	"task over TCP": {func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions) {
		n.TaskByRPC(a, b, 49670, `\Updates\check`, command, "-q", o)
	}, []string{"remote-start", "executor-match"}},
	"service over TCP": {func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions) {
		n.ServiceByRPC(a, b, 49671, "updsvc", command+" -k", o)
	}, []string{"remote-start", "executor-match"}},
	"WMI": {func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions) {
		n.WMIExec(a, b, 49672, "cmd.exe /Q /c "+command+" 1> nul", o)
	}, []string{"remote-start", "executor-match"}},
	"DCOM": {func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions) {
		n.MMC20(a, b, 49673, command, o)
	}, []string{"remote-start", "executor-match"}},
	"WinRM": {func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions) {
		n.WinRM(a, b, "", false).Run(command, "-q")
	}, []string{"remote-start", "executor-match"}},
	"job of the old scheduler": {func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions) {
		s := n.SMB(a, b, synth.SMBOptions{User: "eve", Domain: "CORP"})
		s.ATJob(command, o)
		s.Logoff()
	}, []string{"remote-start"}},
	"program at each logon": {func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions) {
		s := n.SMB(a, b, synth.SMBOptions{User: "eve", Domain: "CORP"})
		s.SetRunKey("Updater", command, o)
		s.Logoff()
	}, []string{"remote-start"}},
	"pipe of a tool": {func(n *synth.Net, a, b *synth.Host, _ string, _ synth.RPCOptions) {
		s := n.SMB(a, b, synth.SMBOptions{User: "eve", Domain: "CORP"})
		s.Tree("IPC$").Pipe("PSEXESVC").Close()
		s.Logoff()
	}, []string{"pipe-context"}},
}

// copied records a program being copied to a host by SMB, and what is run there.
func copied(command string, o synth.RPCOptions, run func(n *synth.Net, a, b *synth.Host, command string, o synth.RPCOptions)) synth.Scene {
	return synth.Record(41, func(n *synth.Net) {
		a, b := n.Host("WS-01", "10.20.1.1"), n.Host("SRV-02", "10.20.0.2")
		s := n.SMB(a, b, synth.SMBOptions{User: "eve", Domain: "CORP"})
		s.Tree("ADMIN$").Put(`Temp\run.exe`, n.PE(40_000))
		s.Logoff()
		n.Sleep(5e9)
		run(n, a, b, command, o)
	})
}

// marked are the analytics of all findings.
func marked(r *Records) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Analytics...)
	}
	return out
}

// TestRemoteStarts finds from packets alone that a program that was copied to a host
// was started there, and does not when another one was.
func TestRemoteStarts(t *testing.T) {
	for name, way := range remoteStarts {
		for form, o := range map[string]synth.RPCOptions{
			"plain": {}, "big-endian fragments": {BigEndian: true, Fragment: 160}, "NDR64": {NDR64: true},
			"signed": {Security: synth.RPCIntegrity, User: "eve", Domain: "CORP"},
		} {
			scene := copied(`C:\Windows\Temp\run.exe`, o, way.run)
			r := scanFolder(t, captureFile(t, scene.Capture))
			for _, want := range way.analytics {
				if !slices.Contains(marked(r), want) {
					t.Errorf("%s, %s: no %s in %v", name, form, want, marked(r))
				}
			}
			other := scanFolder(t, captureFile(t, copied(`C:\Windows\System32\calc.exe`, o, way.run).Capture))
			if slices.Contains(marked(other), "remote-start") {
				t.Errorf("%s, %s: another program counts: %v", name, form, marked(other))
			}
		}
	}
}

// TestSealedCalls: of encrypted calls interface and operation show, and nothing is made
// of their content.
func TestSealedCalls(t *testing.T) {
	o := synth.RPCOptions{Security: synth.RPCPrivacy, User: "eve", Domain: "CORP"}
	for _, name := range []string{"task over TCP", "service over TCP", "WMI", "DCOM"} {
		r := scanFolder(t, captureFile(t, copied(`C:\Windows\Temp\run.exe`, o, remoteStarts[name].run).Capture))
		if slices.Contains(marked(r), "remote-start") {
			t.Errorf("%s: %v", name, marked(r))
		}
		if !anAccess(r, "rpc-call", func(a *model.Access) bool {
			return a.Status == "sealed" && a.Interface != "" && a.Opnum != nil && a.User == "eve"
		}) {
			t.Errorf("%s: no sealed call", name)
		}
	}
}

// TestDynamicPorts joins a connection late whose port an endpoint mapper told: between
// calls, and in the middle of one. Without that word nothing is known of it.
func TestDynamicPorts(t *testing.T) {
	const mapper, tasks = 2, 3 // the connections of the script after SMB
	scene := copied(`C:\Windows\Temp\run.exe`, synth.RPCOptions{}, remoteStarts["task over TCP"].run)
	late := func(flow, packets int) *Records {
		n := 0
		return scanFolder(t, captureFile(t, slices.DeleteFunc(slices.Clone(scene.Capture), func(f synth.Frame) bool {
			if f.Flow == tasks {
				n++
			}
			return f.Flow == tasks && n <= packets || f.Flow == flow
		})))
	}
	told := func(r *Records, what string) bool {
		return anAccess(r, what, func(a *model.Access) bool {
			return a.Source.IP.String() == "10.20.1.1" && a.Object == `\Updates\check`
		})
	}
	const opening, first = 5, 8 // up to the answer to the bind; up to the first segment of SchRpcRegisterTask
	if r := late(0, opening); !told(r, "task-create") || !slices.Contains(marked(r), "remote-start") {
		t.Errorf("between calls: %v", marked(r))
	}
	if r := late(0, first); told(r, "task-create") || !told(r, "task-run") {
		t.Error("in the middle of a call: the next one is not told")
	}
	if r := late(mapper, opening); told(r, "task-create") || told(r, "task-run") {
		t.Error("nobody could know what is called")
	}
}
