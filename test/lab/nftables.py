#!/usr/bin/env python3
"""Loads the rulesets that waybill exports and tries transfers again.

A gateway and six hosts, each in a network namespace of its own: two workstations, a file
server, a domain controller, an administrator's host and one that the policy does not know.
Every host sends a file to every other over every service, in IPv4 and IPv6, FTP and TFTP with
their data connections. What the policy's Decide says is stopped must be stopped, the rest must
arrive: at the gateway, at the gateway with --strict, and at the hosts. Then: loading twice
changes nothing, what was open stays open, exceptions end on their day, a trial that nobody
confirms goes back, the rollback leaves nothing, other tables are as before.

Needs root, Go, and Debian's nftables and iproute2. It takes about a minute.
"""

import argparse
import contextlib
import ftplib
import hashlib
import io
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOSTS = {
    "WS-1": ("10.1.0.11", "fd00:1::11"), "WS-2": ("10.1.0.12", "fd00:1::12"),
    "FS-1": ("10.2.0.20", "fd00:2::20"), "DC-1": ("10.2.0.10", "fd00:2::10"),
    "ADM-1": ("10.9.0.5", "fd00:9::5"), "ODD-1": ("10.66.0.6", "fd00:66::6"),
}
PORTS = {"smb": (445, 139), "rpc": (135, 49700), "winrm": (5985,), "rdp": (3389,), "ssh": (22,), "http": (80,), "tcp/50000": (50000,)}
WAIT = 2  # s that an exchange may take; all of it is on this machine, which may be busy
FILE = bytes(range(256)) * 64

POLICY = """
version: 1
management: [10.9.0.0/24, "fd00:9::/64"]
groups:
  - {name: workstations, networks: [10.1.0.0/24, "fd00:1::/64"], hosts: [{name: WS-1, addresses: [10.1.0.11, "fd00:1::11"]}, {name: WS-2, addresses: [10.1.0.12, "fd00:1::12"]}]}
  - {name: servers, hosts: [{name: FS-1, addresses: [10.2.0.20, "fd00:2::20"]}]}
  - {name: domain-controllers, hosts: [{name: DC-1, addresses: [10.2.0.10, "fd00:2::10"]}]}
services:
  - {name: smb, ports: [tcp/445, tcp/139]}
  - {name: rpc, ports: [tcp/135, tcp/49152-65535]}
  - {name: winrm, ports: [tcp/5985, tcp/5986]}
  - {name: rdp, ports: [tcp/3389]}
  - {name: ssh, ports: [tcp/22]}
  - {name: http, ports: [tcp/80, tcp/443]}
  - {name: ftp, ports: [tcp/21, tcp/990]}
  - {name: tftp, ports: [udp/69]}
  - {name: tcp/50000, ports: [tcp/50000]}
  - {name: udp/1024-65535, ports: [udp/1024-65535]}
rules:
  - {from: any, to: domain-controllers, service: smb, action: allow, why: SYSVOL}
  - {from: workstations, to: servers, service: smb, action: allow, why: shares}
  - {from: workstations, to: workstations, service: smb, action: deny, why: peers}
  - {from: any, to: workstations, service: rpc, action: deny, why: nobody calls workstations}
  - {from: any, to: servers, service: rpc, action: deny, why: nobody calls servers}
  - {from: workstations, to: servers, service: tcp/50000, action: allow, why: an updater inside the dynamic ports}
  - {from: workstations, to: workstations, service: ssh, action: candidate, why: never seen}
  - {from: WS-1, to: DC-1, service: rdp, action: deny, why: one host}
  - {from: workstations, to: servers, service: ftp, action: allow, why: the old printer}
  - {from: workstations, to: servers, service: tftp, action: allow, why: boot files}
  - {from: workstations, to: domain-controllers, service: ftp, action: deny, why: none there}
  - {from: workstations, to: domain-controllers, service: tftp, action: deny, why: none there}
  - {from: any, to: workstations, service: udp/1024-65535, action: deny, why: answers of TFTP come to such a port}
exceptions:
  - {from: WS-1, to: WS-2, service: smb, owner: ann, until: "%s", reason: moves to a new machine}
  - {from: WS-2, to: WS-1, service: smb, owner: ann, until: "%s", reason: is over}
"""


