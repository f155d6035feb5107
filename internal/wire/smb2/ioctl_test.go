package smb2

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/wire"
)

func TestServerSideCopies(t *testing.T) {
	key := pattern(24, 9)
	chunks := slices.Concat(key, le("4:2 4:0 8:0 8:0 4:1000 4:0 8:1000 8:1000 4:2000 4:0"))
	token := pattern(512, 3)
	offloadRead := slices.Concat(le("4:528 4:0 8:5000"), token)
	offloadWrite := slices.Concat(le("4:544 4:0 8:0 8:5000 8:0"), token)
	for _, c := range []struct {
		name string
		move func(p *peer)
	}{
		{"copychunk", func(p *peer) {
			p.ioctl(1, fsctlResumeKey, nil, slices.Concat(key, le("4:0")))
			p.ioctl(2, fsctlCopyChunk, chunks, le("4:2 4:0 4:3000"))
			p.ioctl(2, fsctlCopyChunkWrite, chunks, le("4:2 4:0 4:2000"))
			p.both(cmdIoctl, 0xC000000D, ioctlBody(2, fsctlCopyChunk, chunks), nil)
		}},
		{"duplicate extents", func(p *peer) {
			p.ioctl(2, fsctlDuplicate, slices.Concat(id(1), le("8:0 8:0 8:4000")), nil)
			p.ioctl(2, fsctlDuplicateEx, slices.Concat(le("8:48"), id(1), le("8:0 8:0 8:1000 4:0 4:0")), nil)
		}},
		{"offload", func(p *peer) {
			p.ioctl(1, fsctlOffloadRead, le("4:32 4:0 4:0 4:0 8:0 8:5000"), offloadRead)
			p.ioctl(2, fsctlOffloadWrite, offloadWrite, le("4:16 4:0 8:5000"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := newScript(0x302)
			p.create(file{fid: 1, name: `a\from`, access: asRead, action: 1, size: 5000})
			p.create(file{fid: 2, name: "to", access: asWrite, action: 2})
			c.move(p)
			p.close(1, 5000)
			p.close(2, 5000)
			p.end(wire.FIN)
			got := s.run(t).want(`copy \\srv\data\to inferred done (copied on the server, no bytes on the wire) [copied from \\srv\data\a\from]`)
			tr := got.Transfers[0]
			if tr.Source.IP != serverEnd.Addr || tr.Destination.IP != serverEnd.Addr || tr.Initiator != "other" || tr.Client == nil || tr.Client.IP != clientEnd.Addr || *tr.Size != 5000 {
				t.Errorf("record: %+v", tr.Transfer)
			}
		})
	}
	// A token joins two servers.
	s, p := newScript(0x302)
	q := s.dial(wire.AddrPort{Addr: clientEnd.Addr, Port: 50001}, wire.AddrPort{Addr: addr("10.0.0.3"), Port: 445})
	q.logon(0x302, `\\other\x`)
	p.create(file{fid: 1, name: "from", access: asRead, action: 1, size: 5000})
	p.ioctl(1, fsctlOffloadRead, le("4:32 4:0 4:0 4:0 8:0 8:5000"), offloadRead)
	q.create(file{fid: 2, name: "to", access: asWrite, action: 2})
	q.ioctl(2, fsctlOffloadWrite, offloadWrite, le("4:16 4:0 8:5000"))
	q.close(2, 5000)
	q.end(wire.FIN)
	p.end(wire.FIN)
	got := s.run(t).want(`copy \\other\x\to inferred done (copied on the server, no bytes on the wire) [copied from \\srv\data\from]`)
	if tr := got.Transfers[0]; tr.Source.IP != serverEnd.Addr || tr.Destination.IP != addr("10.0.0.3") {
		t.Errorf("ends: %+v %+v", tr.Source, tr.Destination)
	}
}

// pdu is a DCE-RPC message in one fragment.
func pdu(kind byte, call uint32, body []byte) []byte {
	return slices.Concat([]byte{5, 0, kind, 3, 0x10, 0, 0, 0}, le("2:%d 2:0 4:%d", 16+len(body), call), body)
}

// svcctl in the byte order of a bind, and NDR as its transfer syntax.
var (
	svcctlID = []byte{0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0x00, 0x10, 0x03, 2, 0, 0, 0}
	ndrID    = []byte{0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0}
)

func bind() []byte {
	return pdu(11, 1, slices.Concat(le("2:4280 2:4280 4:0 4:1 2:0 2:1"), svcctlID, ndrID))
}

func bindAck() []byte {
	return pdu(12, 1, slices.Concat(le("2:4280 2:4280 4:1 2:0 2:0 4:1 2:0 2:0"), ndrID))
}

func rpcRequest(call uint32, opnum int, stub []byte) []byte {
	return pdu(0, call, slices.Concat(le("4:%d 2:0 2:%d", len(stub), opnum), stub))
}

func rpcResponse(call uint32, stub []byte) []byte {
	return pdu(2, call, slices.Concat(le("4:%d 2:0 2:0", len(stub)), stub))
}

// ndrText is a conformant varying string.
func ndrText(s string) []byte {
	u := append(utf16le(s), 0, 0)
	b := append(le("4:%d 4:0 4:%d", len(u)/2, len(u)/2), u...)
	return append(b, make([]byte, -len(b)&3)...)
}

func createService(handle []byte, name, path string) []byte {
	return slices.Concat(handle, ndrText(name), le("4:0 4:983551 4:16 4:3 4:0"), ndrText(path), le("4:0 4:0 4:0 4:0 4:0 4:0 4:0"))
}

func TestPipes(t *testing.T) {
	scm, svc := pattern(20, 1), pattern(20, 2)
	for name, pipeOf := range map[string]func(s *script) *peer{
		"seen": func(s *script) *peer {
			p := s.dial(clientEnd, serverEnd)
			p.negotiate(0x210)
			p.setup(0, type3("CORP", "anna", "WS1"), 0)
			p.connect(`\\srv\IPC$`, 2)
			p.create(file{fid: 1, name: "svcctl", access: asRead | asWrite, action: 1})
			return p
		},
		"late": func(s *script) *peer { return s.late(clientEnd, serverEnd) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			p := pipeOf(s)
			p.write(1, 0, bind())
			p.read(1, 0, 1024, bindAck())
			p.ioctl(1, fsctlPipeTransceive, rpcRequest(2, 15, slices.Concat(le("4:0 4:0 4:983103"))), rpcResponse(2, slices.Concat(scm, le("4:0"))))
			m := p.ask(cmdIoctl, ioctlBody(1, fsctlPipeTransceive, rpcRequest(3, 12, createService(scm, "evil", `%SystemRoot%\x.exe`))))
			p.reply(m, cmdIoctl, statusPending, body9())
			answer := rpcResponse(3, slices.Concat(le("4:0"), svc, le("4:0")))
			p.reply(m, cmdIoctl, statusBufferOverflow, ioctlReply(1, fsctlPipeTransceive, answer[:30]))
			p.read(1, 0, 1024, answer[30:])
			p.write(1, 0, rpcRequest(4, 19, slices.Concat(svc, le("4:0 4:0"))))
			p.read(1, 0, 1024, rpcResponse(4, le("4:0")))
			p.close(1, -1)
			p.end(wire.FIN)
			for _, size := range []int{0, 1, 100} {
				how := plainly
				how.size = size
				got := s.play(t, how).want()
				got.wantAccesses("service-create service-start", `service-create evil %SystemRoot%\x.exe`, "service-start evil")
				calls := 0
				for _, a := range got.Accesses {
					if a.What == "rpc-call" {
						calls++
						if a.Interface != "367abb81-9844-35f1-ad32-98f038001003" || !strings.HasPrefix(a.Detail, "svcctl ") || a.Opnum == nil {
							t.Errorf("rpc-call: %+v", a.Access)
						}
					}
				}
				if calls != 3 {
					t.Errorf("%d calls", calls)
				}
				if opens := got.accesses("pipe-open"); name == "seen" && !slices.Equal(opens, []string{"pipe-open svcctl"}) {
					t.Errorf("pipe opens: %q", opens)
				}
			}
		})
	}
}

// TestLateHandles: handles whose CREATE was not seen and that behave as pipes do
// are no transfers.
func TestLateHandles(t *testing.T) {
	b := pattern(19_040, 1)
	s := &script{}
	p := s.late(clientEnd, serverEnd)
	p.write(1, 0, b)
	p.read(1, 0, 4096, b[:100])
	p.write(2, 0, b)
	p.write(2, 0, b[:50])
	p.read(3, 0, 1000, b[:1000])
	p.read(3, 1000, 1000, b[1000:2000])
	p.queryInfo(4, classAll, slices.Concat(le("8:1 8:1 8:5 8:1 4:32 4:0 8:4096 8:3000 4:1 1:0 1:0 2:0 8:1 4:0 4:0 8:0 4:0 4:0 4:12"), utf16le(`\a.bin`)))
	p.read(4, 0, 65536, b[:3000])
	p.close(4, 3000)
	p.end(wire.FIN)
	s.run(t).want(`pull \ partial done (size not known)`, whole("pull", `\a.bin`, b[:3000]))
}
