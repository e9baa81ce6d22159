"""How old the last backup is, and how far the archive of the log goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ops.backup.configuration import known
from ops.backup.stores.wal_state import read_state
from ops.local.home import Home
from rules.clock import now
from rules.operation.states import BACKUP_IS_OLD_AFTER
from settings import Settings

BEHIND_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Age:
    """When the last backup began, up to when its log is archived, and whether that is well."""

    text: str
    good: bool


def age(home: Home, settings: Settings, moment: datetime | None = None) -> Age:
    """How old the last backup is, as a line for people. Nothing is decrypted."""
    moment = moment or now()
    where = known(home, settings)
    last = where.repository.newest() if where else None
    if where is None or last is None:
        return Age("none yet", good=False)
    since = moment - last.manifest.begun_at
    text = f"the last one {_ago(since)} ago, in {where.folder}"
    state = read_state(where.repository, None)
    if state is not None:
        text += f"; any point until {_ago(moment - state.until)} ago can be restored"
    near = where.folder.is_relative_to(home.folder)
    if near:
        text += "; on the same disk as the data"
    return Age(text, good=since <= BACKUP_IS_OLD_AFTER and not near)


def keeps_up(home: Home, settings: Settings, moment: datetime | None = None) -> bool:
    """Whether the archive of the log is near the present. True before the first backup."""
    where = known(home, settings)
    last = where.repository.newest() if where else None
    if where is None or last is None:
        return True
    state = read_state(where.repository, None)
    until = max([last.manifest.ended_at, *([state.until] if state else [])])
    return (moment or now()) - until <= BEHIND_AFTER


def _ago(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86400} days"
