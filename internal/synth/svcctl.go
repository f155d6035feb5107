package synth

// The operations of MS-SCMR 3.1.4 that are used.
const (
	scmClose         = 0
	scmCreateW       = 12
	scmOpenManagerW  = 15
	scmStartW        = 19
	scmAllAccess     = 0x000F003F
	serviceAllAccess = 0x000F01FF
)

// StartService creates a service with a command on the session's server and
// starts it, as remote administration tools do: IPC$, the pipe svcctl,
// OpenSCManagerW, CreateServiceW, StartServiceW, and the handles closed again.
func (s *Session) StartService(name, display, command string) {
	ipc := s.Tree("IPC$")
	p := ipc.Pipe("svcctl")
	p.bind(svcctl)
	manager, service := s.net.handle(), s.net.handle()
	p.call(scmOpenManagerW, openManager(s.Server.Name), withStatus(manager))
	p.call(scmCreateW, createService(manager, name, display, command), withStatus([]byte{0, 0, 0, 0}, service))
	p.call(scmStartW, startService(service), withStatus())
	p.call(scmClose, service, withStatus(make([]byte, 20)))
	p.call(scmClose, manager, withStatus(make([]byte, 20)))
	p.Close()
	ipc.Disconnect()
	s.net.Truth.Started = append(s.net.Truth.Started, Started{
		Source: s.Client.Model(), Destination: s.Server.Model(),
		Service: name, Command: command, User: s.User,
	})
}

// handle is a context handle: attributes 0 and a random UUID.
func (n *Net) handle() []byte { return append(make([]byte, 4), n.guid()...) }

// withStatus ends results with ERROR_SUCCESS.
func withStatus(results ...[]byte) []byte {
	var p pack
	p.bytes(results...)
	p.u32(0)
	return p
}

// openManager is the arguments of ROpenSCManagerW (MS-SCMR 3.1.4.15).
func openManager(machine string) []byte {
	var p pack
	p.ndrPointer(`\\` + machine)
	p.u32(0, scmAllAccess)
	return p
}

// createService is the arguments of RCreateServiceW (MS-SCMR 3.1.4.12): a
// process of its own, started on demand, as LocalSystem.
func createService(manager []byte, name, display, command string) []byte {
	var p pack
	p.bytes(manager)
	p.ndrString(name)
	p.ndrPointer(display)
	p.u32(serviceAllAccess, 0x10, 3, 0)
	p.ndrString(command)
	p.u32(0, 0, 0, 0, 0, 0, 0) // group, tag, dependencies and their size, account, password and its size
	return p
}

// startService is the arguments of RStartServiceW without any for the service
// itself (MS-SCMR 3.1.4.19).
func startService(service []byte) []byte {
	var p pack
	p.bytes(service)
	p.u32(0, 0)
	return p
}
