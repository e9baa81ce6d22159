"""The limit of what one person uploads: each file counts with all its bytes before it is read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self

from clients.database import Database
from rules.access import Actor
from rules.cases import limits
from rules.clock import now
from services import rate_limits
from services.files.intake import Incoming


@dataclass
class _Counted:
    """Passes the chunks on and counts their bytes."""

    chunks: AsyncIterator[bytes]
    octets: int = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self.chunks)
        self.octets += len(piece)
        return piece


@asynccontextmanager
async def counted(
    database: Database, actor: Actor, incoming: Incoming, most: int
) -> AsyncIterator[Incoming]:
    """The file, to be read inside the block. At most `most` bytes of it are read.

    The allowance for all its bytes is taken first, and what did not come is given back, so that
    many files at once cannot exceed the limit. A file that is refused half-read counts fully: the
    rest of a form is read here, and the rest of a body is on its way. Raises Refusal 429 before a
    byte is read.
    """
    room = most if incoming.size is None else incoming.size if incoming.size <= most else 0
    whom = str(actor.person_id)
    async with database.work() as session:
        allowances = [
            (limits.UPLOADED_FILES, whom),
            (replace(limits.UPLOADED_OCTETS, cost=room), whom),
        ]
        wait = await rate_limits.take(session, allowances, now())
        if wait:
            raise limits.too_many_uploads(wait)
    pieces = _Counted(aiter(incoming.chunks))
    try:
        yield replace(incoming, chunks=pieces, giver=actor.person_id)
        if incoming.size is not None:
            pieces.octets = max(pieces.octets, room)
        while pieces.octets < room and await anext(pieces, None) is not None:
            pass
    finally:
        if pieces.octets != room:
            unused = replace(limits.UPLOADED_OCTETS, cost=room - pieces.octets)
            async with database.work() as session:
                await rate_limits.give_back(session, [(unused, whom)])
