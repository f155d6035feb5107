package synth

// exampleSeed makes examples/; another one would change committed files.
const exampleSeed = 2026

// Examples gives the files of each folder under examples/, by folder and name.
func Examples() map[string]map[string][]byte {
	scene := Record(exampleSeed, Intrusion)
	return map[string]map[string][]byte{
		"intrusion": {"office.pcap": scene.Capture.PCAP(), "forwarded.evtx": scene.Logs.EVTX()},
	}
}
