"""How much one person sends: every file counts before it is read, with room for all its bytes."""

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
    """Passes the pieces on and counts their bytes."""

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
    """The file, to be read inside. `most` is how many bytes of it are read at most.

    Room for the whole is taken first and what did not come is given back, so of many files at once
    no more pass than one after the other. A file that is refused half read counts whole: of a form
    the rest is read here, of a body it is on its way. Raises Refusal 429 before a byte is read.
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
        yield replace(incoming, chunks=pieces)
        if incoming.size is not None:
            pieces.octets = max(pieces.octets, room)
        while pieces.octets < room and await anext(pieces, None) is not None:
            pass
    finally:
        if pieces.octets != room:
            unused = replace(limits.UPLOADED_OCTETS, cost=room - pieces.octets)
            async with database.work() as session:
                await rate_limits.give_back(session, [(unused, whom)])
