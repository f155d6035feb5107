package synth

// Intrusion is the script of examples/intrusion: a morning in an office network
// (10.20.0.0/16, domain CORP) in which somebody on the workstation WS-07, with
// the account svc-backup, takes a program from a share where it lies as a
// picture, copies it to three hosts through ADMIN$ and starts it there as a
// service. Around it people read and write documents, group policy is fetched,
// Explorer peeks at a driver, a report goes out by FTP, a switch saves its
// configuration by TFTP, and a tool is fetched from the intranet. The workstations
// log to a collector; APP-01 does not.
func Intrusion(n *Net) {
	o := newOffice(n)
	o.deskwork()
	tool := n.PE(18 << 10)
	n.Together(o.logonScripts, o.documents, o.web, o.updates)
	n.Sleep(40 * second)
	n.Together(o.report, o.switchConfig, func() {
		n.Sleep(2 * second)
		o.fetchTool(tool)
	})
	n.Sleep(75 * second)
	for i, target := range []*Host{o.ws11, o.ws23, o.app} {
		n.Together(
			func() { n.Sleep(second); o.copyAndStart(target, tool) },
			func() { o.reader(o.ws15, "m.brandt", i) })
		n.Sleep(50 * second)
	}
	n.Together(o.moreDocuments, o.updates)
}

const (
	second      = 1_000_000_000
	millisecond = 1_000_000
)

// office is the network of the example.
type office struct {
	n                            *Net
	dc, files, app, intranet     *Host
	ftp, tftp, core              *Host
	ws07, ws11, ws12, ws15, ws23 *Host
	outside                      *Host
}

func newOffice(n *Net) *office {
	return &office{
		n:        n,
		dc:       n.Host("DC-01", "10.20.0.2"),
		files:    n.Host("FS-01", "10.20.0.5"),
		app:      n.Host("APP-01", "10.20.0.31"),
		intranet: n.Host("WEB-01", "10.20.0.40"),
		ftp:      n.Host("FTP-01", "10.20.0.45"),
		tftp:     n.Host("NET-01", "10.20.0.50"),
		core:     n.Host("SW-CORE", "10.20.9.1"),
		ws07:     n.Host("WS-07", "10.20.1.7"),
		ws11:     n.Host("WS-11", "10.20.1.11"),
		ws12:     n.Host("WS-12", "10.20.1.12"),
		ws15:     n.Host("WS-15", "10.20.1.15"),
		ws23:     n.Host("WS-23", "10.20.1.23"),
		outside:  n.Host("updates", "198.51.100.20"),
	}
}

func corp(user string) SMBOptions { return SMBOptions{User: user, Domain: "CORP"} }

