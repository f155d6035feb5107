package judge

import (
	"cmp"
	"strings"

	"waybill/internal/model"
)

// systemPrograms are programs and libraries of Windows that lie in its own folders alone.
var systemPrograms = wordSet("svchost.exe lsass.exe services.exe csrss.exe smss.exe wininit.exe winlogon.exe spoolsv.exe taskhost.exe taskhostw.exe taskhostex.exe " +
	"dllhost.exe conhost.exe wmiprvse.exe rundll32.exe regsvr32.exe explorer.exe lsm.exe lsaiso.exe dwm.exe ctfmon.exe sihost.exe runtimebroker.exe searchindexer.exe userinit.exe " +
	"msdtc.exe audiodg.exe fontdrvhost.exe dashost.exe backgroundtaskhost.exe wuauclt.exe werfault.exe logonui.exe wudfhost.exe comsvcs.dll")

// systemFolders are Windows' own, and where its updates and images keep copies.
var systemFolders = [...]string{`\system32\`, `\syswow64\`, `\sysnative\`, `\winsxs\`, `\servicing\`, `\softwaredistribution\`, `\i386\`, `\amd64\`}

// posesAsSystem says whether a program that came bears the name of one of Windows, and
// lies where none of these do (ATT&CK T1036.005).
func posesAsSystem(t *model.Transfer) bool {
	name := strings.ToLower(t.Name)
	if !systemPrograms[name] || !runs(t) {
		return false
	}
	place := cmp.Or(diskPath(t), `\`+pathKey(t.Path))
	if name == "explorer.exe" && strings.HasSuffix(place, `\windows\explorer.exe`) {
		return false
	}
	for _, f := range systemFolders {
		if strings.Contains(place, f) {
			return false
		}
	}
	return true
}

// supportTools begin the names of programs for remote support (ATT&CK T1219).
var supportTools = [...]string{"anydesk", "teamviewer", "rustdesk", "screenconnect", "splashtop", "supremo", "ammyy", "ateraagent", "meshagent", "dwagent", "ultraviewer", "logmein", "remotepc"}

// supportTool says whether a file is one of them.
func supportTool(t *model.Transfer) bool {
	name := strings.ToLower(t.Name)
	for _, tool := range supportTools {
		if strings.HasPrefix(name, tool) {
			return true
		}
	}
	return false
}

// distributed says whether a file lies in a folder that a product for the distribution of
// software makes on hosts (ATT&CK T1072).
func distributed(t *model.Transfer) bool {
	path := pathKey(t.Path)
	return strings.Contains(path, `pdqdeployrunner\`) || strings.Contains(path, `ccmsetup\`)
}

// sideLoaded says whether a library was loaded by a program beside it (ATT&CK T1574).
func sideLoaded(t *model.Transfer) bool {
	for _, x := range t.Executed {
		loader := pathKey(x.Process)
		folder := loader[:strings.LastIndexByte(loader, '\\')+1]
		if x.How == "module-load" && len(folder) > 3 && strings.HasSuffix(folder+strings.ToLower(t.Name), pathKey(t.Path)) {
			return true
		}
	}
	return false
}

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
