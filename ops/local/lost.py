"""Which data a home has lost. A start would make it anew, empty, beside what is left."""

import json
import os

from ops.local.home import BACKUP_RECORD, Home
from ops.local.servers.minio import BUCKET
from ops.local.servers.postgres import occupied
from ops.local.system import GIVEN_BY
from services.journal.checkpoint_files import has_checkpoints

KEYS, DATABASE, OBJECTS = "keys", "database", "objects"
"""As `medcab restore --part` names them."""


def refusal(home: Home) -> str | None:
    """Why nothing may start here, with the remedy; None where nothing was lost.

    A first start finds nothing at all, or what an interrupted one left: that is no loss.
    """
    lost = lost_parts(home)
    if not lost:
        return None
    options = "".join(f" --part {part}" for part in lost)
    return (
        f"This home has lost a part of its data ({', '.join(lost)}), and starting would make an "
        "empty one in its place,\nbeside what is left of the old. Nothing was started. Bring it "
        f"back:\n\n    medcab restore {_backups(home)}{options}\n    medcab reconcile\n\n"
        "docs/backup.md says more. To give up what was here and begin anew: `medcab reset`."
    )


def lost_parts(home: Home) -> list[str]:
    """The parts that were here and are gone. Temporal's is not among them: its runs begin anew."""
    ours = {name for name, variable in GIVEN_BY.items() if variable not in os.environ}
    objects = home.folder / "minio" / BUCKET
    checkpoints = has_checkpoints(home.folder)
    # Only an installation that worked has made a checkpoint, taken a file in, or was backed up.
    worked = (
        checkpoints
        or (objects.exists() and any(objects.iterdir()))
        or (home.folder / BACKUP_RECORD).exists()
    )
    tables = occupied(home)
    lost: list[str] = []
    if "MEDCAB_KEYS" not in os.environ and not (home.folder / "secrets.json").exists():
        lost += [KEYS] if tables or worked else []
    if "postgres" in ours and worked and not tables:
        lost.append(DATABASE)
    if "minio" in ours and checkpoints and not objects.exists():
        # The folder above is there where only the disk that was mounted on it is lost.
        lost.append(OBJECTS)
    return lost


def _backups(home: Home) -> str:
    try:
        return str(json.loads((home.folder / BACKUP_RECORD).read_text())["folder"])
    except (OSError, ValueError, KeyError):
        return "FOLDER-OF-THE-BACKUPS"
