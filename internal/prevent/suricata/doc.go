// Package suricata writes a policy and what findings hold as rules for Suricata 7 (ATT&CK
// M1031). In comes a policy, and the files of the export before; out go a rules file and
// lists of hashes, and which recorded transfers the rules would alert on. It never writes a
// rule that blocks, and nothing from the wire reaches a rule but in hexadecimal form.
package suricata
