package rpc

import (
	"fmt"
	"slices"
	"strings"

	"waybill/internal/wire"
	"waybill/internal/wire/dcerpc"
)

// maxOperations bounds the different calls that are reported of one pipe.
const maxOperations = 256

// Calls reports what is called through one pipe or connection: each operation
// once, and everything that makes or starts something on the server.
type Calls struct {
	env      wire.Env
	services *dcerpc.Services
	registry dcerpc.Registry
	start    func(what string) *wire.Access
	conv     *dcerpc.Conversation // nil once given up
	held     int64                // of the budget
	reported map[operation]bool
	mapped   func([]dcerpc.Endpoint) // may be nil
}

type operation struct {
	iface string
	opnum int
}

// New makes Calls. start begins an access record of the message that is being
// fed; services are shared by the pipes of a session.
func New(env wire.Env, services *dcerpc.Services, start func(what string) *wire.Access) *Calls {
	c := &Calls{env: env, services: services, start: start, reported: map[operation]bool{}}
	c.conv = dcerpc.New(c.call)
	return c
}

// Tokens has the security tokens of binds given to f.
func (c *Calls) Tokens(f func(fromClient bool, token []byte)) { c.conv.Token = f }

// Pipe names the pipe: where no bind was seen it tells the interface.
func (c *Calls) Pipe(name string) { c.conv.Assumed = dcerpc.PipeInterface(name) }

// Assume names the interface of calls whose bind was not seen.
func (c *Calls) Assume(iface string) {
	if c.conv != nil {
		c.conv.Assumed = iface
	}
}

// Endpoints has the answers of an endpoint mapper given to f.
func (c *Calls) Endpoints(f func([]dcerpc.Endpoint)) { c.mapped = f }

// Feed takes the next bytes of one direction.
func (c *Calls) Feed(fromClient bool, b []byte) {
	if c.conv == nil || len(b) == 0 {
		return
	}
	c.conv.Feed(fromClient, b)
	c.account()
}

// Lost says that bytes of one direction were not seen.
func (c *Calls) Lost(fromClient bool) {
	if c.conv != nil {
		c.conv.Lost(fromClient)
		c.account()
	}
}

// account keeps the budget in step with what the conversation holds; over it
// the conversation is given up.
func (c *Calls) account() {
	held, budget := int64(c.conv.Held()), c.env.Budget()
	if held <= c.held {
		budget.Give(c.held - held)
	} else if !budget.Take(held - c.held) {
		c.env.Blind("over-budget", held)
		c.conv = nil
		budget.Give(c.held)
		held = 0
	}
	c.held = held
}

// Close hands out the calls without an answer.
func (c *Calls) Close() {
	if c.conv != nil {
		c.conv.Close()
		c.conv = nil
	}
	c.env.Budget().Give(c.held)
	c.held = 0
}

func (c *Calls) call(call dcerpc.Call) {
	op := operation{call.Interface, call.Opnum}
	if !c.reported[op] && len(c.reported) < maxOperations {
		c.reported[op] = true
		a := c.start("rpc-call")
		a.Interface, a.Opnum, a.Detail = call.Interface, &op.opnum, call.Name
		if name := call.Operation(); name != "" {
			a.Detail += " " + name
		}
		if call.Sealed {
			a.Status = "sealed"
		}
		c.env.Access(a)
	}
	for _, e := range c.services.Events(call) {
		c.service(e)
	}
	if e, ok := dcerpc.Task(call); ok {
		c.task(e)
	}
	if e, ok := c.registry.Set(call); ok {
		c.value(e)
	}
	c.object(call)
	if found := dcerpc.Endpoints(call); len(found) > 0 && c.mapped != nil {
		c.mapped(found)
	}
}

var serviceWords = map[string]string{"create": "service-create", "start": "service-start", "stop": "service-stop",
	"open": "service-open", "change-config": "service-change", "delete": "service-delete"}

// service reports what was done to a service. What the server refused is said in
// the status.
func (c *Calls) service(e dcerpc.ServiceEvent) {
	what := serviceWords[e.Op]
	if what == "" {
		return
	}
	a := c.start(what)
	a.Object, a.Command = e.Service, e.Path
	if !e.OK || !e.Answered {
		a.Status = outcome(e.Answered, e.Code)
	}
	c.env.Access(a)
}

func outcome(answered bool, code uint32) string {
	switch {
	case !answered:
		return "no answer seen"
	case code == 0:
		return ""
	}
	return fmt.Sprintf("error %d", code)
}

func (c *Calls) task(e dcerpc.TaskEvent) {
	a := c.start("task-" + e.Op)
	a.Object, a.Command = e.Path, e.Command
	a.Status = outcome(e.Answered, e.Code)
	c.env.Access(a)
}

// startsPrograms are the ends of keys, and names of values, whose text Windows runs by
// itself: at a logon, as a service, instead of another program (ATT&CK T1547.001, .004,
// T1543.003, T1546.012).
var startsPrograms = []string{`\run`, `\runonce`, `\runonceex`, `\runservices`}

var startingValues = map[string]bool{"imagepath": true, "servicedll": true, "debugger": true, "userinit": true, "shell": true}

func runs(key, name string) bool {
	key = strings.ToLower(key)
	return startingValues[strings.ToLower(name)] || slices.ContainsFunc(startsPrograms, func(end string) bool { return strings.HasSuffix(key, end) })
}

// value reports a value that was set; what Windows runs by itself is a command.
func (c *Calls) value(e dcerpc.RegistryEvent) {
	a := c.start("registry-set")
	a.Object = wire.Printable(strings.TrimPrefix(e.Key+`\`+e.Name, `\`))
	a.Status = outcome(e.Answered, e.Code)
	if runs(e.Key, e.Name) {
		a.Command = e.Text
	}
	c.env.Access(a)
}

// object reports methods of WMI and of automation, and activations of classes that
// run commands.
func (c *Calls) object(call dcerpc.Call) {
	if m, ok := dcerpc.ExecMethod(call); ok {
		a := c.start("wmi-exec")
		a.Object, a.Command = m.Object, m.Command
		if m.Method != "" {
			a.Object += "." + m.Method
		}
		if call.Sealed {
			a.Status = "sealed"
			a.Detail = "a method was run; which one is encrypted"
		}
		c.env.Access(a)
	}
	if texts := dcerpc.Invoked(call); len(texts) > 0 {
		a := c.start("dcom-exec")
		a.Object, a.Command = "Invoke", strings.Join(texts, " ")
		c.env.Access(a)
	}
	if class := dcerpc.Activation(call); class != "" {
		a := c.start("dcom-activation")
		a.Object = class
		c.env.Access(a)
	}
}
