// Package synth makes captures of known content, byte by byte, from Ethernet
// to the protocols that carry files and those that say who is who. In goes a
// seed and a script; out come frames and the truth about them: which files moved,
// between whom, with which hash, and what else must be seen. Tests, the examples
// and the benchmark use it; the program itself never does. It never looks at a
// clock, a network or the file system, and the same seed gives the same bytes on
// every machine.
//
// A script is a function of a Net. It makes hosts and lets them talk:
//
//	scene := synth.Record(1, func(n *synth.Net) {
//		user, files := n.Host("WS-07", "10.20.1.7"), n.Host("FS-01", "10.20.0.5")
//		s := n.SMB(user, files, synth.SMBOptions{User: "alice", Domain: "CORP"})
//		s.Tree("Docs").Get(`plan.docx`, n.Bytes(40_000))
//		s.Logoff()
//	})
//	os.WriteFile("plan.pcap", scene.Capture.PCAP(), 0o644)
//	// scene.Truth.Moved[0] says who sent what to whom, with size and SHA-256.
//
// What Record returns can be damaged and dressed up: Capture has methods that
// drop, duplicate, reorder, cut and split frames, and Wrap puts each into a tunnel or
// another link layer. Scenarios are scripts too, so they can be varied:
//
//	synth.Record(1, func(n *synth.Net) { n.V6 = true; synth.Everyday(n) })
package synth
