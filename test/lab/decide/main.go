// Decide exports a policy for the lab and says what becomes of moves. In come the policy's file,
// a folder and, on standard input, moves in JSON; out go the rulesets in the folder, and the
// same moves with their outcomes. It is for test/lab alone.
package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/nftables"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type move struct {
	Client  string     `json:"client"`
	Server  string     `json:"server"`
	From    netip.Addr `json:"from"`
	Address netip.Addr `json:"address"`
	Service string     `json:"service"`
	Port    any        `json:"port"`
	Outcome string     `json:"outcome"`
}

func run(policy, folder string) error {
	text, err := os.ReadFile(policy)
	if err != nil {
		return err
	}
	p, err := prevent.Read(policy, text)
	if err != nil {
		return err
	}
	if err := export(p, folder); err != nil {
		return err
	}
	var moves []move
	if err := json.NewDecoder(os.Stdin).Decode(&moves); err != nil {
		return err
	}
	if err := decide(p, moves); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(moves)
}

func export(p *prevent.Policy, folder string) error {
	for name, c := range map[string]prevent.Choice{"plain": {}, "strict": {Strict: true}} {
		files, err := nftables.Target.Write(p, c)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			return err
		}
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(folder, name, f.Name), f.Text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func decide(p *prevent.Policy, moves []move) error {
	f, err := p.Compile()
	if err != nil {
		return err
	}
	for i := range moves {
		m := &moves[i]
		m.Outcome = f.Decide(&prevent.Move{
			Time:    model.Time(time.Now().UnixNano()),
			Client:  model.Endpoint{IP: model.AddrOf(m.From), Host: m.Client},
			Server:  model.Endpoint{IP: model.AddrOf(m.Address), Host: m.Server},
			Service: m.Service,
		}).Outcome.String()
	}
	return nil
}
