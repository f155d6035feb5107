#!/usr/bin/env python3
"""Whether Suricata alerts as waybill foretells: rules that look for everything in a capture
are written, Suricata reads the capture with them offline, and both lists are compared.

    test/lab/suricata.py [-k WORD] [-v] [--learned] [--keep FOLDER] [CAPTURE...]

Needs Go and Suricata 7 (Debian's suricata; on Debian 12 from bookworm-backports). Without
captures it takes examples/intrusion. For each capture it makes rules for the content, name
and path of every file, every service and pipe, behaviours, and a policy that denies all
(test/lab/foretell); for the example, and with --learned, also those of waybill prevent learn
and export. It demands that each rule loads, that each alert was foretold, and that
each foretold alert comes, but those that waybill itself doubts; these and what is known of
Suricata are counted by their reason. Exit code 1 when anything else differs.
"""

import argparse
import collections
import ipaddress
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOME = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"

# All that is not said here is off: no more than what the rules need.
CONFIG = """%%YAML 1.1
---
vars: {address-groups: {HOME_NET: "[%s]"}, port-groups: {}}
classification-file: /etc/suricata/classification.config
stats: {enabled: yes, interval: 3600, decoder-events: true}
outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      types:
        - alert
        - flow
        - files: {force-hash: [sha256]}
        - stats: {totals: yes}
app-layer:
  protocols:
    smb: {enabled: yes, detection-ports: {dp: "139, 445"}, stream-depth: 0}
    dcerpc: {enabled: yes}
    ftp: {enabled: yes}
    nfs: {enabled: yes}
    http: {enabled: yes, libhtp: {default-config: {personality: IDS, request-body-limit: 0, response-body-limit: 0}}}
    http2: {enabled: yes}
    smtp: {enabled: yes}
    ssh: {enabled: yes}
    tls: {enabled: yes, detection-ports: {dp: 443}}
    dns: {tcp: {enabled: yes, detection-ports: {dp: 53}}, udp: {enabled: yes, detection-ports: {dp: 53}}}
    krb5: {enabled: yes}
    rdp: {enabled: yes}
    tftp: {enabled: yes}
    dhcp: {enabled: yes}
stream:
  memcap: 256mb
  midstream: true
  checksum-validation: no
  reassembly: {memcap: 512mb, depth: 0}
"""


NOTHING = "nothing to learn a policy from"


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("captures", nargs="*", metavar="CAPTURE", help="captures, and folders of them")
    p.add_argument("-k", metavar="WORD", help="only captures whose name holds it")
    p.add_argument("-v", action="store_true", help="name every difference, also the explained ones")
    p.add_argument("--learned", action="store_true", help="also the rules of the policy that is learned from each capture")
    p.add_argument("--keep", metavar="FOLDER", help="leave rules and alerts there")
    return p.parse_args()


def captures(paths):
    for path in paths or [os.path.join(ROOT, "examples", "intrusion")]:
        if os.path.isfile(path):
            yield path
            continue
        for folder, _, names in sorted(os.walk(path)):
            for name in sorted(names):
                if name.endswith((".pcap", ".pcapng", ".cap")):
                    yield os.path.join(folder, name)


def run(command, folder):
    with open(os.path.join(folder, "said"), "ab") as said:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=said, timeout=300, check=False)


def ends(a, b):
    """The two ends of a connection, whichever way."""
    return tuple(sorted((str(ipaddress.ip_address(ip)), port) for ip, port in (a, b)))


def read_foretold(text):
    """Foretold alerts, by rule and connection; FTP's files go over connections of their own."""
    out = {}
    for line in text.splitlines():
        f = json.loads(line)
        c, s = f["client"], f["server"]
        out.setdefault((f["sid"], ends((c["ip"], c.get("port", 0)), (s["ip"], s.get("port", 0)))), []).append(f)
    return out


