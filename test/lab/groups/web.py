"""HTTP and WebDAV: nginx and Python's server with curl and wget."""

import urllib.parse

from scoring import Move

ALL = "--all",  # small answers and page parts are left out otherwise
SHOWN = "kilo.bin", "kilo.txt", "hundred.bin", "hundred.txt", "mega.bin", "mega.txt", "twenty.bin", "twenty.txt", \
    "two words & (more).txt", "naïve файл.dat", "it's;odd#100%.bin"  # answers under 512 bytes are no files: docs/formats.md


def rows(lab):
    with lab.net.serve("nginx", "-c", settings(lab), "-e", "stderr", port=80):
        whole(lab)
        parts(lab)
        dav(lab)
    posts(lab)
    simple(lab)


def settings(lab):
    return lab.write("nginx.conf", f"""
daemon off; master_process off; user root; pid {lab.work}/nginx.pid; error_log {lab.work}/nginx.log;
events {{ }}
http {{
  access_log off; client_body_temp_path {lab.folder('nginx')}; client_max_body_size 0; default_type application/octet-stream;
  types {{ text/plain txt; }}
  gzip_types text/plain; gzip_min_length 500;
  server {{
    listen 80; root {lab.share};
    dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on;
    location /packed/ {{ alias {lab.share}/; gzip on; }}
  }}
}}
""")


def url(lab, name, folder=""):
    return f"http://{lab.net.server_ip}/{folder}{urllib.parse.quote(name)}"


def whole(lab):
    run = lab.net.run
    lab.fresh()
    lab.row("curl, nginx", "PUT", lambda: [run("curl", "-sSf", "-T", f.path, url(lab, f.name)) for f in lab.files],
            [Move(f, "push") for f in lab.files], ALL, lab.share)
    files = lab.pick(*SHOWN)
    lab.fresh(files)
    lab.row("curl, nginx", "GET, a connection each", lambda: [run("curl", "-sSf", "-o", f"{lab.got}/{f.name}", url(lab, f.name)) for f in files],
            [Move(f, "pull") for f in files], ALL, lab.got)
    lab.fresh(files)
    many = [a for f in files for a in ("-o", f"{lab.got}/{f.name}", url(lab, f.name))]
    lab.row("curl, nginx", "GET, one connection", lambda: run("curl", "-sSf", *many), [Move(f, "pull") for f in files], ALL, lab.got)
    texts = lab.pick("kilo.txt", "hundred.txt", "mega.txt", "twenty.txt")
    lab.fresh(texts)
    lab.row("curl --compressed, nginx", "GET, gzip", lambda: [run("curl", "-sSf", "--compressed", "-o", f"{lab.got}/{f.name}", url(lab, f.name, "packed/")) for f in texts],
            [Move(f, "pull", fields={"content_encoding": "gzip"}) for f in texts], ALL, lab.got)
    lab.fresh(files)
    lab.row("wget, nginx", "GET", lambda: run("wget", "-q", "-P", lab.got, "--restrict-file-names=nocontrol", *[url(lab, f.name) for f in files]),
            [Move(f, "pull") for f in files], ALL, lab.got)
    lab.fresh(files)
    user = f"http://alice:secret@{lab.net.server_ip}/"
    lab.row("curl, nginx", "GET with a password", lambda: run("curl", "-sSf", "-o", f"{lab.got}/mega.bin", user + "mega.bin"),
            [Move(lab.pick("mega.bin")[0], "pull", user="alice")], ALL, lab.got)


