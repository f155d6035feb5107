"""SMB: Samba's server with smbclient, smbget and impacket, from SMB 1 to 3.1.1, plain, signed and encrypted."""

import os
import re

from network import Failed
from scoring import Move, Sealed

USER, PASSWORD = "alice", "secret"
DIALECTS = "NT1", "SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11"
CIPHERS = ("SMB3_00", "AES-128-CCM"), ("SMB3_11", "AES-128-CCM"), ("SMB3_11", "AES-128-GCM"), ("SMB3_11", "AES-256-CCM"), ("SMB3_11", "AES-256-GCM")
SINGLE = "hundred.bin", "hundred.txt", "mega.bin", "twenty.bin"
IMPACKET = "/usr/share/doc/python3-impacket/examples/smbclient.py"


def rows(lab):
    with server(lab):
        for dialect in DIALECTS:
            plain(lab, dialect)
        plain(lab, "NT1", "port 139", "-p", "139")
        plain(lab, "NT1", "no unicode", "--option=unicode=no")
        plain(lab, "NT1", "LANMAN answers and no SPNEGO", "--option=client use spnego=no", "--option=client ntlmv2 auth=no")
        plain(lab, "NT1", "POSIX extensions", before=["posix"])
        for dialect in "NT1", "SMB2_10", "SMB3_11":
            plain(lab, dialect, "signed", "--client-protection=sign")
            orders(lab, dialect)
        for dialect, cipher in CIPHERS:
            sealed(lab, dialect, cipher)
        others(lab)


def server(lab):
    own = {n: lab.folder("samba/" + n) for n in ("private", "lock", "state", "cache", "pid", "ncalrpc")}
    users = lab.write("samba/users", f"root = {USER}\n")
    conf = lab.write("samba/smb.conf", f"""
[global]
    server role = standalone server
    passdb backend = tdbsam:{own['private']}/passdb.tdb
    private dir = {own['private']}
    lock directory = {own['lock']}
    state directory = {own['state']}
    cache directory = {own['cache']}
    pid directory = {own['pid']}
    ncalrpc dir = {own['ncalrpc']}
    username map = {users}
    server min protocol = NT1
    ntlm auth = yes
    lanman auth = yes
    smb ports = 445 139
    load printers = no
    disable spoolss = yes
    server multi channel support = yes
    server smb3 encryption algorithms = AES-128-GCM, AES-128-CCM, AES-256-GCM, AES-256-CCM
[share]
    path = {lab.share}
    read only = no
    ea support = no
""")
    lab.write("samba/client.conf", f"""
[global]
    client min protocol = NT1
    client lanman auth = yes
    debug encryption = yes
    private dir = {own['private']}
    lock directory = {lab.folder('samba/clientlock')}
    state directory = {own['state']}
    cache directory = {lab.folder('samba/clientcache')}
""")
    lab.net.run("smbpasswd", "-c", conf, "-a", "-s", "root", stdin=f"{PASSWORD}\n{PASSWORD}\n", host="server")
    return lab.net.serve("smbd", "-F", "--no-process-group", "-s", conf, "--debug-stdout", port=445)


def smbclient(lab, dialect, lines, *extra):
    """Run commands of smbclient; what it prints holds the session keys."""
    out = lab.net.run("smbclient", f"//{lab.net.server_ip}/share", "-s", f"{lab.work}/samba/client.conf", "-U", f"{USER}%{PASSWORD}",
                      "-m", dialect, *extra, stdin="\n".join(lines) + "\n")
    if bad := re.findall(r"^NT_STATUS_\w+.*|.*NT_STATUS_(?!OK|NO_MORE)\w+.*", out, re.M):
        raise Failed(f"smbclient: {bad[0]}")
    return out


def put(f, far=""):
    return f'put "{f.path}" "{far or f.name}"'


def get(lab, f):
    return f'get "{f.name}" "{lab.got}/{f.name}"'


def channel(dialect):
    return "smb1" if dialect == "NT1" else "smb2"


def read(files):
    """What a client that knows of a file's size asks for: nothing of an empty one."""
    return [f for f in files if f.size]


def plain(lab, dialect, word="", *extra, files=None, before=()):
    files = files or lab.files
    if word == "no unicode":
        files = [f for f in files if f.name.isascii()]
    title = f"{dialect}{', ' + word if word else ''}"
    lab.fresh()
    lab.row("smbclient", f"put, {title}", lambda: smbclient(lab, dialect, [*before, *(put(f) for f in files)], *extra),
            [Move(f, "push", USER, channel=channel(dialect)) for f in files], (), lab.share)
    lab.fresh(files)
    lab.row("smbclient", f"get, {title}", lambda: smbclient(lab, dialect, [*before, *(get(lab, f) for f in files)], *extra),
            [Move(f, "pull", USER, channel=channel(dialect)) for f in read(files)], (), lab.got)


