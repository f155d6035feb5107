package telemetry

import "testing"

func TestShellMetadata(t *testing.T) {
	for name, want := range map[string]bool{
		"Desktop.ini": true, "Thumbs.db": true, ".DS_Store": true, "._a.docx": true,
		"a.exe:Zone.Identifier": true, "a.exe:Zone.Identifier:$DATA": true, "a:AFP_AfpInfo": true, "a:com.apple.quarantine": true,
		"a.exe": false, "desktop.ini:b.exe": false, "._a:b.exe": false, "a:AFP_Resource": false, "zone.identifier": false, "desktop.ini.exe": false,
	} {
		if ShellMetadata(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
