package smbcrypt

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// Microsoft's examples: "Encryption in SMB 3.0: A protocol perspective" (2012)
// and "SMB 3.1.1 Encryption in Windows 10" (2015), a WRITE and its answer each.
// For AES-256 no published message is known; those here are computed by another
// implementation of the ciphers.
var (
	session300 = unhex("b4546771b515f766a86735532dd6c4f0")
	session311 = unhex("419fddf34c1e001909d362ae7fb6af79")
	preauth311 = unhex(`b23f3cbfd69487d9832b79b1594a367cdd950909b774c3a4c412b4fcea9edddb
		a7db256ba2ea30e977f11f9b113247578e0e915c6d2a513b8f2fca5707dc8770`)
	toServer300 = unhex("261b72350558f2e9dcf613070383edbf")
	toClient300 = unhex("8fe2b57ec34d2db5b1a9727f526bbdb5")
	toServer311 = unhex("a2f5e80e5d59103034f32e52f698e5ec")
	toClient311 = unhex("748c50868c90f302962a5c35f5f9a8bf")
)

var examples = []struct {
	name          string
	cipherID      uint16
	key           []byte
	session       uint64
	nonce         []byte
	plain, sealed []byte
}{
	{
		"3.0 request", AES128CCM, toServer300, 0x8e40014000011, unhex("66e69a111892584fb5ed524a744da3ee"),
		unhex(`fe534d4240000100000000000900400008000000000000000400000000000000fffe0000010000001100001400e40800
			0000000000000000000000000000000031007000170000000000000000000000150100003900000201000000390200000000
			0000000000007000000000000000536d623320656e6372797074696f6e2074657374696e67`),
		unhex(`fd534d4281a286535415445dae393921e44fa42e66e69a111892584fb5ed52 4a744da3ee
			87000000000001001100001400e4080025c8fee16605a437832d1cd52da9f4645333482a175fe5384563f45fcdafaef3
			8bc62ba4d5c62897996625a44c29be5658de2e6117585779e7b59ffd971278d08580d7fa899e410e910eabf5aa1db430
			50b33b49182637759ac15d84bfcdf5b6b238993c0f4cf4d6012023f6c627297075d84b7803912d0a9639634453595ef3
			e33ffe4e7ac2ab`),
	},
	{
		"3.0 response", AES128CCM, toClient300, 0x8e40014000011, unhex("86000000000000001100001400e40800"),
		unhex(`fe534d4240000100000000000900210009000000000000000400000000000000fffe0000010000001100001400e40800
			0000000000000000000000000000000011000000170000000000000000000000`),
		unhex(`fd534d42a6015530a18f6d9affe22afae8e66484860000000000000011000014 00e40800
			50000000000001001100001400e40800dbf46435c5f14169293ce079e344479bf670227e49873f458672c3098dac467d
			d5809f369d674091665157871483e01f7becd02064eac3e235f913668bbc2f097980d4b378f1993eff6e60d177309e5b`),
	},
	{
		"3.1.1 request", AES128GCM, toServer311, 0x100000000025, unhex("c7d6822d269caf48904c664c"),
		unhex(`fe534d4240000100000000000900010008000000000000000500000000000000fffe0000010000002500000000100000
			0000000000000000000000000000000031007000170000000000000000000000060000000400000001000000040000000000
			0000000000007000000000000000536d623320656e6372797074696f6e2074657374696e67`),
		unhex(`fd534d42bd73d97d2bc9001bcafac0fdff5feebcc7d6822d269caf48904c664c00000000870000000000010025000000
			001000006ecdd2a7afc7b47763057a041b8fd4daffe990b70c9e09d36c084e02d14ef247f8bde38acf6256f8b1d3b56f
			77fbdeb312fea5e92cbcc1ed8fb2ebbfaa75e49a4a394bb44576545567c24d4c014d47c9fbdfdafd2c4f9b72f8d25645
			2620a299f48e29e53d6b61d1c13a19e91af013f00d17e3abc2fc3d36c8c1b6b93973253852dbd442e46ee8`),
	},
	{
		"3.1.1 response", AES128GCM, toClient311, 0x100000000025, unhex("e06831dd2e8eb7b400000000"),
		unhex(`fe534d4240000100000000000900010001000000000000000500000000000000fffe0000010000002500000000100000
			0000000000000000000000000000000011000000170000000000000000000000`),
		unhex(`fd534d42acbe1cb7ed343adf1725ef144d90d4b0e06831dd2e8eb7b40000000000000000500000000000010025000000
			0010000026bbbf949983a6c1c796559d0f2c510cb651d1f7b6ac8ded32a2a0b8f2d793a815c6f6b848d69767a215841a
			42d400ae6ddb5f0b44173a014973321fdd7950da6179159b82e03c9e18a050ff0ea1c967`),
	},
	{
		"AES-256-CCM", AES256CCM, sequence(32, 1), 9, sequence(11, 1), sequence(100, 7),
		unhex(`fd534d42fa6de2bf833f88c045a5f6bb6394e6e6000102030405060708090a0000000000640000000000010009000000
			0000000073c71f73466399a587cb50f84c9cbeb22c93fe9f2bc8308482598fcf112f2eb0c480a78a7865cad0e893c12d
			78d22b3e8430373da64cedc1f45bba9b563e2a91ecf0c48255ffd279b591a754a00205e2490b0fa67bf92813a633ab19
			d09e67883ccda07f`),
	},
	{
		"AES-256-GCM", AES256GCM, sequence(32, 1), 9, sequence(12, 1), sequence(100, 7),
		unhex(`fd534d42657f9d2af228373a3a5bbb2c8eceb4d7000102030405060708090a0b00000000640000000000010009000000
			000000004705d80ed9c6e82ab57ed1c6e5b21a04f3a1f9b17ce8c5dd90c85338d9a2d26be1f7400953c218896cbb59c0
			bcbc6a71be0e3ee836a5d95bb718bc84bc48475730fb08af0f32cc90e4abac63fb942cc108bdf7273a3009099592e8b1
			fc7b2b146b5ff753`),
	},
}

