package synth

import "encoding/binary"

// The interfaces of DCOM (MS-DCOM 1.9) and WMI (MS-WMI 1.9).
var (
	scmActivator    = rpcInterface{comID(0x000001a0), 0}
	wbemLevel1Login = rpcInterface{uuid{0xf309ad18, 0xd86a, 0x11d0, [8]byte{0xa0, 0x75, 0x00, 0xc0, 0x4f, 0xb6, 0x88, 0x20}}, 0}
	wbemServices    = rpcInterface{uuid{0x9556dc99, 0x828c, 0x11cf, [8]byte{0xa3, 0x7e, 0x00, 0xaa, 0x00, 0x32, 0x40, 0xc7}}, 0}
	dispatch        = rpcInterface{comID(0x00020400), 0}
)

// Classes that are activated.
var (
	classWMI   = uuid{0x8bc3f05e, 0xd86b, 0x11d0, [8]byte{0xa0, 0x75, 0x00, 0xc0, 0x4f, 0xb6, 0x88, 0x20}}
	classMMC20 = uuid{0x49b2791a, 0xb1ae, 0x4c90, [8]byte{0x9b, 0x8e, 0xe8, 0x60, 0xba, 0x07, 0xf8, 0x89}}
)

// comID is one of COM's own UUIDs.
func comID(a uint32) uuid { return uuid{a, 0, 0, [8]byte{0xC0, 7: 0x46}} }

// activate asks a host for an object of a class, as clients of DCOM begin.
func (n *Net) activate(client, server *Host, class uuid, o RPCOptions) {
	const remoteCreateInstance = 4
	o.Security = min(o.Security, RPCIntegrity)
	c := n.dcom(client, server, portMapper, o)
	c.bind(scmActivator)
	c.call(0, remoteCreateInstance, func(s *stub) {
		s.orpcThis(n)
		s.null()
		s.interfacePointer(objref(comID(0x000001a2), comID(0x00000338), activationProperties(class)))
	}, func(s *stub) {
		s.u32(0, 0)
		s.null()
		s.u32(0)
	})
	c.Close()
	n.seen(client, server, Seen{What: "rpc-call", Detail: "IRemoteSCMActivator RemoteCreateInstance", User: o.User})
}

// dcom opens a connection for DCOM, which is little-endian NDR (MS-DCOM 2.2.5).
func (n *Net) dcom(client, server *Host, port uint16, o RPCOptions) *RPC {
	o.BigEndian, o.NDR64 = false, false
	return n.RPC(client, server, port, o)
}

// orpcThis begins the parameters of all calls (MS-DCOM 2.2.13.3): version 5.7.
func (s *stub) orpcThis(n *Net) {
	s.u16(5, 7)
	s.u32(0, 0)
	s.uuid(n.handle())
	s.null()
}

// orpcThat begins the results (MS-DCOM 2.2.13.4).
func (s *stub) orpcThat() {
	s.u32(0)
	s.null()
}

// interfacePointer is a pointer to an MInterfacePointer (MS-DCOM 2.2.14).
func (s *stub) interfacePointer(objref []byte) {
	s.pointer()
	s.size(uint64(len(objref)))
	s.u32(uint32(len(objref)))
	s.raw(objref)
	s.align(4)
}

// objref is an OBJREF_CUSTOM (MS-DCOM 2.2.18.6).
func objref(iid, class uuid, data []byte) []byte {
	var p pack
	p.bytes([]byte("MEOW"))
	p.u32(4)
	p.bytes(iid.wire(), class.wire())
	p.u32(0, uint32(len(data)))
	p.bytes(data)
	return p
}

// activationProperties ask for a class (MS-DCOM 2.2.22): a header with the sizes of
// the properties, what to make, and the protocols that the client speaks.
func activationProperties(class uuid) []byte {
	var create, scm stub
	create.uuid(class)
	create.u32(0x10, 0, 0, 1, 0)
	create.pointer()
	create.u32(0x58)
	create.u16(5, 7)
	create.u32(1)
	create.uuid(comID(0)) // IUnknown
	scm.null()
	scm.pointer()
	scm.u32(2)
	scm.u16(1)
	scm.pointer()
	scm.u32(1)
	scm.u16(7) // TCP
	properties := [2][]byte{serialized(create.b), serialized(scm.b)}

	const headSize = 120
	all := headSize + uint32(len(properties[0])+len(properties[1]))
	var head stub
	head.u32(all, headSize, 0, 2, 2)
	head.uuid(uuid{})
	head.pointer()
	head.pointer()
	head.null()
	head.u32(2)
	head.uuid(comID(0x000001ab))
	head.uuid(comID(0x000001aa))
	head.u32(2, uint32(len(properties[0])), uint32(len(properties[1])))
	var p pack
	p.u32(all, 0)
	p.bytes(serialized(head.b), properties[0], properties[1])
	return p
}

// serialized adds the headers of type serialization 1 (MS-RPCE 2.2.6).
func serialized(b []byte) []byte {
	b = pad(b, 8)
	p := pack{1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc}
	p.u32(uint32(len(b)), 0)
	p.bytes(b)
	return p
}

