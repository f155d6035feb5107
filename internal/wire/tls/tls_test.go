package tls

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// The ciphers, extensions and signatures of the example of the JA4 specification.
var (
	ciphers    = []uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035}
	extensions = []uint16{0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015}
	signatures = []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}
)

const example = "t13d1516h2_8daaf6152771_e5627efa2ab1"

func numbers(all []uint16) []byte {
	var b []byte
	for _, v := range all {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

func sized(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }

// helloMessage is a client's hello (RFC 8446 4.1.2) for a server.
func helloMessage(server string) []byte {
	var ext []byte
	for _, kind := range append([]uint16{0x3a3a}, extensions...) {
		var body []byte
		switch kind {
		case extServerName:
			body = sized(append([]byte{0}, sized([]byte(server))...))
		case extALPN:
			body = sized([]byte("\x02h2\x08http/1.1"))
		case extVersions:
			body = []byte{6, 0xfa, 0xfa, 3, 4, 3, 3}
		case extSignatures:
			body = sized(numbers(signatures))
		}
		ext = append(ext, numbers([]uint16{kind})...)
		ext = append(ext, sized(body)...)
	}
	b := slices.Concat([]byte{3, 3}, make([]byte, 32), []byte{0}, sized(numbers(append([]uint16{0x1a1a}, ciphers...))), []byte{1, 0}, sized(ext))
	return append([]byte{clientHello, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

func records(kind byte, b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n := min(len(b), recordData)
		out = append(out, kind, 3, 3)
		out = append(out, sized(b[:n])...)
		b = b[n:]
	}
	return out
}

var ends4 = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:8443")}}

// uploading sends n bytes of content over TLS.
func uploading(n int) []wiretest.Turn {
	return []wiretest.Turn{
		{From: 0, Data: records(recordHandshake, helloMessage("srv.corp"))},
		{From: 1, Data: records(recordHandshake, append([]byte{serverHello, 0, 0, 100}, make([]byte, 100)...))},
		{From: 0, Data: records(23, make([]byte, n+(n/recordData+1)*17))},
	}
}

func TestConnection(t *testing.T) {
	for _, size := range []int{1448, 7, 0} {
		env := wiretest.Play(t, New, ends4, size, uploading(300_000))
		if len(env.Transfers) != 1 {
			t.Fatalf("%d transfers", len(env.Transfers))
		}
		x := env.Transfers[0]
		if x.Session.SNI != "srv.corp" || x.Session.JA4 != example || x.Operation != model.Push || x.Completeness != model.Opaque {
			t.Errorf("%+v %+v", x.Transfer, x.Session)
		}
		if e := x.Estimate; size == 1448 && (e.Low > 300_000 || e.High < 300_000 || e.Size < 294_000 || e.Size > 306_000) {
			t.Errorf("estimate %+v", *e)
		}
	}
	if env := wiretest.Play(t, New, ends4, 1448, uploading(10_000)); len(env.Transfers) != 0 {
		t.Errorf("little is reported: %+v", env.Transfers[0].Transfer)
	}
}

// TestInitialKeys holds the keys against RFC 9001 A.1.
func TestInitialKeys(t *testing.T) {
	id, _ := hex.DecodeString("8394c8f03e515708")
	key, iv, mask := initialKeys(1, id)
	for _, c := range [][2]string{
		{hex.EncodeToString(key), "1f369613dd76d5467730efcbe3b1a22d"},
		{hex.EncodeToString(iv), "fa044b2f42a3fd3b46fb255c"},
		{hex.EncodeToString(mask), "9f50449e04a0e810283a1e9933adedd2"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s instead of %s", c[0], c[1])
		}
	}
}

// initial is a client's first packet: the hello in two frames, the later one first.
func initial(message []byte) []byte {
	id := []byte{0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08}
	frame := func(off, n int) []byte {
		return slices.Concat([]byte{6, 0x40 | byte(off>>8), byte(off), 0x40 | byte(n>>8), byte(n)}, message[off:off+n])
	}
	half := len(message) / 2
	payload := slices.Concat(frame(half, len(message)-half), []byte{1}, frame(0, half))
	payload = append(payload, make([]byte, 1162-len(payload))...)
	head := slices.Concat([]byte{0xc3, 0, 0, 0, 1, 8}, id, []byte{0, 0, 0x44, 0x9e, 0, 0, 0, 2})
	key, iv, mask := initialKeys(1, id)
	block, _ := aes.NewCipher(key)
	gcm, _ := cipher.NewGCM(block)
	iv[11] ^= 2
	packet := gcm.Seal(slices.Clone(head), iv, payload, head)
	block, _ = aes.NewCipher(mask)
	var pad [16]byte
	at := len(head) - 4
	block.Encrypt(pad[:], packet[at+4:at+20])
	packet[0] ^= pad[0] & 0x0f
	for i := range 4 {
		packet[at+i] ^= pad[1+i]
	}
	return packet
}

var endsQUIC = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:443")}}

func quicTurns() []wiretest.Turn {
	turns := []wiretest.Turn{{From: 0, Data: initial(helloMessage("drive.corp"))}}
	for range 30 {
		turns = append(turns, wiretest.Turn{From: 1, Data: make([]byte, 1250)})
	}
	return turns
}

func TestQUIC(t *testing.T) {
	env := wiretest.Play(t, New, endsQUIC, 0, quicTurns())
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if x := env.Transfers[0]; x.Session.SNI != "drive.corp" || x.Session.JA4 != "q"+example[1:] || x.Channel != "udp" || x.Operation != model.Pull {
		t.Errorf("%+v %+v", x.Transfer, x.Session)
	}
}

func FuzzConnection(f *testing.F) { wiretest.Fuzz(f, New, ends4, uploading(20_000)) }
func FuzzQUIC(f *testing.F)       { wiretest.Fuzz(f, New, endsQUIC, quicTurns()) }
