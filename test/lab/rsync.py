#!/usr/bin/env python3
"""What waybill makes of a real rsync daemon: every case of a table is run on loopback,
all of it is captured, scanned, and compared with what was sent.

    test/lab/rsync.py [-k WORD] [-v] [--keep FOLDER] [--client PROGRAM] [--daemon PROGRAM]

Needs root, Go, and Debian's rsync, tcpdump and acl. Prints a row for each group of
cases and exits 1 when a name, size, hash, direction or user is wrong. It listens on
127.0.0.1 only, writes into a folder of its own, and ends what it started. With another
build of rsync as client or daemon, runs that it does not know the options of are left out.
"""

import argparse
import collections
import hashlib
import itertools
import json
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = 18873
USER, PASSWORD = "backup-user", "S3cret-of-the-lab"

rng = random.Random(873)


def noise(n):
    return rng.randbytes(n)


def text(n):
    words = b"the quarter report shows stable demand while delivery times grew by two days".split()
    out = bytearray()
    while len(out) < n:
        out += rng.choice(words) + b" "
    return bytes(out[:n])


# Trees: name -> content, or a word for what is no regular file.

def small():
    return {
        "empty": b"", "one": b"1", "a": noise(700), "a.b": noise(701), "a-b/x": noise(40), "b/": None, "b-c/y": noise(41), "b/z": noise(42), "a0": noise(5),
        "dir/file": text(5000), "dir/sub/deep/er/file": noise(3000), "dir-2/file": text(100), "dir.2/file": text(101),
        "with space": text(2000), "new\nline": noise(99), "unicode-äöü-日本": text(1234), "dir/ünï/ß": noise(11),
        "-dash": noise(12), "back\\slash": noise(13), "#hash": noise(14), "x" * 255: noise(15),
        "d/" + "y" * 200 + "/" + "z" * 200: noise(16), "tab\tname": noise(17), "[glob]*?": noise(18), ".hidden": noise(19),
        "32768": text(32768), "65536": noise(65536), "100000": text(100000),
    }


def many():
    return {"d%02d/e%d/f%03d" % (i % 23, i % 3, i): text(10 + i * 7 % 5000) for i in range(900)}


def large():
    return {"noise.bin": noise(10 << 20), "text.txt": text(1 << 20) * 3, "zeros": bytes(4 << 20), "after.bin": noise(70_001)}


def files(names):
    return lambda: {n: text(3000 + 17 * i) for i, n in enumerate(names)}


def special():
    t = small()
    t.update({"link": ("symlink", "one"), "dir/dangling": ("symlink", "/no/where/" + "w" * 300), "hard-1": noise(4096),
              "hard-2": ("hardlink", "hard-1"), "dir/hard-3": ("hardlink", "hard-1"), "dir/sub/hard-4": ("hardlink", "dir/file"),
              "fifo": ("fifo",), "null": ("device", 1, 3), "big-minor": ("device", 259, 70000),
              "attributes": noise(50), "dir/attributes": noise(51), "listed": noise(52)})
    return t


