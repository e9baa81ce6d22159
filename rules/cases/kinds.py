"""The process of each kind of case."""

from collections.abc import Mapping

from rules.cases.applications import APPLICATION
from rules.cases.process import CaseKind, Process
from rules.cases.requests import REQUEST

PROCESSES: Mapping[CaseKind, Process] = {one.kind: one for one in (APPLICATION, REQUEST)}


SEEN_BY_HEADS = tuple(one.kind.value for one in PROCESSES.values() if one.seen_by_heads)
"""Kinds of case that the heads of the applicant's unit may see (I6)."""


def process_of(kind: str) -> Process:
    """The process of a kind as it is stored. Raises ValueError for an unknown one."""
    return PROCESSES[CaseKind(kind)]
