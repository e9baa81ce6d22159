"""The process of each kind of case."""

from collections.abc import Mapping

from rules.access import Actor, Permission
from rules.cases.access_changes import ACCESS_CHANGE
from rules.cases.accreditations import ACCREDITATION
from rules.cases.applications import APPLICATION
from rules.cases.process import CaseKind, Process
from rules.cases.requests import REQUEST
from rules.cases.verifications import VERIFICATION

PROCESSES: Mapping[CaseKind, Process] = {
    one.kind: one
    for one in (
        APPLICATION,
        REQUEST,
        VERIFICATION,
        ACCESS_CHANGE,
        ACCREDITATION,
    )
}


SEEN_BY_HEADS = tuple(one.kind.value for one in PROCESSES.values() if one.seen_by_heads)
"""Kinds of case that the heads of the applicant's unit may see (I6)."""


DECIDING = tuple(sorted({permission for one in PROCESSES.values() for permission in one.deciding}))
"""All permissions with which cases are decided, whatever their kind."""

IN_TURNS = frozenset(
    permission for one in PROCESSES.values() if len(one.deciding) > 1 for permission in one.deciding
)
"""The permissions of kinds that several people decide in turn, each with a right of their own."""


TOGETHER: Mapping[Permission, frozenset[Permission]] = {
    one: frozenset().union(*(p.deciding for p in PROCESSES.values() if one in p.deciding))
    for one in DECIDING
}
"""By permission, those with which the same cases are decided in other statuses: whoever holds one
reads them in the others too."""


def decides_anywhere(actor: Actor) -> bool:
    """Whether the person decides cases of any kind in any unit."""
    return any(actor.may(permission) for permission in DECIDING)


def process_of(kind: str) -> Process:
    """The process of a kind as it is stored. Raises ValueError for an unknown one."""
    return PROCESSES[CaseKind(kind)]
