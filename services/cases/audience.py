"""Who decides a case and who reads it with them: for one case, and as a condition of lists.

Where a case stands, its row names the permission with which it is decided, beside the unit in which
somebody has to hold it (`services.cases.transitions.move` writes both). So a list needs no kinds.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal_column, or_
from sqlmodel import col

from models.tables.cases import Case
from rules.access import Actor, Permission
from rules.cases.kinds import DECIDING, IN_TURNS, PROCESSES
from rules.cases.process import CaseKind

USUAL = Permission.REVIEW
"""The permission of most cases; the indexes of queues and of the archive are made for these."""


def permission_of(case: Case) -> Permission:
    """The permission with which the case is decided, or was decided last."""
    return Permission(case.review_permission)


def holds(actor: Actor, case: Case) -> bool:
    """Whether the person has the right with which the case is decided where it stands now."""
    return actor.may(permission_of(case), case.responsible_unit_id)


def barred(case: Case) -> list[UUID]:
    """Who may not decide, whatever rights they hold: each step is another person's."""
    subject = [case.subject_id] if case.subject_id is not None else []
    return [case.applicant_id, *subject, *case.earlier_reviewers]


def decides(actor: Actor, case: Case) -> bool:
    """Whether the person may decide the case where it stands now."""
    return holds(actor, case) and actor.person_id not in barred(case)


def reviews(actor: Actor, case: Case) -> bool:
    """Whether the person reads the case as a reviewer: decides it now, or decided earlier."""
    decided = actor.person_id in case.earlier_reviewers
    return holds(actor, case) or (decided and _in_turns(actor))


def own_kinds(actor: Actor) -> frozenset[CaseKind]:
    """The kinds of case of which the person may have cases of their own."""
    return frozenset(kind for kind, one in PROCESSES.items() if actor.may(one.applied_with))


def own(actor: Actor) -> ColumnElement[bool]:
    """The condition that a case is the person's own, and that its applicants may act on it."""
    kinds, mine = own_kinds(actor), col(Case.applicant_id) == actor.person_id
    return mine if len(kinds) == len(PROCESSES) else and_(mine, col(Case.kind).in_(sorted(kinds)))


def usual(actor: Actor) -> ColumnElement[bool]:
    """The condition that the person decides the case with the usual permission."""
    units = actor.units_with(USUAL)
    return and_(col(Case.responsible_unit_id).in_(units), _decided_with(USUAL))


def otherwise(actor: Actor) -> ColumnElement[bool] | None:
    """The condition that the person decides with another permission, or decided earlier.

    None for those who do nothing so: their lists are read by the indexes of the usual cases.
    """
    parts = _by_other_rights(actor)
    if _in_turns(actor):
        earlier = col(Case.earlier_reviewers)
        nobody: ColumnElement[Any] = literal_column("'{}'")
        parts.append(and_(earlier != nobody, earlier.contains([actor.person_id])))
    return or_(*parts) if parts else None


def decided_by(actor: Actor) -> ColumnElement[bool]:
    """The condition that the person holds the right to decide the case: `holds`, for a list."""
    return or_(usual(actor), *_by_other_rights(actor))


def reviewed_by(actor: Actor) -> ColumnElement[bool]:
    """The condition that the person reads the case as a reviewer: `reviews`, for a list."""
    others = otherwise(actor)
    return usual(actor) if others is None else or_(usual(actor), others)


def _by_other_rights(actor: Actor) -> list[ColumnElement[bool]]:
    held = {one: actor.units_with(one) for one in DECIDING if one is not USUAL}
    return [
        and_(
            col(Case.review_permission) != _literal(USUAL),
            _decided_with(permission),
            col(Case.responsible_unit_id).in_(units),
        )
        for permission, units in held.items()
        if units
    ]


def _in_turns(actor: Actor) -> bool:
    return any(actor.may(permission) for permission in IN_TURNS)


def _decided_with(permission: Permission) -> ColumnElement[bool]:
    return col(Case.review_permission) == _literal(permission)


def _literal(permission: Permission) -> ColumnElement[str]:
    """Not a parameter: with one, PostgreSQL could not use an index of some permissions."""
    return literal_column(f"'{permission.value}'")
