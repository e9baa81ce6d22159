"""What still needs a key: rows, histories of workflows, backups."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from ops.backup import configuration
from ops.keys.rotation import LEARNED, Installation
from rules.clock import now
from services.encrypted_values.rotation import UnderKeys, stored


@dataclass
class KeyUse:
    """A key of the ring, what it does, and what needs it."""

    id: str
    does: str
    since: datetime | None
    rows: list[str] = field(default_factory=list)
    histories: int = 0
    backups: list[str] = field(default_factory=list)

    @property
    def needed(self) -> list[str]:
        """Why it cannot be retired, in words; empty where nothing needs it."""
        found = [] if self.does == "reads" else [f"it {self.does}"]
        found += self.rows
        if self.histories:
            found.append(
                f"{self.histories} workflows that began under it; closed ones go with Temporal's"
                " retention"
            )
        return found + [f"the backup {name}" for name in self.backups]


async def key_uses(place: Installation) -> list[KeyUse]:
    """What each key of the ring does and is needed for, newest first.

    Raises SQLAlchemyError, RuntimeError and RPCError where a server does not answer.
    """
    ring = place.ring()
    async with place.engine() as engine, engine.connect() as connection:
        found = await stored(connection, ring)
    client = await connect(place.settings, ring)
    uses = []
    for key_id in ring.keys:
        use = _of_rows(ring, key_id, found)
        over = _replaced_at(ring, key_id)
        counted = await client.count_workflows(f"StartTime < '{over.isoformat()}'")
        use.histories = counted.count
        use.backups = _backups(place, over)
        uses.append(use)
    return uses


def _of_rows(ring: KeyRing, key_id: str, found: UnderKeys) -> KeyUse:
    does = "reads"
    if key_id == ring.in_use[0]:
        does = "encrypts"
    elif key_id not in ring.reads:
        does = "indexes"
    at = ring.since.get(key_id)
    since = datetime.fromtimestamp(at, UTC) if at else None
    return KeyUse(key_id, does, since, found.of(key_id))


def _replaced_at(ring: KeyRing, key_id: str) -> datetime:
    """When the next key took over; now, where that is not known or it has not happened."""
    newer = list(ring.keys)[: list(ring.keys).index(key_id)]
    at = min((ring.since[one] for one in newer if one in ring.since), default=None)
    if at is None:
        return now()
    return datetime.fromtimestamp(at, UTC) + timedelta(seconds=LEARNED)


def _backups(place: Installation, over: datetime) -> list[str]:
    places = configuration.known(place.home, place.settings)
    if places is None or not places.folder.exists():
        return []
    return [
        each.folder.name for each in places.repository.backups() if each.manifest.begun_at < over
    ]
