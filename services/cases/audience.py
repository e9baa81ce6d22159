"""Who decides cases and who reads them, as conditions of lists. For one: `rules.cases.deciding`.

The row of a case says with which permission it is decided, so a list needs no kinds.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, or_
from sqlmodel import col

from models.tables.cases import Case
from rules.access import Actor, Permission
from rules.cases.deciding import USUAL, decides_in_turns
from rules.cases.kinds import DECIDING, PROCESSES, TOGETHER
from rules.cases.process import CaseKind


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
    parts = _by_other_rights(actor, TOGETHER)
    if decides_in_turns(actor):
        earlier = col(Case.earlier_reviewers)
        nobody: ColumnElement[Any] = literal_column("'{}'")
        parts.append(and_(earlier != nobody, earlier.contains([actor.person_id])))
    return or_(*parts) if parts else None


def decided_by(actor: Actor) -> ColumnElement[bool]:
    """The condition that the person holds the right to decide the case: `holds`, for a list."""
    return or_(usual(actor), *_by_other_rights(actor, {one: {one} for one in DECIDING}))


def reviewed_by(actor: Actor) -> ColumnElement[bool]:
    """The condition that the person reads the case as a reviewer: `reviews`, for a list."""
    others = otherwise(actor)
    return usual(actor) if others is None else or_(usual(actor), others)


def _by_other_rights(
    actor: Actor, opens: Mapping[Permission, Collection[Permission]]
) -> list[ColumnElement[bool]]:
    """A condition for each permission but the usual one; `opens` says of which cases."""
    held = {one: actor.units_with(one) for one in DECIDING if one is not USUAL}
    return [
        and_(
            col(Case.review_permission) != _literal(USUAL),
            or_(*map(_decided_with, sorted(opens[permission]))),
            col(Case.responsible_unit_id).in_(units),
        )
        for permission, units in held.items()
        if units
    ]


def _decided_with(permission: Permission) -> ColumnElement[bool]:
    return col(Case.review_permission) == _literal(permission)


def _literal(permission: Permission) -> ColumnElement[str]:
    """Not a parameter: with one, PostgreSQL could not use an index of some permissions."""
    return literal_column(f"'{permission.value}'")
