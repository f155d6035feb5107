"""SSH: OpenSSH, Dropbear and PuTTY, by scp, sftp, rsync, tar, terminals and forwards."""

import os
import time

from scoring import Sealed, Session

SIZES = "hundred.bin", "hundred.txt", "mega.bin", "mega.txt", "twenty.bin"
FEW = "hundred.bin", "mega.txt"
CIPHERS = ("chacha20-poly1305@openssh.com", ""), ("aes128-gcm@openssh.com", ""), ("aes256-gcm@openssh.com", ""), \
    ("aes128-ctr", "hmac-sha2-256-etm@openssh.com"), ("aes256-ctr", "umac-64-etm@openssh.com"), ("aes128-ctr", "hmac-sha2-256"), \
    ("aes256-ctr", "hmac-sha1"), ("aes128-cbc", "hmac-sha2-512")


class Shell:
    """A server with its keys, and the arguments that make a client use them."""

    def __init__(self, lab):
        self.lab, self.net = lab, lab.net
        os.makedirs("/run/sshd", exist_ok=True)
        for name, kind in ("id", "ed25519"), ("host", "ed25519"):
            path = self.path(name)
            if not os.path.exists(path):
                lab.net.run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path)
        lab.write("known", f"{lab.net.server_ip} " + open(self.path("host.pub")).read())
        lab.write("authorized", open(self.path("id.pub")).read())
        self.options = ["-i", self.path("id"), "-F", "none", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                        "-o", f"UserKnownHostsFile={self.path('known')}", "-o", "StrictHostKeyChecking=yes"]
        self.host = f"root@{lab.net.server_ip}"

    def path(self, name):
        return os.path.join(self.lab.work, name)

    def openssh(self):
        conf = self.lab.write("sshd.conf", f"""
HostKey {self.path('host')}
AuthorizedKeysFile {self.path('authorized')}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
MaxAuthTries 6
Subsystem sftp internal-sftp
Ciphers +aes128-cbc
LogLevel VERBOSE
""")
        return self.net.serve("/usr/sbin/sshd", "-D", "-e", "-f", conf, port=22)

    def dropbear(self):
        home = self.path("dropbear")
        os.makedirs(home, exist_ok=True)
        key = os.path.join(home, "host")
        if not os.path.exists(key):
            self.net.run("dropbearconvert", "openssh", "dropbear", self.path("host"), key)
            self.net.run("dropbearconvert", "openssh", "dropbear", self.path("id"), os.path.join(home, "id"))
            os.mkdir(os.path.join(home, ".ssh"), 0o700)
            os.link(self.path("authorized"), os.path.join(home, ".ssh", "authorized_keys"))
        # Dropbear takes the keys of root's home: one of our own lies over it, in this process alone.
        return self.net.serve("unshare", "-m", "sh", "-c", f"mount --bind {home} /root && exec dropbear -F -E -s -r {key} -p 22 -P ''", port=22)

    def each(self, program, exchange, names, operation, command, **more):
        """One session a file; command takes the file's path, its far and its fetched path."""
        files = self.lab.pick(*names)
        self.lab.fresh(files if operation == "pull" else ())

        def do():
            for f in files:
                command(f, f"{self.lab.share}/{f.name}", f"{self.lab.got}/{f.name}")

        expect = [Sealed(f.size, operation, "ssh", **more) for f in files] + [Session(operation) for _ in files]
        self.lab.row(program, exchange, do, expect)


def rows(lab):
    s = Shell(lab)
    with s.openssh():
        scp(s)
        sftp(s)
        others(s)
        sessions(s)
        putty(s)
        several(s)
    dropbear(s)


def scp(s):
    run = s.net.run
    for cipher, mac in CIPHERS:
        how = [*s.options, "-c", cipher, *(["-o", f"MACs={mac}"] if mac else [])]
        word = f"{cipher.split('@')[0]}{' ' + mac.split('@')[0] if mac else ''}"
        s.each("OpenSSH scp", f"push, {word}", SIZES, "push", lambda f, far, got: run("scp", "-q", *how, f.path, f"{s.host}:{far}"))
        s.each("OpenSSH scp", f"pull, {word}", SIZES, "pull", lambda f, far, got: run("scp", "-q", *how, f"{s.host}:{far}", got))
    for cipher in "chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com":
        often = [*s.options, "-c", cipher, "-o", "RekeyLimit=1M"]
        word = f"{cipher.split('@')[0]}, new keys each MB"
        s.each("OpenSSH scp", f"push, {word}", SIZES, "push", lambda f, far, got: run("scp", "-q", *often, f.path, f"{s.host}:{far}"))
        s.each("OpenSSH scp", f"pull, {word}", SIZES, "pull", lambda f, far, got: run("scp", "-q", *often, f"{s.host}:{far}", got))
    old = [*s.options, "-O"]
    s.each("OpenSSH scp -O", "push", SIZES, "push", lambda f, far, got: run("scp", "-q", *old, f.path, f"{s.host}:{far}"))
    s.each("OpenSSH scp -O", "pull", SIZES, "pull", lambda f, far, got: run("scp", "-q", *old, f"{s.host}:{far}", got))
    tight = [*s.options, "-C"]
    s.each("OpenSSH scp -C", "push, random", ["hundred.bin", "mega.bin"], "push", lambda f, far, got: run("scp", "-q", *tight, f.path, f"{s.host}:{far}"))
    s.each("OpenSSH scp -C", "push, text", ["mega.txt"], "push", lambda f, far, got: run("scp", "-q", *tight, f.path, f"{s.host}:{far}"), within=0)
    s.each("OpenSSH scp -C", "pull, text", ["mega.txt"], "pull", lambda f, far, got: run("scp", "-q", *tight, f"{s.host}:{far}", got), within=0)