// WMIExec runs a command by Win32_Process.Create (MS-WMI 3.1.4.3.22), as far as its
// calls matter: activation on port 135, then a login and the method on another.
func (n *Net) WMIExec(client, server *Host, port uint16, command string, o RPCOptions) {
	const ntlmLogin, execMethod = 6, 24
	n.activate(client, server, classWMI, o)
	c := n.dcom(client, server, port, o)
	c.bind(wbemLevel1Login)
	object := n.handle()
	c.object = &object
	c.call(0, ntlmLogin, func(s *stub) {
		s.orpcThis(n)
		s.optional(`//./root/cimv2`)
		s.null()
		s.u32(0)
		s.null()
	}, func(s *stub) {
		s.orpcThat()
		s.null()
		s.u32(0)
	})
	c.bind(wbemServices)
	c.call(1, execMethod, func(s *stub) {
		s.orpcThis(n)
		s.bstr("Win32_Process")
		s.bstr("Create")
		s.u32(0)
		s.null()
		s.interfacePointer(objref(
			uuid{0xdc12a681, 0x737f, 0x11cf, [8]byte{0x88, 0x4d, 0x00, 0xaa, 0x00, 0x4b, 0x2e, 0x24}},
			uuid{0x4590f812, 0x1d3a, 0x11d0, [8]byte{0x89, 0x1f, 0x00, 0xaa, 0x00, 0x4b, 0x2e, 0x24}}, createParameters(command)))
		s.null()
		s.null()
	}, func(s *stub) {
		s.orpcThat()
		s.null()
		s.null()
		s.u32(0)
	})
	c.Close()
	seen := Seen{What: "wmi-exec", Object: "Win32_Process.Create", Command: command, User: o.User}
	if o.Security == RPCPrivacy {
		seen.Object, seen.Command, seen.Detail = "", "", "encrypted"
	}
	n.seen(client, server, seen)
}

// bstr is a BSTR (MS-OAUT 2.2.23).
func (s *stub) bstr(t string) {
	u := utf16le(t)
	s.pointer()
	s.size(uint64(len(u) / 2))
	s.u32(uint32(len(u)), uint32(len(u)/2))
	for ; len(u) > 0; u = u[2:] {
		s.u16(binary.LittleEndian.Uint16(u))
	}
	s.align(4)
}

// createParameters is an instance of __PARAMETERS with the command line of a
// process (MS-WMIO 2.2): its class, then its values.
func createParameters(command string) []byte {
	var heap pack // of the class
	heap.cimString("__PARAMETERS")
	name := uint32(len(heap))
	heap.cimString("CommandLine")
	info := uint32(len(heap))
	heap.u32(8) // a string
	heap.u16(0)
	heap.u32(0, 0, 4) // place of the value, class of origin, no qualifiers

	var class pack
	class.u32(4, 4) // no ancestors, no qualifiers
	class.u32(1, name, info)
	class.u8(0x03) // no default
	class.u32(0xFFFFFFFF)
	class.cimHeap(heap)

	var values pack
	values.cimString("__PARAMETERS")
	at := uint32(len(values))
	values.cimString(command)

	var instance pack
	instance.u32(0)
	instance.u8(0)
	instance.u32(0)
	instance.u8(0) // the value is there
	instance.u32(at)
	instance.u32(4)
	instance.u8(1) // no qualifiers
	instance.cimHeap(values)
	binary.LittleEndian.PutUint32(instance, uint32(len(instance)))

	var p pack
	p.u8(2) // an instance without the server's name
	p.u32(uint32(4 + 1 + 4 + 4 + len(class)))
	p.u8(0)
	p.u32(0, 5)
	p.bytes(class, instance)
	out := pack{}
	out.u32(0x12345678, uint32(len(p)))
	out.bytes(p)
	return out
}

// cimString is a string in ASCII (MS-WMIO 2.2.78).
func (p *pack) cimString(s string) {
	p.u8(0)
	p.bytes([]byte(s), []byte{0})
}

// cimHeap is a heap with its length (MS-WMIO 2.2.66).
func (p *pack) cimHeap(b []byte) {
	p.u32(uint32(len(b)) | 1<<31)
	p.bytes(b)
}

// MMC20 activates the management console and invokes a method of its document, by
// which it runs a command.
func (n *Net) MMC20(client, server *Host, port uint16, command string, o RPCOptions) {
	const invoke = 6
	n.activate(client, server, classMMC20, o)
	n.seen(client, server, Seen{What: "dcom-activation", Object: "MMC20.Application", User: o.User})
	c := n.dcom(client, server, port, o)
	object := n.handle()
	c.bind(dispatch)
	c.object = &object
	c.call(0, invoke, func(s *stub) {
		s.orpcThis(n)
		s.u32(0x36)
		s.uuid(uuid{})
		s.u32(0x409, 1)
		s.texts("7", "/c "+command, `C:\`, "cmd.exe") // the last argument first
		s.u32(0)
		s.u32(0)
		s.u32(0)
	}, func(s *stub) {
		s.orpcThat()
		s.variant()
		s.raw(make([]byte, 32)) // EXCEPINFO
		s.u32(0, 0, 0)          // wrong argument, no references, done
	})
	c.Close()
	if o.Security != RPCPrivacy {
		n.seen(client, server, Seen{What: "dcom-exec", Command: `cmd.exe C:\ /c ` + command + " 7", User: o.User})
	}
}

// texts are DISPPARAMS (MS-OAUT 2.2.33) whose arguments are strings, with the
// pointers first and what they point to behind.
func (s *stub) texts(arguments ...string) {
	s.pointer()
	s.null()
	s.u32(uint32(len(arguments)), 0)
	s.size(uint64(len(arguments)))
	for range arguments {
		s.pointer()
	}
	for _, t := range arguments {
		s.align(8)
		s.u32(5, 0) // its size in units of 8 bytes
		s.u16(8, 0, 0, 0)
		s.u32(8) // a BSTR
		s.bstr(t)
	}
}

// variant is a pointer to an empty VARIANT (MS-OAUT 2.2.29).
func (s *stub) variant() {
	s.pointer()
	s.align(8)
	s.u32(3, 0)
	s.u16(0, 0, 0, 0)
	s.u32(0)
	s.align(4)
}
