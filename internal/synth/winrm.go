package synth

import (
	"bytes"
	"fmt"
	"strings"
)

// WinRM is a connection to the remote management of a server (MS-WSMV over HTTP).
type WinRM struct {
	User   string // of clear requests; empty without authentication
	Sealed bool   // messages are encrypted (MS-WSMV 2.2.9.1)

	h     *HTTP
	shell string
}

// WinRM opens a connection to port 5985.
func (n *Net) WinRM(client, server *Host, user string, sealed bool) *WinRM {
	h := &HTTP{Host: server.Name + ":5985", net: n, client: client, server: server, conn: n.Dial(client, server, 5985)}
	b := n.guid()
	return &WinRM{User: user, Sealed: sealed, h: h, shell: fmt.Sprintf("%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])}
}

// The actions of WS-Management (DMTF DSP0226, MS-WSMV 3.1.4).
const (
	wsCreate  = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create"
	wsDelete  = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete"
	wsCommand = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command"
	wsReceive = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive"
)

// Run makes a shell, runs a command in it and fetches what it printed.
func (w *WinRM) Run(command, arguments string) {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	w.post(wsCreate, `<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>`, false)
	line := "<rsp:Command>" + escape.Replace(command) + "</rsp:Command>"
	if arguments != "" {
		line += "<rsp:Arguments>" + escape.Replace(arguments) + "</rsp:Arguments>"
	}
	w.post(wsCommand, "<rsp:CommandLine>"+line+"</rsp:CommandLine>", true)
	w.post(wsReceive, `<rsp:Receive><rsp:DesiredStream>stdout stderr</rsp:DesiredStream></rsp:Receive>`, true)
	w.post(wsDelete, "", true)
	w.h.conn.Close()
	if w.Sealed {
		w.h.net.seen(w.h.client, w.h.server, Seen{What: "winrm-exec", Channel: "winrm", Detail: "encrypted"})
		return
	}
	w.h.net.seen(w.h.client, w.h.server, Seen{What: "winrm-exec", Channel: "winrm", Object: "Create"})
	w.h.net.seen(w.h.client, w.h.server, Seen{What: "winrm-exec", Channel: "winrm", Object: "Command",
		Command: strings.TrimSpace(command + " " + arguments), Detail: w.shell})
}

// post is one request with its answer.
func (w *WinRM) post(action, body string, inShell bool) {
	selector := ""
	if inShell {
		selector = `<w:SelectorSet><w:Selector Name="ShellId">` + w.shell + `</w:Selector></w:SelectorSet>`
	}
	w.h.request("POST", "/wsman", w.entity(envelope(action, selector, body)))
	w.h.answer("200 OK", w.entity(envelope(action+"Response", "", "<rsp:ShellId>"+w.shell+"</rsp:ShellId>")))
}

// envelope is a SOAP message.
func envelope(action, selector, body string) []byte {
	return fmt.Appendf(nil, `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" `+
		`xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header>`+
		`<a:Action s:mustUnderstand="true">%s</a:Action>%s</s:Header><s:Body>%s</s:Body></s:Envelope>`, action, selector, body)
}

// entity is a message in clear, or two parts of a multipart of which the second is
// encrypted (MS-WSMV 2.2.9.1.1.2).
func (w *WinRM) entity(soap []byte) Entity {
	if !w.Sealed {
		return Entity{Content: soap, Type: "application/soap+xml;charset=UTF-8"}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "--Encrypted Boundary\r\nContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"+
		"OriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n--Encrypted Boundary\r\nContent-Type: application/octet-stream\r\n", len(soap))
	b.Write([]byte{16, 0, 0, 0})
	b.Write(w.h.net.Bytes(16 + len(soap)))
	b.WriteString("--Encrypted Boundary--\r\n")
	return Entity{Content: b.Bytes(), Type: `multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"`}
}