def build(folder, tree, when=1_600_000_000):
    os.makedirs(folder, exist_ok=True)
    hard = []
    for i, (name, what) in enumerate(tree.items()):
        path = os.path.join(folder, name)
        os.makedirs(path if name.endswith("/") else os.path.dirname(path), exist_ok=True)
        if what is None:
            continue
        if isinstance(what, bytes):
            with open(path, "wb") as f:
                f.write(what)
            os.chmod(path, (0o644, 0o600, 0o755)[i % 3])
            os.chown(path, (0, 1, 33)[i % 3], (0, 4, 33)[i % 3])
            os.utime(path, ns=((when + i) * 10**9, (when + i // 2) * 10**9 + i % 5))
        elif what[0] == "symlink":
            os.symlink(what[1], path)
        elif what[0] == "hardlink":
            hard.append((path, os.path.join(folder, what[1])))
        elif what[0] == "fifo":
            os.mkfifo(path)
        elif what[0] == "device":
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(what[1], what[2]))
        if name.endswith("attributes"):
            os.setxattr(path, "user.short", b"s")
            os.setxattr(path, "user.long", bytes(range(256)) * 4)
        if name == "listed":
            subprocess.run(["setfacl", "-m", "u:1:rw,u:4242:r,g:33:rx", path], check=True)
            subprocess.run(["setfacl", "-d", "-m", "u:33:rwx", folder], check=True)
    for path, first in hard:
        os.link(first, path)


class Case:
    """One run of rsync. before is what the receiver has; sent says of a name what is to be found of it."""

    def __init__(self, group, args, tree, push, before=None, sent=None, protocol=None, source=None, user=None,
                 target="", relative=None, fails=False, refused=None):
        self.__dict__.update(locals())
        self.what = " ".join(([] if protocol is None else ["--protocol=%d" % protocol]) + args)

    def want(self, tree, old):
        """What has to be found: (path in the module, size, sha256 or None when only differences are sent)."""
        out = {}
        for name, content in tree.items():
            if isinstance(content, tuple) and content[0] == "hardlink" and not self.linked():
                content = tree[content[1]]
            if not isinstance(content, bytes):
                continue
            kind = self.sent(name, content, old.get(name)) if self.sent else "whole"
            if kind == "whole":
                out[name] = (len(content), hashlib.sha256(content).hexdigest())
            elif kind == "partial":
                out[name] = (len(content), None)
            elif isinstance(kind, bytes):  # what is appended
                out[name] = (len(kind), hashlib.sha256(kind).hexdigest())
        return out

    def twins(self, tree):
        """Of files that are hard-linked one is sent, under any of their names."""
        if not self.linked():
            return {}
        return {name: content[1] for name, content in tree.items() if isinstance(content, tuple) and content[0] == "hardlink"}

    def linked(self):
        return any("H" in a for a in self.args if a.startswith("-") and not a.startswith("--"))


def cases():
    both = (True, False)
    codecs = [[], ["-z"], ["--zc=zlib"], ["--zc=zlibx"], ["--zc=zstd"], ["--zc=lz4"]]
    protocols = range(27, 33)
    for protocol, codec, push in itertools.product(protocols, codecs, both):
        yield Case("trees", ["-a"] + codec, small, push, protocol=protocol)
    for protocol, opts, push in itertools.product(protocols, ("-r", "-rt", "-rc"), both):
        yield Case("trees", [opts], small, push, protocol=protocol)
    for protocol, codec, push in itertools.product((30, 31, 32), codecs, both):
        yield Case("links, devices, attributes", ["-aHAX"] + codec, special, push, protocol=protocol)
    for protocol, opts, push in itertools.product(protocols, ("-aH", "-rl", "-rD", "-aHc", "-aU"), both):
        if protocol > 27 or opts != "-aU":  # rsync itself cannot, by 27
            yield Case("links, devices, attributes", [opts], special, push, protocol=protocol)
    for protocol, codec, push in itertools.product((27, 28, 29, 30, 31), ([], ["-z"], ["--zc=zstd"]), both):
        yield Case("900 files in parts", ["-a"] + codec, many, push, protocol=protocol)
    for protocol, codec, push in itertools.product((27, 31), codecs, both):
        yield Case("10 MB", ["-a"] + codec, large, push, protocol=protocol)
    for level, push in itertools.product(("--zc=zlib --zl=0", "--zc=zlibx --zl=9", "--zc=zstd --zl=19", "-z --zl=1"), both):
        yield Case("levels of compression", ["-a"] + level.split(), large, push)

    # Deltas: the receiver has an older copy.
    base = noise(300_000)
    old = {"delta.bin": base, "same.bin": noise(5000), "short": b"12", "text": text(40_000)}
    new = dict(old, **{"delta.bin": base[:100_000] + noise(5000) + base[100_000:290_000], "short": b"123"})
    new["text"] = old["text"][:20_000] + b"inserted" + old["text"][20_000:]

    def differs(name, content, was):
        if was is None:
            return "whole"
        return None if content == was else "partial" if len(was) > 700 else "whole"

    for protocol, codec, push in itertools.product(protocols, codecs, both):
        for how in ([], ["--inplace"], ["--checksum"]) if codec in ([], ["-z"]) else ([],):
            yield Case("only differences", ["-a"] + how + codec, lambda: dict(new, added=noise(900)), push,
                       before=lambda: old, sent=differs, protocol=protocol)
    longer = {k: v + noise(7000) for k, v in old.items()}

    def appended(name, content, was):
        return "whole" if was is None else content[len(was):]

    for protocol, codec, how, push in itertools.product((29, 30, 31), ([], ["-z"], ["--zc=zstd"]), ("--append", "--append-verify"), both):
        yield Case("append", ["-a", how] + codec, lambda: dict(longer, added=noise(900)), push,
                   before=lambda: old, sent=appended, protocol=protocol)
    for protocol, push in itertools.product(protocols, both):
        yield Case("whole files over older ones", ["-a", "-W"], lambda: new, push, before=lambda: old, protocol=protocol,
                   sent=lambda n, c, was: None if c == was else "whole")

    # One file.
    for protocol, codec, push in itertools.product(protocols, ([], ["-z"]), both):
        yield Case("one file", ["-t"] + codec, files(["tool.exe"]), push, protocol=protocol, source="tool.exe")
        yield Case("one file", ["-t"] + codec, files(["tool.exe"]), push, protocol=protocol, source="tool.exe", target="other.exe")
        yield Case("one file", ["-a"] + codec, files(["dir/sub/tool"]), push, protocol=protocol, source="dir/sub/tool", target="into/")

    # Users, checksums, and what changes the conversation.
    for protocol, push in itertools.product(protocols, both):
        yield Case("users", ["-a"], files(["a", "b/c"]), push, protocol=protocol, user=USER)
        yield Case("a wrong password", ["-a"], files(["a", "b/c"]), push, protocol=protocol, user="nobody-else", sent=lambda *_: None, fails=True, refused="auth failed on module")
        if push:
            yield Case("a module that is read only", ["-a"], files(["a", "b/c"]), push, protocol=protocol, sent=lambda *_: None, fails=True,
                       refused="ERROR: module is read only")
        yield Case("dry run", ["-an"], small, push, protocol=protocol, sent=lambda *_: None)
        for opt in ("--delete", "--delete-before --exclude=*.o", "--delete-excluded --exclude=q", "--exclude=zz --filter=P_xx -m"):
            if protocol < 29 and ("-m" in opt or "filter" in opt):
                continue
            yield Case("filters, deletions", ["-a"] + opt.split(), small, push, protocol=protocol, before=lambda: {"gone": b"gone", "gone-too/x": b"2"})
        for opt in ("--numeric-ids", "-s", "--timeout=60", "-vvv --stats", "--bwlimit=90000", "--partial", "-b", "--block-size=700",
                    "-L", "--no-inc-recursive", "--iconv=utf-8", "--open-noatime", "--ignore-errors", "--old-args"):
            if protocol not in (27, 29, 31):
                continue
            yield Case("options", ["-a"] + opt.split(), small, push, protocol=protocol)
    for choice, push in itertools.product(("xxh128", "xxh3", "xxh64", "md5", "md4", "sha1", "none", "md5,xxh64", "xxh3,sha1", "auto"), both):
        for opts in ("-a", "-ac"):
            if opts == "-ac" and choice == "none":
                continue
            yield Case("checksums", [opts, "--cc=" + choice], small, push)
            yield Case("checksums", [opts, "--cc=" + choice], lambda: new, push, before=lambda: old, sent=lambda n, c, was, none=choice == "none":
                       None if c == was else "partial" if len(was) > 700 and not none else "whole")
    for protocol in protocols:
        yield Case("listing only", ["-r"], small, False, protocol=protocol, source="", target=None, sent=lambda *_: None)
    for push in both:
        yield Case("hard links, relative", ["-aHR"], special, push, source="./dir")
        yield Case("--fuzzy", ["-a", "--fuzzy"], lambda: {"name-2.bin": new["delta.bin"]}, push, before=lambda: {"name-1.bin": base}, sent=lambda *_: "partial")
        yield Case("--files-from", ["-a", "--files-from=-"], small, push, relative=["one", "dir/file", "with space"])


def noise_of(tree, content):
    """A hard link to what is not asked for is a file of its own."""
    return tree["hard-1"] if content == ("hardlink", "hard-1") else content


CONFIG = """
use chroot = no
port = {port}
address = 127.0.0.1
pid file = {top}/pid
log file = {top}/log
max connections = 0
uid = 0
gid = 0
motd file = {top}/motd
"""

MODULE = """
[m{n}]
path = {path}
read only = {locked}
{users}
"""


class Lab:
    def __init__(self, top, chosen, client="rsync", daemon="rsync"):
        self.client, self.daemon = client, daemon
        self.top, self.cases, self.processes, self.trees = top, chosen, [], {}
        self.wants = []

    def path(self, *parts):
        return os.path.join(self.top, *parts)

    def prepare(self):
        config = CONFIG.format(port=PORT, top=self.top)
        with open(self.path("motd"), "w") as f:
            f.write("welcome\n@ a line that looks odd\n\n")
        with open(self.path("secrets"), "w") as f:
            f.write(USER + ":" + PASSWORD + "\n")
        os.chmod(self.path("secrets"), 0o600)
        with open(self.path("password"), "w") as f:
            f.write(PASSWORD)
        os.chmod(self.path("password"), 0o600)
        for n, c in enumerate(self.cases):
            users = "charset = utf-8" if "--iconv=utf-8" in c.args else ""
            users = "auth users = %s\nsecrets file = %s" % (USER, self.path("secrets")) if c.user else users
            config += MODULE.format(n=n, path=self.path("d%d" % n), users=users, locked="yes" if c.refused and not c.user else "no")
        with open(self.path("rsyncd.conf"), "w") as f:
            f.write(config)

    def start(self, *command):
        p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(self.path("errors"), "a"))
        self.processes.append(p)
        return p

    def up(self):
        self.start(self.daemon, "--daemon", "--no-detach", "--config", self.path("rsyncd.conf"))
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", PORT)) == 0:
                    break
            time.sleep(0.05)
        self.start("tcpdump", "-i", "lo", "-s", "0", "-B", "200000", "-w", self.path("lab.pcap"), "tcp port %d" % PORT)
        for _ in range(100):
            with open(self.path("errors")) as f:
                if "listening on" in f.read():
                    time.sleep(0.5)
                    return
            time.sleep(0.05)
        raise SystemExit("tcpdump does not start")

    def down(self):
        time.sleep(1.5)
        for p in reversed(self.processes):
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()

    def tree(self, make):
        """The tree of a function, made once."""
        if make is None:
            return {}
        if make not in self.trees:
            self.trees[make] = make()
        return self.trees[make]

    def run(self, n, c):
        tree, old = self.tree(c.tree), self.tree(c.before)
        daemon, local = self.path("d%d" % n), self.path("l%d" % n)
        source, receiver = (local, daemon) if c.push else (daemon, local)
        build(source, tree)
        build(receiver, old, when=1_500_000_000)
        for name, was in old.items():  # what is the same is not sent
            if tree.get(name) == was and isinstance(was, bytes):
                shutil.copystat(os.path.join(source, name), os.path.join(receiver, name))
        remote = "rsync://%s127.0.0.1:%d/m%d/" % (c.user + "@" if c.user else "", PORT, n)
        command = ["timeout", "60", self.client] + c.args
        if c.protocol is not None:
            command.append("--protocol=%d" % c.protocol)
        if c.user:
            command.append("--password-file=" + self.path("password"))
        names, where, given = self.plan(c, tree)
        if c.push:
            command += [os.path.join(local, c.source or "") if c.source != "./dir" else local + "/./dir", remote + c.target]
        else:
            command += [remote + (c.source or "")] + ([] if c.target is None else [os.path.join(local, c.target)])
        done = subprocess.run(command, input=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if (done.returncode != 0) != c.fails:
            self.wants.append(None)
            if self.client == self.daemon == "rsync":
                print("could not be run: %s: %s" % (command, done.stderr.decode(errors="replace")[-300:]), file=sys.stderr)
        else:
            self.wants.append({where(k): v for k, v in c.want(names, old).items()})
        shutil.rmtree(daemon)
        shutil.rmtree(local)

    def plan(self, c, tree):
        """What of a tree is asked for, where in the module it is or goes, and what is given on standard input."""
        if c.relative is not None:
            return {k: tree[k] for k in c.relative}, lambda name: name, "\n".join(c.relative).encode() + b"\n"
        if c.source == "./dir":
            return {k: noise_of(tree, v) for k, v in tree.items() if k.startswith("dir/")}, lambda name: name, None
        if not c.source or not c.push:
            return tree, lambda name: name, None
        if c.target.endswith("/") or not c.target:
            return tree, lambda name: c.target + os.path.basename(name), None
        return tree, lambda name: c.target, None

    def scan(self):
        binary = self.path("waybill")
        subprocess.run(["go", "build", "-o", binary, "./cmd/waybill"], cwd=ROOT, check=True)
        began = time.time()
        with open(self.path("out.ndjson"), "wb") as f:
            subprocess.run([binary, "scan", "--quiet", "--all", "--only", "transfer,access,coverage", "--format", "ndjson", self.path("lab.pcap")], stdout=f)
        self.seconds = time.time() - began
        found = collections.defaultdict(list)
        self.coverage, self.refusals = None, collections.defaultdict(list)
        with open(self.path("out.ndjson"), encoding="utf-8", errors="surrogateescape") as f:
            for line in f:
                r = json.loads(line)
                if r["kind"] == "transfer":
                    found[r.get("share", "")].append(r)
                if r["kind"] == "access" and r.get("channel") == "rsync":
                    self.refusals[r.get("share", "")].append(r.get("status", ""))
                if r["kind"] == "coverage" and "input" not in r:
                    self.coverage = r
        return found


def compare(c, want, twins, records):
    """What is wrong with the records of a case."""
    wrong = []
    left = dict(want)
    for r in records:
        path, size, sha = r.get("path", ""), r.get("size"), r.get("sha256")
        if r["name"] != os.path.basename(path):
            wrong.append("%r: name %r" % (path, r["name"]))
        path = twins.get(path) if twins.get(path) in want else path
        if c.user and not c.fails and r.get("user") != USER:
            wrong.append("%r: user %r" % (path, r.get("user")))
        if r["channel"] != "rsync" or r["operation"] != ("push" if c.push else "pull") or r[("destination" if c.push else "source")].get("port") != PORT:
            wrong.append("%r: direction %s %s" % (path, r["channel"], r["operation"]))
        if path not in left:
            wrong.append("%r: not sent, or found twice" % path)
            continue
        expected = left.pop(path)
        if size != expected[0] or sha != expected[1] or r["completeness"] != ("whole" if expected[1] else "partial"):
            wrong.append("%r: %s size %s sha256 %s (%s), sent %s" % (path, r["completeness"], size, sha, r.get("reason"), expected))
        if not expected[1] and not r.get("reason"):
            wrong.append("%r: no reason" % path)
    wrong += ["%r: not found" % path for path in left]
    return wrong


def version(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True).stdout.splitlines()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", metavar="WORD", help="only the groups and cases with this word")
    parser.add_argument("-v", action="store_true", help="say what is wrong")
    parser.add_argument("--keep", metavar="FOLDER", help="keep capture and output there")
    parser.add_argument("--client", metavar="PROGRAM", default="rsync")
    parser.add_argument("--daemon", metavar="PROGRAM", default="rsync")
    args = parser.parse_args()
    chosen = [c for c in cases() if not args.k or args.k in c.group + " " + c.what]
    top = args.keep or tempfile.mkdtemp(prefix="waybill-rsync-")
    os.makedirs(top, exist_ok=True)
    lab = Lab(top, chosen, args.client, args.daemon)
    try:
        lab.prepare()
        lab.up()
        for n, c in enumerate(chosen):
            lab.run(n, c)
    finally:
        lab.down()
    found = lab.scan()
    rows = collections.OrderedDict()
    for n, (c, want) in enumerate(zip(chosen, lab.wants)):
        row = rows.setdefault(c.group, [0, 0, 0, 0, 0])
        row[0] += 1
        if want is None:
            row[4] += 1
            continue
        row[1] += sum(1 for v in want.values() if v[1])
        row[2] += sum(1 for v in want.values() if not v[1])
        wrong = compare(c, want, c.twins(lab.tree(c.tree)), found["m%d" % n])
        said = lab.refusals["m%d" % n]
        if c.refused and not any(c.refused in s for s in said) or not c.refused and any(said):
            wrong.append("refusals %s" % said)
        row[3] += len(wrong)
        if wrong and args.v:
            print("m%d %s %s: %s" % (n, "push" if c.push else "pull", c.what, "; ".join(wrong[:4])))
    print("%-30s %6s %8s %8s %6s %8s" % ("group", "runs", "whole", "partial", "wrong", "not run"))
    for group, row in rows.items():
        print("%-30s %6d %8d %8d %6d %8d" % (group, *row))
    total = [sum(r[i] for r in rows.values()) for i in range(5)]
    print("%-30s %6d %8d %8d %6d %8d" % ("all", *total))
    print("%s, %.0f MB captured, scanned in %.1f s; blind: %s" % (
        " to ".join(version(p) for p in (args.client, args.daemon)),
        os.path.getsize(lab.path("lab.pcap")) / 1e6, lab.seconds, lab.coverage.get("blind", {})))
    if not args.keep:
        shutil.rmtree(top)
    return 1 if total[3] or total[4] and args.client == args.daemon == "rsync" else 0


if __name__ == "__main__":
    sys.exit(main())
