package spread

import "strings"

// everyday are names that so many files have that one of the same size says nothing.
var everyday = wordSet(`desktop.ini thumbs.db ehthumbs.db .ds_store folder.jpg albumart.jpg
	setup.exe install.exe installer.exe update.exe updater.exe uninstall.exe setup.msi install.msi autorun.inf
	index.html index.htm index.php index.js index.css default.htm default.aspx favicon.ico robots.txt main.js style.css
	readme readme.txt readme.md license license.txt changelog.txt notice.txt version.txt manifest.xml manifest.json
	package.json config.xml config.ini config.json settings.json settings.xml data.bin data.dat data.db cache.dat
	gpt.ini registry.pol gpttmpl.inf scripts.ini comment.cmtx ntuser.dat ntuser.ini ntuser.pol usrclass.dat
	log.txt error.log access.log output.txt out.txt test.txt temp.txt new.txt notes.txt test temp tmp file data
	document.docx document.pdf scan.pdf image.jpg image.png untitled.txt`)

func wordSet(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}

// telling is a name as it is compared, "" for one that tells nothing.
func telling(name string) string {
	name = strings.ToLower(name)
	if everyday[name] {
		return ""
	}
	return name
}

// programs are the extensions of programs, scripts and of what holds them.
var programs = wordSet(`exe dll sys scr com pif cpl ocx msi msp msix jar war bat cmd ps1 psm1 vbs vbe js jse wsf wsh hta
	lnk inf reg py pl rb sh elf bin so dylib pkg dmg app deb rpm zip 7z rar cab gz tgz tar iso img vhd vhdx`)

// program says whether a name, lower case, is that of a program or of what holds one.
func program(name string) bool {
	dot := strings.LastIndexByte(name, '.')
	return dot > 0 && programs[name[dot+1:]]
}
