package http

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"waybill/internal/model"
)

const (
	soapType   = "Content-Type: application/soap+xml;charset=UTF-8"
	sealedType = `Content-Type: multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"`
)

func wsman(body, mediaType string) act {
	return c("POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n" + mediaType + "\r\n\r\n" + body)
}

// TestRemoteShells: messages of WS-Management are accesses and no files; a session
// that is encrypted and carries much is one opaque transfer.
func TestRemoteShells(t *testing.T) {
	command := `<s:Envelope><s:Header><a:Action s:mustUnderstand="true">http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command</a:Action>` +
		`<w:SelectorSet><w:Selector Name="ShellId">0E1F2A3B-0000-1111-2222-333344445555</w:Selector></w:SelectorSet></s:Header><s:Body>` +
		`<rsp:CommandLine><rsp:Command>C:\a.exe</rsp:Command><rsp:Arguments>-x &amp; 1</rsp:Arguments></rsp:CommandLine></s:Body></s:Envelope>`
	fragment := "\x00\x00\x00\x01" + `<Obj RefId="0"><MS><S N="Cmd">C:\Windows\b.exe</S><B N="IsScript">false</B><S N="N">a</S><S N="V">-y &amp;</S></MS></Obj>`
	powerShell := strings.NewReplacer(`<rsp:Command>C:\a.exe</rsp:Command>`, `<rsp:Command></rsp:Command>`, `-x &amp; 1`, base64.StdEncoding.EncodeToString([]byte(fragment))).Replace(command)
	for _, tc := range []struct {
		name, access, moved string
		acts                []act
	}{
		{"in clear", `Command C:\a.exe -x & 1 shell 0E1F2A3B-0000-1111-2222-333344445555`, "", []act{wsman(command, soapType), ok(big(900), soapType)}},
		{"PowerShell", `Command C:\Windows\b.exe -y & shell 0E1F2A3B-0000-1111-2222-333344445555`, "", []act{wsman(powerShell, soapType), ok(big(900), soapType)}},
		{"encrypted", "/wsman  1 requests, 900 encrypted bytes sent, 800 received; the commands do not show", "", []act{wsman(big(900), sealedType), ok(big(800), sealedType)}},
		{"much sent", "/wsman  1 requests, 40000 encrypted bytes sent, 0 received; the commands do not show", "push 30000 40000", []act{wsman(big(40_000), sealedType), ok("", soapType)}},
		{"much received", "/wsman  1 requests, 900 encrypted bytes sent, 80000 received; the commands do not show", "pull 60000 80000", []act{wsman(big(900), sealedType), ok(big(80_000), sealedType)}},
		{"answer alone", "", "", []act{ok(big(80_000), sealedType)}},
	} {
		env, got := transfers(t, tc.acts...)
		var seen, moved []string
		for _, a := range env.Accesses {
			if a.What == "winrm-exec" {
				seen = append(seen, a.Object+" "+a.Command+" "+a.Detail)
			}
		}
		for _, x := range got {
			if x.Completeness != model.Opaque || x.Channel != "winrm" || x.Content != nil {
				t.Errorf("%s: %+v", tc.name, x.Transfer)
				continue
			}
			moved = append(moved, x.Operation+" "+strconv.Itoa(int(x.Estimate.Size))+" "+strconv.Itoa(int(x.Estimate.High)))
		}
		if strings.Join(seen, "\n") != tc.access || strings.Join(moved, "\n") != tc.moved {
			t.Errorf("%s: %q, %q", tc.name, seen, moved)
		}
	}
}
