package content

import (
	"strings"
	"sync/atomic"
	"testing"
)

// lockedBlock is a block that workers may release.
type lockedBlock struct{ held atomic.Int64 }

func (b *lockedBlock) Retain()      { b.held.Add(1) }
func (b *lockedBlock) Release()     { b.held.Add(-1) }
func (b *lockedBlock) count() int64 { return b.held.Load() }

var typeCases = []struct{ head, want string }{
	{"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + strings.Repeat("\x00", 48), "pe"},
	{"MZ", "pe"},
	{"MZ is how the names of many program files begin, but this is a text and no program.\n", "text"},
	{"\x7fELF\x02\x01\x01\x00", "elf"},
	{"\xcf\xfa\xed\xfe\x07\x00\x00\x01", "macho"},
	{"\xca\xfe\xba\xbe\x00\x00\x00\x02\x01", "macho"},
	{"\xca\xfe\xba\xbe\x00\x00\x00\x34\x01", "java"},
	{"#!/bin/sh\necho\n", "script"},
	{"@echo off\r\nnet use\r\n", "script"},
	{"\xef\xbb\xbf$x = New-Object Net.WebClient\r\n", "script"},
	{"\xff\xfeS\x00e\x00t\x00 \x00x\x00=\x00C\x00r\x00e\x00a\x00t\x00e\x00O\x00b\x00j\x00e\x00c\x00t\x00(\x00\"\x00W\x00S\x00c\x00r\x00i\x00p\x00t\x00.\x00S\x00h\x00e\x00l\x00l\x00\"\x00)\x00", "script"},
	{"<?php system($_GET['c']); ?>", "script"},
	{"PK\x03\x04\x14\x00\x00\x00\x08\x00name.txt", "archive"},
	{"PK\x03\x04\x14\x00\x06\x00\x08\x00[Content_Types].xml", "office"},
	{"PK\x03\x04\x14\x00\x00\x00\x08\x00META-INF/MANIFEST.MF", "java"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "office"},
	{"{\\rtf1\\ansi", "office"},
	{"%PDF-1.7\n", "pdf"},
	{"Rar!\x1a\x07\x01\x00", "archive"},
	{"7z\xbc\xaf\x27\x1c\x00\x04", "archive"},
	{"MSCF\x00\x00\x00\x00\x10", "archive"},
	{"\x1f\x8b\x08\x00\x00", "archive"},
	{strings.Repeat("a", 100) + strings.Repeat("\x00", 157) + "ustar\x0000", "archive"},
	{"BZh91AY&SY\x00", "archive"},
	{"BZh is not a type", "text"},
	{"\x89PNG\r\n\x1a\n\x00", "image"},
	{"GIF89a\x01", "image"},
	{"\xff\xd8\xff\xe0\x00", "image"},
	{"BM is a text too", "text"},
	{"RIFF\x00\x00\x00\x00WEBPVP8 ", "image"},
	{"RIFF\x00\x00\x00\x00WAVEfmt ", "audio"},
	{"\x00\x00\x00\x18ftypmp42", "video"},
	{"L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F\x9b", "shortcut"},
	{"SQLite format 3\x00\x10", "database"},
	{"\x11\x22\x33\x44\xef\xcd\xab\x89\x20\x06", "database"},
	{"regf\x01\x00\x00\x00", "registry"},
	{"ElfFile\x00\x00", "eventlog"},
	{"MDMP\x93\xa7\x00\x00", "dump"},
	{"KDMV\x01", "disk"},
	{"name,value\r\na,1\r\n", "text"},
	{"Gr\xfc\xdfe aus Z\xfcrich, ein Brief mit Umlauten in der Schreibweise von fr\xfcher.", "text"},
	{"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1", "text"},
	{"please evaluate the new objects and execute the plan", "text"},
	{"\x00\x01\x02\x03\x04", "data"},
	{"", ""},
}

func TestTypeOf(t *testing.T) {
	for _, c := range typeCases {
		if got := TypeOf([]byte(c.head)); got != c.want {
			t.Errorf("%.30q is %q instead of %q", c.head, got, c.want)
		}
	}
}

func TestExecutable(t *testing.T) {
	for typ, want := range map[string]bool{"pe": true, "elf": true, "macho": true, "java": true, "script": true, "archive": false, "office": false, "": false} {
		if Executable(typ) != want {
			t.Errorf("%q: %v", typ, !want)
		}
	}
}
