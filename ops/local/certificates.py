"""The certificate by which `make up` opens the cabinet by https: `tls` in the home."""

from pathlib import Path

from crypto.front_door import lasts, new_door
from ops.local.home import Home
from rules.clock import now

AUTHORITY, CERTIFICATE, KEY = "authority.pem", "door.pem", "door.key"


def door_folder(home: Home) -> Path:
    """The folder with the files of the door; they are made anew a month before they end."""
    folder = home.folder / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    if _good(folder / CERTIFICATE):
        return folder
    made = new_door(now())
    for name, text in ((KEY, made.key), (AUTHORITY, made.authority)):
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
