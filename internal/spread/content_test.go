package spread

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/model"
)

// file makes a transfer of a content: words are sha256=x, md5=x, 4096=x, 65536=x,
// 1048576=x, size=n, name=x, type=x and at=seconds.
func file(id string, from, to, words string) *model.Transfer {
	t := &model.Transfer{Kind: "transfer", ID: id, Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: to},
		Status: model.Done, Completeness: model.Whole, Operation: model.Push, Evidence: []model.Evidence{{Input: "a.pcap"}}}
	for _, w := range strings.Fields(words) {
		key, value, _ := strings.Cut(w, "=")
		var n int64
		fmt.Sscan(value, &n)
		switch key {
		case "at":
			t.Start, t.End = model.Time(n)*1e9, model.Time(n)*1e9
		case "size":
			t.Size = &n
		case "name":
			t.Name = value
		case "type":
			t.Type = value
		case "sha256":
			t.SHA256 = value
		case "md5", "sha1", "imphash":
			t.Hashes = append(t.Hashes, model.Hash{Alg: key, Value: value})
		default:
			if t.Prefix == nil {
				t.Prefix = map[string]string{}
			}
			t.Prefix[key] = value
		}
	}
	return t
}

func none(string) *model.Transfer { return nil }

// TestAlike adds transfers and compares which of them are one artifact, and how the
// last one is tied to it.
func TestAlike(t *testing.T) {
	day := 24 * 3600
	cases := []struct {
		name  string
		files []string
		want  string // the artifact of each, by letters
		alike string // of the last sighting
	}{
		{"one hash", []string{"sha256=aa size=9 name=a.exe", "sha256=aa size=9 name=b.exe"}, "aa", ""},
		{"another hash", []string{"sha256=aa size=9 name=a.exe", "sha256=bb size=9 name=a.exe"}, "ab", ""},
		{"by a third that knows both hashes", []string{"md5=m size=9 name=a.exe", "sha256=aa size=9 name=b.exe", "md5=m sha256=aa size=9"}, "aaa", ""},
		{"an equal MD5 of contents that differ", []string{"md5=m sha256=aa size=9", "md5=m sha256=bb size=9"}, "ab", ""},
		{"an import hash is no content", []string{"imphash=i sha256=aa size=9", "imphash=i sha256=bb size=9"}, "ab", ""},
		{"nothing known", []string{"name=a.txt", "size=9"}, "--", ""},
		{"no bytes", []string{"sha256=" + empty + " size=0 name=a", "sha256=" + empty + " size=0 name=b"}, "--", ""},
		{"a hash without its size", []string{"sha256=aa", "sha256=aa size=9"}, "aa", ""},

		{"a part of it, of that size", []string{"sha256=aa size=99999 4096=p 65536=q name=a.dat", "size=99999 4096=p 65536=q name=b.dat"}, "aa", "prefix"},
		{"less of it", []string{"sha256=aa size=99999 4096=p 65536=q name=a.dat", "size=99999 4096=p name=b.dat"}, "aa", "prefix"},
		{"the part first", []string{"size=99999 4096=p name=b.dat", "sha256=aa size=99999 4096=p 65536=q name=a.dat"}, "aa", ""},
		{"a part of another", []string{"sha256=aa size=99999 4096=p 65536=q name=a.dat", "size=99999 4096=p 65536=r name=a.dat"}, "ab", "prefix"},
		{"one head, two hashes", []string{"sha256=aa size=99999 4096=p 65536=q type=pe", "sha256=bb size=99999 4096=p 65536=q type=pe"}, "ab", ""},
		{"padded", []string{"sha256=aa size=99999 4096=p 65536=q type=pe", "sha256=bb size=999999 4096=p 65536=q type=pe"}, "aa", "padded"},
		{"cut", []string{"sha256=aa size=9999999 4096=p 65536=q 1048576=r type=pe", "size=70000 4096=p 65536=q type=pe"}, "aa", "partial"},
		{"two programs with one stub", []string{"sha256=aa size=9999999 4096=p 65536=q 1048576=r type=pe", "sha256=bb size=8888888 4096=p 65536=q 1048576=s type=pe"}, "ab", ""},
		{"a log that grew", []string{"sha256=aa size=99999 4096=p 65536=q type=text", "sha256=bb size=100001 4096=p 65536=q type=text"}, "ab", ""},

		{"name and size", []string{"sha256=aa size=9 name=a.exe", "size=9 name=A.EXE"}, "aa", "name"},
		{"name and size of logs alone", []string{"size=9 name=a.exe", "size=9 name=a.exe"}, "aa", "name"},
		{"another size", []string{"size=9 name=a.exe", "size=8 name=a.exe"}, "ab", "name"},
		{"a name that all have", []string{"size=9 name=setup.exe", "size=9 name=setup.exe"}, "--", ""},
		{"name and size, the next week", []string{"sha256=aa size=9 name=a.exe", fmt.Sprintf("size=9 name=a.exe at=%d", 7*day)}, "ab", "name"},
		{"the log first", []string{"size=9 name=a.exe", "sha256=aa size=9 name=a.exe", "sha256=aa size=9 name=z.exe"}, "aaa", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := New(Settings{})
			var keys []string
			for i, words := range c.files {
				keys = append(keys, b.Add(file(fmt.Sprintf("t-%016x", i), "A", fmt.Sprint("H", i), words)))
			}
			got, letters := "", map[string]string{"": "-"}
			for _, k := range keys {
				if k != "" {
					k = b.Artifact(k)
				}
				if letters[k] == "" {
					letters[k] = string(rune('a' + len(letters) - 1))
				}
				got += letters[k]
			}
			if got != c.want {
				t.Errorf("artifacts %s instead of %s", got, c.want)
			}
			all := b.Artifacts(none)
			if len(all) != len(letters)-1 {
				t.Errorf("%d artifacts, %d keys", len(all), len(letters)-1)
			}
			seen := 0
			for _, a := range all {
				seen += len(a.Sightings)
				if letters[a.ID] == "" {
					t.Errorf("no key leads to artifact %s", a.ID)
				}
				for _, s := range a.Sightings {
					if s.Host == fmt.Sprint("H", len(keys)-1) && s.Alike != c.alike {
						t.Errorf("alike %q instead of %q", s.Alike, c.alike)
					}
				}
			}
			if want := 2 * (len(keys) - strings.Count(got, "-")); seen != want {
				t.Errorf("%d sightings instead of %d", seen, want)
			}
		})
	}
}

