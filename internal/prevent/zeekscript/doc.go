// Package zeekscript writes a policy and what findings hold as a script and an intelligence
// file for Zeek 6 and later (ATT&CK M1031). In comes a policy; out go both files. It never
// blocks anything, and text from the wire reaches the script in hexadecimal form only. No
// Zeek has loaded what it writes: unverified.
package zeekscript