def day(days):
    return time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400 * days))


# What runs in a host: small servers on the real ports, and a client that does as it is told.

def serve_file(conn):
    """Takes a file and answers with its hash, until the client has no more."""
    with conn:
        conn.settimeout(30)
        with contextlib.suppress(OSError):
            while head := read(conn, 4):
                conn.sendall(hashlib.sha256(read(conn, struct.unpack(">I", head)[0])).digest())


def read(conn, n):
    got = b""
    while len(got) < n and (more := conn.recv(n - len(got))):
        got += more
    return got


def send_file(conn):
    conn.sendall(struct.pack(">I", len(FILE)) + FILE)
    return read(conn, 32) == hashlib.sha256(FILE).digest()


def serve_ftp(conn):
    """Enough of RFC 959 and 2428 to send one file, active and passive; the passive port is a
    dynamic one, where rules for RPC would stop it."""
    family, listener, target = conn.family, None, None
    lines = conn.makefile("rwb")

    def say(text):
        lines.write(text.encode() + b"\r\n")
        lines.flush()

    with conn, contextlib.suppress(OSError):
        conn.settimeout(30)
        say("220 ready")
        while line := lines.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            if verb in ("PASV", "EPSV"):
                listener = listen_high(family, conn.getsockname()[0])
                port = listener.getsockname()[1]
                say("227 Entering Passive Mode (%s,%d,%d)." % (conn.getsockname()[0].replace(".", ","), port >> 8, port & 255)
                    if verb == "PASV" else "229 Entering Extended Passive Mode (|||%d|)" % port)
            elif verb == "PORT":
                n = rest.split(",")
                target = ".".join(n[:4]), int(n[4]) * 256 + int(n[5])
                say("200 ok")
            elif verb == "EPRT":
                target = rest.split("|")[2], int(rest.split("|")[3])
                say("200 ok")
            elif verb == "RETR":
                say("150 here it comes")
                data = socket.create_connection(target, WAIT) if target else accept(listener)
                with data:
                    data.sendall(FILE)
                say("226 done")
            else:
                say("230 ok")


def accept(listener):
    listener.settimeout(WAIT)
    with listener:
        return listener.accept()[0]


def listen_high(family, address):
    for port in range(52000 + os.getpid() % 1000, 65000):
        with contextlib.suppress(OSError):
            return socket.create_server((address, port), family=family)


def fetch_ftp(address, passive):
    ftp = ftplib.FTP(timeout=WAIT)
    ftp.connect(address, 21)
    ftp.login()
    ftp.set_pasv(passive)
    if not passive:  # a dynamic port, as above
        listener = listen_high(ftp.af, ftp.sock.getsockname()[0])
        host, port = listener.getsockname()[:2]
        listener.settimeout(WAIT)
        ftp.makeport = lambda: ((ftp.sendport if ftp.af == socket.AF_INET else ftp.sendeprt)(host, port), listener)[1]
    got = io.BytesIO()
    ftp.retrbinary("RETR file", got.write)
    return got.getvalue() == FILE


def serve_tftp(sock):
    """Answers from another port (RFC 1350 4)."""
    while True:
        request, client = sock.recvfrom(2000)
        if request[:2] == b"\0\1":
            with socket.socket(sock.family, socket.SOCK_DGRAM) as answer:
                answer.sendto(b"\0\3\0\1" + FILE[:500], client)


