"""What the simulated gov service stores: messages by their id, answers, callbacks still to be made.

A file of SQLite keeps it over restarts, as a real service would.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

FINAL = ("answered", "refused")
WITHDRAWN = "withdrawn"
CALLBACK_TRIES = 12
_TABLES = """
create table if not exists message (
    id text primary key, service text not null, number text not null, version integer not null,
    digest text not null, request blob not null, callback text not null, state text not null,
    at text not null, taken real not null, handed_over integer not null default 1,
    answers integer not null default 0, envelope blob, reason text
);
create table if not exists callback (
    id text primary key, message text not null, body blob not null, sign text not null,
    due real not null, tries integer not null default 0, done text
);
"""


@dataclass(frozen=True)
class KeptMessage:
    """One message. `request` is the decrypted request, `at` the time when its state was reached."""

    id: UUID
    service: str
    number: str
    version: int
    digest: str
    request: bytes
    callback: str
    state: str
    at: datetime
    taken: float
    handed_over: int
    answers: int
    envelope: bytes | None
    reason: str | None


@dataclass(frozen=True)
class Callback:
    """One callback to be made; `sign` says how it is signed, or signed wrongly."""

    id: str
    message: UUID
    body: bytes
    sign: str
    tries: int
    address: str


class Messages:
    """The messages of one gov service."""

    def __init__(self, file: Path | None) -> None:
        self._line = sqlite3.connect(file or ":memory:", isolation_level=None)
        self._line.row_factory = sqlite3.Row
        self._line.executescript(_TABLES)

    @contextmanager
    def _together(self) -> Iterator[None]:
        self._line.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._line.execute("rollback")
            raise
        self._line.execute("commit")

    def get(self, id_: UUID) -> KeptMessage | None:
        """The message with this id."""
        row = self._line.execute("select * from message where id = ?", [str(id_)]).fetchone()
        return _kept(row) if row else None

    def all(self) -> list[KeptMessage]:
        """Newest first."""
        rows = self._line.execute("select * from message order by taken desc, rowid desc")
        return [_kept(row) for row in rows]

    def open_ones(self) -> list[KeptMessage]:
        """Messages that are not answered yet."""
        rows = self._line.execute(
            "select * from message where state not in (?, ?, ?)", [*FINAL, WITHDRAWN]
        )
        return [_kept(row) for row in rows]

    @property
    def busy(self) -> bool:
        """Whether a message is not answered yet, or a callback still to be made."""
        found = self._line.execute(
            "select exists (select 1 from message where state not in (?, ?, ?))"
            " or exists (select 1 from callback where done is null)",
            [*FINAL, WITHDRAWN],
        )
        return bool(found.fetchone()[0])

    def take(self, kept: KeptMessage) -> None:
        """Store a new message."""
        self._line.execute(
            "insert into message (id, service, number, version, digest, request, callback, state,"
            " at, taken) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                str(kept.id),
                kept.service,
                kept.number,
                kept.version,
                kept.digest,
                kept.request,
                kept.callback,
                kept.state,
                kept.at.isoformat(),
                kept.taken,
            ],
        )

    def handed_over_again(self, id_: UUID) -> None:
        """Count that the same message came once more."""
        self._line.execute(
            "update message set handed_over = handed_over + 1 where id = ?", [str(id_)]
        )

    def reach(
        self,
        id_: UUID,
        state: str,
        at: datetime,
        *,
        envelope: bytes | None = None,
        reason: str | None = None,
        callbacks: list[tuple[bytes, str, float]],
    ) -> None:
        """Move a message to a state, and store its callbacks: body, how to sign, when they are due.

        A message that was withdrawn meanwhile stays as it is.
        """
        with self._together():
            moved = self._line.execute(
                "update message set state = ?, at = ?, envelope = ?, reason = ?,"
                " answers = answers + ? where id = ? and state <> ?",
                [
                    state,
                    at.isoformat(),
                    envelope,
                    reason,
                    int(state in FINAL),
                    str(id_),
                    WITHDRAWN,
                ],
            )
            if not moved.rowcount:
                return
            for body, sign, due in callbacks:
                self._line.execute(
                    "insert into callback (id, message, body, sign, due) values (?, ?, ?, ?, ?)",
                    [f"msg_{uuid4().hex}", str(id_), body, sign, due],
                )

    def withdraw(self, id_: UUID, at: datetime) -> None:
        """Stop working on a message that is not answered yet, and drop its callbacks."""
        with self._together():
            moved = self._line.execute(
                "update message set state = ?, at = ? where id = ? and state not in (?, ?, ?)",
                [WITHDRAWN, at.isoformat(), str(id_), *FINAL, WITHDRAWN],
            )
            if moved.rowcount:
                self._line.execute(
                    "update callback set done = ? where message = ? and done is null",
                    [WITHDRAWN, str(id_)],
                )

    def due_callbacks(self) -> list[Callback]:
        """The callbacks to be made now."""
        rows = self._line.execute(
            "select callback.*, message.callback as address from callback"
            " join message on message.id = callback.message"
            " where done is null and due <= ? order by due",
            [time.time()],
        )
        return [
            Callback(
                row["id"],
                UUID(row["message"]),
                row["body"],
                row["sign"],
                row["tries"],
                row["address"],
            )
            for row in rows
        ]

    def called(self, callback: Callback, outcome: str, again: bool) -> None:
        """Store the outcome of a callback.

        With `again` it is made later once more, up to a limit.
        """
        tries = callback.tries + 1
        last = not again or tries >= CALLBACK_TRIES
        self._line.execute(
            "update callback set tries = ?, due = ?, done = ? where id = ?",
            [tries, time.time() + min(0.5 * 2**tries, 60), outcome if last else None, callback.id],
        )

    def outcomes(self, id_: UUID) -> list[str | None]:
        """How the callbacks about a message ended; None for those still to be made."""
        rows = self._line.execute(
            "select done from callback where message = ? order by rowid", [str(id_)]
        )
        return [row["done"] for row in rows]

    def forget(self) -> None:
        """Lose everything, as a service without a backup would."""
        with self._together():
            self._line.execute("delete from callback")
            self._line.execute("delete from message")

    def close(self) -> None:
        """Close the file."""
        self._line.close()


def _kept(row: sqlite3.Row) -> KeptMessage:
    facts = dict(row)
    return KeptMessage(
        **{
            **facts,
            "id": UUID(facts["id"]),
            "at": datetime.fromisoformat(facts["at"]).astimezone(UTC),
        }
    )
