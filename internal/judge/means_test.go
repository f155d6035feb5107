package judge

import (
	"slices"
	"testing"

	"waybill/internal/model"
)

// TestMeans: techniques that the record shows, and none that it does not.
func TestMeans(t *testing.T) {
	started := func(parent, command string) []model.Execution {
		return []model.Execution{{How: "process", Parent: parent, Command: command}}
	}
	for _, c := range []struct {
		about string
		t     model.Transfer
		want  []string
	}{
		{"a copy by the system", model.Transfer{Name: "a.exe", Process: "System", User: "bob", Executed: started(`c:\windows\system32\services.exe`, `C:\Windows\a.exe`)}, nil},
		{"PowerShell copied it", model.Transfer{Name: "a.exe", Process: `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`}, []string{"T1059.001"}},
		{"a command of PowerShell", model.Transfer{Name: "a.exe", Command: `"C:\Program Files\PowerShell\7\pwsh.exe" -c Copy-Item a.exe \\b\C$`}, []string{"T1059.001"}},
		{"a file that is called so", model.Transfer{Name: "a.exe", Command: `copy powershell.exe \\b\C$`}, nil},
		{"PowerShell started it", model.Transfer{Name: "a.exe", Executed: started(`c:\windows\system32\windowspowershell\v1.0\powershell.exe`, `C:\Windows\a.exe`)}, []string{"T1059.001"}},
		{"a script was started", model.Transfer{Name: "a.BAT", Executed: started("", `cmd.exe /c C:\a.bat`)}, []string{"T1059.003"}},
		{"a script that only lies there", model.Transfer{Name: "a.bat"}, nil},
		{"a library by rundll32", model.Transfer{Name: "a.dll", Executed: started("", `rundll32.exe C:\ProgramData\a.dll,Entry`)}, []string{"T1218.011"}},
		{"rundll32 itself was moved", model.Transfer{Name: "rundll32.exe", Executed: started("", `rundll32.exe x`)}, nil},
		{"an archive was taken apart", model.Transfer{Name: "a.7z", Type: "archive", Executed: started("", `C:\ProgramData\7z.exe x -p*** C:\a.7z -oC:\x`)}, []string{"T1140"}},
		{"a program whose line names an unpacker", model.Transfer{Name: "a.exe", Type: "pe", Executed: started("", `C:\a.exe 7z`)}, nil},
		{"certutil decoded it", model.Transfer{Name: "a.txt", Executed: started("", `certutil.exe -decode C:\a.txt C:\a.exe`)}, []string{"T1140"}},
		{"certutil fetched it", model.Transfer{Name: "a.exe", Command: `certutil.exe -urlcache -f http://h/a.exe`}, nil},
		{"another one's account of the domain", model.Transfer{User: "adm01", Domain: "CORP", InitiatorUser: `CORP\bob`}, []string{"T1078.002"}},
		{"an account of the host that it came to", model.Transfer{User: "admin", Domain: "WS2", InitiatorUser: `CORP\bob`, Initiator: model.BySource, Destination: model.Endpoint{Host: "ws2.corp.example"}}, []string{"T1078.003"}},
		{"one's own account", model.Transfer{User: "Bob", Domain: "CORP", InitiatorUser: `CORP\bob`}, nil},
		{"the system asked", model.Transfer{User: "adm01", Domain: "CORP", InitiatorUser: `NT AUTHORITY\SYSTEM`}, nil},
		{"a host's account", model.Transfer{User: "WS1$", Domain: "CORP", InitiatorUser: `CORP\bob`}, nil},
		{"an account without domain", model.Transfer{User: "root", InitiatorUser: "bob", Channel: "ssh"}, nil},
		{"a plant", model.Transfer{Destination: model.Endpoint{Role: "HMI"}}, []string{"T0867"}},
		{"a role that only has the letters", model.Transfer{Destination: model.Endpoint{Role: "physics server"}}, nil},
	} {
		if got := means(&c.t); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", c.about, got, c.want)
		}
	}
}

// TestUnknownPipe: a pipe of no known service is two programs that talk; one of PsExec's is
// not.
func TestUnknownPipe(t *testing.T) {
	for text, want := range map[string]bool{`\x, a pipe of no known service`: true, `\PSEXESVC, a pipe of PsExec`: false} {
		p := pipeUse{Text: text}
		if got := slices.Contains(p.mark(&landing{}, 0).Techniques, "T1559"); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
