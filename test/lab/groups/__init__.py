"""What is moved: one module a protocol, each a function that takes the lab and adds its rows."""

from . import ftp, nfs, path, raw, rsync, smb, ssh, tftp, vpn, web

ALL = {
    "smb": smb.rows, "nfs": nfs.rows, "ftp": ftp.rows, "tftp": tftp.rows, "web": web.rows,
    "raw": raw.rows, "rsync": rsync.rows, "ssh": ssh.rows, "vpn": vpn.rows, "path": path.rows,
}
