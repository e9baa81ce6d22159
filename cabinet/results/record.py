"""Results on the page of a patient: what waits, what is dangerous, and what was somebody else's."""

from collections.abc import Sequence
from dataclasses import dataclass

from cabinet.frame.visits import Visit
from cabinet.records.blocks import Block, block
from cabinet.results.views import LineView, line_view
from clients.database import DatabaseSession
from services.records.page import PatientHead
from services.results import seen, unmatched
from services.results.unmatched import TraceSeen

MOST = 10


@dataclass(frozen=True)
class ResultsBlock:
    """The newest results, and the traces of those that were taken out of the record."""

    lines: Sequence[LineView]
    traces: Sequence[TraceSeen]


async def build(visit: Visit, session: DatabaseSession, head: PatientHead) -> ResultsBlock | None:
    """What the block shows; nothing where nothing ever came. What is shown counts as read."""
    found = (await seen.of_patient(session, head.patients))[:MOST]
    traces = await unmatched.traces_of_patient(session, head.patients)
    if not found and not traces:
        return None
    await seen.read_of_patient(session, visit.actor, found, head.now)
    return ResultsBlock([line_view(one) for one in found], traces)


block(Block("results", 30, "Анализы", "results/block.html", build))
