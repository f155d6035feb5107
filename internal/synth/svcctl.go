package synth

// svcctl is the interface of service control (MS-SCMR 1.9).
var svcctl = rpcInterface{uuid{0x367abb81, 0x9844, 0x35f1, [8]byte{0xad, 0x32, 0x98, 0xf0, 0x38, 0x00, 0x10, 0x03}}, 2}

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
	c := ipc.Pipe("svcctl").RPC(RPCOptions{})
	c.startService(name, display, command)
	c.Close()
	ipc.Disconnect()
	s.net.serviceStarted(s.Client, s.Server, s.User, name, command)
}

// serviceStarted adds to the truth that a service was created and started.
func (n *Net) serviceStarted(client, server *Host, user, name, command string) {
	n.seen(client, server, Seen{What: "service-create", Object: name, Command: command, User: user})
	n.Truth.Started = append(n.Truth.Started, Started{
		Source: client.Model(), Destination: server.Model(),
		Service: name, Command: command, User: user,
	})
}

// started adds to the truth that something was made or started with a command.
func (s *Session) started(what, name, command string) {
	s.net.seen(s.Client, s.Server, Seen{What: what, Object: name, Command: command, User: s.User})
}

func (c *RPC) startService(name, display, command string) {
	c.bind(svcctl)
	manager, service := c.net.handle(), c.net.handle()
	handleOf := func(h uuid) func(*stub) { return func(s *stub) { s.handle(h) } }
	c.call(0, scmOpenManagerW, func(s *stub) {
		s.optional(`\\` + c.server.Name)
		s.null()
		s.u32(scmAllAccess)
	}, done(handleOf(manager)))
	c.call(0, scmCreateW, func(s *stub) { s.createService(manager, name, display, command) }, done(func(s *stub) {
		s.null() // no tag
		s.handle(service)
	}))
	c.call(0, scmStartW, func(s *stub) { // without arguments (MS-SCMR 3.1.4.19)
		s.handle(service)
		s.u32(0)
		s.null()
	}, done())
	c.call(0, scmClose, handleOf(service), done((*stub).noHandle))
	c.call(0, scmClose, handleOf(manager), done((*stub).noHandle))
}

// done writes results and ERROR_SUCCESS behind them.
func done(results ...func(*stub)) func(*stub) {
	return func(s *stub) {
		for _, write := range results {
			write(s)
		}
		s.u32(0)
	}
}

// createService is the arguments of RCreateServiceW (MS-SCMR 3.1.4.12): a
// process of its own, started on demand, as LocalSystem.
func (s *stub) createService(manager uuid, name, display, command string) {
	s.handle(manager)
	s.text(name)
	s.optional(display)
	s.u32(serviceAllAccess, 0x10, 3, 0)
	s.text(command)
	s.size(0, 0, 0) // group, tag, dependencies
	s.u32(0)        // their size
	s.null()
	s.null() // account, password
	s.u32(0) // its size
}
