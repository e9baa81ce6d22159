"""The folder where an installation on one machine keeps its data, secrets and records."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

RESTORED = "restored.json"
"""A file in a home that was restored and not reconciled yet: nobody may work there."""

BACKUP_RECORD = "backup.json"
"""A file in a home that says where its backups go."""

CHECKOUT = Path(__file__).resolve().parents[2]


def default_home() -> Path:
    """`MEDCAB_HOME`, or `.medcab` in the checkout."""
    return Path(os.environ.get("MEDCAB_HOME") or CHECKOUT / ".medcab").resolve()


@dataclass(frozen=True)
class Secrets:
    """Made once per installation by the system's random source; never printed."""

    postgres_superuser: str
    postgres_owner: str
    postgres_app: str
    minio_user: str
    minio_password: str
    minio_kms: str
    minio_account_password: str
    keys: str
    seal_password: str
    gov_service_secret: str
    personnel_token: str
    personnel_secret: str
    laboratory_token: str
    laboratory_secret: str
    sms_token: str
    sms_secret: str
    mail_callback_secret: str
    vapid_key: str
    postgres_backup: str
    backup_key: str

    @classmethod
    def fresh(cls) -> "Secrets":
        """New secrets."""
        return cls(
            postgres_superuser=secrets.token_urlsafe(24),
            postgres_owner=secrets.token_urlsafe(24),
            postgres_app=secrets.token_urlsafe(24),
            minio_user="medcab",
            minio_password=secrets.token_urlsafe(24),
            minio_kms=f"medcab:{_key()}",
            minio_account_password=secrets.token_urlsafe(24),
            keys=f"k1:{_key()}",
            seal_password=secrets.token_urlsafe(24),
            gov_service_secret=f"whsec_{_key()}",
            personnel_token=secrets.token_urlsafe(24),
            personnel_secret=f"whsec_{_key()}",
            laboratory_token=secrets.token_urlsafe(24),
            laboratory_secret=f"whsec_{_key()}",
            sms_token=secrets.token_urlsafe(24),
            sms_secret=f"whsec_{_key()}",
            mail_callback_secret=f"whsec_{_key()}",
            vapid_key=_vapid_key(),
            postgres_backup=secrets.token_urlsafe(24),
            backup_key=_key(),
        )


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _vapid_key() -> str:
    """A private key of P-256 as web push writes it: any 32 bytes below the order of the curve."""
    number = 1 + secrets.randbelow(2**255)
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


class Home:
    """`./.medcab`. Other accounts may pass through it to data of their own, but read nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @property
    def logs(self) -> Path:
        """The servers' logs."""
        return self.folder / "logs"

    @property
    def record_file(self) -> Path:
        """The record of what runs now; see `record`."""
        return self.folder / "running.json"

    def make(self) -> None:
        """Create the folder.

        A server that runs under another account must be able to pass through it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        self.logs.mkdir(mode=0o700, exist_ok=True)

    def secrets(self) -> Secrets:
        """The installation's secrets, made at the first call."""
        path = self.folder / "secrets.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        names = [each.name for each in fields(Secrets)]
        whole = asdict(Secrets.fresh()) | {name: known[name] for name in names if name in known}
        if whole != known:
            write_private(path, whole)
        return Secrets(**whole)

    @property
    def _ports_file(self) -> Path:
        return self.folder / "ports.json"

    def ports(self) -> list[int]:
        """The ports at which the cabinet was open before, the first one first.

        Links given out lead there.
        """
        known: list[int] = (
            json.loads(self._ports_file.read_text()) if self._ports_file.exists() else []
        )
        return known

    def keep_port(self, port: int) -> None:
        """Remember a port that people have been given links to."""
        if port not in (known := self.ports()):
            write_private(self._ports_file, [*known, port])

    def record(self, running: dict[str, Any]) -> None:
        """Store what runs, so that `status`, `down` and the next start find it."""
        write_private(self.record_file, running)

    def record_targets(self, targets: list[dict[str, Any]]) -> None:
        """Store the targets of Prometheus, for its `file_sd_configs`."""
        write_private(self.folder / "prometheus.json", targets)

    def recorded(self) -> dict[str, Any]:
        """The last record of what runs; empty when there is none."""
        try:
            told: dict[str, Any] = json.loads(self.record_file.read_text())
        except (OSError, ValueError):
            return {}
        return told

    def forget(self) -> None:
        """Remove the record: nothing runs any more."""
        self.record_file.unlink(missing_ok=True)

    @contextmanager
    def taken(self, place: str = "lock") -> Iterator[bool]:
        """Hold a place for one process, usually the supervisor: False while another holds it."""
        self.make()
        with (self.folder / place).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def write_private(path: Path, content: Any) -> None:
    """Write JSON that only the owner can read; readers see the old or the new, never a half."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