// sequence is n bytes that rise by step from 0 on.
func sequence(n, step int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * step)
	}
	return b
}

func TestOpenExamples(t *testing.T) {
	for _, tt := range examples {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Open(tt.cipherID, tt.key, tt.sealed, []byte("before"))
			if err != nil || string(got) != "before"+string(tt.plain) {
				t.Fatalf("got %x, %v\nwant %x", got, err, tt.plain)
			}
			if id, ok := SessionID(tt.sealed); !ok || id != tt.session {
				t.Errorf("session %#x, %v; want %#x", id, ok, tt.session)
			}
			// Bytes behind the message are not part of it.
			if got, err := Open(tt.cipherID, tt.key, append(bytes.Clone(tt.sealed), 1, 2, 3), nil); err != nil || !bytes.Equal(got, tt.plain) {
				t.Errorf("with bytes behind: %x, %v", got, err)
			}
		})
	}
}

func TestSealExamples(t *testing.T) {
	for _, tt := range examples {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Seal(tt.cipherID, tt.key, tt.session, tt.nonce, tt.plain)
			if err != nil || !bytes.Equal(got, tt.sealed) {
				t.Errorf("got %x, %v\nwant %x", got, err, tt.sealed)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	good := examples[2]
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good.sealed)
		b[at] = to
		return b
	}
	tests := []struct {
		name     string
		cipherID uint16
		key      []byte
		in       []byte
		want     string
	}{
		{"other key", AES128GCM, toClient311, good.sealed, "does not fit the key"},
		{"other cipher", AES128CCM, good.key, good.sealed, "does not fit the key"},
		{"changed message", AES128GCM, good.key, changed(80, 0), "does not fit the key"},
		{"changed session", AES128GCM, good.key, changed(sessionAt, 0), "does not fit the key"},
		{"changed signature", AES128GCM, good.key, changed(signatureAt, 0), "does not fit the key"},
		{"cut", AES128GCM, good.key, good.sealed[:len(good.sealed)-1], "says 135 bytes, but 134 follow"},
		{"size of four gigabytes", AES128GCM, good.key, changed(sizeAt+3, 0xff), "says 4278190215 bytes"},
		{"short", AES128GCM, good.key, good.sealed[:51], "no transform header of 52"},
		{"plain", AES128GCM, good.key, good.plain, "start with fe 53 4d 42"},
		{"short key", AES128GCM, good.key[:15], good.sealed, "the key has 15 bytes, it must have 16"},
		{"short key of AES-256", AES256CCM, good.key, good.sealed, "AES-256-CCM: the key has 16 bytes, it must have 32"},
		{"unknown cipher", 5, good.key, good.sealed, "SMB cipher 5 is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Open(tt.cipherID, tt.key, tt.in, []byte("before"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if string(got) != "before" {
				t.Errorf("gives back %q", got)
			}
		})
	}
}