def parts(lab):
    run, f = lab.net.run, lab.pick("mega.bin")[0]
    lab.fresh([f])

    def resumed():
        run("curl", "-sSf", "-r", "0-399999", "-o", f"{lab.got}/{f.name}", url(lab, f.name))
        run("curl", "-sSf", "-C", "-", "-o", f"{lab.got}/{f.name}", url(lab, f.name))

    lab.row("curl -C -, nginx", "GET gone on with", resumed, [Move(f, "pull")], ALL, lab.got)
    lab.fresh([f])
    ranges = "0-299999,300000-699999,700000-999999"
    lab.row("curl -r, nginx", "GET of three ranges at once", lambda: run("curl", "-sSf", "-r", ranges, "-o", f"{lab.got}/parts", url(lab, f.name)),
            [Move(f, "pull")], ALL)
    lab.fresh([f])
    four = [f"{i * 250_000}-{i * 250_000 + 249_999}" for i in range(4)]
    lines = "".join(f'next\nurl = "{url(lab, f.name)}"\nrange = {r}\noutput = "{lab.got}/part{i}"\n' for i, r in enumerate(four))
    lab.row("curl -Z, nginx", "GET of four ranges on four connections", lambda: run("curl", "-sSf", "-Z", "--parallel-immediate", "-K", "-", stdin=lines.removeprefix("next\n")),
            [Move(f, "pull")], ALL)


def dav(lab):
    run, f = lab.net.run, lab.pick("hundred.bin")[0]
    lab.fresh()
    target = url(lab, "final name.bin")

    def moved():
        run("curl", "-sSf", "-T", f.path, url(lab, "upload.part"))
        run("curl", "-sSf", "-X", "MOVE", "-H", f"Destination: {target}", url(lab, "upload.part"))

    lab.row("curl, nginx", "PUT, then MOVE", moved, [Move(f, "push", name="final name.bin", fields={"earlier_names": ["upload.part"]})], ALL, lab.share)
    lab.fresh()
    chunked = lambda: run("sh", "-c", f"curl -sSf -T - {url(lab, f.name)} < {f.path}")
    lab.row("curl -T -, nginx", "PUT, chunked", chunked, [Move(f, "push")], ALL, lab.share)
    lab.fresh([f])
    copy = lambda: run("curl", "-sSf", "-X", "COPY", "-H", f"Destination: {url(lab, 'copy.bin')}", url(lab, f.name))
    lab.row("curl, nginx", "COPY on the server", copy, [Copied(f, "copy.bin")], ALL)


class Copied(Move):
    """A copy that the server makes: only its effect is seen."""

    verdict = "inferred"

    def __init__(self, file, name):
        super().__init__(file, "copy", name=name)

    def faults(self, transfers, net):
        copies = [t for t in transfers if t["operation"] == "copy"]
        for t in copies[:1]:
            transfers.remove(t)
            return [] if t["completeness"] == "inferred" and t["source"]["ip"] == net.server_ip else [f"copy: {t}"]
        return ["no copy seen"]


POST = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        n = int(self.headers.get("Content-Length", 0))
        while n > 0: n -= len(self.rfile.read(min(n, 1 << 16)))
        self.send_response(201); self.send_header("Content-Length", "0"); self.end_headers()
http.server.ThreadingHTTPServer(("", 8000), H).serve_forever()
"""


def posts(lab):
    with lab.net.serve("/usr/bin/python3", lab.write("post.py", POST), port=8000):
        files = [f for f in lab.files if not set(f.name) & set("\";,")]
        form = [a for f in files for a in ("-F", f"file=@{f.path}")]
        lab.fresh()
        lab.row("curl -F, Python", "POST of a form", lambda: lab.net.run("curl", "-sSf", *form, f"http://{lab.net.server_ip}:8000/upload"),
                [Move(f, "push") for f in files], ALL)
        f = lab.pick("mega.bin")[0]
        lab.row("curl --data-binary, Python", "POST", lambda: lab.net.run("curl", "-sSf", "--data-binary", "@" + f.path, f"http://{lab.net.server_ip}:8000/drop"),
                [Move(f, "push", name="drop")], ALL)


def simple(lab):
    """HTTP/1.0: the end of the connection is the end of the file."""
    files = lab.pick(*SHOWN)
    lab.fresh(files)
    with lab.net.serve("/usr/bin/python3", "-m", "http.server", "8000", "-d", lab.share, port=8000):
        get = lambda: [lab.net.run("curl", "-sSf", "-o", f"{lab.got}/{f.name}", f"http://{lab.net.server_ip}:8000/{urllib.parse.quote(f.name)}") for f in files]
        lab.row("curl, Python http.server", "GET, HTTP/1.0", get, [Move(f, "pull") for f in files], ALL, lab.got)
