package synth

import (
	"fmt"

	"waybill/internal/model"
)

// BulkOptions say how much traffic Bulk and Mixed make.
type BulkOptions struct {
	Seed    uint64
	Size    int64   // bytes of content, at least
	Clients int     // that read at the same time; 0 is 1
	Reorder float64 // of the segments
}

// The files of bulk captures, or connections of encrypted traffic: their size, and
// how many of each client at a time.
const (
	bulkFile  = 4 << 20
	bulkFiles = 4
)

// Bulk writes SMB reads of large files, by segments of 1,448 bytes with their
// acknowledgements, four handles a client with reads in flight. It keeps a few
// MiB in memory whatever the size.
func Bulk(w FrameWriter, o BulkOptions) (Truth, error) {
	return bulk(w, o, func(n *Net, host, server *Host) (func([]string, [][]byte), func()) {
		s := n.SMB(host, server, SMBOptions{User: "reader", Domain: "CORP", IOSize: 512 << 10, Shuffle: true})
		t := s.Tree("Data")
		return t.GetTogether, s.Logoff
	})
}

// BulkNFS writes the same as reads of NFS 3 over TCP.
func BulkNFS(w FrameWriter, o BulkOptions) (Truth, error) {
	return bulk(w, o, func(n *Net, host, server *Host) (func([]string, [][]byte), func()) {
		m := n.NFS(host, server, NFSOptions{UID: 1000, GID: 100, IOSize: 512 << 10, Shuffle: true})
		return m.GetTogether, m.Unmount
	})
}

// BulkSMB1 writes the same as reads of SMB 1, of the largest size that its length
// fields hold without extensions.
func BulkSMB1(w FrameWriter, o BulkOptions) (Truth, error) {
	return bulk(w, o, func(n *Net, host, server *Host) (func([]string, [][]byte), func()) {
		s := n.SMB1(host, server, SMB1Options{User: "reader", Domain: "CORP", IOSize: 64 << 10, InFlight: 16, Shuffle: true})
		t := s.Tree("Data")
		return t.GetTogether, s.Logoff
	})
}

// bulk lets clients read files, several at a time. open gives what reads some
// files, and what ends the session.
func bulk(w FrameWriter, o BulkOptions, open func(n *Net, host, server *Host) (get func(paths []string, contents [][]byte), end func())) (Truth, error) {
	n := New(o.Seed)
	n.Step, n.Delay = 1_200, 60_000
	server := n.Host("FS-01", "10.30.0.5")
	var gets []func([]string, [][]byte)
	var ends []func()
	for i := range max(o.Clients, 1) {
		get, end := open(n, n.Host(fmt.Sprintf("WS-%02d", i+1), fmt.Sprintf("10.30.1.%d", i+1)), server)
		gets, ends = append(gets, get), append(ends, end)
	}
	for moved, round := int64(0), 0; moved < o.Size; round++ {
		var scripts []func()
		for i, get := range gets {
			scripts = append(scripts, func() {
				var paths []string
				var contents [][]byte
				for h := range bulkFiles {
					paths = append(paths, fmt.Sprintf("%04d-%d-%d.bin", round, i, h))
					contents = append(contents, n.Bytes(bulkFile))
				}
				get(paths, contents)
			})
			moved += bulkFile * bulkFiles
		}
		n.Together(scripts...)
		if err := n.Take().Reorder(uint64(round), o.Reorder).WriteTo(w); err != nil {
			return n.Truth, err
		}
	}
	for _, end := range ends {
		end()
	}
	return n.Truth, n.Take().WriteTo(w)
}

// Mixed writes many small files and flows of all protocols, with DNS and TLS
// between them.
func Mixed(w FrameWriter, o BulkOptions) (Truth, error) {
	n := New(o.Seed)
	n.Step, n.Delay = 1_500, 80_000
	for written, round := int64(0), 0; written < o.Size; round++ {
		n.mixedRound(round)
		c := n.Take().Reorder(uint64(round), o.Reorder)
		written += c.Bytes()
		if err := c.WriteTo(w); err != nil {
			return n.Truth, err
		}
	}
	return n.Truth, nil
}

