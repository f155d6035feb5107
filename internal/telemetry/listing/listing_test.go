package listing

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

var formats = []telemetry.Format{CSV, JSON, Body, Sums}

// read gives what a listing says, a line a row, by the format that knows it.
func read(t *testing.T, text string) (rows []string, damage []string) {
	t.Helper()
	for _, f := range formats {
		if f.Looks([]byte(text)) {
			return readAs(t, f, text)
		}
	}
	t.Fatalf("no format knows %q", text)
	return nil, nil
}

func readAs(t *testing.T, f telemetry.Format, text string) (rows []string, damage []string) {
	t.Helper()
	log := f.Open(strings.NewReader(text), telemetry.OpenOptions{})
	var b telemetry.Batch
	for {
		err := log.Next(&b)
		for i := range b.Records {
			r := &b.Records[i]
			row := fmt.Sprintf("%d %s %s", r.Line, r.Stream, r.Time)
			if r.Time == 0 {
				row = fmt.Sprintf("%d %s -", r.Line, r.Stream)
			}
			if r.Host != "" {
				row += " host=" + r.Host
			}
			for _, f := range r.Fields {
				row += " " + f.Name + "=" + f.Value
			}
			rows = append(rows, row)
		}
		if err == io.EOF {
			return rows, log.Damage()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

const (
	md5Sum  = "0123456789abcdef0123456789abcdef"
	sha1Sum = "0123456789abcdef0123456789abcdef01234567"
	sum256  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

	mftHeader = "EntryNumber,SequenceNumber,InUse,ParentEntryNumber,ParentSequenceNumber,ParentPath,FileName,Extension,FileSize,ReferenceCount,ReparseTarget,IsDirectory,HasAds,IsAds,SI<FN,uSecZeros,Copied,SiFlags,NameType,Created0x10,Created0x30,LastModified0x10,ZoneIdContents,SourceFile\n"
)

func mft(path, name, size, folder, created10, created30 string) string {
	return "7,2,True,5,5," + path + "," + name + ",.exe," + size + ",1,," + folder + ",False,False,False,False,False,Archive,DosWindows," + created10 + "," + created30 + ",2025-03-03 10:00:00.0000000,\"[ZoneTransfer]\r\nZoneId=3\"\r\n\",C:\\$MFT\n"
}

func TestRows(t *testing.T) {
	for name, c := range map[string]struct{ text, want, damage string }{
		"MFTECmd": {"\ufeff" + mftHeader + strings.ReplaceAll(mft(`.\Windows\Temp`, "svc.exe", "81920", "False", "2020-01-01 00:00:00.0000000", "2025-03-03 10:00:00.1234567"), "\"\r\n\",C", "\",C") +
			strings.ReplaceAll(mft(`.\Windows`, "Temp", "0", "True", "2020-01-01 00:00:00.0000000", ""), "\"\r\n\",C", "\",C"),
			`2 mftecmd 2025-03-03T10:00:00.123456700Z path=\Windows\Temp\svc.exe size=81920` + "\n" + `4 mftecmd 2020-01-01T00:00:00.000000000Z`, ""},
		"MFTECmd JSON": {`{"EntryNumber":7,"InUse":true,"ParentPath":".\\Temp","FileName":"a.dll","FileSize":5,"IsDirectory":false,"Created0x10":"2025-03-03T10:00:00.5+00:00"}` + "\n",
			`1 mftecmd 2025-03-03T10:00:00.500000000Z path=\Temp\a.dll size=5`, ""},
		"AmcacheParser": {"ApplicationName,ProgramId,FileKeyLastWriteTimestamp,SHA1,IsOsComponent,FullPath,Name,FileExtension,LinkDate,ProductName,Size\n" +
			"Unassociated,0006,2025-03-03 10:00:00," + sha1Sum + ",False,c:\\temp\\a.exe,a.exe,.exe,2024-05-04 17:11:14,,100\n" +
			"Unassociated,0006,2025-03-03 10:00:00," + sha1Sum + ",True,c:\\windows\\system32\\cmd.exe,cmd.exe,.exe,,,100\n" +
			"Unassociated,0006,2025-03-03 10:00:00," + sha1Sum + ",False,c:\\temp\\big.exe,big.exe,.exe,,,31457281\n",
			"2 amcache 2025-03-03T10:00:00.000000000Z path=c:\\temp\\a.exe size=100 sha1=" + sha1Sum + "\n3 amcache 2025-03-03T10:00:00.000000000Z\n" +
				"4 amcache 2025-03-03T10:00:00.000000000Z path=c:\\temp\\big.exe size=31457281", ""},
		"PECmd": {"Note,SourceFilename,ExecutableName,Hash,Size,Version,RunCount,LastRun,PreviousRun0,PreviousRun1,FilesLoaded\n" +
			`,C:\p\A.EXE-1.pf,A.EXE,AA,1,Win10,2,2025-03-03 10:00:02,2025-03-03 10:00:01,,"\VOLUME{01}\WINDOWS\NTDLL.DLL, \VOLUME{01}\TEMP\A.EXE"` + "\n",
			`2 prefetch 2025-03-03T10:00:02.000000000Z image=\VOLUME{01}\TEMP\A.EXE ran=1740996002000000000 1740996001000000000`, ""},
		"plain": {"host,time,path,size,sha256,what\nWS1,2025-03-03T10:00:00Z,\"C:\\a, b.exe\",3," + strings.ToUpper(sum256) + ",x\nWS1,,/tmp/x.txt,5,,\nshort\n",
			`2 files 2025-03-03T10:00:00.000000000Z host=WS1 path=C:\a, b.exe size=3 sha256=` + sum256 + "\n3 files - host=WS1", "line 4: 1 fields instead of 6"},
		"plain, least": {"path,md5\n/a," + md5Sum + "\n/empty,d41d8cd98f00b204e9800998ecf8427e\n", "2 files - path=/a md5=" + md5Sum + "\n3 files -", ""},
		"body file": {"0|/tmp/agent|131|-rwxr-xr-x|0|0|81920|1741000000|1741000001|1741000002|1741000003\n0|/tmp|2|drwxrwxrwt|0|0|4096|1|1|1|1\n" +
			"0|/etc/hosts|3|-rw-r--r--|0|0|90|1|1|1|1\n" + md5Sum + "|/a|b|3|r/rrw-r--r--|0|0|90|1|1|1741000002|0\nnonsense\n",
			"1 bodyfile 2025-03-03T11:06:43.000000000Z path=/tmp/agent size=81920\n2 bodyfile -\n3 bodyfile -\n" +
				"4 bodyfile 2025-03-03T11:06:42.000000000Z path=/a|b size=90 md5=" + md5Sum, "line 5: no line of a body file"},
		"sums": {md5Sum + "  /tmp/a b\n" + sha1Sum + " *x.exe\n\\" + sum256 + `  a\\b` + "\nSHA256 (c (1)) = " + sum256 + "\n",
			"1 hash-list - path=/tmp/a b md5=" + md5Sum + "\n2 hash-list - path=x.exe sha1=" + sha1Sum + "\n3 hash-list - path=a\\b sha256=" + sum256 + "\n4 hash-list - path=c (1) sha256=" + sum256, ""},
		"Velociraptor FileFinder": {`{"OSPath":"/tmp/agent","Inode":"131","Mode":"-rwxr-xr-x","Size":81920,"MTime":"2025-03-03T09:00:00Z","CTime":"2025-03-03T10:00:00Z","BTime":"2025-03-03T10:00:00.25Z","IsDir":false,"Hash":{"MD5":"` + md5Sum + `","SHA1":"` + sha1Sum + `","SHA256":"` + sum256 + `"},"Fqdn":"fs1.corp","_Source":"Linux.Search.FileFinder"}` + "\n",
			"1 velociraptor 2025-03-03T10:00:00.250000000Z host=fs1.corp path=/tmp/agent size=81920 md5=" + md5Sum + " sha1=" + sha1Sum + " sha256=" + sum256, ""},
		"Velociraptor FileFinder, older": {`{"FullPath":"C:\\Users\\a\\x.ps1","Inode":"9","Size":77,"MTime":"2025-03-03T09:00:00Z","CTime":"2025-03-03T10:00:00Z","IsDir":false,"Upload":null,"Hash":null}` + "\n",
			`1 velociraptor 2025-03-03T10:00:00.000000000Z path=C:\Users\a\x.ps1 size=77`, ""},
		"Velociraptor HashHunter": {`{"OSPath":"/tmp/agent","Name":"agent","Size":81920,"Timestamps":{"Mtime":"2025-03-03T09:00:00Z","Atime":"2025-03-03T11:00:00Z","Ctime":"2025-03-03T10:00:00Z","Btime":"2025-03-03T10:00:00.25Z"},"Hash":{"SHA256":"` + sum256 + `"}}` + "\n",
			"1 velociraptor 2025-03-03T10:00:00.250000000Z path=/tmp/agent size=81920 sha256=" + sum256, ""},
		"Velociraptor LocalHashes": {`{"Path":"/tmp/agent","MD5":"` + md5Sum + `","Size":81920,"Timestamp":"2025-03-03T12:00:00Z"}` + "\n", "1 velociraptor - path=/tmp/agent size=81920 md5=" + md5Sum, ""},
		"Velociraptor MFT": {`{"EntryNumber":9,"InUse":true,"ParentEntryNumber":5,"OSPath":"C:\\Users\\a\\x.ps1","FileName":"x.ps1","FileSize":77,"IsDir":false,"Created0x10":"2025-03-03T10:00:00Z"}` + "\n",
			`1 velociraptor 2025-03-03T10:00:00.000000000Z path=C:\Users\a\x.ps1 size=77`, ""},
		"Velociraptor Prefetch": {`{"Executable":"A.EXE","LastRunTimes":["2025-03-03T10:00:01Z","2025-03-03T10:00:00Z"],"Binary":"\\VOLUME{1}\\TEMP\\A.EXE"}` + "\n",
			`1 velociraptor 2025-03-03T10:00:01.000000000Z image=\VOLUME{1}\TEMP\A.EXE ran=1740996001000000000 1740996000000000000`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rows, damage := read(t, strings.TrimPrefix(c.text, "\ufeff"))
			if got := strings.Join(rows, "\n"); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
			if got := strings.Join(damage, "\n"); got != c.damage {
				t.Errorf("damage %q instead of %q", got, c.damage)
			}
		})
	}
}

// TestOthers: what looks like a listing and is none.
func TestOthers(t *testing.T) {
	for _, text := range []string{"", "path,name\n", "a,b,c\n1,2,3\n", "0123 456\n", `{"ts":1,"uid":"C1","path":"\\\\fs\\public"}` + "\n", `{"Path":"a","Size":1}` + "\n",
		"deadbeef  a\n", "a|b|c\n", `{"EventID":1,"Hash":"x","Path":"b"}` + "\n", md5Sum + " a\nnone\n", "# only a comment\n"} {
		for _, f := range formats {
			if f.Looks([]byte(text)) {
				t.Errorf("%s takes %q", f.Kind, text)
			}
		}
	}
}

func TestOpenQuote(t *testing.T) {
	text := "path,md5\n\"/never closed," + md5Sum + "\n" + strings.Repeat("x\n", maxRow) + "/b," + md5Sum + "\n"
	rows, damage := readAs(t, CSV, text)
	if len(rows) > 1 || len(damage) == 0 {
		t.Errorf("%d rows, damage %q", len(rows), damage)
	}
}

func TestKept(t *testing.T) {
	l := New(telemetry.FollowerOptions{Inputs: []string{"in.csv"}}).(*Listings)
	r := telemetry.Record{Host: "WS1", Stream: "files", Time: model.Time(5 * time.Second), Line: 2}
	r.Set("path", `C:\a.exe`)
	r.Set("size", "9")
	r.Set("md5", md5Sum)
	l.Record(&r)
	l.Record(&telemetry.Record{Host: "WS2"}) // counts for coverage alone
	run := telemetry.Record{Host: "WS1", Stream: "prefetch", Line: 3}
	run.Set("image", "A.EXE")
	run.Set("ran", "7 x 8")
	l.Record(&run)
	out := l.Close()
	want := telemetry.Sighting{Host: "WS1", Path: `C:\a.exe`, Stream: "files", MD5: md5Sum, Size: 9, Time: 5e9, Line: 2}
	if len(out.Sightings) != 1 || out.Sightings[0] != want {
		t.Errorf("%+v", out.Sightings)
	}
	if len(out.Hosts) != 1 || len(out.Starts) != 2 || out.Starts[1].Time != 8 || out.Starts[0].Image != "A.EXE" || out.Starts[0].Evidence[0].Input != "in.csv" {
		t.Errorf("%v %+v", out.Hosts, out.Starts)
	}
}

// FuzzRows: no listing makes a reader fail, and what it gives is bounded.
func FuzzRows(f *testing.F) {
	f.Add(mftHeader+mft(`.\a`, "b.exe", "1", "False", "x", "y"), uint8(0))
	f.Add(`{"OSPath":"a","Size":1,"Hash":{"MD5":"`+md5Sum+`"}}`, uint8(1))
	f.Add("0|/tmp/agent|131|-rwxr-xr-x|0|0|81920|1|1|1|1\n", uint8(2))
	f.Add(md5Sum+"  a\nMD5 (a) = "+md5Sum, uint8(3))
	f.Add("path,md5\n\"a\"\"b\","+md5Sum, uint8(0))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		form := formats[int(which)%len(formats)]
		form.Looks([]byte(text))
		log, l := form.Open(strings.NewReader(text), telemetry.OpenOptions{}), New(telemetry.FollowerOptions{Inputs: []string{"x"}})
		var b telemetry.Batch
		for log.Next(&b) == nil {
			for i := range b.Records {
				l.Record(&b.Records[i])
			}
		}
		for _, s := range l.Close().Sightings {
			if s.Path == "" || s.Size == 0 || s.Size < 0 && s.MD5+s.SHA1+s.SHA256 == "" {
				t.Errorf("%+v", s)
			}
		}
	})
}

func BenchmarkMFT(b *testing.B) {
	row := strings.ReplaceAll(mft(`.\Windows\Temp`, "svc.exe", "81920", "False", "2020-01-01 00:00:00.0000000", "2025-03-03 10:00:00.1234567"), "\"[ZoneTransfer]\r\nZoneId=3\"\r\n\"", "")
	text := mftHeader + strings.Repeat(row, 100_000)
	for b.Loop() {
		log, l := CSV.Open(strings.NewReader(text), telemetry.OpenOptions{}), New(telemetry.FollowerOptions{Inputs: []string{"x"}})
		var batch telemetry.Batch
		for log.Next(&batch) == nil {
			for i := range batch.Records {
				l.Record(&batch.Records[i])
			}
		}
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "rows/s")
}
