package ntlm

// The tags of the structures read here (X.690 8.1.2, RFC 4120 5).
const (
	tagOctets        = 0x04
	tagOID           = 0x06
	tagGeneralString = 0x1b
	tagSequence      = 0x30
	tagGSS           = 0x60 // APPLICATION 0, constructed
	tagTicket        = 0x61 // APPLICATION 1
	tagAPReq         = 0x6e // APPLICATION 14
	tagAPRep         = 0x6f // APPLICATION 15
	context0         = 0xa0
	context1         = 0xa1
	context2         = 0xa2
	context3         = 0xa3
)