def sftp(s):
    def batch(line):
        s.net.run("sftp", "-q", *s.options, "-b", "-", s.host, stdin=line + "\n")

    s.each("OpenSSH sftp", "put", SIZES, "push", lambda f, far, got: batch(f'put "{f.path}" "{far}"'))
    s.each("OpenSSH sftp", "get", SIZES, "pull", lambda f, far, got: batch(f'get "{far}" "{got}"'))
    s.each("OpenSSH sftp -B 8000 -R 4", "get", FEW, "pull", lambda f, far, got: s.net.run(
        "sftp", "-q", "-B", "8000", "-R", "4", *s.options, "-b", "-", s.host, stdin=f'get "{far}" "{got}"\n'))
    agent = f"sftp://root:x@{s.net.server_ip}"
    connect = f"set sftp:connect-program 'ssh -a -x {' '.join(s.options)}'; open {agent}; "
    s.each("lftp", "sftp put", FEW, "push", lambda f, far, got: s.net.run("lftp", "-c", connect + f'put "{f.path}" -o "{far}"'))
    s.each("lftp", "sftp get", FEW, "pull", lambda f, far, got: s.net.run("lftp", "-c", connect + f'get "{far}" -o "{got}"'))


def others(s):
    run = s.net.run
    shell = "ssh " + " ".join(s.options)
    s.each("rsync over SSH", "push", SIZES, "push", lambda f, far, got: run("rsync", "-e", shell, f.path, f"{s.host}:{far}"))
    s.each("rsync over SSH", "pull", SIZES, "pull", lambda f, far, got: run("rsync", "-e", shell, f"{s.host}:{far}", got))
    s.each("rsync -z over SSH", "push, random", ["hundred.bin", "mega.bin"], "push", lambda f, far, got: run("rsync", "-z", "-e", shell, f.path, f"{s.host}:{far}"))
    s.each("tar over SSH", "push", FEW, "push", lambda f, far, got: run(
        "sh", "-c", f"tar -C {s.lab.sent} -cf - {f.name} | {shell} {s.host} tar -C {s.lab.share} -xf -"))
    s.each("tar over SSH", "pull", FEW, "pull", lambda f, far, got: run(
        "sh", "-c", f"{shell} {s.host} tar -C {s.lab.share} -cf - {f.name} | tar -C {s.lab.got} -xf -"))
    s.each("cat over SSH", "push", FEW, "push", lambda f, far, got: run("sh", "-c", f"{shell} {s.host} 'cat > {far}' < {f.path}"))
    s.each("cat over SSH", "pull", FEW, "pull", lambda f, far, got: run("sh", "-c", f"{shell} {s.host} 'cat {far}' > {got}"))


def sessions(s):
    """What moves no file."""
    s.lab.fresh(s.lab.pick("mega.bin"))

    def refused():
        s.net.run("sshpass", "-p", "wrong", "ssh", "-F", "none", "-o", f"UserKnownHostsFile={s.path('known')}",
                  "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=3", s.host, "true", fails=True)

    s.lab.row("OpenSSH", "three wrong passwords", refused, [Session("no login")])
    terminal(s, "terminal, keys typed and screens")
    s.lab.row("OpenSSH", "terminal, keys typed only", lambda: typed(s, ["id", "uptime", "w", "df"] * 3), [Session("interactive")])
    s.lab.row("OpenSSH", "one command", lambda: s.net.run("ssh", *s.options, s.host, "id"), [Session("interactive")])
    s.lab.row("OpenSSH", "forwarded port, both ways", lambda: forwarded(s), [Session("tunnel"), Sealed(1_000_000, "", "ssh")])