class Said:
    """What Suricata logged: alerts and files by connection, and what it says of its own work."""

    def __init__(self, path):
        self.alerts, self.files, self.turned, self.skipped = {}, {}, set(), 0
        with open(path) as eve:
            for line in eve:
                self.take(json.loads(line))

    def take(self, e):
        kind = e["event_type"]
        if kind == "stats":
            ipv4 = e["stats"]["decoder"].get("event", {}).get("ipv4", {})
            self.skipped = sum(ipv4.get(name, 0) for name in ("iplen_smaller_than_hlen", "trunc_pkt", "hlen_too_small"))
            return
        connection = ends((e["src_ip"], e.get("src_port", 0)), (e["dest_ip"], e.get("dest_port", 0)))
        if kind == "alert":
            self.alerts.setdefault((e["alert"]["signature_id"], connection), []).append(e)
        elif kind == "fileinfo":
            self.files.setdefault(connection, []).append(e["fileinfo"])
        elif kind == "flow" and e.get("src_port", 0) < e.get("dest_port", 0):
            self.turned.add(connection)


def hosts(connection):
    return tuple(sorted(end[0] for end in connection))


class Comparison:
    """What was foretold of a capture beside what Suricata said."""

    def __init__(self, foretold, said, hashes):
        self.foretold, self.said, self.hashes = foretold, said, hashes
        self.agreed, self.explained, self.wrong = 0, collections.Counter(), []
        # Files of FTP go over connections that only their control connection tells of.
        self.told_hosts = {(sid, hosts(c)) for sid, c in foretold}
        self.said_hosts = {(sid, hosts(c)) for sid, c in said.alerts}

    def compare(self):
        for (sid, connection), events in sorted(self.foretold.items()):
            if (sid, connection) in self.said.alerts or is_ftp(connection) and (sid, hosts(connection)) in self.said_hosts:
                self.agreed += 1
            else:
                self.note("silent", sid, connection, events[0], self.why_silent(connection, events))
        for (sid, connection), events in sorted(self.said.alerts.items()):
            known = (sid, connection) in self.foretold
            if not known and not (events[0].get("app_proto") == "ftp-data" and (sid, hosts(connection)) in self.told_hosts):
                self.note("alert", sid, connection, events[0], self.why_alert(sid, connection, events[0]))

    def note(self, what, sid, connection, event, why):
        if why:
            self.explained[f"{what}: {why}"] += 1
        else:
            self.wrong.append((what, sid, connection, event))

    def why_silent(self, connection, events):
        """Why Suricata says nothing of what was foretold, None for no reason."""
        if all(e.get("doubt") for e in events):
            return "doubted: " + events[0]["doubt"]
        if self.said.skipped:
            return "Suricata skips frames of the capture, such as those of IP length 0"
        if connection in self.said.turned:
            return "Suricata takes the server for the client, since the connection's start was not captured"
        files = self.said.files.get(connection, [])
        if events[0].get("at_end") and files and not any(f.get("sha256") in self.hashes for f in files):
            return "Suricata has the file with other content"
        return None

    def why_alert(self, sid, connection, alert):
        """Why an alert that was not foretold is right all the same, None for no reason."""
        metadata = alert["alert"].get("metadata", {})
        if "policy" in metadata.get("waybill_kind", []):
            return "a connection that moved no file"
        if (sid, hosts(connection)) in self.told_hosts:
            return "the same of the same hosts over another connection"
        files = self.said.files.get(connection, [])
        if metadata["waybill_key"][0].startswith(("name-", "path-")) and files and all(f["size"] == 0 for f in files):
            return "a file that was named and of which no byte moved"
        return None


def is_ftp(connection):
    return any(port == 21 for _, port in connection)


