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
	if tr.Name != "a.bin" || tr.User != "anna" || tr.Domain != "CORP" || tr.Auth != "ntlm" || tr.Channel != "smb3" {
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
