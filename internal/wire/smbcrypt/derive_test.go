package smbcrypt

import (
	"bytes"
	"testing"
)

func TestDeriveKeys(t *testing.T) {
	tests := []struct {
		name               string
		dialect, cipherID  uint16
		session, preauth   []byte
		toServer, toClient []byte
	}{
		{"3.0", Dialect300, 0, session300, nil, toServer300, toClient300},
		{"3.0.2 with a long session key", Dialect302, AES128CCM, append(bytes.Clone(session300), 1, 2, 3), nil, toServer300, toClient300},
		{"3.1.1", Dialect311, AES128GCM, session311, preauth311, toServer311, toClient311},
		{"3.1.1 with a long session key", Dialect311, AES128CCM, append(bytes.Clone(session311), make([]byte, 16)...), preauth311, toServer311, toClient311},
		{"2.1", 0x0210, 0, session300, nil, nil, nil},
	}
	for _, tt := range tests {
		toServer, toClient := DeriveKeys(tt.dialect, tt.session, tt.preauth, tt.cipherID)
		if !bytes.Equal(toServer, tt.toServer) || !bytes.Equal(toClient, tt.toClient) {
			t.Errorf("%s: %x, %x\nwant %x, %x", tt.name, toServer, toClient, tt.toServer, tt.toClient)
		}
	}
}

// TestDeriveKeys256: AES-256 derives 32 bytes from all of the session key. The
// wanted keys are computed from NIST SP 800-108 by other means; no published
// example of them is known.
func TestDeriveKeys256(t *testing.T) {
	session := append(bytes.Clone(session311), session300...)
	toServer, toClient := DeriveKeys(Dialect311, session, preauth311, AES256GCM)
	if !bytes.Equal(toServer, unhex(wantToServer256)) || !bytes.Equal(toClient, unhex(wantToClient256)) {
		t.Errorf("%x, %x", toServer, toClient)
	}
}

// The hash chain of "SMB 3.1.1 Encryption in Windows 10": the hash before the
// last SESSION_SETUP request, the request, and the hash after it.
func TestPreauth(t *testing.T) {
	p := Preauth{sum: [64]byte(unhex(`9a095455244172898902b0fbdf5fefafd8435bb66a47eb55cb7542732a423f58
		b12b3ed698bef3878d8a346fd9f5cc882da37aaf2a939290e98b935fc72b3944`))}
	fork := p
	p.Update(unhex(`fe534d4240000100000000000100800000000000000000000200000000000000fffe000000000000
		2500000000100000000000000000000000000000000000001900000101000000000000005800cf01
		0000000000000000a18201cb308201c7a0030a0101a28201aa048201a64e544c4d53535000030000
		001800180090000000ee00ee00a80000000c000c00580000001a001a0064000000120012007e0000
		001000100096010000158288e2060380250000000fa5e34268ef143be5816251d02c564e9b530055
		005400330031003100610064006d0069006e006900730074007200610074006f0072004400520049
		005600450052003300310031000000000000000000000000000000000000000000000000002c263d
		a5c2d54785e8eda0552472d3a30101000000000000248d5c6ccdaed001bea7a53e2dc098eb000000
		0002000c0053005500540033003100310001000c0053005500540033003100310004000c00530055
		00540033003100310003000c0053005500540033003100310007000800248d5c6ccdaed001060004
		00020000000800300030000000000000000000000000300000b61fefcaa857ea57bf1edcebf8974b
		8e0eba5a6dfd9d07a31d11b548f8c9d0cc0a00100000000000000000000000000000000000090016
		0063006900660073002f00530055005400330031003100000000000000000000000000133fa6ea15
		4880bb44576c6e2490bde7a31204100100000067890bd408f5680d00000000`))
	if !bytes.Equal(p.Sum(), preauth311) {
		t.Errorf("hash %x\nwant %x", p.Sum(), preauth311)
	}
	if bytes.Equal(fork.Sum(), p.Sum()) {
		t.Error("a copy changes with its origin")
	}
}

const (
	wantToServer256 = "6770afe9bf6c9897ced57f541804bf95456ea5644728e08dfc44a8aae78275f7"
	wantToClient256 = "0b6cedc3e3b8f157420f794104bea225e90532b4a44083dc8904af31f9ad4084"
)
