package dcerpc

import (
	"encoding/xml"
	"strings"
)

// TaskEvent is a task that a client made on a host's scheduler, or ran there.
type TaskEvent struct {
	Op       string // create | run | delete
	Path     string // of the task; empty for jobs of the old scheduler
	Command  string // what it runs, with its arguments
	Answered bool
	Code     uint32 // the return code; 0 is done
}

// maxTaskText bounds the XML of a task (MS-TSCH 2.4 states no limit).
const maxTaskText = 256 << 10

// Task tells what a call did to tasks; false for all other calls, sealed ones,
// and those that cannot be read.
func Task(call Call) (e TaskEvent, ok bool) {
	if call.Sealed {
		return e, false
	}
	r := newNDR(call.Request, call.BigEndian, call.NDR64)
	switch {
	case call.Name == "atsvc" && call.Opnum == 0:
		e.job(r)
	case call.Name == "ITaskSchedulerService" && call.Opnum == 1:
		e.register(r)
	case call.Name == "ITaskSchedulerService" && call.Opnum == 12:
		e.Op, e.Path = "run", r.text(true)
	case call.Name == "ITaskSchedulerService" && call.Opnum == 13:
		e.Op, e.Path = "delete", r.text(true)
	}
	if e.Op == "" || r.bad && e.Path == "" && e.Command == "" {
		return e, false
	}
	e.Answered, e.Code = call.answered()
	return e, true
}

// job reads NetrJobAdd (MS-TSCH 3.2.5.2.1): the server's name, and an AT_INFO
// (2.3.4) whose command is behind a pointer.
func (e *TaskEvent) job(r *ndr) {
	e.Op = "create"
	r.optional(true)
	r.structure()
	r.u32() // time of day
	r.u32() // days of the month
	r.u32() // days of the week and flags, padded
	if r.size() != 0 {
		e.Command = r.text(true)
	}
}

// register reads SchRpcRegisterTask (MS-TSCH 3.2.5.4.2): the path, and the
// definition in XML (2.5).
func (e *TaskEvent) register(r *ndr) {
	e.Op = "create"
	e.Path = r.optional(true)
	r.take(0, 4)
	e.Command = taskCommand(r.text(true))
}

// taskCommand is what the actions of a task's definition run, one after the
// other (MS-TSCH 2.5.7).
func taskCommand(definition string) string {
	if len(definition) > maxTaskText {
		definition = definition[:maxTaskText]
	}
	var task struct {
		Exec []struct {
			Command   string `xml:"Command"`
			Arguments string `xml:"Arguments"`
		} `xml:"Actions>Exec"`
	}
	d := xml.NewDecoder(strings.NewReader(strings.Replace(definition, "UTF-16", "UTF-8", 1)))
	if d.Decode(&task) != nil && len(task.Exec) == 0 {
		return ""
	}
	var all []string
	for _, x := range task.Exec {
		all = append(all, strings.TrimSpace(x.Command+" "+x.Arguments))
	}
	return strings.Join(all, " & ")
}