// TestCCM: NIST SP 800-38C examples 1 to 3 and RFC 3610 packet vector 1.
func TestCCM(t *testing.T) {
	nist := "404142434445464748494a4b4c4d4e4f"
	tests := []struct {
		key, nonce, aad, plain, sealed string
		tag                            int
	}{
		{nist, "10111213141516", "0001020304050607", "20212223", "7162015b4dac255d", 4},
		{nist, "1011121314151617", "000102030405060708090a0b0c0d0e0f", "202122232425262728292a2b2c2d2e2f",
			"d2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd", 6},
		{nist, "101112131415161718191a1b", "000102030405060708090a0b0c0d0e0f10111213",
			"202122232425262728292a2b2c2d2e2f3031323334353637",
			"e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951", 8},
		{"c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000003020100a0a1a2a3a4a5", "0001020304050607",
			"08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
			"588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0", 8},
	}
	for _, tt := range tests {
		block, err := aes.NewCipher(unhex(tt.key))
		if err != nil {
			t.Fatal(err)
		}
		c := &ccm{block: block, nonce: len(unhex(tt.nonce)), tag: tt.tag}
		got := c.Seal(nil, unhex(tt.nonce), unhex(tt.plain), unhex(tt.aad))
		if !bytes.Equal(got, unhex(tt.sealed)) {
			t.Errorf("sealed %x, want %s", got, tt.sealed)
		}
		plain, err := c.Open(nil, unhex(tt.nonce), got, unhex(tt.aad))
		if err != nil || !bytes.Equal(plain, unhex(tt.plain)) {
			t.Errorf("opened %x, %v; want %s", plain, err, tt.plain)
		}
		if _, err := c.Open(nil, unhex(tt.nonce), got[:tt.tag-1], nil); err == nil {
			t.Error("less than a tag is opened")
		}
	}
}

func TestCipherAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for id, limit := range map[uint16]float64{AES128GCM: 0, AES256GCM: 0, AES128CCM: 8, AES256CCM: 8} {
		c, err := NewCipher(id, make([]byte, keySize(id)))
		if err != nil {
			t.Fatal(err)
		}
		in := c.Seal(nil, 1, make([]byte, 12), make([]byte, 10000))
		buf := make([]byte, 0, len(in))
		n := testing.AllocsPerRun(10, func() {
			if _, err := c.Open(buf, in); err != nil {
				t.Fatal(err)
			}
		})
		if n > limit {
			t.Errorf("%s: %v allocations a message, want at most %v", c.name, n, limit)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for id := uint16(AES128CCM); id <= AES256GCM; id++ {
		c, err := NewCipher(id, make([]byte, keySize(id)))
		if err != nil {
			b.Fatal(err)
		}
		in := c.Seal(nil, 1, make([]byte, 12), make([]byte, 1<<20))
		buf := make([]byte, 0, len(in))
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if _, err := c.Open(buf, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	for _, e := range examples {
		f.Add(e.cipherID, e.key, e.sealed, e.nonce)
	}
	f.Add(uint16(AES256GCM), make([]byte, 32), []byte(ProtocolID), make([]byte, 12))
	f.Fuzz(func(t *testing.T, id uint16, key, in, nonce []byte) {
		c, err := NewCipher(id, key)
		if err != nil {
			return
		}
		got, err := c.Open([]byte("before"), in)
		if !bytes.HasPrefix(got, []byte("before")) || err != nil && len(got) != 6 {
			t.Fatalf("%q, %v", got, err)
		}
		// Any message comes back, and no bit of its header or body may change.
		nonce = append(nonce, make([]byte, 12)...)
		sealed := c.Seal(nil, 7, nonce, in)
		if plain, err := c.Open(nil, sealed); err != nil || !bytes.Equal(plain, in) {
			t.Fatalf("round trip %x, %v", plain, err)
		}
		sealed[signatureAt+len(in)%(len(sealed)-signatureAt)] ^= 1
		if _, err := c.Open(nil, sealed); err == nil {
			t.Fatal("a changed message is opened")
		}
	})
}
