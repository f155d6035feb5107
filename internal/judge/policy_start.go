package judge

import (
	"waybill/internal/model"
)

// policyStart marks programs that one host puts on a share and group policies that copy or
// start programs which it writes within an hour: all members of the domain will start them
// (ATT&CK T1484.001). Installers on a share are how software is handed out.
func policyStart() Analytic {
	return &rule[policies]{name: "policy-start", key: nearPolicy, look: lookPolicy, able: needsSMB}
}

// policies is what one host wrote of late: group policies, and programs on shares.
type policies struct {
	Files []*landing `json:"files"`
}

// policyNear is how near in time a group policy and the program that it starts are written.
const policyNear model.Time = 3600e9

func nearPolicy(e Event) string {
	if !smbPush(e) {
		return ""
	}
	t := e.Transfer
	switch kind := shareKind(t); {
	case policyFile(t), kind == "policy" && e.Runs, kind == "share" && e.Runs && !installer(t.Name):
		return e.Actor
	}
	return ""
}

func lookPolicy(s policies, e Event) (policies, []Mark) {
	l := e.landing()
	var marks []Mark
	for _, o := range s.Files {
		if l.Time-o.Time > policyNear || o.policy() == l.policy() {
			continue
		}
		for _, id := range [...]string{o.Transfer, l.Transfer} {
			marks = append(marks, Mark{Family: "execution", Analytic: "policy-start", Transfer: id, Time: e.Time, Nats: policyMade, Techniques: []string{"T1484.001"},
				Text:     "a group policy that copies or starts programs, and a program, were written by the same host within an hour",
				Evidence: append(append([]model.Evidence{}, o.Evidence...), l.Evidence...)})
		}
	}
	s.Files = remember(s.Files, l, policyNear)
	return s, marks
}

// policy says whether a file is a group policy that copies or starts programs.
func (l *landing) policy() bool { return model.PolicyShare(l.Share) && policyName(l.Name) }
