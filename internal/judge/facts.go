package judge

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/history"
	"waybill/internal/model"
	"waybill/internal/spread"
)

// Facts are what several analytics want to know of a transfer, found once.
type Facts struct {
	Content  string // key of its content (spread), also of a listed file's; "" is unknown
	Alike    string // where the content is unknown: what one host moves under one name
	Sealed   string // the file of an encrypted session: what its sender received with the same volume, else its own
	From, To string // keys of the hosts
	Actor    string // key of the host that opened the exchange
	Other    string // key of the other end; the destination where a third host asked
	User     string // account, lower case; of programs
	Way      string // channel, direction, kind of share, and whether it is a program
	Family   string // kind of file: folder and form of name; "" where no name is known
	Kind     string // folder and extension, where the folder is some software's own; else ""
	Chore    string // kind of script that was pushed to repair something; "" where it is none
	People   string // who do such: hosts and accounts that are called alike
	Runs     bool   // it runs
	Service  bool   // it is the service of a tool that starts programs remotely
	Program  bool   // it runs, or may
	exchange uint64 // stands for actor, other end and account
}

// Usual is what the history knows of a transfer, from before it.
type Usual struct {
	at model.Time
	// Days is for how long both ends, and this way, were watched: below that nothing can
	// be called new.
	Days                                      float64
	Pair, AnyPair, Sender, Account, AccountOn history.Use
	SenderHosts                               int
	// What the source hands out: by this way, and this kind of file.
	// It is counted whatever is held against it: habits are facts.
	Gives, Family        history.Use
	GivesTo, FamilyHosts int
	GiverTakes           history.Use // how the source fetches programs itself this way
	// Who else hands out files of the kind: all together, the source, and how many do.
	Kind, KindBy history.Use
	KindGivers   int
	// Hosts that are called like the source: how many there are, 64 at most, and how many of
	// them hand out programs this way.
	Called, CalledGivers int
	CalledGive           history.Use
	Bare                 bool // it came over no share, where people keep tools of their own, and names no maker
	// Scripts of the kind from people who are called like the one that pushed it: all together,
	// and from this host; how many of their hosts gave such, and how many got them.
	Chore, ChoreBy          history.Use
	ChoreGivers, ChoreHosts int
	Content                 history.Use
	ContentHosts            int
	// What findings of medium or above told, and is not trusted.
	Told, ToldOn bool        // the content was seen; the account was on the host that asked
	Utility      history.Use // how often the account used the tool on the host that asked
	Meets        int         // how many others the other end exchanges programs with this way
}

// factory makes facts, and remembers the texts that it made.
type factory struct {
	book     *spread.Book // which knows the hosts
	accounts accounts
	ways     map[way]string
	// places are what was put on shares, by where it lies.
	places map[string]string
	// sets are what one host put on shares of late: into one folder, or under one name.
	sets map[string]set
	// sealed are what encrypted sessions brought.
	sealed sealedFiles
}

// set is files of unknown content that go together: the key that stands for them, and
// when the last one was put.
type set struct {
	key  string
	last model.Time
}

// way is how a file went, without who and when.
type way struct {
	channel, operation, share string
	program                   bool
}

func newFactory(book *spread.Book) *factory {
	return &factory{book: book, accounts: newAccounts(), ways: map[way]string{}, places: map[string]string{}, sets: map[string]set{}, sealed: sealedFiles{}}
}

// of finds the facts of a transfer with this content.
func (f *factory) of(t *model.Transfer, content string) Facts {
	from, to := f.book.Host(&t.Source), f.book.Host(&t.Destination)
	x := Facts{Content: content, From: from.Key, To: to.Key, Runs: runs(t), Alike: content}
	x.Program = x.Runs || mayHold(t) && !plain(t.Name)
	actor, other := to, from
	switch {
	case t.Initiator == model.BySource:
		actor, other = from, to
	case t.Initiator == model.ByOther && t.Client != nil:
		actor, other = f.book.Host(t.Client), to
	}
	x.Actor, x.Other, x.exchange = actor.Key, other.Key, f.accounts.exchange(actor, other, t)
	if !x.Program && t.Completeness != model.Opaque {
		return x // documents, and most of what moves
	}
	x.User = f.accounts.of(t)
	x.Family = family(t)
	x.Kind = kindOf(t, x.Family)
	if x.Chore = chore(t); x.Chore != "" {
		x.People = people(x.Actor, cmp.Or(x.User, strings.ToLower(t.InitiatorUser)))
	}
	x.Way = f.way(t, x.Program)
	x.Service = executionService(t)
	x.Alike = f.alike(&x, t)
	x.Sealed = f.sealed.key(&x, t)
	return x
}

