package judge

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

// TestPosesAsSystem: names of Windows' programs where these do not lie.
func TestPosesAsSystem(t *testing.T) {
	for _, c := range []struct {
		share, path, typ string
		started          string
		want             bool
	}{
		{"C$", `ProgramData\dllhost.exe`, "pe", "", true},
		{"C$", `ProgramData\SvcHost.EXE`, "", "", true},
		{"ADMIN$", `svchost.exe`, "", "", true},
		{"Public", `lsass.exe`, "pe", "", true},
		{"", `C:\Temp\comsvcs.dll`, "", "", true},
		{"", "/dl/conhost.exe", "", `C:\Users\Public\conhost.exe`, true},
		{"", "/dl/conhost.exe", "", `C:\Windows\System32\conhost.exe`, false},
		{"ADMIN$", `System32\svchost.exe`, "", "", false},
		{"ADMIN$", `explorer.exe`, "", "", false},
		{"ADMIN$", `Temp\explorer.exe`, "", "", true},
		{"C$", `Windows\explorer.exe`, "", "", false},
		{"Images", `w11\Windows\System32\svchost.exe`, "", "", false},
		{"C$", `ProgramData\dllhost.exe`, "text", "", false},
		{"C$", `ProgramData\dllhost.txt`, "", "", false},
		{"C$", `ProgramData\mydllhost.exe`, "pe", "", false},
	} {
		x := logged("t-1", 0, func(t *model.Transfer) {
			t.Share, t.Path, t.Type = c.share, c.path, c.typ
			t.Name = c.path[strings.LastIndexAny(c.path, `\/`)+1:]
			if c.started != "" {
				t.Executed = []model.Execution{{Time: begin, How: "process", Process: c.started}}
			}
		})
		if got := posesAsSystem(x); got != c.want {
			t.Errorf("%s %s: %v", c.share, c.path, got)
		}
	}
}

// TestStartTechniques: what is started tells techniques beside the way.
func TestStartTechniques(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		x    model.Execution
		want []string
	}{
		"a service":        {`a.exe`, model.Execution{How: "process", By: "service"}, []string{"T1569.002", "T1543.003"}},
		"by hand":          {`a.exe`, model.Execution{How: "process"}, nil},
		"for support":      {`ProgramData\AnyDesk.exe`, model.Execution{How: "process"}, []string{"T1219"}},
		"of a distributor": {`Windows\AdminArsenal\PDQDeployRunner\service-1\exec\a.exe`, model.Execution{How: "process", By: "wmi"}, []string{"T1047", "T1072"}},
		"beside it":        {`ProgramData\x\a.dll`, model.Execution{How: "module-load", Process: `C:\ProgramData\x\u.exe`}, []string{"T1574"}},
		"from elsewhere":   {`ProgramData\x\a.dll`, model.Execution{How: "module-load", Process: `C:\Windows\System32\rundll32.exe`}, nil},
	} {
		x := logged("t-1", 0, func(t *model.Transfer) {
			t.Share, t.Path, t.Name, t.Executed = "C$", c.path, c.path[strings.LastIndexAny(c.path, `\/`)+1:], []model.Execution{c.x}
		})
		if got := startTechniques(x); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
