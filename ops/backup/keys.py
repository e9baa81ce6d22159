"""Keys, backed up apart: encrypted for a recovery phrase that this machine does not know.

The phrase is 160 random bits that people keep on paper. An X25519 key is derived from it; the
machine keeps the public half and can so encrypt every night for a phrase that nobody types. What is
encrypted is everything without which the data cannot be read again: secrets, seal, the seals made.
"""

import base64
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pydantic import SecretStr

from crypto.recovery_phrase import RecoveryPhrase, key_for
from ops.backup import BackupError, DamagedError, WrongKeyError
from ops.backup.repository.encrypted_files import read_encrypted, sync_folder, write_encrypted
from ops.local.home import Home
from settings import Settings

SETTINGS = "settings.json"
SEAL_FILE = "seal-file.p12"
KEY_FOLDERS = ("keys", "seal", "seals", "module-keys")
_ENDING = ".keys"
_MAGIC = b"MEDCAB KEYS 1\n"
_PREFACE = len(_MAGIC) + 64
_NAME = "keys"


def recipient_of(phrase: str) -> str:
    """The public half of a phrase, as text. Raises BackupError for what is no phrase."""
    return base64.b64encode(_read(phrase).public).decode()


def _read(phrase: str) -> RecoveryPhrase:
    try:
        return RecoveryPhrase.read(phrase)
    except ValueError as error:
        raise BackupError(str(error)) from None


def back_up_keys(folder: Path, id_: str, recipient: str, home: Home, settings: Settings) -> Path:
    """Write the keys of an installation, encrypted, as one file. Raises BackupError."""
    try:
        public = base64.b64decode(recipient, validate=True)
        once, key = key_for(public)
    except ValueError:
        raise BackupError("the recipient of the keys is not the public half of a phrase") from None
    path = keys_file(folder, id_)
    write_encrypted(
        path, key, _NAME, [_packed(home, settings)], pack=True, preface=_MAGIC + public + once
    )
    return path


def keys_file(folder: Path, id_: str) -> Path:
    """Where the keys stand that were backed up with the backup of this id."""
    return folder / f"{id_}{_ENDING}"


def open_keys(folder: Path, phrase: str) -> dict[str, bytes]:
    """The newest backed-up keys by file name. Raises BackupError."""
    opening = _read(phrase)
    path = _newest(folder)
    if path is None:
        raise BackupError(f"there are no backed-up keys in {folder}: say where with --keys")
    recipient, once = _preface(path)
    if recipient != opening.public:
        raise WrongKeyError(f"{path.name} was encrypted for another recovery phrase")
    try:
        packed = b"".join(read_encrypted(path, opening.key_of(once), _NAME, skip=_PREFACE))
    except WrongKeyError:
        raise DamagedError(f"{path} was changed") from None
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = ((each, archive.extractfile(each)) for each in archive.getmembers())
        return {each.name: file.read() for each, file in found if file is not None}


def recipient_in(folder: Path) -> str:
    """For whom the newest backed-up keys are encrypted; empty without any. Raises DamagedError."""
    path = _newest(folder)
    return base64.b64encode(_preface(path)[0]).decode() if path is not None else ""


def _newest(folder: Path) -> Path | None:
    return max(folder.glob(f"[0-9]*{_ENDING}"), default=None)


def _preface(path: Path) -> tuple[bytes, bytes]:
    """The public half of the phrase, and the key of this file's own."""
    with path.open("rb") as file:
        preface = file.read(_PREFACE)
    if len(preface) < _PREFACE or not preface.startswith(_MAGIC):
        raise DamagedError(f"{path} does not hold backed-up keys")
    return preface[-64:-32], preface[-32:]


def _packed(home: Home, settings: Settings) -> bytes:
    told = ((name, getattr(settings, name)) for name in type(settings).model_fields)
    plain = {name: value.get_secret_value() for name, value in told if isinstance(value, SecretStr)}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        _put(archive, SETTINGS, json.dumps(plain, indent=2).encode())
        if settings.seal_file is not None:
            _put(archive, SEAL_FILE, settings.seal_file.read_bytes())
        for name in key_files(home):
            _put(archive, name, (home.folder / name).read_bytes())
    return packed.getvalue()


def _put(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


def key_files(home: Home) -> list[str]:
    """What of a home is a key, or proves by one: secrets, seals, what they signed, rings."""
    folders = (home.folder / name for name in KEY_FOLDERS)
    found = [home.folder / "secrets.json", *(each for one in folders for each in one.rglob("*"))]
    names = [each.relative_to(home.folder).as_posix() for each in found if each.is_file()]
    return sorted(filter(_is_key, names))


def differing(home: Home, keys: Mapping[str, bytes]) -> list[str]:
    """Files of the home that hold other keys than the backed-up ones; seals made only grow."""
    found = []
    for name, content in keys.items():
        path = home.folder / name
        if not _is_key(name) or not path.exists() or name.startswith("seals/"):
            continue
        if path.read_bytes() != content:
            found.append(name)
    return found


def put_keys(home: Home, keys: Mapping[str, bytes]) -> list[str]:
    """Write backed-up keys into the home, and say which; the others are kept as `.replaced`.

    Of the seals made, the longer file stays: they only grow.
    """
    home.make()
    written = []
    for name, content in keys.items():
        path = home.folder / name
        there = path.read_bytes() if path.exists() else b""
        longer = name.startswith("seals/") and len(there) > len(content)
        if not _is_key(name) or there == content or longer:
            continue
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if there:
            path.replace(path.with_name(f"{path.name}.replaced"))
        write_key(path, content)
        written.append(name)
    return written


def write_key(path: Path, content: bytes) -> None:
    """Write what only the owner may read, and be sure that it is there."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _is_key(name: str) -> bool:
    """A name that this archive may write into a home, and nothing else."""
    parts = PurePosixPath(name).parts
    plain = len(parts) > 1 and parts[0] in KEY_FOLDERS and ".." not in parts
    return name == "secrets.json" or (plain and parts[-1] != "lock")
