package cmdline

import "testing"

func TestOpens(t *testing.T) {
	for line, want := range map[string]Session{
		`ftp.exe -s:c.txt SRV02`:                        {"ftp", "ftp", "SRV02", true},
		`C:\Windows\System32\ftp.exe -v -n -i 10.0.0.5`: {"ftp", "ftp", "10.0.0.5", false},
		`ftp -A -S:c.txt srv`:                           {"ftp", "ftp", "srv", true},
		`ftp`:                                           {Tool: "ftp", Channel: "ftp"},
		`ftp ""`:                                        {Tool: "ftp", Channel: "ftp"},
		`sftp bob@srv`:                                  {},
		``:                                              {},
	} {
		if got := Opens(line); got != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
