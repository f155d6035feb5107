"""TFTP: tftpd-hpa with tftp-hpa, atftp and curl."""

from scoring import Move

NAMES = "empty.bin", "one.bin", "kilo.bin", "kilo.txt", "hundred.bin", "hundred.txt", "mega.bin", "mega.txt"


def rows(lab):
    run, at = lab.net.run, lab.net.server_ip
    files = lab.pick(*NAMES)
    big = lab.pick("twenty.bin")[0]
    with lab.net.serve("in.tftpd", "-L", "-c", "--permissive", "-u", "root", "-s", lab.share, port=69):
        def row(program, exchange, operation, files, do):
            lab.fresh(files if operation == "pull" else ())
            lab.row(program, exchange, lambda: [do(f) for f in files], [Move(f, operation) for f in files], (), lab.got if operation == "pull" else lab.share)

        row("tftp-hpa", "put", "push", files, lambda f: run("tftp", "-m", "binary", at, "-c", "put", f.path, f.name))
        row("tftp-hpa", "get", "pull", files, lambda f: run("tftp", "-m", "binary", at, "-c", "get", f.name, f"{lab.got}/{f.name}"))
        row("tftp-hpa", "get, 20 MB", "pull", [big], lambda f: run("tftp", "-m", "binary", at, "-c", "get", f.name, f"{lab.got}/{f.name}"))
        row("curl", "put, blksize 512", "push", files[1:], lambda f: run("curl", "-sSf", "-T", f.path, f"tftp://{at}/{f.name}"))
        row("curl", "get, blksize 1400", "pull", files[1:], lambda f: run("curl", "-sSf", "--tftp-blksize", "1400", "-o", f"{lab.got}/{f.name}", f"tftp://{at}/{f.name}"))
        row("atftp", "put, blksize 8192", "push", files[1:], lambda f: run("atftp", "--option", "blksize 8192", "-p", "-l", f.path, "-r", f.name, at))
        row("atftp", "get", "pull", files[1:], lambda f: run("atftp", "-g", "-l", f"{lab.got}/{f.name}", "-r", f.name, at))
        odd = lab.pick("two words & (more).txt", "it's;odd#100%.bin", "naïve файл.dat")
        row("atftp", "get, odd names", "pull", odd, lambda f: run("atftp", "-g", "-l", f"{lab.got}/{f.name}", "-r", f.name, at))