def fetch_tftp(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(WAIT)
        s.sendto(b"\0\1file\0octet\0", (address, 69))
        return s.recv(2000)[4:] == FILE[:500]


def serve_host():
    for family, everywhere in (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"):
        for port in [p for ports in PORTS.values() for p in ports] + [21]:
            listener = socket.create_server((everywhere, port), family=family, backlog=64)
            threading.Thread(target=accept_all, args=(listener, serve_ftp if port == 21 else serve_file), daemon=True).start()
        udp = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        udp.bind((everywhere, 69))
        threading.Thread(target=serve_tftp, args=(udp,), daemon=True).start()


def accept_all(listener, serve):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def attempt(address, service, port, kept):
    """Whether a file arrives."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        if service == "tftp":
            return fetch_tftp(family, address)
        if service == "ftp":
            return fetch_ftp(address, port == "passive")
        if (address, port) in kept:
            return send_file(kept[address, port])
        with socket.create_connection((address, port), WAIT) as conn:
            return send_file(conn)
    except (OSError, EOFError, ftplib.Error):
        return False


def inside():
    """A host: serves, and does what standard input asks."""
    serve_host()
    kept = {}
    print("ready", flush=True)
    with ThreadPoolExecutor(48) as pool:
        for line in sys.stdin:
            ask = json.loads(line)
            if "open" in ask:
                kept[tuple(ask["open"])] = socket.create_connection(tuple(ask["open"]), WAIT)
                print("[]", flush=True)
                continue
            use = kept if ask.get("kept") else {}
            print(json.dumps(list(pool.map(lambda a: attempt(*a, use), ask["attempts"]))), flush=True)


# What runs outside.

class Lab:
    def __init__(self, work):
        self.work, self.workers, self.wrong, self.tried = work, {}, [], 0
        self.names = {h: "waybill-%s-%d" % (h.lower(), os.getpid()) for h in ("GW", *HOSTS)}

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def on(self, host, *command, check=True, text=None):
        return subprocess.run(["ip", "netns", "exec", self.names[host], *command], check=check, capture_output=True, text=True, input=text,
                              timeout=60, cwd=self.work, env=dict(os.environ, WAYBILL_STATE=os.path.join(self.work, "state-" + host)))

    def nft(self, host, *words, text=None):
        return self.on(host, "nft", *words, text=text).stdout

    def join(self):
        """Every host hangs on the gateway by a card of its own: nothing goes round it."""
        for name in self.names.values():
            self.ip("netns", "add", name)
            self.ip("-n", name, "link", "set", "lo", "up")
        for key in "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding":
            self.on("GW", "sysctl", "-qw", key + "=1")
        for n, (host, (v4, v6)) in enumerate(HOSTS.items()):
            ns, gw, far = self.names[host], self.names["GW"], "h%d" % n
            self.ip("-n", gw, "link", "add", far, "type", "veth", "peer", "name", "wb0", "netns", ns)
            for where, card, a4, a6 in (ns, "wb0", v4, v6), (gw, far, "10.255.%d.1" % n, "fd00:ff:%d::1" % n):
                self.ip("-n", where, "link", "set", card, "up")
                self.ip("-n", where, "addr", "add", a4 + "/32", "dev", card)
                self.ip("-n", where, "addr", "add", a6 + "/128", "dev", card, "nodad")
            self.ip("-n", gw, "route", "add", v4, "dev", far)
            self.ip("-n", gw, "route", "add", v6, "dev", far)
            for family, via in ("-4", "10.255.%d.1" % n), ("-6", "fd00:ff:%d::1" % n):
                self.ip(family, "-n", ns, "route", "add", via, "dev", "wb0")
                self.ip(family, "-n", ns, "route", "add", "default", "via", via)

    def start(self):
        for host in HOSTS:
            self.workers[host] = subprocess.Popen(["ip", "netns", "exec", self.names[host], sys.executable, os.path.abspath(__file__), "--inside"],
                                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for w in self.workers.values():
            if w.stdout.readline() != "ready\n":
                raise SystemExit("a host does not start")

    def close(self):
        for w in self.workers.values():
            w.kill()
            w.wait()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def ask(self, host, **what):
        w = self.workers[host]
        w.stdin.write(json.dumps(what) + "\n")
        w.stdin.flush()
        return json.loads(w.stdout.readline())

    def expect(self, what, got, want):
        self.tried += 1
        if got != want:
            self.wrong.append("%s: %r, not %r" % (what, got, want))

    def all(self, title, moves, strict, hosts=HOSTS):
        """Tries each move; what the policy lets pass must arrive, and nothing else."""
        began, arrived, stopped = time.time(), 0, 0
        mine = {h: [m for m in moves if m["client"] == h] for h in hosts}
        with ThreadPoolExecutor(len(mine)) as pool:
            results = dict(zip(mine, pool.map(lambda h: self.ask(h, attempts=[[m["address"], m["service"], m["port"]] for m in mine[h]]), mine)))
        for h in mine:
            for m, got in zip(mine[h], results[h]):
                want = m["outcome"] in ("allowed", "not judged") or m["outcome"] == "candidate" and not strict
                self.expect("%s: %s -> %s %s %s (%s)" % (title, h, m["address"], m["service"], m["port"], m["outcome"]), got, want)
                arrived, stopped = arrived + got, stopped + (not got)
        print("%-34s %4d arrived, %4d were stopped, in %.1f s" % (title, arrived, stopped, time.time() - began), flush=True)


def moves():
    """Every exchange: the client, the server, the service, and where."""
    out = []
    for client in HOSTS:
        for server, addresses in HOSTS.items():
            if client == server:
                continue
            for family, address in enumerate(addresses):
                tries = [(s, p) for s, ports in PORTS.items() for p in ports] + [("ftp", "active"), ("ftp", "passive"), ("tftp", 69)]
                out += [{"client": client, "server": server, "from": HOSTS[client][family], "address": address, "service": s, "port": p} for s, p in tries]
    return out


def export(work, policy):
    """Has waybill export a policy, and say of each move what becomes of it."""
    with open(os.path.join(work, "policy.yaml"), "w") as f:
        f.write(policy)
    program = os.path.join(work, "decide")
    if not os.path.exists(program):
        subprocess.run(["go", "build", "-o", program, "./test/lab/decide"], cwd=ROOT, check=True)
    done = subprocess.run([program, os.path.join(work, "policy.yaml"), work], input=json.dumps(moves()), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def by_chance(rnd):
    """A policy with the same groups and services, and rules and exceptions of all kinds."""
    names = ["workstations", "servers", "domain-controllers", "WS-1", "WS-2", "FS-1", "DC-1", "any"]
    services = [*PORTS, "ftp", "tftp"]
    ends = [(a, b) for a in names for b in names if (a, b) != ("any", "any")]
    rules = {(a, b, rnd.choice(services)): rnd.choice(["allow", "deny", "candidate"]) for a, b in rnd.sample(ends, 24)}
    excepted = [(a, b, rnd.choice(services), day(rnd.choice([1, -1]))) for a, b in rnd.sample(ends, 4)]
    return (POLICY[:POLICY.index("rules:")]
            + "rules:\n" + "".join("  - {from: %s, to: %s, service: %s, action: %s, why: chance}\n" % (*k, v) for k, v in rules.items())
            + "exceptions:\n" + "".join("  - {from: %s, to: %s, service: %s, until: \"%s\", owner: ann, reason: chance}\n" % x for x in excepted))


OTHERS = """
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat
		counter
	}
}
table inet other {
	set known {
		type ipv4_addr
		elements = { 10.1.0.1 }
	}
}
"""


def gateway(lab, decided):
    lab.nft("GW", "-f", "-", text=OTHERS)
    others = lab.nft("GW", "-s", "list", "ruleset")
    lab.all("no rules", [dict(m, outcome="allowed") for m in decided], False)

    lab.ask("WS-1", open=[HOSTS["WS-2"][1], 445])
    lab.nft("GW", "-f", "plain/nftables-gateway.nft")
    lab.expect("an open connection", lab.ask("WS-1", kept=True, attempts=[[HOSTS["WS-2"][1], "smb", 445]]), [True])
    loaded = lab.nft("GW", "-s", "list", "ruleset")
    lab.nft("GW", "-f", "plain/nftables-gateway.nft")
    lab.expect("loaded twice", lab.nft("GW", "-s", "list", "ruleset"), loaded)
    lab.all("gateway", decided, False)
    counted = json.loads(lab.nft("GW", "-j", "list", "chain", "inet", "waybill", "candidate"))
    counts = [e["counter"]["packets"] for r in counted["nftables"] if "rule" in r for e in r["rule"]["expr"] if "counter" in e]
    lab.expect("candidates are counted", counts[0] > 0, True)

    lab.nft("GW", "-f", "strict/nftables-gateway.nft")
    lab.all("gateway, strict", decided, True)

    lab.on("GW", "sh", "plain/nftables-rollback.sh")
    lab.expect("after the rollback", lab.nft("GW", "-s", "list", "ruleset"), others)
    lab.on("GW", "sh", "plain/nftables-rollback.sh")
    trial(lab, others)


def trial(lab, others):
    """Trials: one that nobody confirms, one over another, one that is confirmed."""
    def listed():
        return lab.nft("GW", "-s", "list", "ruleset")

    def attempt(*words, check=True):
        return lab.on("GW", "sh", "plain/nftables-try.sh", *words, check=check)

    attempt("plain/nftables-gateway.nft", "2s")
    plain = listed()
    lab.expect("a trial loads", "table inet waybill" in plain, True)
    time.sleep(3)
    lab.expect("a trial that nobody confirms", listed(), others)
    attempt("plain/nftables-gateway.nft", "2s")
    attempt("confirm")
    time.sleep(3)
    lab.expect("a trial that is confirmed", listed(), plain)
    attempt("strict/nftables-gateway.nft", "60s")
    lab.expect("the other ruleset is loaded", listed() != plain, True)
    attempt("plain/nftables-host-servers.nft", "2s")
    time.sleep(3)
    lab.expect("back to what was confirmed", listed(), plain)
    lab.expect("nothing to confirm", attempt("confirm", check=False).returncode, 1)
    with open(os.path.join(lab.work, "broken.nft"), "w") as f:
        f.write("table inet waybill { chain x { drop")
    lab.expect("a broken ruleset", attempt("broken.nft", "2s", check=False).returncode, 1)
    lab.expect("changes nothing", listed(), plain)
    lab.on("GW", "sh", "plain/nftables-rollback.sh")
    lab.expect("after the last rollback", listed(), others)


GROUPS = {"WS-1": "workstations", "WS-2": "workstations", "FS-1": "servers", "DC-1": "domain-controllers"}


def hosts(lab, decided):
    for folder, strict in ("plain", False), ("strict", True):
        for host, group in GROUPS.items():
            lab.nft(host, "-f", "%s/nftables-host-%s.nft" % (folder, group))
        lab.all("hosts, strict" if strict else "hosts", decided, strict)
    for host in GROUPS:
        lab.on(host, "sh", "plain/nftables-rollback.sh")
        lab.expect(host + " after the rollback", lab.nft(host, "list", "ruleset"), "")


def chance(lab, work, n):
    """Policies that nobody thought of, at the gateway, strict or not."""
    for seed in range(n):
        decided = export(work, by_chance(random.Random(seed)))
        strict = seed % 2 == 1
        lab.nft("GW", "-f", "%s/nftables-gateway.nft" % ("strict" if strict else "plain"))
        lab.all("policy %d by chance%s" % (seed, ", strict" if strict else ""), decided, strict)
    lab.on("GW", "sh", "plain/nftables-rollback.sh")


def missing():
    if os.geteuid() != 0:
        return "root is needed"
    for program in "nft", "ip", "go", "sysctl":
        if not shutil.which(program):
            return "%s is missing (Debian: nftables iproute2 golang procps)" % program
    if subprocess.run(["unshare", "-n", "nft", "list", "ruleset"], capture_output=True).returncode != 0:
        return "network namespaces or nftables are not allowed here"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--chance", type=int, default=10, metavar="N", help="policies made by chance")
    parser.add_argument("--keep", metavar="FOLDER", help="leave policy and rulesets there")
    args = parser.parse_args()
    if args.inside:
        return inside()
    if why := missing():
        print("skipped: " + why)
        return 0
    work = args.keep or tempfile.mkdtemp(prefix="waybill-nftables-")
    os.makedirs(work, exist_ok=True)
    lab = Lab(work)
    try:
        decided = export(work, POLICY % (day(1), day(-1)))
        lab.join()
        lab.start()
        gateway(lab, decided)
        hosts(lab, decided)
        chance(lab, work, args.chance)
    finally:
        lab.close()
        if not args.keep:
            shutil.rmtree(work)
    for w in lab.wrong[:40]:
        print("wrong: " + w[:600])
    print("%d checks, %d wrong" % (lab.tried, len(lab.wrong)))
    return 1 if lab.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
