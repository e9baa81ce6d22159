"""Which process a case follows, by its kind."""

from collections.abc import Mapping

from rules.applications import APPLICATION
from rules.cases import CaseKind, Process
from rules.requests import REQUEST

PROCESSES: Mapping[CaseKind, Process] = {one.kind: one for one in (APPLICATION, REQUEST)}


def process_of(kind: str) -> Process:
    """The process of a stored kind. Raises ValueError for an unknown one."""
    return PROCESSES[CaseKind(kind)]
