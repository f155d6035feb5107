"""NFS: the Ganesha server, with libnfs (versions 3 and 4.0) and with Ganesha's own client (4.1)."""

import contextlib
import os

from scoring import Move


WRITE = """#!/usr/bin/python3
# Writes a file to an NFS URL in pieces of 1,000 bytes.
import ctypes, os, re, sys
l = ctypes.CDLL("libnfs.so.13")
l.nfs_init_context.restype = ctypes.c_void_p
l.nfs_get_error.restype = ctypes.c_char_p
c = ctypes.c_void_p(l.nfs_init_context())
def check(n):
    if n < 0: sys.exit(l.nfs_get_error(c).decode())
    return n
host, folder, name = re.match(r"nfs://([^/]*)(.*)/([^/]*)\\?version=4$", sys.argv[2]).groups()
check(l.nfs_set_version(c, 4))
check(l.nfs_mount(c, host.encode(), folder.encode()))
h = ctypes.c_void_p()
check(l.nfs_create(c, b"/" + name.encode(), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644, ctypes.byref(h)))
with open(sys.argv[1], "rb") as f:
    at = 0
    while b := f.read(1000):
        at += check(l.nfs_pwrite(c, h, ctypes.c_uint64(at), ctypes.c_uint64(len(b)), b))
check(l.nfs_close(c, h))
"""


def rows(lab):
    with lab.net.serve("rpcbind", "-f", "-w", port=111):
        for version in 3, 4:
            # nfs-cp 4.0.0 sends no long WRITE in version 4: there a script writes by libnfs in short pieces.
            write = "nfs-cp" if version == 3 else lab.write("nfs-write", WRITE, 0o700)
            root = f"nfs://{lab.net.server_ip}{lab.share if version == 3 else '/share'}/"
            row(lab, "libnfs nfs-cp", f"version {version}{'' if version == 3 else '.0'}", lab.files, lambda f: f"{root}{f.name}?version={version}", write)
        relayed(lab)


def row(lab, program, word, files, url, write="nfs-cp", before=contextlib.nullcontext):
    """Both ways. Each with a server of its own, since Ganesha keeps in mind what it saw of its files."""
    run = lab.net.run
    sent = files if write == "nfs-cp" else [f for f in files if f.size <= 1_000_000]
    lab.fresh()
    with ganesha(lab), before():
        lab.row(program, f"written, {word}", lambda: [run(write, f.path, url(f)) for f in sent],
                [Move(f, "push", channel="nfs") for f in sent], (), lab.share)
    lab.fresh(files)
    with ganesha(lab), before():
        lab.row(program, f"read, {word}", lambda: [run("nfs-cp", url(f), f"{lab.got}/{f.name}") for f in files],
                # Of an empty file its size is asked for, and nothing else.
                [Move(f, "pull", channel="nfs") for f in files if f.size], (), lab.got)


def relayed(lab):
    """libnfs speaks to a Ganesha on its own host, and that speaks version 4.1 to the server."""
    fsal = f"Name = PROXY_V4; Srv_Addr = {lab.net.server_ip}; Use_Privileged_Client_Port = true;"
    row(lab, "Ganesha's client", "version 4.1", lab.files, lambda f: f"nfs://127.0.0.1/share/{f.name}?version=4",
        lab.write("nfs-write", WRITE, 0o700), lambda: ganesha(lab, "client", fsal, "/share"))


@contextlib.contextmanager
def ganesha(lab, host="server", fsal="Name = VFS;", path=""):
    home = lab.folder("ganesha-" + host)
    conf = lab.write(f"ganesha-{host}/conf", f"""
NFS_CORE_PARAM {{ Protocols = {'3, 4' if host == 'server' else '4'}; NFS_Port = 2049; MNT_Port = 20048; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ Graceless = true; Minor_Versions = 0, 1, 2; RecoveryBackend = fs; RecoveryRoot = {home}; Only_Numeric_Owners = true; }}
EXPORT {{
  Export_Id = 1; Path = {path or lab.share}; Pseudo = /share; Access_Type = RW; Squash = No_root_squash; SecType = sys;
  Protocols = {'3, 4' if host == 'server' else '4'}; Transports = UDP, TCP;
  FSAL {{ {fsal} }}
}}
""")
    with lab.net.serve("ganesha.nfsd", "-F", "-f", conf, "-L", os.path.join(home, "log"), "-p", os.path.join(home, "pid"), port=2049, host=host) as p:
        yield p
