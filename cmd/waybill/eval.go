package main

import (
	"fmt"
	"os"
	"strings"

	"waybill/internal/eval"
	"waybill/internal/eval/behaviour"
)

// evalCommand measures detection on simulated networks.
type evalCommand struct {
	Hosts     int     `default:"500" help:"Hosts of the network (100 to 10,000)."`
	Days      int     `default:"21" help:"Days that are simulated."`
	Learn     int     `default:"7" help:"Days at the beginning that are only learned from."`
	Seed      uint64  `default:"1" help:"What is drawn; equal seeds give equal worlds."`
	Tier      string  `default:"all" help:"What sensors see: some of T0 to T4, and of Z3 and Z4 (Zeek in place of a capture), comma-separated, or all: T0 to T4."`
	Bulk      float64 `default:"0.1" help:"Share of the everyday bulk (documents, encrypted traffic) that is made."`
	Campaigns string  `type:"existingdir" help:"Folder of campaigns (*.yaml) in place of those that are built in."`
	Repeat    int     `default:"1" help:"How often each campaign is run in a world."`
	HeldOut   bool    `help:"Also the kinds of campaigns, and only worlds, that tuning never saw."`
	Write     string  `type:"path" help:"Instead, write what the sensors of one tier log as plain files into this folder."`
	Draws     int     `help:"Instead, vary all parameters together by up to a factor of 5 so often, and print median, 5th percentile and worst."`
	Reasons   int     `help:"Instead, run so many worlds at each tier, and print what each reason turned out to be worth, how families of reasons go together, and what scores are worth."`
	Prevent   bool    `help:"Also learn policies day by day and try them on what happens next."`
	Explain   int     `help:"So many findings of each benign row, and of each campaign that was missed, with their reasons."`
	Format    string  `default:"table" enum:"table,ndjson" help:"table or ndjson."`

	Behaviours bool     `help:"Instead, play each row of behaviours with its twin, by itself and after an everyday week."`
	Row        []string `help:"Only rows whose ids begin so."`
	Tables     []string `type:"existingfile" help:"Tables of behaviours (CSV): say where the scenarios differ from their rows."`
}

// Run simulates and prints.
func (e *evalCommand) Run(p *program) error {
	if e.Behaviours {
		return e.behaviours(p)
	}
	campaigns, err := e.campaigns()
	if err != nil {
		return err
	}
	tiers := eval.Tiers
	if e.Tier != "all" {
		tiers = nil
		for name := range strings.SplitSeq(e.Tier, ",") {
			t, err := eval.TierOf(name)
			if err != nil {
				return usageError{err}
			}
			tiers = append(tiers, t)
		}
	}
	if e.Hosts < 60 || e.Hosts > 20_000 || e.Days < 2 || e.Learn >= e.Days {
		return usagef("waybill eval: 60 to 20,000 hosts, and more days than are learned from")
	}
	c := eval.Config{Hosts: e.Hosts, Days: e.Days, Learn: e.Learn, Seed: e.Seed, Bulk: e.Bulk, Parameters: eval.DefaultParameters(), Campaigns: campaigns, Repeat: e.Repeat, Prevent: e.Prevent}
	if e.HeldOut {
		c.Seed = eval.HeldOutSeed(c.Seed)
	}
	if e.Write != "" {
		if len(tiers) != 1 {
			return usagef("waybill eval --write: of one --tier")
		}
		return eval.Write(p.ctx, c, tiers[0], e.Write)
	}
	if e.Draws > 0 {
		return e.draws(p, c, tiers)
	}
	if e.Reasons > 0 {
		return e.reasons(p, c, tiers)
	}
	var results []*eval.Result
	for _, t := range tiers {
		results = append(results, eval.Run(p.ctx, c, t))
		if p.ctx.Err() != nil {
			return p.ctx.Err()
		}
	}
	if e.Format == "ndjson" {
		return eval.NDJSON(p.stdout, results)
	}
	return eval.Table(p.stdout, results, e.Explain)
}

// behaviours plays rows of behaviours and prints their table.
func (e *evalCommand) behaviours(p *program) error {
	set, err := behaviour.Load()
	if err != nil {
		return err
	}
	for _, path := range e.Tables {
		table, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		differences, err := set.Against(table)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, d := range differences {
			fmt.Fprintf(p.stderr, "waybill: %s: %s\n", path, d)
		}
	}
	rows, err := behaviour.Run(p.ctx, &behaviour.Runner{Seed: e.Seed, Set: set}, e.Row)
	if err != nil {
		return err
	}
	if e.Format == "ndjson" {
		return behaviour.NDJSON(p.stdout, rows)
	}
	return behaviour.Table(p.stdout, rows)
}

// draws prints what many variations of the parameters give.
func (e *evalCommand) draws(p *program, c eval.Config, tiers []eval.Tier) error {
	all := eval.Draws(p.ctx, c, tiers, e.Draws)
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if e.Format == "ndjson" {
		return eval.DrawNDJSON(p.stdout, all)
	}
	return eval.DrawTable(p.stdout, all, tiers)
}

// reasons prints what reasons are worth.
func (e *evalCommand) reasons(p *program, c eval.Config, tiers []eval.Tier) error {
	w := eval.Reasons(p.ctx, c, tiers, e.Reasons)
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if e.Format == "ndjson" {
		return eval.ReasonNDJSON(p.stdout, w)
	}
	return eval.ReasonTable(p.stdout, w)
}

// campaigns are those to run.
func (e *evalCommand) campaigns() ([]*eval.Campaign, error) {
	all := eval.DefaultCampaigns()
	if e.Campaigns != "" {
		var err error
		if all, err = eval.ReadCampaigns(os.DirFS(e.Campaigns)); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Campaigns, err)
		}
	}
	var out []*eval.Campaign
	for _, c := range all {
		if e.HeldOut || !c.HeldOut || e.Campaigns != "" {
			out = append(out, c)
		}
	}
	return out, nil
}
