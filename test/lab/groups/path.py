"""A bad path between the hosts: narrow, with short packets and losses. Some of each protocol once more."""

from scoring import Move

from . import smb, ssh, web

FEW = "hundred.bin", "mega.txt", "mega.bin"


def rows(lab):
    run = lab.net.run
    files = lab.pick(*FEW)
    with lab.net.bad_path():
        with lab.net.serve("nginx", "-c", web.settings(lab), "-e", "stderr", port=80):
            lab.fresh(files)
            lab.row("curl, nginx", "GET, bad path", lambda: [run("curl", "-sSf", "-o", f"{lab.got}/{f.name}", web.url(lab, f.name)) for f in files],
                    [Move(f, "pull") for f in files], web.ALL, lab.got)
            lab.fresh()
            lab.row("curl, nginx", "PUT, bad path", lambda: [run("curl", "-sSf", "-T", f.path, web.url(lab, f.name)) for f in files],
                    [Move(f, "push") for f in files], web.ALL, lab.share)
        with smb.server(lab):
            for dialect in "NT1", "SMB3_11":
                smb.plain(lab, dialect, "bad path", files=files)
        shells(lab)


def shells(lab):
    s = ssh.Shell(lab)
    run = lab.net.run
    with s.openssh():
        for cipher in "chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com":
            how = [*s.options, "-c", cipher]
            word = f"{cipher.split('@')[0]}, bad path"
            s.each("OpenSSH scp", f"push, {word}", FEW, "push", lambda f, far, got: run("scp", "-q", *how, f.path, f"{s.host}:{far}"))
            s.each("OpenSSH scp", f"pull, {word}", FEW, "pull", lambda f, far, got: run("scp", "-q", *how, f"{s.host}:{far}", got))
        ssh.terminal(s, "terminal, bad path")