func (f *factory) way(t *model.Transfer, program bool) string {
	w := way{model.ChannelFamily(t.Channel), t.Operation, shareKind(t), program}
	text, ok := f.ways[w]
	if !ok {
		what := "file"
		if program {
			what = "program"
		}
		text = strings.Join(strings.Fields(w.channel+" "+w.operation+" "+w.share+" "+what), " ")
		f.ways[w] = text
	}
	return text
}

// shareKind is what kind of share a file went over.
func shareKind(t *model.Transfer) string {
	switch {
	case model.ChannelFamily(t.Channel) != "smb":
		return ""
	case t.Share == "" && len(t.Path) > 2 && t.Path[1] == ':':
		return "admin" // the host's own log, which names no share: no other leads there
	case t.Share == "":
		return ""
	}
	share := lastElement(t.Share)
	switch _, admin := adminRoot(share); {
	case model.PolicyShare(share):
		return "policy"
	case admin:
		return "admin"
	case strings.EqualFold(share, "print$"):
		return "print"
	}
	return "share"
}

// plain says whether a name is that of a file that people write or look at.
func plain(name string) bool {
	_, ext := cutExtension(strings.ToLower(name))
	return harmless[ext] != ""
}

// alike is what stands for the content of a program: its key, where that is known; the
// place on a share that it was put at or fetched from; else what one host moves of one
// kind.
func (f *factory) alike(x *Facts, t *model.Transfer) string {
	if !x.Program {
		return x.Content
	}
	key := x.Content
	if place := shelf(x, t); place != "" {
		if put := f.places[place]; t.Operation == model.Pull && put != "" && (key == "" || strings.HasPrefix(put, "at ")) {
			key = put // of what was put there nobody knows the content
		}
		if key == "" {
			key = "at " + place
		}
		if t.Operation == model.Push {
			key = f.together(x, t, place, key)
			f.put(place, key)
		}
	} else if t.Operation == model.Push && t.Name != "" && len(f.sets) > 0 {
		if s := f.sets[nameSet(x, t)]; s.key != "" && t.Start-s.last <= clusterGap {
			key = s.key // the host put it on a share, too
		}
	}
	return cmp.Or(key, x.kin())
}

// kin stands for what one host moves of one kind; "" where its kind is unknown.
func (x *Facts) kin() string {
	if x.Family == "" {
		return ""
	}
	return kinPrefix + x.Actor + "|" + x.Way + "|" + x.Family
}

// kinPrefix begins the keys of what is alike in kind alone.
const kinPrefix = "like "

// folderGap is how near in time the programs are that one host brings to one folder together.
const folderGap = 60e9

