"""Parts of a patient's page that other subjects draw, and where their lines of history lead.

A subject registers its block with a template of its own; the template reads `block.contents`. Of
its lines of history it says where each leads.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cabinet.frame.visits import Visit
from cabinet.records.views import BlockView
from clients.database import DatabaseSession
from services.records.history import ENTRIES, HistoryEvent
from services.records.lab import RESULTS
from services.records.page import PatientHead
from words.translation import gettext as _

Build = Callable[[Visit, DatabaseSession, PatientHead], Awaitable[Any]]
"""What the template of a block shows of a patient; None leaves the block out."""
Leads = Callable[[UUID, HistoryEvent], str]


@dataclass(frozen=True)
class Block:
    """A part of the page. `title` is a msgid; the lowest order comes first."""

    key: str
    order: int
    title: str
    template: str
    build: Build


_BLOCKS: dict[str, Block] = {}
_LEADS: dict[str, Leads] = {}


def block(one: Block) -> None:
    """Let a subject draw a part of the patient's page."""
    _BLOCKS[one.key] = one


def leads(source: str, where: Leads) -> None:
    """Say where the lines of a source of history lead."""
    _LEADS[source] = where


async def built(visit: Visit, session: DatabaseSession, head: PatientHead) -> Sequence[BlockView]:
    """All blocks of a patient, in their order."""
    made = []
    for one in sorted(_BLOCKS.values(), key=lambda each: each.order):
        contents = await one.build(visit, session, head)
        if contents is not None:
            made.append(BlockView(one.key, _(one.title), one.template, contents))
    return made


def address(patient_id: UUID, line: HistoryEvent) -> str:
    """Where a line of history leads; empty for one that leads nowhere."""
    where = _LEADS.get(line.source)
    return where(patient_id, line) if where else ""


def entry_url(patient_id: UUID, entry_id: UUID) -> str:
    """The page of an entry."""
    return f"/patients/{patient_id}/entries/{entry_id}"


leads(ENTRIES, lambda patient_id, line: entry_url(patient_id, line.ref))
leads(RESULTS, lambda _patient_id, line: f"/results/{line.ref}")
