#!/usr/bin/env python3
"""Findings of medium and above on recorded data, outside what is known to have moved there.

    test/lab/quiet.py --binary BINARY CORPUS

CORPUS is a folder with truth.csv (columns dataset, expect, name, notes ...) and its data. Each data
set is scanned by itself, without a history. A finding is known when one of its files is in a row of
its data set that says transfer or inferred (name "*" is any). The others are listed with their
reasons, and counted per host and day of the logs. Needs Python 3 and nothing else.
"""
import argparse
import collections
import csv
import json
import os
import subprocess
import sys


def rows(corpus):
    """Truth by data set: names that moved, lower case, and which kinds of rows there are."""
    moved, kinds = collections.defaultdict(set), collections.defaultdict(set)
    with open(os.path.join(corpus, "truth.csv"), newline="", encoding="utf-8") as f:
        for r in csv.DictReader(f):
            kinds[r["dataset"]].add(r["expect"])
            if r["expect"] in ("transfer", "inferred"):
                moved[r["dataset"]].add(r["name"].lower() or "*")
    return moved, kinds


def scan(binary, path, limit):
    out = subprocess.run([binary, "scan", "--quiet", "--format", "ndjson", "--only", "finding,transfer,coverage", path],
                         capture_output=True, timeout=limit, check=False)
    if out.returncode not in (0, 1):
        sys.exit(f"{path}: exit {out.returncode}: {out.stderr.decode()[:300]}")
    by = collections.defaultdict(list)
    for line in out.stdout.splitlines():
        record = json.loads(line)
        by[record["kind"]].append(record)
    return by


def host_days(coverage):
    """On how many days each host logged: a host and a day count once."""
    days = set()
    for c in coverage:
        for log in c.get("logs", []) if "input" not in c else []:
            for end in ("first", "last"):
                if end in log:
                    days.add((log["host"].lower(), log[end][:10]))
    return len(days)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--binary", required=True)
    p.add_argument("--timeout", type=int, default=600, help="seconds for one data set")
    p.add_argument("corpus")
    a = p.parse_args()
    moved, kinds = rows(a.corpus)
    total, known, outside, severities = 0, 0, [], collections.Counter()
    for dataset in sorted(kinds):
        path = os.path.join(a.corpus, dataset)
        if not os.path.exists(path):
            continue
        found = scan(a.binary, path, a.timeout)
        total += host_days(found["coverage"])
        transfers = {t["id"]: t for t in found["transfer"]}
        for f in found["finding"]:
            if f["severity"] not in ("medium", "high", "critical"):
                continue
            names = {transfers[i].get("name", "").lower() for i in f["transfers"] if i in transfers}
            for i in f["transfers"]:
                names.update(n.lower() for n in transfers.get(i, {}).get("earlier_names", []))
            if "*" in moved[dataset] or names & moved[dataset]:
                known += 1
                continue
            outside.append((dataset, f))
            severities[f["severity"]] += 1
    for dataset, f in outside:
        print(f"{f['severity']} {f['score']:.1f}  {f['title']}\n    {dataset} ({', '.join(sorted(kinds[dataset]))})")
        for r in f["reasons"]:
            print(f"    {r['nats']:+.1f} {r['analytic']}: {r['text']}")
    said = ", ".join(f"{n} {s}" for s, n in sorted(severities.items())) or "none"
    print(f"\n{len(kinds)} data sets, {total} days of hosts; {known} findings of medium and above that are known, "
          f"{len(outside)} others ({said}): {len(outside) / max(total, 1):.3f} a host and day")


if __name__ == "__main__":
    main()
