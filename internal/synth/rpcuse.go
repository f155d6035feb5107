package synth

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// What administrators and intruders call on other hosts, in one function each.

// The interfaces of endpoints (C706 appendix O), tasks (MS-TSCH 1.9), the registry
// (MS-RRP 1.9) and shares (MS-SRVS 1.9).
var (
	epm           = rpcInterface{uuid{0xe1af8308, 0x5d1f, 0x11c9, [8]byte{0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa}}, 3}
	atsvc         = rpcInterface{uuid{0x1ff70682, 0x0a51, 0x30e8, [8]byte{0x07, 0x6d, 0x74, 0x0b, 0xe8, 0xce, 0xe9, 0x8b}}, 1}
	taskScheduler = rpcInterface{uuid{0x86d35949, 0x83c9, 0x4044, [8]byte{0xb4, 0x24, 0xdb, 0x36, 0x32, 0x31, 0xfd, 0x0c}}, 1}
	winreg        = rpcInterface{uuid{0x338cd001, 0x2244, 0x31f1, [8]byte{0xaa, 0xaa, 0x90, 0x00, 0x38, 0x00, 0x10, 0x03}}, 1}
	srvsvc        = rpcInterface{uuid{0x4b324fc8, 0x1670, 0x01d3, [8]byte{0x12, 0x78, 0x5a, 0x47, 0xbf, 0x6e, 0xe1, 0x88}}, 3}
)

// portMapper is where endpoints are asked for.
const portMapper = 135

// endpoint asks the endpoint mapper on which port an interface is.
func (n *Net) endpoint(client, server *Host, i rpcInterface, port uint16, o RPCOptions) {
	c := n.RPC(client, server, portMapper, RPCOptions{BigEndian: o.BigEndian, Fragment: o.Fragment})
	c.bind(epm)
	const eptMap = 3
	c.call(0, eptMap, func(s *stub) {
		s.pointer()
		s.uuid(uuid{})
		s.pointer()
		s.tower(i, 0, nil)
		s.handle(uuid{})
		s.u32(4)
	}, func(s *stub) {
		s.handle(n.handle())
		s.u32(1)
		s.size(4, 0, 1)
		s.refs = 2 // not those of the request
		s.pointer()
		s.tower(i, port, server.Addr.AsSlice())
		s.u32(0)
	})
	c.Close()
	n.seen(client, server, Seen{What: "rpc-call", Detail: "epm ept_map"})
}

// tower is an address as a stack of protocols (C706 appendix L); its own numbers
// are little-endian but for the port, which is in network order.
func (s *stub) tower(i rpcInterface, port uint16, ip []byte) {
	if len(ip) != 4 {
		ip = make([]byte, 4) // there is no floor for version 6
	}
	var t pack
	t.u16(5)
	for _, x := range [2]rpcInterface{i, ndr} {
		t.u16(19)
		t.u8(0x0d)
		t.bytes(x.uuid.wire())
		t.u16(uint16(x.version), 2, uint16(x.version>>16))
	}
	t.u16(1)
	t.u8(0x0b) // connection-oriented
	t.u16(2, 0, 1)
	t.u8(0x07) // TCP
	t.u16(2)
	t.bytes(be16(nil, port))
	t.u16(1)
	t.u8(0x09) // IP
	t.u16(4)
	t.bytes(ip)
	s.size(uint64(len(t)))
	s.u32(uint32(len(t)))
	s.raw(t)
}

// TaskByRPC registers a task that runs a program and runs it, over TCP.
func (n *Net) TaskByRPC(client, server *Host, port uint16, path, command, arguments string, o RPCOptions) {
	n.endpoint(client, server, taskScheduler, port, o)
	c := n.RPC(client, server, port, o)
	c.bind(taskScheduler)
	c.call(0, schHighestVersion, func(*stub) {}, func(s *stub) { s.u32(0x10006, 0) })
	c.call(0, schRegisterTask, registerTask(path, command, arguments), func(s *stub) {
		s.optional(path)
		s.null()
		s.u32(0)
	})
	c.call(0, schRun, func(s *stub) {
		s.text(path)
		s.u32(0)
		s.null()
		s.u32(0, 0)
		s.optional("")
	}, func(s *stub) {
		s.uuid(n.handle())
		s.u32(0)
	})
	c.Close()
	if o.Security == RPCPrivacy {
		n.seen(client, server, Seen{What: "rpc-call", Detail: "ITaskSchedulerService SchRpcRegisterTask", User: o.User})
		return
	}
	n.seen(client, server, Seen{What: "task-create", Object: path, Command: strings.TrimSpace(command + " " + arguments), User: o.User})
	n.seen(client, server, Seen{What: "task-run", Object: path, User: o.User})
}

// registerTask is the arguments of SchRpcRegisterTask (MS-TSCH 3.2.5.4.2).
func registerTask(path, command, arguments string) func(*stub) {
	return func(s *stub) {
		s.optional(path)
		s.text(taskXML(command, arguments))
		s.u32(6) // create or update
		s.optional("")
		s.u32(0, 0)
		s.null()
	}
}

// TaskDenied tries to register a task, which the server refuses with a fault.
func (n *Net) TaskDenied(client, server *Host, port uint16, path, command string, o RPCOptions) {
	const accessDenied = 5
	n.endpoint(client, server, taskScheduler, port, o)
	c := n.RPC(client, server, port, o)
	c.bind(taskScheduler)
	c.refused(0, schRegisterTask, accessDenied, registerTask(path, command, ""))
	c.Close()
	n.seen(client, server, Seen{What: "task-create", Object: path, Command: command, Status: "error 5", User: o.User})
}

