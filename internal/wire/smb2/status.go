package smb2

// The NT status codes that decide what became of a request (MS-ERREF 2.3.1).
const (
	statusSuccess        = 0x00000000
	statusPending        = 0x00000103
	statusBufferOverflow = 0x80000005
	statusEndOfFile      = 0xC0000011
	statusMoreProcessing = 0xC0000016
	statusAccessDenied   = 0xC0000022
	statusPipeBroken     = 0xC000014B
)

// isError says that nothing was done: severity bits 11. Warnings (10) carry
// data, as a message that did not fit does.
func isError(code uint32) bool { return code>>30 == 3 }
