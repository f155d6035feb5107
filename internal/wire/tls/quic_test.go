package tls

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"waybill/internal/wire/wiretest"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

var clientID = unhex("8394c8f03e515708")

// TestInitialKeys holds the keys against RFC 9001 A.1 and RFC 9369 A.1.
func TestInitialKeys(t *testing.T) {
	for version, want := range map[uint32][3]string{
		1:        {"1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"},
		version2: {"8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"},
	} {
		k := clientKeys(version, clientID)
		if got := [3]string{hex.EncodeToString(k.key), hex.EncodeToString(k.iv), hex.EncodeToString(k.mask)}; got != want {
			t.Errorf("version %x: %v", version, got)
		}
	}
}

// piece is a part of a message at an offset.
type piece struct {
	off  int
	data []byte
}

// cut parts a message.
func cut(b []byte, size int) []piece {
	var out []piece
	for at := 0; at < len(b); at += size {
		out = append(out, piece{at, b[at:min(at+size, len(b))]})
	}
	return out
}

// initial is a client's Initial packet with a packet number: the pieces in frames,
// the last first, with a ping and an acknowledgement between them.
func initial(version uint32, number byte, parts ...piece) []byte {
	payload := []byte{2, 5, 0, 0, 5}
	for _, p := range slices.Backward(parts) {
		frame := []byte{6, 0x40 | byte(p.off>>8), byte(p.off), 0x40 | byte(len(p.data)>>8), byte(len(p.data))}
		payload = slices.Concat(payload, frame, p.data, []byte{1})
	}
	return protect(version, number, append(payload, make([]byte, max(0, 1162-len(payload)))...))
}

// protect seals an Initial packet (RFC 9001 5.3, 5.4).
func protect(version uint32, number byte, payload []byte) []byte {
	first := byte(0xc3)
	if version == version2 {
		first = 0xd3
	}
	n := 4 + len(payload) + 16
	head := slices.Concat(binary.BigEndian.AppendUint32([]byte{first}, version), []byte{8}, clientID, []byte{0, 0, 0x40 | byte(n>>8), byte(n), 0, 0, 0, number})
	k := clientKeys(version, clientID)
	block, _ := aes.NewCipher(k.key)
	gcm, _ := cipher.NewGCM(block)
	iv := slices.Clone(k.iv)
	iv[11] ^= number
	packet := gcm.Seal(slices.Clone(head), iv, payload, head)
	block, _ = aes.NewCipher(k.mask)
	var pad [16]byte
	at := len(head) - 4
	block.Encrypt(pad[:], packet[at+4:at+20])
	packet[0] ^= pad[0] & 0x0f
	for i := range 4 {
		packet[at+i] ^= pad[1+i]
	}
	return packet
}

// TestRFC reads the client's first packet of RFC 9001 A.2, and the same of RFC 9369 A.2.
func TestRFC(t *testing.T) {
	crypto := unhex("060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578" +
		"616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fba" +
		"baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c0002400100" +
		"3900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff")
	for version, want := range map[uint32]string{
		1:        "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
		version2: "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
	} {
		packet := protect(version, 2, append(slices.Clone(crypto), make([]byte, 1162-len(crypto))...))
		if !bytes.HasPrefix(packet, unhex(want)) {
			t.Errorf("version %x: %x", version, packet[:32])
		}
		env := wiretest.Play(t, New, endsQUIC, 0, append([]wiretest.Turn{{From: 0, Data: packet}}, datagrams(30)...))
		if s := env.Transfers[0].Session; s.SNI != "example.com" || !strings.HasPrefix(s.JA4, "q13d0211an_") {
			t.Errorf("version %x: %+v", version, s)
		}
	}
}

// TestQUIC reads a hello whose frames lie in one packet, in several of one datagram,
// and in several datagrams of any order, one of them sent twice.
func TestQUIC(t *testing.T) {
	hello := cut(helloMessage("drive.corp"), 60)
	half := len(hello) / 2
	one, two := initial(1, 0, hello[:half]...), initial(1, 1, hello[half:]...)
	handshake := slices.Concat([]byte{0xe0, 0, 0, 0, 1, 8}, clientID, []byte{0, 20}, make([]byte, 20))
	for name, turns := range map[string][]wiretest.Turn{
		"one packet":    {{From: 0, Data: initial(1, 0, hello...)}},
		"version 2":     {{From: 0, Data: initial(version2, 0, hello...)}},
		"two datagrams": {{From: 0, Data: one}, {From: 0, Data: two}},
		"reordered":     {{From: 0, Data: two}, {From: 0, Data: two}, {From: 0, Data: one}},
		"one datagram":  {{From: 0, Data: slices.Concat(one, two)}},
		"behind others": {{From: 0, Data: slices.Concat(one, handshake, two)}},
	} {
		env := wiretest.Play(t, New, endsQUIC, 0, append(turns, datagrams(30)...))
		if len(env.Transfers) != 1 {
			t.Fatalf("%s: %d transfers", name, len(env.Transfers))
		}
		if x := env.Transfers[0]; x.Session.SNI != "drive.corp" || x.Session.JA4 != "q"+example[1:] || x.Channel != "udp" || x.Operation != "pull" {
			t.Errorf("%s: %+v %+v", name, x.Transfer, x.Session)
		}
	}
	env := wiretest.Play(t, New, endsQUIC, 0, append([]wiretest.Turn{{From: 0, Data: one}}, datagrams(30)...))
	if s := env.Transfers[0].Session; s.JA4 != "" || s.SNI != "drive.corp" {
		t.Errorf("half a hello: %+v", s)
	}
}
