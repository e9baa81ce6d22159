"""How far the archive of the log goes. Reading this needs no server."""

import hmac
import json

import rfc8785
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from crypto.backup_files import BackupKey
from ops.backup.repository.manifest import Repository
from ops.local.home import write_private

STATE = "state.json"


class WalState(BaseModel):
    """Up to when the archive is complete, and the highest case number known to have been given."""

    model_config = ConfigDict(frozen=True)

    until: AwareDatetime
    last_number: int


def read_state(repository: Repository, key: BackupKey | None) -> WalState | None:
    """How far the archive goes; with a key, None unless the file is authentic."""
    try:
        whole = json.loads((repository.wal / STATE).read_text())
        state = WalState.model_validate(whole["state"])
        if key is not None and not hmac.compare_digest(
            key.sign(rfc8785.dumps(whole["state"])), str(whole["hmac"])
        ):
            return None
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
    return state


def write_state(repository: Repository, key: BackupKey, state: WalState) -> None:
    """Store how far the archive goes, authenticated by the key."""
    stated = state.model_dump(mode="json")
    write_private(
        repository.wal / STATE, {"state": stated, "hmac": key.sign(rfc8785.dumps(stated))}
    )
