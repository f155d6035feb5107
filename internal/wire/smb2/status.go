package smb2

import "fmt"

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

// statusNames are the codes that opens, reads and writes commonly meet.
var statusNames = map[uint32]string{
	0xC0000001: "STATUS_UNSUCCESSFUL",
	0xC0000008: "STATUS_INVALID_HANDLE",
	0xC000000D: "STATUS_INVALID_PARAMETER",
	0xC000000F: "STATUS_NO_SUCH_FILE",
	0xC0000010: "STATUS_INVALID_DEVICE_REQUEST",
	0xC0000011: "STATUS_END_OF_FILE",
	0xC0000022: "STATUS_ACCESS_DENIED",
	0xC0000033: "STATUS_OBJECT_NAME_INVALID",
	0xC0000034: "STATUS_OBJECT_NAME_NOT_FOUND",
	0xC0000035: "STATUS_OBJECT_NAME_COLLISION",
	0xC000003A: "STATUS_OBJECT_PATH_NOT_FOUND",
	0xC000003B: "STATUS_OBJECT_PATH_SYNTAX_BAD",
	0xC0000043: "STATUS_SHARING_VIOLATION",
	0xC0000044: "STATUS_QUOTA_EXCEEDED",
	0xC0000054: "STATUS_FILE_LOCK_CONFLICT",
	0xC0000055: "STATUS_LOCK_NOT_GRANTED",
	0xC0000056: "STATUS_DELETE_PENDING",
	0xC0000061: "STATUS_PRIVILEGE_NOT_HELD",
	0xC000006D: "STATUS_LOGON_FAILURE",
	0xC000007F: "STATUS_DISK_FULL",
	0xC000009A: "STATUS_INSUFFICIENT_RESOURCES",
	0xC00000A2: "STATUS_MEDIA_WRITE_PROTECTED",
	0xC00000AC: "STATUS_PIPE_NOT_AVAILABLE",
	0xC00000B0: "STATUS_PIPE_DISCONNECTED",
	0xC00000BA: "STATUS_FILE_IS_A_DIRECTORY",
	0xC00000BB: "STATUS_NOT_SUPPORTED",
	0xC00000C9: "STATUS_NETWORK_NAME_DELETED",
	0xC00000CA: "STATUS_NETWORK_ACCESS_DENIED",
	0xC00000CC: "STATUS_BAD_NETWORK_NAME",
	0xC0000101: "STATUS_DIRECTORY_NOT_EMPTY",
	0xC0000103: "STATUS_NOT_A_DIRECTORY",
	0xC0000120: "STATUS_CANCELLED",
	0xC0000121: "STATUS_CANNOT_DELETE",
	0xC0000128: "STATUS_FILE_CLOSED",
	0xC000014B: "STATUS_PIPE_BROKEN",
	0xC0000203: "STATUS_USER_SESSION_DELETED",
	0xC0000225: "STATUS_NOT_FOUND",
	0xC0000257: "STATUS_PATH_NOT_COVERED",
	0xC000035C: "STATUS_NETWORK_SESSION_EXPIRED",
	0x8000002D: "STATUS_STOPPED_ON_SYMLINK",
}

// statusName is the code's name, else its number.
func statusName(code uint32) string {
	if n, ok := statusNames[code]; ok {
		return n
	}
	return fmt.Sprintf("status 0x%08X", code)
}

// refuses says that a status denies access, rather than that it failed in
// another way.
func refuses(code uint32) bool {
	switch code {
	case statusAccessDenied, 0xC0000061, 0xC00000A2, 0xC00000CA:
		return true
	}
	return false
}

// isError says that nothing was done: severity bits 11. Warnings (10) carry
// data, as a message that did not fit does.
func isError(code uint32) bool { return code>>30 == 3 }
