"""Who decides a case and who reads it with them, by what stands in its row.

The row names the permission with which the case is decided, beside the unit in which somebody has
to hold it. As a condition of lists the same stands in `services.cases.audience`.
"""

from typing import Protocol
from uuid import UUID

from rules.access import Actor, Permission
from rules.cases.kinds import IN_TURNS, TOGETHER, process_of
from rules.cases.process import CaseKind, Status


class Decidable(Protocol):
    """What a case says of those who decide it."""

    applicant_id: UUID
    subject_id: UUID | None
    responsible_unit_id: UUID
    review_permission: str
    earlier_reviewers: list[UUID]


USUAL = Permission.REVIEW
"""The permission of most cases; the indexes of queues and of the archive are made for these."""


def permission_in(kind: CaseKind, status: Status) -> Permission:
    """The permission with which cases of a kind are decided in a status."""
    return process_of(kind).decided_with.get(status, USUAL)


def permission_of(case: Decidable) -> Permission:
    """The permission with which the case is decided, or was decided last."""
    return Permission(case.review_permission)


def holds(actor: Actor, case: Decidable) -> bool:
    """Whether the person has the right with which the case is decided where it stands now."""
    return actor.may(permission_of(case), case.responsible_unit_id)


def barred(case: Decidable) -> list[UUID]:
    """Who may not decide, whatever rights they hold: each step is another person's."""
    subject = [case.subject_id] if case.subject_id is not None else []
    return [case.applicant_id, *subject, *case.earlier_reviewers]


def decides(actor: Actor, case: Decidable) -> bool:
    """Whether the person may decide the case where it stands now."""
    return holds(actor, case) and actor.person_id not in barred(case)


def reviews(actor: Actor, case: Decidable) -> bool:
    """Whether the person reads the case as a reviewer.

    These are people who decide it in one status or another, and who has decided it earlier.
    """
    decided = actor.person_id in case.earlier_reviewers
    return (decided and decides_in_turns(actor)) or any(
        actor.may(other, case.responsible_unit_id) for other in TOGETHER[permission_of(case)]
    )


def decides_in_turns(actor: Actor) -> bool:
    """Whether the person has a part in kinds of case that several people decide in turn."""
    return any(actor.may(permission) for permission in IN_TURNS)