// logonScripts is group policy, read by two workstations as they start.
func (o *office) logonScripts() {
	gpt := []byte("[General]\r\nVersion=65539\r\ndisplayName=New Group Policy Object\r\n")
	policy := `corp.example\Policies\{31B2F340-016D-11D2-945F-00C04FB984F9}\`
	for _, ws := range []*Host{o.ws12, o.ws15} {
		o.n.DNS(ws, o.dc, "dc-01.corp.example", o.dc)
		s := o.n.SMB(ws, o.dc, corp(ws.Name+"$"))
		sysvol := s.Tree("SYSVOL")
		sysvol.GetCompound(policy+"gpt.ini", gpt)
		sysvol.Refused(policy+`User\Scripts\scripts.ini`, ReadAccess, StatusObjectNameNotFound)
		s.Logoff()
		o.n.Sleep(3 * second)
	}
}

// documents is two people at work on the file server, and a peek at a driver.
func (o *office) documents() {
	n := o.n
	s := n.SMB(o.ws12, o.files, corp("a.keller"))
	docs := s.Tree("Docs")
	docs.List("Planning", "budget-2026.docx", "site-plan.pdf", "suppliers.csv")
	docs.Get(`Planning\budget-2026.docx`, n.DOCX(9_000))
	n.Sleep(4 * second)
	docs.Get(`Planning\site-plan.pdf`, n.PDF(18_000))
	n.Sleep(9 * second)
	docs.Put(`Planning\suppliers.csv`, n.CSV(7_000))
	s.Tree("Drivers").Peek(`Printers\x64\prnmdl64.dll`, n.PE(310<<10))
	s.Logoff()
}

// moreDocuments is a document saved as Office does: a new file, then a rename.
func (o *office) moreDocuments() {
	n := o.n
	s := n.SMB(o.ws15, o.files, corp("m.brandt"))
	docs := s.Tree("Docs")
	f := docs.Create(`Projects\~WRD0004.tmp`)
	f.Write(0, n.DOCX(8_000))
	f.Rename(`Projects\pump-station.docx`)
	f.Close()
	docs.Refused(`HR\salaries.xlsx`, ReadAccess, StatusAccessDenied)
	s.Logoff()
}

// reader reads one document.
func (o *office) reader(ws *Host, user string, number int) {
	s := o.n.SMB(ws, o.files, corp(user))
	s.Tree("Docs").Get([]string{`Projects\minutes.txt`, `Projects\pumps.pdf`, `Projects\offers.csv`}[number], [][]byte{
		o.n.Text(3_000), o.n.PDF(12_000), o.n.CSV(5_000)}[number])
	s.Logoff()
}

// web is the intranet, with a tool that is fetched from it.
func (o *office) web() {
	n := o.n
	n.DNS(o.ws15, o.dc, "intranet.corp.example", o.intranet)
	h := n.HTTP(o.ws15, o.intranet, "intranet.corp.example")
	h.Get("/start.html", Entity{Content: append([]byte("<!DOCTYPE html><html><body>"), n.Text(2_000)...), Type: "text/html", Page: true})
	h.Get("/logo.png", Entity{Content: n.PNG(1_500), Type: "image/png", Page: true})
	h.Get("/tools/label-printer-setup.zip", Entity{Content: n.Zip("setup.inf", 12_000), Type: "application/zip", Name: "label-printer-setup.zip"})
	h.Close()
}

// updates is TLS to the outside.
func (o *office) updates() {
	n := o.n
	n.DNS(o.ws12, o.dc, "updates.vendor.example", o.outside)
	n.TLS(o.ws12, o.outside, "updates.vendor.example", 900, 6_000)
}

// report is the nightly report, sent late.
func (o *office) report() {
	f := o.n.FTP(o.app, o.ftp, "reports", "spring-Rain-4")
	f.Command("CWD /outgoing", "250 Directory changed")
	f.Put("daily-2026-03-16.csv", o.n.CSV(11_000))
	f.Quit()
}

// switchConfig is a switch that saves its configuration.
func (o *office) switchConfig() {
	config := append([]byte("! last change by netadmin\nhostname SW-CORE\n"), o.n.Text(2_300)...)
	o.n.TFTPPut(o.core, o.tftp, "sw-core-confg", config, TFTPOptions{})
}

// fetchTool is the intruder's own copy: a program under a picture's name.
func (o *office) fetchTool(tool []byte) {
	s := o.n.SMB(o.ws07, o.files, corp("svc-backup"))
	public := s.Tree("Public")
	public.List("Pictures", "summer-party-014.jpg", "summer-party-015.jpg")
	public.Get(`Pictures\summer-party-015.jpg`, tool)
	s.Logoff()
}

// copyAndStart puts the program on a host and starts it.
func (o *office) copyAndStart(target *Host, tool []byte) {
	if target != o.app {
		o.logged(target, tool)
	}
	o.n.DNS(o.ws07, o.dc, target.Name+".corp.example", target)
	s := o.n.SMB(o.ws07, target, corp("svc-backup"))
	s.Tree("ADMIN$").Put(`Temp\winsvcmon.exe`, tool)
	o.n.Sleep(2 * second)
	s.StartService("WinSvcMon", "Windows Service Monitor", `%SystemRoot%\Temp\winsvcmon.exe -k netsvcs`)
	s.Logoff()
}

// logged is what the events of a workstation say of the copy and the start, and of
// the command on WS-07 that ordered them. It leaves the clock of the wire alone.
func (o *office) logged(target *Host, tool []byte) {
	n := o.n
	begin := n.Now
	defer func() { n.Now = begin }()
	const account, path, command = `CORP\svc-backup`, `Temp\winsvcmon.exe`, `C:\Windows\Temp\winsvcmon.exe -k netsvcs`
	n.Ran(o.ws07, account, `C:\Windows\System32\cmd.exe`, `cmd.exe /c copy C:\Users\Public\winsvcmon.exe \\`+target.Name+`\ADMIN$\Temp\winsvcmon.exe`,
		`C:\Windows\explorer.exe`, 4312, hashOf([]byte("cmd.exe")))
	n.Now += 90 * millisecond
	logon := n.SharePut(target, o.ws07, account, "ADMIN$", path)
	n.Now = begin + 2*second + 300*millisecond
	n.ShareAccess(target, o.ws07, account, logon, "IPC$", "svcctl", "0x12019f")
	n.ServiceMade(target, account, logon, "WinSvcMon", `%SystemRoot%\Temp\winsvcmon.exe -k netsvcs`)
	n.Ran(target, `NT AUTHORITY\SYSTEM`, `C:\Windows\Temp\winsvcmon.exe`, command, `C:\Windows\System32\services.exe`, 5120, hashOf(tool))
}

// deskwork is what the logs of workstations hold on any morning.
func (o *office) deskwork() {
	n := o.n
	begin := n.Now
	defer func() { n.Now = begin }()
	n.Ran(o.ws11, `CORP\a.keller`, `C:\Program Files\Mozilla Firefox\firefox.exe`, `"C:\Program Files\Mozilla Firefox\firefox.exe"`, `C:\Windows\explorer.exe`, 2200, hashOf([]byte("firefox")))
	n.Spoke(o.ws11, o.ws11, o.intranet, 80, `C:\Program Files\Mozilla Firefox\firefox.exe`, 2200)
	n.Now += 3 * second
	n.FileCreated(o.ws11, `C:\Program Files\Mozilla Firefox\firefox.exe`, 2200, `C:\Users\a.keller\Downloads\minutes.pdf`)
	n.FileCreated(o.ws23, "System", 4, `C:\Windows\System32\LogFiles\WMI\NetCore.etl`)
	n.Ran(o.ws23, `CORP\j.weber`, `C:\Windows\System32\Robocopy.exe`, `robocopy D:\photos E:\photos /MIR`, `C:\Windows\explorer.exe`, 3100, hashOf([]byte("robocopy")))
	n.Logon(o.ws23, o.dc, `CORP\DC-01$`, 3)
	logon := n.Logon(o.ws11, o.ws12, `CORP\b.hofer`, 3)
	n.ShareAccess(o.ws11, o.ws12, `CORP\b.hofer`, logon, "Scans", "lease.pdf", "0x1")
}