def orders(lab, dialect):
    """Renamed, gone on with, copied on the server, several at once."""
    f = lab.pick("mega.bin")[0]
    lab.fresh()
    lab.row("smbclient", f"put, then rename, {dialect}", lambda: smbclient(lab, dialect, [put(f, "new.tmp"), 'rename "new.tmp" "final name.bin"']),
            [Move(f, "push", USER, name="final name.bin", fields={"earlier_names": ["new.tmp"]})], (), lab.share)
    lab.fresh()
    write(f"{lab.share}/{f.name}", f.data[:400_000])
    lab.row("smbclient", f"reput from 400,000 on, {dialect}", lambda: smbclient(lab, dialect, [f'reput "{f.path}" "{f.name}"']),
            [Tail(f, "push", 400_000)])  # Samba's client writes the rest at the beginning: its bug
    lab.fresh([f])
    write(f"{lab.got}/{f.name}", f.data[:400_000])
    lab.row("smbclient", f"reget from 400,000 on, {dialect}", lambda: smbclient(lab, dialect, [f'reget "{f.name}" "{lab.got}/{f.name}"']),
            [Tail(f, "pull", 400_000)], (), lab.got)
    lab.fresh()
    many = lab.pick("kilo.bin", "kilo.txt", "hundred.bin", "hundred.txt")
    lab.row("smbclient", f"mput, {dialect}", lambda: smbclient(lab, dialect, ["prompt", f'lcd "{lab.sent}"', "mput kilo* hundred*"]),
            [Move(g, "push", USER) for g in many], (), lab.share)
    if dialect != "NT1":
        lab.fresh([f])
        lab.row("smbclient", f"scopy on the server, {dialect}", lambda: smbclient(lab, dialect, [f'scopy "{f.name}" "copy.bin"']), [Copied(f)])


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def sealed(lab, dialect, cipher):
    how = "--client-protection=encrypt", f"--option=client smb3 encryption algorithms={cipher}"
    single = lab.pick(*SINGLE)
    for operation in "push", "pull":
        pushing = operation == "push"
        line = put if pushing else lambda f: get(lab, f)
        lab.fresh(() if pushing else lab.files)
        lab.row("smbclient", f"{operation}, {dialect} {cipher}, no keys, a session each", lambda: [smbclient(lab, dialect, [line(f)], *how) for f in single],
                [Sealed(f.size, operation, "smb2", fields={"user": USER}) for f in single])
        lab.fresh(() if pushing else lab.files)
        keys = os.path.join(lab.work, "samba", "keys")
        lab.row("smbclient", f"{operation}, {dialect} {cipher}, with keys",
                lambda: lab.write("samba/keys", session_keys(smbclient(lab, dialect, [line(f) for f in lab.files], *how))),
                [Move(f, operation, USER) for f in (lab.files if pushing else read(lab.files))], ("--smb-keys", keys), lab.share if pushing else lab.got)


def session_keys(text):
    """The line of --smb-keys out of what `debug encryption = yes` prints."""
    def key(name):
        m = re.search(name + r"\s*((?:\[[0-9A-F]{4}\][^\n]*\n\s*)+)", text)
        return "".join("".join(re.findall(r"(?<=\] )[0-9A-F ]{1,49}", line)).replace(" ", "") for line in m.group(1).splitlines()) if m else ""
    return f"{key('Session Id')} {key('Session Key')}\n"


def others(lab):
    run, at = lab.net.run, lab.net.server_ip
    files = [f for f in lab.files if f.name.isascii() and not set(f.name) & set(" #%;'&")]
    lab.fresh(files)
    lab.row("smbget", "get", lambda: run("sh", "-c", f"cd {lab.got} && exec smbget -q -U {USER}%{PASSWORD} " + " ".join(f"smb://{at}/share/{f.name}" for f in files)),
            [Move(f, "pull", USER) for f in read(files)], (), lab.got)
    total = sum(f.size for f in files)  # impacket encrypts where it can
    login = f"{USER}:{PASSWORD}@{at}"
    lab.fresh()
    lab.row("impacket smbclient.py", "put, encrypted, no keys", lambda: run("/usr/bin/python3", IMPACKET, login, stdin="use share\n" + "".join(f"put {f.path}\n" for f in files) + "exit\n"),
            [Sealed(total, "push", "smb2", fields={"user": USER})])
    lab.fresh(files)
    lab.row("impacket smbclient.py", "get, encrypted, no keys", lambda: run("sh", "-c", f"cd {lab.got} && exec /usr/bin/python3 {IMPACKET} {login}", stdin="use share\n" + "".join(f"get {f.name}\n" for f in files) + "exit\n"),
            [Sealed(total, "pull", "smb2", fields={"user": USER})])
    f = lab.pick("twenty.bin")[0]
    lab.fresh()
    clients = " & ".join(f"smbclient //{at}/share -s {lab.work}/samba/client.conf -U {USER}%{PASSWORD} -c 'put {f.path} copy{i}.bin'" for i in range(4))
    lab.row("smbclient", "put, four at once", lambda: run("sh", "-c", clients + " & wait"), [Move(f, "push", USER, name=f"copy{i}.bin") for i in range(4)], (), lab.share)
    lab.fresh()
    lab.row("curl", "smb://, put", lambda: run("curl", "-sSf", "-u", f"{USER}:{PASSWORD}", "-T", f.path, f"smb://{at}/share/{f.name}"), [Move(f, "push", USER)], (), lab.share)


class Tail(Move):
    """The end of a file that was begun before."""

    verdict = "the part that moved"

    def __init__(self, file, operation, start):
        super().__init__(file, operation, USER)
        self.start = start

    def faults(self, transfers, net):
        for t in transfers:
            if t.get("name") == self.file.name and t["operation"] == self.operation:
                transfers.remove(t)
                seen = t.get("bytes_seen")
                return [] if seen == self.file.size - self.start else [f"{seen} bytes seen of the last {self.file.size - self.start}"]
        return [f"{self.file.name}: not found"]


class Copied(Move):
    """A copy that the server makes: only its effect is seen."""

    verdict = "inferred"

    def __init__(self, file):
        super().__init__(file, "copy")

    def faults(self, transfers, net):
        for t in [t for t in transfers if t["operation"] == "copy"][:1]:
            transfers.remove(t)
            right = t["completeness"] == "inferred" and t["name"] == "copy.bin" and t["size"] == self.file.size and t["user"] == USER
            return [] if right else [f"copy: {t}"]
        return ["no copy seen"]