// mixedRound is what ten workstations do in a while.
func (n *Net) mixedRound(round int) {
	dc, files := n.Host("DC-01", "10.30.0.2"), n.Host("FS-01", "10.30.0.5")
	web, ftp, outside := n.Host("WEB-01", "10.30.0.40"), n.Host("FTP-01", "10.30.0.45"), n.Host("cdn", "198.51.100.20")
	var scripts []func()
	for i := range 10 {
		ws := n.Host(fmt.Sprintf("WS-%02d", i+1), fmt.Sprintf("10.30.1.%d", i+1))
		scripts = append(scripts, func() {
			n.DNS(ws, dc, "files.corp.example", files)
			s := n.SMB(ws, files, SMBOptions{User: "user", Domain: "CORP"})
			docs := s.Tree("Docs")
			for k := range 12 {
				docs.Get(fmt.Sprintf(`r%d\%d-%d.dat`, round, i, k), n.Bytes(2000+n.Intn(60_000)))
			}
			docs.Put(fmt.Sprintf(`r%d\report-%d.csv`, round, i), n.Bytes(20_000))
			s.Logoff()
		}, func() {
			n.TLS(ws, outside, "cdn.example", 2_000, 150_000+n.Intn(100_000))
		}, func() {
			h := n.HTTP(ws, web, "intranet.corp.example")
			for k := range 5 {
				h.Get(fmt.Sprintf("/f/%d/%d/%d.zip", round, i, k), Entity{Content: n.Zip("a.txt", 1000+n.Intn(30_000)), Type: "application/zip", Name: "a.zip"})
			}
			h.Close()
		}, func() {
			f := n.FTP(ws, ftp, "drop", "secret")
			f.Get(fmt.Sprintf("in-%d-%d.bin", round, i), n.Bytes(5000+n.Intn(40_000)))
			f.Quit()
			n.TFTPGet(ws, ftp, fmt.Sprintf("boot-%d-%d", round, i), n.Bytes(8_000), TFTPOptions{})
		})
	}
	n.Together(scripts...)
}

// BulkSSH writes downloads by sftp, each in a session of its own, all of a client
// at the same time.
func BulkSSH(w FrameWriter, o BulkOptions) (Truth, error) {
	return bulkSealed(w, o, func(n *Net, client, server *Host) {
		s := n.SSH(client, server, SSHOptions{User: "backup"})
		s.Login()
		s.SFTPGet("set.tar", bulkFile)
		s.Close()
	})
}

// BulkTLS writes downloads over TLS 1.3 in records of 16 KiB, each in a connection
// of its own.
func BulkTLS(w FrameWriter, o BulkOptions) (Truth, error) {
	return bulkSealed(w, o, func(n *Net, client, server *Host) {
		n.TLS(client, server, "mirror.corp.example", 400, bulkFile)
		n.Truth.Moved = append(n.Truth.Moved, sealed(server, client, model.Pull, "tcp", bulkFile))
	})
}

// bulkSealed lets four connections a client run at the same time until there is
// enough. It keeps some 20 MiB a client in memory.
func bulkSealed(w FrameWriter, o BulkOptions, download func(n *Net, client, server *Host)) (Truth, error) {
	n := New(o.Seed)
	n.Step, n.Delay = 1_200, 60_000
	server := n.Host("SRV-01", "10.30.0.6")
	for moved, round := int64(0), 0; moved < o.Size; round++ {
		var scripts []func()
		for i := range bulkFiles * max(o.Clients, 1) {
			client := n.Host(fmt.Sprintf("WS-%02d", 1+i/bulkFiles), fmt.Sprintf("10.30.1.%d", 1+i/bulkFiles))
			scripts = append(scripts, func() { download(n, client, server) })
			moved += bulkFile
		}
		n.Together(scripts...)
		if err := n.Take().Reorder(uint64(round), o.Reorder).WriteTo(w); err != nil {
			return n.Truth, err
		}
	}
	return n.Truth, nil
}
