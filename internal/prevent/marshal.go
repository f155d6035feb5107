package prevent

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// explained are the comments of the parts of a policy.
var explained = map[string]string{
	"management": "Hosts that may administer any host, as names, addresses or networks. No filter is written\nwithout one: whoever has to repair must get in.",
	"groups":     "Hosts that do the same. The first name, address or network that fits counts; no host is in\ntwo groups. A new host whose role is known belongs to the group of the role.",
	"services":   "What a filter tells by the ports of the server.",
	"rules": "What hosts of one group may open with hosts of another. The first rule that fits counts.\n" +
		"allow: seen and learned. deny: with the reason. candidate: passes, and is denied with --strict;\n" +
		"so is all that no rule fits. from and to are a group, a host of one, or any. Filters by ports\n" +
		"do not tell directions and channels apart.",
	"exceptions": "What one side may open with another until the end of a day, whatever the rules say:\n- {from: WS-3, to: file-servers, service: ssh, owner: k.meier, until: 2027-01-31, reason: move}",
	"indicators": "What findings hold and a sensor on the wire can look for.",
}

const proposed = "\nThese are PROPOSED, by roles and by who administers many hosts. Take out what is none, add what\nis missing, then set learned.management to given."

const noManagement = "\nNone was seen: name at least one before the policy can be used."

// Marshal writes the policy as YAML with comments, the same for the same policy.
func (p *Policy) Marshal() ([]byte, error) {
	var root yaml.Node
	if err := root.Encode(p); err != nil {
		return nil, fmt.Errorf("writing the policy: %w", err)
	}
	root.HeadComment = "Which hosts may exchange files over what: a policy of waybill (docs/prevent.md). Change it as\nneeded; waybill prevent check POLICY PATH replays what was seen through it. It applies nothing."
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		key.HeadComment = explained[key.Value]
		switch {
		case key.Value != "management":
		case len(p.Management) == 0:
			key.HeadComment += noManagement
		case p.Learned != nil && p.Learned.Management == Proposed:
			key.HeadComment += proposed
		}
		compact(key.Value, value)
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(&root); err != nil {
		return nil, fmt.Errorf("writing the policy: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("writing the policy: %w", err)
	}
	return append(bytes.TrimRight(out.Bytes(), "\n"), '\n'), nil
}

// compact puts hosts, services and networks on a line each.
func compact(key string, list *yaml.Node) {
	switch key {
	case "services":
		flow(list)
	case "groups":
		for _, g := range list.Content {
			for i := 0; i+1 < len(g.Content); i += 2 {
				if g.Content[i].Value == "hosts" {
					flow(g.Content[i+1])
				}
			}
		}
	}
}

func flow(list *yaml.Node) {
	for _, n := range list.Content {
		n.Style = yaml.FlowStyle
	}
}
