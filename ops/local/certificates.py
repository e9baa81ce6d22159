"""The certificate by which `make up` opens the cabinet by https: `tls` in the home."""

from pathlib import Path

import certifi

from crypto.front_door import lasts, new_door
from ops.local.home import Home
from rules.clock import now

AUTHORITY, CERTIFICATE, KEY = "authority.pem", "door.pem", "door.key"
AUTHORITIES = "authorities.pem"
"""The authority beside those that everybody trusts: for programs of ours that call the cabinet."""


def door_folder(home: Home) -> Path:
    """The folder with the files of the door; they are made anew a month before they end."""
    folder = home.folder / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    if _good(folder / CERTIFICATE):
        return folder
    made = new_door(now())
    trusted = Path(certifi.where()).read_text() + made.authority
    for name, text in ((KEY, made.key), (AUTHORITY, made.authority), (AUTHORITIES, trusted)):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(text)
    # Last: while it is missing or ends, all are made anew.
    (folder / CERTIFICATE).write_text(made.certificate)
    return folder


def _good(certificate: Path) -> bool:
    try:
        return lasts(certificate.read_bytes(), now())
    except (FileNotFoundError, ValueError):
        return False
