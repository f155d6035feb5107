package synth

import (
	"encoding/binary"

	"waybill/internal/wire/smbcrypt"
)

// Kerberos is how a session logs on with a ticket, and encrypts what follows. The
// tokens are made by the caller, who knows the keys.
type Kerberos struct {
	Token, Answer []byte // SPNEGO tokens of client and server
	Key           []byte // the session key that they agree on
	Cipher        uint16 // of smbcrypt; 0: the session stays plain
}

// seal is the encryption of a session, client's and server's messages.
type seal struct {
	hash    smbcrypt.Preauth
	ciphers [2]*smbcrypt.Cipher
	sealed  uint64 // messages
}

// present logs on with a ticket, in one SESSION_SETUP.
func (ch *channel) present(k *Kerberos) {
	s := &ch.s.seal
	id := ch.ask(smbMessage{command: smbSessionSetup, body: setupRequest(false, k.Token)})
	toServer, toClient := smbcrypt.DeriveKeys(ch.s.Dialect, k.Key, s.hash.Sum(), k.Cipher)
	ch.answer(smbMessage{command: smbSessionSetup, id: id, body: setupResponse(k.Answer)})
	if k.Cipher == 0 {
		return
	}
	for side, key := range [2][]byte{toServer, toClient} {
		c, err := smbcrypt.NewCipher(k.Cipher, key)
		if err != nil {
			panic(err)
		}
		s.ciphers[side] = c
	}
}

// wrap encrypts a framed message, once the session does (MS-SMB2 2.2.41). Before
// that it takes the message into the session's hash.
func (s *Session) wrap(from Side, frame, data []byte) ([]byte, []byte) {
	message := append(frame[4:len(frame):len(frame)], data...)
	c := s.seal.ciphers[from]
	if c == nil {
		s.seal.hash.Update(message)
		return frame, data
	}
	s.seal.sealed++
	nonce := binary.LittleEndian.AppendUint64(nil, s.seal.sealed)
	out := c.Seal(make([]byte, 4), s.id, append(nonce, byte(from), 0, 0, 0), message)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out, nil
}
