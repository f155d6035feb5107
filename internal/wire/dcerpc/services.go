package dcerpc

// ServiceEvent is something that a client did to a service (MS-SCMR).
type ServiceEvent struct {
	Op          string // create | open | start | stop | delete | change-config
	Service     string // empty where its handle was opened before the capture
	Path        string // the command line of create and change-config
	DisplayName string
	StartType   uint32 // of create and change-config: 2 is automatic, 3 on demand; 0xffffffff is unchanged
	OK          bool   // the server says that it did it (return code 0)
	Answered    bool   // the server's answer was seen; if not, the event is a claim
	Code        uint32 // the return code: 5 is access denied, 1056 already running, 1073 exists
}

// Services follows the handles of the service control manager. The zero value
// is ready; one belongs to one pipe, or to a session if handles are to be known
// across its pipes.
type Services struct{ open handles }

// The operations that change services (MS-SCMR 3.1.4), A for the code page.
const (
	opCloseHandle          = 0
	opControlService       = 1
	opDeleteService        = 2
	opChangeServiceConfigW = 11
	opCreateServiceW       = 12
	opOpenServiceW         = 16
	opStartServiceW        = 19
	opChangeServiceConfigA = 23
	opCreateServiceA       = 24
	opOpenServiceA         = 28
	opStartServiceA        = 31
	opCreateServiceWOW64A  = 44
	opCreateServiceWOW64W  = 45
	opControlServiceExA    = 50
	opControlServiceExW    = 51
	opCreateWowService     = 60
)

const controlStop = 1 // SERVICE_CONTROL_STOP

// Events tells what a call did; nil for calls of other interfaces, sealed ones,
// those that change nothing, and those that cannot be read.
func (s *Services) Events(call Call) []ServiceEvent {
	if call.Name != "svcctl" || call.Sealed {
		return nil
	}
	r := newNDR(call.Request, call.BigEndian, call.NDR64)
	h := r.handle()
	e := ServiceEvent{Service: s.open.names[h]}
	switch call.Opnum {
	case opCreateServiceW, opCreateServiceWOW64W, opCreateWowService:
		e.create(r, true)
	case opCreateServiceA, opCreateServiceWOW64A:
		e.create(r, false)
	case opOpenServiceW:
		e.Op, e.Service = "open", r.text(true)
	case opOpenServiceA:
		e.Op, e.Service = "open", r.text(false)
	case opStartServiceW, opStartServiceA:
		e.Op = "start"
	case opDeleteService:
		e.Op = "delete"
	case opControlService, opControlServiceExA, opControlServiceExW:
		if r.u32() == controlStop {
			e.Op = "stop"
		}
	case opChangeServiceConfigW:
		e.change(r, true)
	case opChangeServiceConfigA:
		e.change(r, false)
	case opCloseHandle:
		s.open.forget(h)
	}
	if e.Op == "" || r.bad {
		return nil
	}
	s.answer(&e, call)
	return []ServiceEvent{e}
}

// create reads the parameters of RCreateServiceW after the handle (MS-SCMR
// 3.1.4.12), as far as they matter.
func (e *ServiceEvent) create(r *ndr, unicode bool) {
	e.Op = "create"
	e.Service = r.text(unicode)
	e.DisplayName = r.optional(unicode)
	r.u32() // access
	r.u32() // type
	e.StartType = r.u32()
	r.u32() // error control
	e.Path = r.text(unicode)
}

// change reads the parameters of RChangeServiceConfigW after the handle (MS-SCMR
// 3.1.4.11). The display name comes after a password, which is passed over.
func (e *ServiceEvent) change(r *ndr, unicode bool) {
	e.Op = "change-config"
	r.u32() // type
	e.StartType = r.u32()
	r.u32() // error control
	e.Path = r.optional(unicode)
	path := *r
	r.optional(unicode) // load order group
	if r.size() != 0 {
		r.u32() // tag
	}
	r.skipBytes() // dependencies
	r.optional(unicode)
	r.skipBytes() // password
	e.DisplayName = r.optional(unicode)
	if r.bad { // what stands before is still true
		*r = path
	}
}

// answer reads the response: a new handle of create and open, and in all of them
// the return code at the end.
func (s *Services) answer(e *ServiceEvent, call Call) {
	e.Answered = call.HaveResponse
	if call.Fault != 0 {
		e.Code = call.Fault
		return
	}
	n := len(call.Response)
	if !call.HaveResponse || call.ResponseCut || n < 4 {
		return
	}
	e.Code = newNDR(call.Response[n-4:], call.ResponseBigEndian, call.NDR64).u32()
	e.OK = e.Code == 0
	if e.OK && n >= 24 && (e.Op == "create" || e.Op == "open") {
		s.open.remember(newNDR(call.Response[n-24:], call.ResponseBigEndian, call.NDR64).handle(), e.Service)
	}
}