// The operations of MS-TSCH 3.2.5.4.
const (
	schHighestVersion = 0
	schRegisterTask   = 1
	schRun            = 12
)

// taskXML is a definition (MS-TSCH 2.5) that runs a program once.
func taskXML(command, arguments string) string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><CalendarTrigger><StartBoundary>2026-03-17T10:00:00</StartBoundary><Enabled>true</Enabled><ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger></Triggers>
  <Principals><Principal id="LocalSystem"><UserId>S-1-5-18</UserId><RunLevel>HighestAvailable</RunLevel></Principal></Principals>
  <Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy><Hidden>true</Hidden><Enabled>true</Enabled></Settings>
  <Actions Context="LocalSystem"><Exec><Command>%s</Command><Arguments>%s</Arguments></Exec></Actions>
</Task>`, escape.Replace(command), escape.Replace(arguments))
}

// ServiceByRPC creates a service and starts it, over TCP.
func (n *Net) ServiceByRPC(client, server *Host, port uint16, name, command string, o RPCOptions) {
	n.endpoint(client, server, svcctl, port, o)
	c := n.RPC(client, server, port, o)
	c.startService(name, name, command)
	c.Close()
	if o.Security == RPCPrivacy {
		n.seen(client, server, Seen{What: "rpc-call", Detail: "svcctl RCreateServiceW", User: o.User})
		return
	}
	n.seen(client, server, Seen{What: "service-create", Object: name, Command: command, User: o.User})
	n.seen(client, server, Seen{What: "service-start", Object: name, User: o.User})
}

// onPipe calls through a pipe of the session's server.
func (s *Session) onPipe(name string, o RPCOptions, use func(*RPC)) {
	ipc := s.Tree("IPC$")
	c := ipc.Pipe(name).RPC(o)
	use(c)
	c.Close()
	ipc.Disconnect()
	s.net.seen(s.Client, s.Server, Seen{What: "pipe-open", Object: name, User: s.User})
}

// ATJob makes a job of the old scheduler (MS-TSCH 3.2.5.2.1).
func (s *Session) ATJob(command string, o RPCOptions) {
	s.onPipe("atsvc", o, func(c *RPC) {
		c.bind(atsvc)
		c.call(0, 0, func(w *stub) {
			w.optional(`\\` + s.Server.Name)
			if w.wide {
				w.align(8) // of a structure with a pointer
			}
			w.u32(36_000_000, 0) // ten o'clock
			w.u8(0, 0)
			w.pointer()
			w.text(command)
		}, func(w *stub) { w.u32(1, 0) })
	})
	s.started("task-create", "", command)
}

// SetRunKey lets a command run at each logon, by the registry of the server.
func (s *Session) SetRunKey(name, command string, o RPCOptions) {
	const openLocalMachine, openKey, setValue, closeKey = 2, 15, 22, 5
	s.onPipe("winreg", o, func(c *RPC) {
		root, key := s.net.handle(), s.net.handle()
		c.bind(winreg)
		c.call(0, openLocalMachine, func(w *stub) {
			w.null()
			w.u32(0x02000000)
		}, done(func(w *stub) { w.handle(root) }))
		c.call(0, openKey, func(w *stub) {
			w.handle(root)
			w.counted(`SOFTWARE\Microsoft\Windows\CurrentVersion\Run`)
			w.u32(0, 0x0002001F)
		}, done(func(w *stub) { w.handle(key) }))
		c.call(0, setValue, func(w *stub) {
			data := utf16le(command + "\x00")
			w.handle(key)
			w.counted(name)
			w.u32(1) // REG_SZ
			w.size(uint64(len(data)))
			w.raw(data)
			w.u32(uint32(len(data)))
		}, done())
		c.call(0, closeKey, func(w *stub) { w.handle(key) }, done((*stub).noHandle))
	})
	s.net.seen(s.Client, s.Server, Seen{What: "rpc-call", Detail: "winreg BaseRegSetValue", User: s.User})
	if o.Security != RPCPrivacy {
		s.started("registry-set", `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run\`+name, command)
	}
}

// counted is an RRP_UNICODE_STRING (MS-RRP 2.2.4).
func (s *stub) counted(t string) {
	u := utf16le(t + "\x00")
	if s.wide {
		s.align(8)
	}
	s.u16(uint16(len(u)), uint16(len(u)))
	s.pointer()
	s.size(uint64(len(u)/2), 0, uint64(len(u)/2))
	for ; len(u) > 0; u = u[2:] {
		s.u16(binary.LittleEndian.Uint16(u))
	}
}

// ListShares asks for the shares of the server (MS-SRVS 3.1.4.8) at level 1.
func (s *Session) ListShares(o RPCOptions, names ...string) {
	const shareEnum, level = 15, 1
	s.onPipe("srvsvc", o, func(c *RPC) {
		c.bind(srvsvc)
		c.call(0, shareEnum, func(w *stub) {
			w.optional(`\\` + s.Server.Name)
			w.u32(level, level)
			w.pointer()
			w.u32(0)
			w.null()
			w.u32(0xFFFFFFFF)
			w.null()
		}, func(w *stub) { w.shares(names) })
	})
	s.net.seen(s.Client, s.Server, Seen{What: "rpc-call", Detail: "srvsvc NetrShareEnum", User: s.User})
}

// shares is the answer of NetrShareEnum.
func (s *stub) shares(names []string) {
	s.u32(1, 1)
	s.pointer()
	s.u32(uint32(len(names)))
	s.pointer()
	s.size(uint64(len(names)))
	for range names {
		s.pointer()
		s.u32(0) // a disk
		s.pointer()
	}
	for _, name := range names {
		s.text(name)
		s.text("")
	}
	s.u32(uint32(len(names)))
	s.null()
	s.u32(0)
}
