package synth

// exampleSeed makes examples/; another one would change committed files.
const exampleSeed = 2026

// Examples gives the files of each folder under examples/, by folder and name.
func Examples() map[string]map[string][]byte {
	return map[string]map[string][]byte{
		"intrusion": {"office.pcap": Record(exampleSeed, Intrusion).Capture.PCAP()},
	}
}
