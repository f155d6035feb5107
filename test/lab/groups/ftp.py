"""FTP: pyftpdlib and vsftpd with curl, lftp, tnftp and wget."""

import os
import urllib.parse

from scoring import Move, Sealed

SERVER = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
handler = FTPHandler
handler.authorizer = DummyAuthorizer()
handler.authorizer.add_user("alice", "secret", sys.argv[1], perm="elradfmwMT")
FTPServer(("", 21), handler).serve_forever()
"""


def rows(lab):
    with lab.net.serve("/usr/bin/python3", lab.write("ftpd.py", SERVER), lab.share, port=21):
        curl(lab, "pyftpdlib", "alice:secret", "alice")
        clients(lab)
        odd(lab)
    conf = lab.write("vsftpd.conf", f"""
listen=YES
background=NO
anonymous_enable=YES
no_anon_password=NO
anon_root={lab.work}
anon_upload_enable=YES
anon_other_write_enable=YES
anon_mkdir_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
write_enable=YES
local_enable=NO
seccomp_sandbox=NO
xferlog_enable=NO
secure_chroot_dir={lab.folder('empty')}
""")
    os.chmod(lab.share, 0o777)
    with lab.net.serve("vsftpd", conf, port=21):
        curl(lab, "vsftpd", "anonymous:a@b", "anonymous", "share/")
    secret(lab, conf)


def url(lab, f, folder):
    return f"ftp://{lab.net.server_ip}/{folder}{urllib.parse.quote(f.name)}"


def curl(lab, server, login, user, folder=""):
    run = lab.net.run
    for word, extra in ("passive", []), ("PASV", ["--disable-epsv"]), ("active", ["-P", "-"]), ("PORT", ["-P", "-", "--disable-eprt"]):
        lab.fresh()
        lab.row(f"curl, {server}", f"STOR, {word}", lambda: [run("curl", "-sSf", "-u", login, *extra, "-T", f.path, url(lab, f, folder)) for f in lab.files],
                [Move(f, "push", user) for f in lab.files], (), lab.share)
        lab.fresh(lab.files)
        many = [a for f in lab.files for a in ("-o", f"{lab.got}/{f.name}", url(lab, f, folder))]
        # curl makes no file of nothing.
        lab.row(f"curl, {server}", f"RETR, {word}", lambda: run("curl", "-sSf", "-u", login, *extra, *many),
                [Move(f, "pull", user) for f in lab.files], (), None)


def clients(lab):
    run, at = lab.net.run, lab.net.server_ip
    files = [f for f in lab.files if '"' not in f.name]
    lab.fresh()
    lab.row("lftp, pyftpdlib", "mput", lambda: run("lftp", "-c", f"set ftp:ssl-allow no; open -u alice,secret {at}; lcd {lab.sent}; mput *"),
            [Move(f, "push", "alice") for f in lab.files], (), lab.share)
    lab.fresh(lab.files)
    lab.row("lftp, pyftpdlib", "mget", lambda: run("lftp", "-c", f"set ftp:ssl-allow no; open -u alice,secret {at}; lcd {lab.got}; mget *"),
            [Move(f, "pull", "alice") for f in lab.files], (), lab.got)
    plain = [f for f in files if f.name.isascii() and not set(f.name) & set(" ;'#")]
    script = f"open {at}\nuser alice secret\nbinary\nlcd {lab.sent}\n" + "".join(f"put {f.name}\n" for f in plain) + "bye\n"
    lab.fresh()
    lab.row("tnftp, pyftpdlib", "put", lambda: run("tnftp", "-n", "-v", stdin=script), [Move(f, "push", "alice") for f in plain], (), lab.share)
    lab.fresh(plain)
    script = f"open {at}\nuser alice secret\nbinary\nlcd {lab.got}\n" + "".join(f"get {f.name}\n" for f in plain) + "bye\n"
    lab.row("tnftp -A, pyftpdlib", "get, active", lambda: run("tnftp", "-A", "-n", "-v", stdin=script), [Move(f, "pull", "alice") for f in plain], (), lab.got)
    lab.fresh(plain)
    lab.row("wget, pyftpdlib", "get", lambda: run("wget", "-q", "-P", lab.got, *[f"ftp://alice:secret@{at}/{f.name}" for f in plain]),
            [Move(f, "pull", "alice") for f in plain], (), lab.got)


def odd(lab):
    """Resumed, appended, renamed."""
    run, at, f = lab.net.run, lab.net.server_ip, lab.pick("mega.bin")[0]
    login = ["curl", "-sSf", "-u", "alice:secret"]

    big = lab.pick("twenty.bin")[0]

    def resumed():
        """The first one breaks the data connection off after 400,000 bytes."""
        run(*login, "-r", "0-399999", "-o", f"{lab.got}/{big.name}", url(lab, big, ""), fails=True)
        run(*login, "-C", "-", "-o", f"{lab.got}/{big.name}", url(lab, big, ""))

    lab.fresh([big])
    lab.row("curl -C -, pyftpdlib", "RETR gone on with (REST)", resumed, [Move(big, "pull", "alice")], (), lab.got)
    lab.fresh()
    lab.row("curl -Q, pyftpdlib", "STOR, then RNTO", lambda: run(*login, "-Q", "-RNFR mega.bin", "-Q", "-RNTO done.bin", "-T", f.path, url(lab, f, "")),
            [Move(f, "push", "alice", name="done.bin")], (), lab.share)
    text = lab.pick("hundred.txt")[0]
    lab.fresh()
    with open(f"{lab.share}/{text.name}", "wb") as before:
        before.write(b"x" * 1000)
    lab.row("curl -a, pyftpdlib", "APPE", lambda: run(*login, "-a", "-T", text.path, url(lab, text, "")), [Move(text, "push", "alice")])


def secret(lab, conf):
    """FTP over TLS: a session is one opaque transfer."""
    run, key = lab.net.run, os.path.join(lab.work, "ftps.pem")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", key + ".crt", "-subj", "/CN=lab", "-days", "2")
    with open(conf) as plain:
        text = plain.read()
    secure = lab.write("vsftpd-tls.conf", text + f"ssl_enable=YES\nallow_anon_ssl=YES\nrsa_cert_file={key}.crt\nrsa_private_key_file={key}\nrequire_ssl_reuse=NO\nssl_ciphers=HIGH\n")
    tls = ["curl", "-sSfk", "--ssl-reqd", "-u", "anonymous:a@b"]
    with lab.net.serve("vsftpd", secure, port=21):
        files = lab.pick("hundred.bin", "mega.bin", "twenty.bin")
        lab.fresh()
        lab.row("curl --ssl-reqd, vsftpd", "STOR over TLS", lambda: [run(*tls, "-T", f.path, url(lab, f, "share/")) for f in files], [Sealed(f.size, "push", "ftp") for f in files])
        lab.fresh(files)
        lab.row("curl --ssl-reqd, vsftpd", "RETR over TLS", lambda: [run(*tls, "-o", f"{lab.got}/{f.name}", url(lab, f, "share/")) for f in files], [Sealed(f.size, "pull", "ftp") for f in files])
