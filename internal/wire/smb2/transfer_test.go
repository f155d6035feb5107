package smb2

import (
	"testing"

	"waybill/internal/wire"
)

const share = `\\srv\data`

const (
	asRead  = 0x0012_0089
	asWrite = 0x0012_0196
)

// pulled is a file read in pieces of 64 KiB.
func (p *peer) pulled(fid uint64, name string, b []byte) {
	p.create(file{fid: fid, name: name, access: asRead, action: 1, size: int64(len(b))})
	for off := 0; off < len(b); off += 65536 {
		p.read(fid, int64(off), 65536, b[off:min(len(b), off+65536)])
	}
	p.close(fid, int64(len(b)))
}

// pushed is a file made and written in pieces of 64 KiB.
func (p *peer) pushed(fid uint64, name string, b []byte) {
	p.create(file{fid: fid, name: name, access: asWrite, action: 2})
	for off := 0; off < len(b); off += 65536 {
		p.write(fid, int64(off), b[off:min(len(b), off+65536)])
	}
	p.close(fid, int64(len(b)))
}

func newScript(dialect uint16) (*script, *peer) {
	s := &script{}
	return s, s.dial(clientEnd, serverEnd).logon(dialect, share)
}

func TestReadAndWrite(t *testing.T) {
	s, p := newScript(0x311)
	a, b := pattern(200_000, 1), pattern(150_001, 2)
	p.pulled(1, `dir\a.bin`, a)
	p.pushed(2, `b.bin`, b)
	p.end(wire.FIN)
	got := s.run(t).want(whole("pull", share+`\dir\a.bin`, a), whole("push", share+`\b.bin`, b))
	tr := got.Transfers[0]
	if tr.Name != "a.bin" || tr.User != "anna" || tr.Domain != "CORP" || tr.Auth != "ntlm" || tr.Channel != "smb2" {
		t.Errorf("record: %+v", tr.Transfer)
	}
	if x := tr.Session; x.ID != "0000400000000011" || x.Dialect != "3.1.1" || x.Channels != 1 || x.Workstation != "WS1" {
		t.Errorf("session: %+v", x)
	}
	if tr.Source.IP != serverEnd.Addr || tr.Destination.IP != clientEnd.Addr || tr.Source.Port != 445 || tr.Initiator != "destination" {
		t.Errorf("ends: %+v %+v %s", tr.Source, tr.Destination, tr.Initiator)
	}
	got.wantAccesses("logon share-connect", "logon", `share-connect \\srv\data`)
}