def terminal(s, title):
    screens = Sealed(0, "pull", "ssh", within=0)

    def do():
        screens.size = typed(s, ["ls -l /usr/bin | head -200", "id", "ls /etc", "uptime"] * 3)

    s.lab.row("OpenSSH", title, do, [Session("interactive"), screens])


def typed(s, lines):
    """Type at a terminal, a key at a time; how many bytes it showed."""
    p = s.net.start("client", ["ssh", "-tt", *s.options, s.host, "sh", "-i"], stdin=-1)
    import threading
    shown = []
    drain = threading.Thread(target=lambda: shown.append(p.stdout.read()))
    drain.start()
    for line in [*lines, "exit"]:
        for key in line + "\n":
            p.stdin.write(key.encode())
            p.stdin.flush()
            time.sleep(0.01)
        time.sleep(0.15)
    p.wait(timeout=20)
    drain.join(5)
    return len(shown[0])


def forwarded(s):
    """A service behind a forwarded port: a megabyte each way."""
    echo = ["socat", "TCP-LISTEN:7001,bind=127.0.0.1,reuseaddr", "EXEC:cat"]
    with s.net.serve(*echo, port=7001):
        with s.net.serve("ssh", "-N", *s.options, "-L", "7000:127.0.0.1:7001", s.host, host="client", port=7000):
            s.net.run("sh", "-c", f"socat -t2 - TCP:127.0.0.1:7000 < {s.lab.sent}/mega.bin > {s.lab.got}/echo")


def putty(s):
    run, key = s.net.run, s.path("id.ppk")
    if not os.path.exists(key):
        run("puttygen", s.path("id"), "-O", "private", "-o", key)
    print_ = run("ssh-keygen", "-l", "-f", s.path("host.pub")).split()[1]
    how = ["-batch", "-i", key, "-hostkey", print_]
    s.each("PuTTY pscp", "push", SIZES, "push", lambda f, far, got: run("pscp", "-q", *how, f.path, f"{s.host}:{far}"))
    s.each("PuTTY pscp", "pull", SIZES, "pull", lambda f, far, got: run("pscp", "-q", *how, f"{s.host}:{far}", got))
    s.each("PuTTY pscp -scp", "push", FEW, "push", lambda f, far, got: run("pscp", "-q", "-scp", *how, f.path, f"{s.host}:{far}"))
    s.each("PuTTY pscp -scp", "pull", FEW, "pull", lambda f, far, got: run("pscp", "-q", "-scp", *how, f"{s.host}:{far}", got))


def several(s):
    """Several files in one session: the sum is what can be known."""
    files = s.lab.pick("hundred.bin", "hundred.txt", "mega.bin", "kilo.bin", "two words & (more).txt")
    s.lab.fresh(files)
    total = sum(f.size for f in files)
    s.lab.row("OpenSSH scp", "push, five files in one session",
              lambda: s.net.run("scp", "-q", *s.options, *[f.path for f in files], f"{s.host}:{s.lab.share}/"),
              [Sealed(total, "push", "ssh"), Session("push")])


def dropbear(s):
    run = s.net.run
    fast = "mega.bin", "hundred.bin"  # dbclient compresses, and how well is not known
    with s.dropbear():
        client = s.lab.write("dbclient.sh", f"#!/bin/sh\nHOME={s.path('dropbear')} exec dbclient -y -y -i {s.path('dropbear')}/id \"$@\"\n", 0o700)
        s.each("Dropbear, OpenSSH client", "scp -O push", SIZES, "push", lambda f, far, got: run("scp", "-O", "-q", *s.options, f.path, f"{s.host}:{far}"))
        s.each("Dropbear, OpenSSH client", "scp -O pull", SIZES, "pull", lambda f, far, got: run("scp", "-O", "-q", *s.options, f"{s.host}:{far}", got))
        s.each("Dropbear, dbclient", "cat push", fast, "push", lambda f, far, got: run("sh", "-c", f"{client} {s.host} 'cat > {far}' < {f.path}"))
        s.each("Dropbear, dbclient", "cat pull", fast, "pull", lambda f, far, got: run("sh", "-c", f"{client} {s.host} 'cat {far}' > {got}"))
        s.each("Dropbear, dbclient", "cat pull, text", ["mega.txt"], "pull", lambda f, far, got: run("sh", "-c", f"{client} {s.host} 'cat {far}' > {got}"), within=0)
    with s.openssh():
        s.each("dbclient, OpenSSH server", "cat push", fast, "push", lambda f, far, got: run("sh", "-c", f"{client} {s.host} 'cat > {far}' < {f.path}"))
        s.each("dbclient, OpenSSH server", "cat pull", fast, "pull", lambda f, far, got: run("sh", "-c", f"{client} {s.host} 'cat {far}' > {got}"))
