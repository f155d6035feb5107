package judge

import (
	"strings"

	"waybill/internal/model"
)

// A chore is what helpdesks do: a script that repairs something, pushed to the hosts that
// have the trouble. Its name and content are made for the day; what tells the work is the
// place, and who does it, who are called alike and work on hosts that are.

// chore is the kind of a script that was pushed to the disk of a host: its place.
func chore(t *model.Transfer) string {
	if t.Operation != model.Push || shareKind(t) != "admin" || !scriptName(t.Name) {
		return ""
	}
	path := familyPath(t)
	folder := path[:strings.LastIndexByte(path, '\\')+1]
	return folderForm(folder) + `\*.script`
}

// people are those who are called like an account, at hosts that are called like one; ""
// where nobody knows the account.
func people(host, account string) string {
	if account == "" {
		return ""
	}
	if stem := stem(host); stem != "" {
		host = stem + "*"
	}
	name := bareAccount(account)
	if end := strings.IndexAny(name, ".-_"); end > 1 {
		account = account[:len(account)-len(name)+end+1] + "*"
	}
	return host + " as " + account
}

// choreDone says whether such scripts are what these people do, on many days and to many
// hosts: from this host, or from a good part of those called like it.
func (u *Usual) choreDone() bool {
	return u.Chore.Days >= usualDays && u.ChoreHosts >= manyReached && (u.ChoreBy.Days >= usualDays || u.ChoreGivers >= max(fewHelpers, u.Called/4))
}