// TestContract plays one conversation for each sentence of the contract on what
// a transfer is and when it is whole.
func TestContract(t *testing.T) {
	a, b := pattern(200_000, 1), pattern(3000, 2)
	for _, c := range []struct {
		name   string
		script func(p *peer)
		want   []string
		access []string // peek, metadata, refused-open
	}{
		{"a file read and written gives two", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asRead | asWrite, action: 1, size: 3000})
			p.read(1, 0, 65536, b)
			p.write(1, 0, a[:3000])
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{whole("pull", share+`\f`, b), whole("push", share+`\f`, a[:3000])}, nil},

		{"two opens of one name are two", func(p *peer) {
			p.pulled(1, "f", b)
			p.pulled(2, "f", b)
			p.end(wire.FIN)
		}, []string{whole("pull", share+`\f`, b), whole("pull", share+`\f`, b)}, nil},

		{"reads out of order, with overlaps, the first copy wins", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asRead, action: 1, size: 3000})
			p.read(1, 2000, 1000, b[2000:])
			p.read(1, 0, 1500, b[:1500])
			p.read(1, 1000, 1000, append(append([]byte{}, make([]byte, 500)...), b[1500:2000]...))
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{whole("pull", share+`\f`, b)}, nil},

		{"rewritten bytes: the last accepted copy wins", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, make([]byte, 100))
			p.write(1, 100, b[100:])
			p.write(1, 0, b[:100])
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b)}, nil},

		{"a write counts with the count of its response", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.both(cmdWrite, 0, writeBody(1, 0, b), writeReply(1000))
			p.close(1, 1000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b[:1000])}, nil},

		{"a refused write among others does not count", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, b)
			p.both(cmdWrite, 0xC000007F, writeBody(1, 3000, a), nil)
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b) + " [a write failed: STATUS_DISK_FULL]"}, nil},

		{"existing content: whole only if the writes cover it", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 1, size: 5000})
			p.write(1, 0, b)
			p.close(1, 5000)
			p.create(file{fid: 2, name: "g", access: asWrite, action: 1, size: 2000})
			p.write(2, 0, b)
			p.close(2, 3000)
			p.end(wire.FIN)
		}, []string{`push \\srv\data\f partial done (bytes missing)`, whole("push", share+`\g`, b)}, nil},

		{"bytes never written of a new file are zeros", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.setEnd(1, 5000)
			p.write(1, 1000, b)
			p.close(1, 5000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, append(append(make([]byte, 1000), b...), make([]byte, 1000)...))}, nil},

		{"nobody knows what lies beyond the own end", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, b)
			p.close(1, 9000)
			p.end(wire.FIN)
		}, []string{`push \\srv\data\f partial done (bytes missing)`}, nil},

		{"another open of the file may have filled the hole", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.create(file{fid: 2, name: "f", access: asWrite, action: 1, size: 0})
			p.write(1, 0, b[:1000])
			p.write(2, 1000, b[1000:2000])
			p.write(1, 2000, b[2000:])
			p.close(2, 3000)
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{`push \\srv\data\f partial done (bytes missing)`, `push \\srv\data\f partial done (bytes missing)`}, nil},

		{"unbuffered copies round up, then set the end", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, append(append([]byte{}, b...), make([]byte, 1096)...))
			p.setEnd(1, 3000)
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b)}, nil},

		{"the end set first, then the writes", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 3})
			p.setEnd(1, 3000)
			p.write(1, 2000, b[2000:])
			p.write(1, 0, b[:2000])
			p.close(1, -1)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b)}, nil},

		{"allocation size is not size", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.setInfo(1, 19, le("8:4096"))
			p.write(1, 0, b)
			p.close(1, -1)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b)}, nil},

		{"cut to nothing and written again", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 1, size: 8000})
			p.write(1, 0, a[:8000])
			p.setEnd(1, 0)
			p.write(1, 0, b)
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b)}, nil},

		{"cut and grown over: what was there is not the content", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, b)
			p.setEnd(1, 1000)
			p.write(1, 2000, b[2000:])
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{`push \\srv\data\f partial done (cut, and grown again, at byte 1000)`}, nil},

		{"appended bytes are the content", func(p *peer) {
			p.create(file{fid: 1, name: "log", access: 4, action: 1, size: 700})
			p.write(1, 700, b[:1000])
			p.write(1, -1, b[1000:])
			p.close(1, 3700)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\log`, b) + " [appended at 700]"}, nil},

		{"an open for writing without writes is none", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 1, size: 3000})
			p.close(1, 3000)
			p.end(wire.FIN)
		}, nil, nil},

		{"a file that is empty in the end is one", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.close(1, 0)
			p.create(file{fid: 2, name: "g", access: asWrite, action: 1, size: 50})
			p.setEnd(2, 0)
			p.close(2, -1)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, nil), whole("push", share+`\g`, nil)}, nil},

		{"a file made and closed by who asks for no attributes is one", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.close(1, -1)
			p.create(file{fid: 2, name: "old", access: asWrite, action: 1, size: 50})
			p.close(2, -1)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, nil)}, nil},

		{"a file made first and filled by a later open is one", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.close(1, 0)
			p.create(file{fid: 2, name: "F", access: asWrite, action: 1})
			p.write(2, 0, b)
			p.close(2, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\F`, b)}, nil},

		{"reading an empty file moves it", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asRead, action: 1})
			p.both(cmdRead, statusEndOfFile, readBody(1, 0, 4096), nil)
			p.close(1, 0)
			p.end(wire.FIN)
		}, []string{whole("pull", share+`\f`, nil)}, nil},

		{"the size of a read comes from QUERY_INFO", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asRead, action: 1, size: 2000})
			p.queryInfo(1, classStandard, le("8:4096 8:3000 4:1 1:0 1:0 2:0"))
			p.read(1, 0, 65536, b)
			p.close(1, -1)
			p.end(wire.FIN)
		}, []string{whole("pull", share+`\f`, b)}, nil},

		{"a size that changes in between", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asRead, action: 1, size: 3000})
			p.read(1, 0, 65536, b)
			p.close(1, 4000)
			p.end(wire.FIN)
		}, []string{`pull \\srv\data\f partial done (size changed while it was read)`}, nil},

		{"a read that does not cover the file", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asRead, action: 1, size: 3000})
			p.read(1, 0, 2000, b[:2000])
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{`pull \\srv\data\f partial done (bytes missing)`}, nil},

		{"reset: whole only if the size was stated and covered", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, b)
			p.create(file{fid: 2, name: "g", access: asWrite, action: 2})
			p.setEnd(2, 3000)
			p.write(2, 0, b)
			p.create(file{fid: 3, name: "h", access: asRead, action: 1, size: 3000})
			p.read(3, 0, 65536, b)
			p.create(file{fid: 4, name: "i", access: asRead, action: 1, size: 3000})
			p.read(4, 0, 1000, b[:1000])
			p.end(wire.RST)
		}, []string{`push \\srv\data\f partial interrupted (interrupted: reset)`, whole("push", share+`\g`, b),
			whole("pull", share+`\h`, b), `pull \\srv\data\i partial interrupted (interrupted: reset)`}, nil},

		{"end of capture", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, b)
		}, []string{`push \\srv\data\f partial interrupted (interrupted: end of capture)`}, nil},

		{"a write without an answer at the end of the capture does not count", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.ask(cmdWrite, writeBody(1, 0, b))
		}, nil, nil},

		{"FIN of the last channel ends a file", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, b)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b)}, nil},

		{"tree disconnect and logoff end files", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, b)
			p.both(cmdTreeDisconnect, 0, le("2:4 2:0"), le("2:4 2:0"))
			p.create(file{fid: 2, name: "g", access: asWrite, action: 2})
			p.write(2, 0, b)
			p.both(cmdLogoff, 0, le("2:4 2:0"), le("2:4 2:0"))
			p.end(wire.RST)
		}, []string{whole("push", share+`\f`, b), whole("push", `\g`, b)}, nil},

		{"denied: access denied with data access asked for", func(p *peer) {
			p.both(cmdCreate, statusAccessDenied, file{name: "f", access: asRead}.asked(), nil)
			p.both(cmdCreate, statusAccessDenied, file{name: "g", access: asWrite}.asked(), nil)
			p.both(cmdCreate, statusAccessDenied, file{name: "h", access: 0x80}.asked(), nil)
			p.both(cmdCreate, statusAccessDenied, file{name: "d", access: 0x81, options: 1}.asked(), nil)
			p.both(cmdCreate, 0xC0000034, file{name: "i", access: asRead}.asked(), nil)
			p.both(cmdCreate, 0xC0000043, file{name: "j", access: asRead}.asked(), nil)
			p.both(cmdCreate, 0xC00000BA, file{name: "k", access: asRead}.asked(), nil)
			p.end(wire.FIN)
		}, []string{`pull \\srv\data\f partial denied (refused: STATUS_ACCESS_DENIED)`, `push \\srv\data\g partial denied (refused: STATUS_ACCESS_DENIED)`},
			[]string{"refused-open h STATUS_ACCESS_DENIED", "refused-open d STATUS_ACCESS_DENIED", "refused-open i STATUS_OBJECT_NAME_NOT_FOUND",
				"refused-open j STATUS_SHARING_VIOLATION", "refused-open k STATUS_FILE_IS_A_DIRECTORY"}},

		{"a refused read or write when nothing moved", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 1, size: 10})
			p.both(cmdWrite, statusAccessDenied, writeBody(1, 0, b), nil)
			p.close(1, 10)
			p.create(file{fid: 2, name: "g", access: asRead, action: 1, size: 10})
			p.both(cmdRead, 0xC0000054, readBody(2, 0, 10), nil)
			p.close(2, 10)
			p.end(wire.FIN)
		}, []string{`push \\srv\data\f partial denied (refused: STATUS_ACCESS_DENIED)`, `pull \\srv\data\g partial failed (refused: STATUS_FILE_LOCK_CONFLICT)`}, nil},

		{"listings and queries are none", func(p *peer) {
			p.create(file{fid: 1, name: "dir", access: 0x100081, options: 1, action: 1, attr: 0x10})
			p.both(cmdQueryDirectory, 0, append(append(le("2:33 1:37 1:0 4:0"), id(1)...), le("2:96 2:2 4:65536 2:42")...), append(le("2:9 2:72 4:200"), make([]byte, 200)...))
			p.close(1, 0)
			p.end(wire.FIN)
		}, nil, nil},

		{"a peek: at most 64 KiB and less than a tenth", func(p *peer) {
			p.create(file{fid: 1, name: "big.exe", access: asRead, action: 1, size: 200_000})
			p.read(1, 0, 4096, a[:4096])
			p.close(1, 200_000)
			p.create(file{fid: 2, name: "small.exe", access: asRead, action: 1, size: 40_000})
			p.read(2, 0, 4096, a[:4096])
			p.close(2, 40_000)
			p.end(wire.FIN)
		}, []string{`pull \\srv\data\small.exe partial done (bytes missing)`}, []string{"peek big.exe"}},

		{"small shell metadata", func(p *peer) {
			p.pulled(1, `x\Desktop.ini`, b)
			p.pushed(2, `x\._foo`, b)
			p.pushed(3, `x\foo.txt:Zone.Identifier:$DATA`, b)
			p.pushed(4, `x\foo.txt:AFP_AfpInfo`, b)
			p.pushed(5, `x\foo.txt:com.apple.quarantine`, b)
			p.pushed(6, `x\foo.txt:payload`, b)
			p.pushed(7, `x\thumbs.db`, append([]byte("MZ"), b...))
			p.pulled(8, `x\.DS_Store`, a[:70_000])
			p.end(wire.FIN)
		}, []string{whole("push", share+`\x\foo.txt:payload`, b), whole("push", share+`\x\thumbs.db`, append([]byte("MZ"), b...)), whole("pull", share+`\x\.DS_Store`, a[:70_000])},
			[]string{`metadata x\Desktop.ini`, `metadata x\._foo`, `metadata x\foo.txt:Zone.Identifier:$DATA`, `metadata x\foo.txt:AFP_AfpInfo`, `metadata x\foo.txt:com.apple.quarantine`}},

		{"renamed in the exchange", func(p *peer) {
			p.create(file{fid: 1, name: `d\f.tmp`, access: asWrite, action: 2})
			p.write(1, 0, b)
			p.rename(1, `d\f.exe`)
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\d\f.exe`, b) + " was f.tmp"}, nil},

		{"renamed and deleted by later opens", func(p *peer) {
			p.pushed(1, `f.tmp`, b)
			p.create(file{fid: 2, name: `F.tmp`, access: 0x10000, action: 1, size: 3000})
			p.rename(2, `g.exe`)
			p.close(2, 3000)
			p.create(file{fid: 3, name: `g.exe`, access: 0x10000, options: 0x1000, action: 1, size: 3000})
			p.close(3, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\g.exe`, b) + " was f.tmp deleted"}, nil},

		{"renamed too late", func(p *peer) {
			p.pushed(1, `f.tmp`, b)
			p.s.nap(61e9)
			p.create(file{fid: 2, name: `f.tmp`, access: 0x10000, action: 1, size: 3000})
			p.rename(2, `g.exe`)
			p.setInfo(2, classDisposition, []byte{1})
			p.close(2, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f.tmp`, b)}, nil},

		{"deleted by its own open", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, options: 0x1000, action: 2})
			p.write(1, 0, b)
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{whole("push", share+`\f`, b) + " deleted"}, nil},

		{"RDMA carries its data elsewhere", func(p *peer) {
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			body := writeBody(1, 0, nil)
			copy(body[32:], le("4:1 4:3000"))
			p.both(cmdWrite, 0, body, writeReply(3000))
			p.close(1, 3000)
			p.end(wire.FIN)
		}, []string{`push \\srv\data\f partial done (moved by RDMA)`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := newScript(0x210)
			c.script(p)
			if c.access == nil {
				c.access = []string{}
			}
			s.run(t).want(c.want...).wantAccesses("peek metadata refused-open", c.access...)
		})
	}
}