def look(capture, programs, folder, learned):
    with open(os.path.join(folder, "suricata.yaml"), "w") as f:
        f.write(CONFIG % HOME)
    policy = []
    if learned:
        policy = ["-policy", os.path.join(folder, "policy.yaml")]
        if run([os.path.join(programs, "waybill"), "prevent", "learn", "--quiet", "--all", "-o", policy[1], "--management", "192.0.2.1", capture], folder).returncode:
            return None, NOTHING if said(folder, "nothing to learn from") else "waybill prevent learn failed"
    told = run([os.path.join(programs, "foretell"), "-out", folder, "-home", HOME, *policy, capture], folder)
    if told.returncode:
        return None, "foretell failed"
    if learned and not exported(programs, folder):
        return None, "waybill prevent export writes other rules"
    base = ["suricata", "-c", os.path.join(folder, "suricata.yaml"), "-S", os.path.join(folder, "waybill.rules"), "-l", folder]
    tested = run(base + ["-T"], folder)
    if tested.returncode or failed_rules(folder):
        return None, "a rule does not load"
    done = run(base + ["-r", capture, "-k", "none", "--runmode", "single"], folder)
    if done.returncode or not os.path.exists(os.path.join(folder, "eve.json")):
        return None, "Suricata failed"
    c = Comparison(read_foretold(told.stdout.decode()), Said(os.path.join(folder, "eve.json")), read_hashes(folder))
    c.compare()
    return c, None


def exported(programs, folder):
    """Whether the command writes the same rules; it finds them there, so that numbers stay."""
    with open(os.path.join(folder, "waybill.rules"), "rb") as f:
        before = f.read()
    done = run([os.path.join(programs, "waybill"), "prevent", "export", "--quiet", os.path.join(folder, "policy.yaml"), "--to", "suricata", "-o", folder], folder)
    with open(os.path.join(folder, "waybill.rules"), "rb") as f:
        return done.returncode == 0 and f.read() == before


def read_hashes(folder):
    out = set()
    for name in os.listdir(folder):
        if name.endswith(".sha256"):
            with open(os.path.join(folder, name)) as f:
                out.update(line.strip() for line in f)
    return out


def said(folder, text):
    with open(os.path.join(folder, "said"), errors="replace") as f:
        return text in f.read()


def failed_rules(folder):
    with open(os.path.join(folder, "said"), errors="replace") as f:
        return [line for line in f if line.startswith("Error") and "signature" in line]


def tell(name, c, verbose):
    print(f"{'ok  ' if not c.wrong else 'BAD '} {c.agreed:5d} agree {sum(c.explained.values()):5d} explained {len(c.wrong):4d} wrong  {name}")
    if verbose:
        for why, n in sorted(c.explained.items()):
            print(f"       {n:5d} {why}")
    for what, sid, connection, event in c.wrong[:None if verbose else 5]:
        print(f"       {what}: sid {sid} {connection} {describe(event)}")


def describe(event):
    if "alert" in event:
        return event["alert"]["signature"] + " " + str([f.get("filename") for f in event.get("files", [])]) + " " + event.get("app_proto", "")
    return event["key"] + " " + event.get("transfer", event.get("access", ""))


def main():
    args = arguments()
    if not shutil.which("suricata"):
        print("skipped: suricata is not installed (apt-get install suricata; on Debian 12 from bookworm-backports)")
        return 0
    total, bad = collections.Counter(), 0
    work = args.keep or tempfile.mkdtemp(prefix="waybill-suricata-")
    os.makedirs(work, exist_ok=True)
    for package in "./test/lab/foretell", "./cmd/waybill":
        subprocess.run(["go", "build", "-o", os.path.join(work, os.path.basename(package)), package], cwd=ROOT, check=True)
    runs = [(capture, learned) for capture in captures(args.captures) for learned in ([False, True] if args.learned or not args.captures else [False])]
    for n, (capture, learned) in enumerate(runs):
        name = os.path.basename(capture) + (", the policy learned" if learned else "")
        if args.k and args.k not in name:
            continue
        folder = os.path.join(work, f"{n:03d}")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        c, failure = look(capture, work, folder, learned)
        if failure == NOTHING:
            total[NOTHING] += 1
            continue
        if failure:
            print(f"BAD  {failure}: {name} ({folder}/said)")
            bad += 1
            continue
        tell(name, c, args.v)
        bad += bool(c.wrong)
        total.update(c.explained)
        total["agree"] += c.agreed
        total["captures"] += 1
    print(f"{total.pop('captures')} captures, {total.pop('agree')} alerts as foretold, {bad} captures with differences")
    for why, n in total.most_common():
        print(f"  {n:5d} {why}")
    if not args.keep and not bad:
        shutil.rmtree(work)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
