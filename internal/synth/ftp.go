package synth

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// FTP is a control connection (RFC 959), logged in.
type FTP struct {
	// Mode says how data connections are agreed on: PASV, PORT, EPSV or EPRT.
	// It is PASV at first, EPSV with IPv6.
	Mode string
	User string

	net            *Net
	client, server *Host
	control        *Conn
	data           uint16 // last port of the server for passive connections
}

// FTP opens a control connection and logs in.
func (n *Net) FTP(client, server *Host, user, password string) *FTP {
	f := &FTP{Mode: "PASV", User: user, net: n, client: client, server: server, data: 50000 + uint16(n.Intn(9000))}
	if server.Addr.Is6() {
		f.Mode = "EPSV"
	}
	f.control = n.Dial(client, server, 21)
	f.reply("220 " + server.Name + " FTP server ready")
	f.Command("USER "+user, "331 Password required for "+user)
	f.Command("PASS "+password, "230 User logged in")
	f.Command("TYPE I", "200 Type set to I")
	return f
}

// Command sends a command and its replies.
func (f *FTP) Command(command string, replies ...string) {
	f.control.Client([]byte(command + "\r\n"))
	f.reply(replies...)
}

func (f *FTP) reply(lines ...string) {
	for _, l := range lines {
		f.control.Server([]byte(l + "\r\n"))
	}
}

// Get fetches a file.
func (f *FTP) Get(path string, content []byte) {
	f.transfer("RETR "+path, "150 Opening data connection ("+strconv.Itoa(len(content))+" bytes)", Server, content)
	f.note(pulled(f.client, f.server, "ftp", path, content))
}

// Put sends a file.
func (f *FTP) Put(path string, content []byte) {
	f.transfer("STOR "+path, "150 Ok to send data", Client, content)
	f.note(pushed(f.client, f.server, "ftp", path, content))
}

// GetInTwo fetches a file whose first data connection is broken off after some
// bytes and which REST then goes on with.
func (f *FTP) GetInTwo(path string, content []byte, first int) {
	c := f.begin("RETR "+path, "150 Opening data connection")
	c.Server(content[:first])
	c.CloseBy(Server)
	f.reply("426 Connection closed; transfer aborted")
	f.Command("REST "+strconv.Itoa(first), "350 Restarting at "+strconv.Itoa(first))
	f.transfer("RETR "+path, "150 Opening data connection", Server, content[first:])
	f.note(pulled(f.client, f.server, "ftp", path, content))
}

// List fetches the listing of a folder.
func (f *FTP) List(names ...string) {
	var b bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&b, "-rw-r--r-- 1 ftp ftp %8d Mar 16 18:02 %s\r\n", 1000+f.net.Intn(90000), name)
	}
	f.transfer("LIST", "150 Here comes the directory listing", Server, b.Bytes())
}

// Refused asks for a file that the server does not give.
func (f *FTP) Refused(path string) {
	f.agree()
	f.Command("RETR "+path, "550 Permission denied")
	m := pulled(f.client, f.server, "ftp", path, nil)
	m.Status, m.SHA256, m.Completeness = model.Denied, "", ""
	f.note(m)
}

// Quit ends the control connection.
func (f *FTP) Quit() {
	f.Command("QUIT", "221 Goodbye")
	f.control.CloseBy(Server)
}

func (f *FTP) note(m Moved) {
	m.User = f.User
	f.net.Truth.Moved = append(f.net.Truth.Moved, m.on(f.control))
}

// transfer is one command with its data connection and replies.
func (f *FTP) transfer(command, opening string, from Side, content []byte) {
	c := f.begin(command, opening)
	c.Send(c.sideOf(f.host(from)), content)
	c.CloseBy(c.sideOf(f.host(from)))
	f.reply("226 Transfer complete")
}

func (f *FTP) host(s Side) *Host { return [2]*Host{f.client, f.server}[s] }

// sideOf says which side of a connection a host is.
func (c *Conn) sideOf(h *Host) Side {
	if c.ends[Client].host == h {
		return Client
	}
	return Server
}

// begin agrees on a data connection, gives the command and opens it: before the
// first reply when passive, after it when active.
func (f *FTP) begin(command, opening string) *Conn {
	port := f.agree()
	if f.Mode == "PASV" || f.Mode == "EPSV" {
		f.control.Client([]byte(command + "\r\n"))
		c := f.net.Dial(f.client, f.server, port)
		f.reply(opening)
		return c
	}
	f.Command(command, opening)
	return f.net.dial(f.server, 20, f.client, port)
}

// agree gives the port on which the passive side listens.
func (f *FTP) agree() uint16 {
	switch f.Mode {
	case "EPSV":
		f.data++
		f.Command("EPSV", fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)", f.data))
		return f.data
	case "PORT":
		port := f.client.ephemeral()
		f.Command("PORT "+commaAddress(f.client, port), "200 PORT command successful")
		return port
	case "EPRT":
		port, family := f.client.ephemeral(), 1
		if f.client.Addr.Is6() {
			family = 2
		}
		f.Command(fmt.Sprintf("EPRT |%d|%s|%d|", family, f.client.Addr, port), "200 EPRT command successful")
		return port
	}
	f.data++
	f.Command("PASV", "227 Entering Passive Mode ("+commaAddress(f.server, f.data)+")")
	return f.data
}

// commaAddress is the form of PORT and PASV.
func commaAddress(h *Host, port uint16) string {
	return fmt.Sprintf("%s,%d,%d", strings.ReplaceAll(h.Addr.String(), ".", ","), port>>8, port&0xFF)
}