// together gives the key of programs that one host puts on shares together: into the same
// folder within a minute, or under the same name within an hour.
func (f *factory) together(x *Facts, t *model.Transfer, place, key string) string {
	if !strings.HasPrefix(key, "at ") {
		return key // its content is known
	}
	name, folder := nameSet(x, t), x.From+"|"+place[:strings.LastIndexAny(place, `|\`)+1]
	if s := f.sets[name]; s.key != "" && t.Start-s.last <= clusterGap {
		key = s.key
	} else if s := f.sets[folder]; s.key != "" && t.Start-s.last <= folderGap {
		key = s.key
	}
	if len(f.sets) >= remembered {
		clear(f.sets)
	}
	f.sets[name], f.sets[folder] = set{key, t.End}, set{key, t.End}
	return key
}

// nameSet is what one host moves under one name.
func nameSet(x *Facts, t *model.Transfer) string { return x.From + "?" + strings.ToLower(t.Name) }

// shelf is where on a share a file lies that others fetch from there; "" where it went
// to the one host alone.
func shelf(x *Facts, t *model.Transfer) string {
	if kind := shareKind(t); kind != "share" && kind != "policy" || t.Path == "" {
		return ""
	}
	server := x.To
	if t.Operation == model.Pull {
		server = x.From
	}
	return server + "|" + strings.ToLower(lastElement(t.Share)) + "|" + lowerPath(t)
}

// put notes what was put at a place last.
func (f *factory) put(place, key string) {
	if len(f.places) >= remembered {
		clear(f.places)
	}
	f.places[place] = key
}

// lowerPath is where a file went, below its share.
func lowerPath(t *model.Transfer) string {
	if t.Path == "" {
		return strings.ToLower(t.Name)
	}
	return pathKey(t.Path)
}

// executionService says whether a file is the service that a tool like PsExec installs
// to start programs: what it starts is another matter.
func executionService(t *model.Transfer) bool {
	return executionName(strings.ToLower(t.Name)) || executionName(strings.ToLower(t.OriginalName))
}

// executionName says so of a name.
func executionName(name string) bool {
	switch name {
	case "psexesvc.exe", "winexesvc.exe", "csexecsvc.exe", "remcomsvc.exe", "xcmdsvc.exe":
		return true
	}
	return strings.HasPrefix(name, "paexec-") && strings.HasSuffix(name, ".exe")
}

// installerWords are in the names of what administrators hand out.
var installerWords = [...]string{"setup", "install", "update", "upgrade", "patch", "hotfix", "redist", "deploy"}

// installer says whether a name is that of what installs software. Anybody may choose
// it: it takes a little off, and never all.
func installer(name string) bool {
	name = strings.ToLower(name)
	switch _, ext := cutExtension(name); ext {
	case "msi", "msu", "msp", "cab", "msix", "appx":
		return true
	}
	for _, w := range installerWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// family is the kind of a file among those that a host hands out: the folder that it
// goes to, where that is one of its own, else the form of its name too. What numbers or
// chance make of a name is no other kind.
func family(t *model.Transfer) string {
	path := familyPath(t)
	if path == "" {
		return ""
	}
	i := strings.LastIndexByte(path, '\\')
	folder, name := path[:i+1], path[i+1:]
	if !ownFolder(folder) {
		return folderForm(folder) + `\` + form(name)
	}
	_, ext := cutExtension(name)
	return folderForm(folder) + `\*.` + ext
}

// folderForm is the first folders of a place, without what numbers or chance make of them.
func folderForm(folder string) string {
	elements := strings.Split(strings.Trim(folder, `\`), `\`)
	for i, e := range elements {
		elements[i] = form(e)
	}
	return strings.Join(elements[:min(len(elements), familyDepth)], `\`)
}

// kindOf is what one host's kind of file has in common with that of others: its first
// folders, and its extension. Of the web the first is the server's name.
func kindOf(t *model.Transfer, family string) string {
	if t.Operation == model.Push && shareKind(t) == "share" {
		return "" // it is the server that has the folder, and people work on other hosts at times
	}
	folders := strings.Split(family, `\`)
	if t.Share != "" && model.ChannelFamily(t.Channel) == "http" {
		folders = folders[1:]
	}
	n := len(folders) - 1
	if n < 1 || !strings.HasPrefix(folders[n], "*.") || !slices.ContainsFunc(folders[:n], func(f string) bool { return f != "*" }) {
		return ""
	}
	return strings.Join(folders[:min(n, kindDepth)], `\`) + `\` + folders[n]
}

// kindDepth is how many folders tell what several hosts hand out.
const kindDepth = 3

// familyPath is where a file goes: on the disk as far as an administrative share tells,
// else with its share.
func familyPath(t *model.Transfer) string {
	if t.Path == "" {
		return strings.ToLower(t.Name)
	}
	if shareKind(t) == "admin" {
		if disk := diskPath(t); disk != "" && disk[0] == '\\' {
			return disk
		}
	}
	path := pathKey(t.Path)
	if share := lastElement(t.Share); share != "" {
		return strings.ToLower(share) + `\` + path
	}
	return path
}

// familyDepth is how many folders tell a kind of file.
const familyDepth = 4

// ownFolder says whether a folder is one of some software's own, and none where
// everybody puts things.
func ownFolder(folder string) bool {
	switch folder = `\` + strings.Trim(folder, `\`) + `\`; folder {
	case `\`, `\windows\`, `\windows\system32\`, `\windows\syswow64\`, `\temp\`, `\tmp\`, `\var\tmp\`, `\dev\shm\`, `\tools\`, `\programdata\`, `\users\public\`:
		return false
	}
	for i := range oddFolders {
		if oddFolders[i].holds(folder) {
			return false
		}
	}
	return !strings.Contains(folder, `\appdata\`) && !strings.Contains(folder, `\desktop\`) && !strings.Contains(folder, `\downloads\`)
}

// form is the first word of a name, with what follows it as *: versions, numbers, and
// what a program made up.
func form(name string) string {
	stem, ext := cutExtension(name)
	if stem == "" {
		stem, ext = name, ""
	}
	end := strings.IndexFunc(stem, func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ' ' || r >= '0' && r <= '9' })
	first := stem
	if end >= 0 {
		first = stem[:end]
	}
	switch {
	case byChance(stem) || len(first) < 2 && end >= 0 || byChance(first):
		first = "*"
	case end >= 0:
		first += "*"
	}
	if ext == "" {
		return first
	}
	return first + "." + ext
}

// byChance says whether a name looks like one that a program made up: hexadecimal
// digits of both kinds, a GUID, or letters without vowels.
func byChance(stem string) bool {
	stem = strings.Trim(stem, "{}")
	if len(stem) < 8 {
		return false
	}
	hex, digits, letters, vowels := true, 0, 0, 0
	for i := range len(stem) {
		switch c := stem[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '-':
		case c >= 'a' && c <= 'z':
			letters++
			hex = hex && c <= 'f'
			if strings.IndexByte("aeiouy", c) >= 0 {
				vowels++
			}
		default:
			return false
		}
	}
	return hex && digits > 0 && letters > 0 || letters >= 8 && vowels*8 < letters
}
