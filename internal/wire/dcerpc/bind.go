package dcerpc

// ndr64Syntax is the transfer syntax of 64-bit ends (MS-RPCE 2.2.4.12).
const ndr64Syntax = "71710533-beba-4937-8319-b5dbef9ccc36"

// context is what a presentation context stands for.
type context struct {
	iface string
	ndr64 bool
}

// bind is a bind or alter-context request that has no answer yet: the ids of
// its contexts, in order.
type bind struct {
	callID uint32
	ids    []uint16
}

// maxBinds is how many binds may wait for their answers.
const maxBinds = 16

// propose takes the contexts that the client proposes (C706 12.6.4.3). They count
// from now on, so that a capture without the answers has names.
func (c *Conversation) propose(p pdu) {
	const elements = 28
	w := bind{callID: p.callID}
	at := elements
	for range p.u8(elements - 4) {
		iface := p.uuid(at + 4)
		if iface == "" {
			break
		}
		id, syntaxes := p.u16(at), int(p.u8(at+2))
		w.ids = append(w.ids, id)
		c.setContext(id, context{iface, p.uuid(at+24) == ndr64Syntax})
		at += 24 + 20*syntaxes
	}
	if len(c.binds) == maxBinds {
		c.binds = c.binds[1:]
	}
	c.binds = append(c.binds, w)
}

func (c *Conversation) setContext(id uint16, ctx context) {
	if _, known := c.contexts[id]; known || len(c.contexts) < maxContexts {
		c.contexts[id] = ctx
	}
}

// bindAck takes the server's results, one a proposed context, in order (C706
// 12.6.4.4): those rejected go, those accepted have their transfer syntax.
func (c *Conversation) bindAck(p pdu) {
	w, ok := c.takeBind(p.callID)
	if !ok {
		return
	}
	const address = 24 // length and text of the secondary address
	at := (address + 2 + int(p.u16(address)) + 3) &^ 3
	count := int(p.u8(at))
	for i, id := range w.ids[:min(count, len(w.ids))] {
		result := at + 4 + 24*i
		syntax := p.uuid(result + 4)
		if syntax == "" {
			return
		}
		if p.u16(result) != 0 {
			delete(c.contexts, id)
		} else if ctx, ok := c.contexts[id]; ok {
			ctx.ndr64 = syntax == ndr64Syntax
			c.contexts[id] = ctx
		}
	}
}

// bindNak takes the server's refusal of all contexts.
func (c *Conversation) bindNak(p pdu) {
	w, _ := c.takeBind(p.callID)
	for _, id := range w.ids {
		delete(c.contexts, id)
	}
}

func (c *Conversation) takeBind(callID uint32) (bind, bool) {
	for i, w := range c.binds {
		if w.callID == callID {
			c.binds = append(c.binds[:i:i], c.binds[i+1:]...)
			return w, true
		}
	}
	return bind{}, false
}
