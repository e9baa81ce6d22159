"""Which process a case follows, by its kind."""

from collections.abc import Mapping

from rules.cases.applications import APPLICATION
from rules.cases.process import CaseKind, Process
from rules.cases.requests import REQUEST

PROCESSES: Mapping[CaseKind, Process] = {one.kind: one for one in (APPLICATION, REQUEST)}


SEEN_BY_HEADS = tuple(one.kind.value for one in PROCESSES.values() if one.seen_by_heads)
"""Kinds whose cases the heads of the applicant's unit see (I6)."""


def process_of(kind: str) -> Process:
    """The process of a stored kind. Raises ValueError for an unknown one."""
    return PROCESSES[CaseKind(kind)]