// TestDocumentsInStreams: in a stream a document is known by its hash alone, where a scan
// also knows it by name and size; a program is known by both everywhere.
func TestDocumentsInStreams(t *testing.T) {
	for _, c := range []struct {
		kind string
		all  bool
		want bool
	}{{"text", false, false}, {"text", true, true}, {"pe", false, true}} {
		b := New(Settings{All: c.all})
		whole := b.Add(file("t-1", "A", "B", "sha256=aa size=9000 name=list.bin type="+c.kind))
		if got := b.Add(file("t-2", "B", "C", "size=9000 name=list.bin")) == whole; got != c.want {
			t.Errorf("%+v: one artifact is %v", c, got)
		}
		if b.Add(file("t-3", "C", "D", "sha256=aa size=9000 name=other type="+c.kind)) != whole {
			t.Errorf("%+v: one hash, two artifacts", c)
		}
	}
}

// TestLastingKeys: a content that is known by its hash has the same key in every run,
// whatever was seen before; what only a name tells has none.
func TestLastingKeys(t *testing.T) {
	whole := file("t-3", "A", "C", "sha256=aa size=9 name=a.exe")
	want := New(Settings{}).Add(whole)
	b := New(Settings{})
	if key := b.Add(file("t-1", "A", "B", "name=a.exe")); key != "" {
		t.Errorf("a key by a name: %s", key)
	}
	weak := b.Add(file("t-2", "A", "B", "size=9 name=a.exe"))
	if got := b.Add(whole); got != want || b.Artifact(weak) != want || weak == want || weak == "" {
		t.Errorf("keys %s and %s, which lead to %s, instead of %s", weak, got, b.Artifact(weak), want)
	}
	if all := b.Artifacts(none); len(all) != 1 || all[0].ID != want || len(all[0].Sightings) != 6 {
		t.Errorf("%+v", all)
	}
}

// TestArtifactID holds an id to what the contract says of it: a digest of the
// strongest key.
func TestArtifactID(t *testing.T) {
	b := New(Settings{})
	key := b.Add(file("t-1", "A", "B", "md5=0cc175b9c0f1b6a831c399e269772661 size=1 name=x"))
	b.Add(file("t-2", "B", "C", "md5=0cc175b9c0f1b6a831c399e269772661 sha256=ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb size=1"))
	want := hexID(digest([]byte("sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")))
	if got := b.Artifact(key); got != want || got == key {
		t.Errorf("key %s leads to %s instead of %s", key, got, want)
	}
	a := b.Artifacts(none)
	if len(a) != 1 || a[0].ID != want || len(a[0].Sightings) != 4 || a[0].Sightings[0].Transfer != "t-1" {
		t.Errorf("artifacts: %+v", a)
	}
}
