"""What ops read in the Temporal UI without decrypting anything: search attributes and plain text.

Nothing here may identify a person or say anything about health: numbers, kinds, states and times.
"""

from collections.abc import Mapping
from typing import Any

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from models.messages import CaseState

NUMBER = SearchAttributeKey.for_keyword("CaseNumber")
KIND = SearchAttributeKey.for_keyword("MedcabKind")
TYPE = SearchAttributeKey.for_keyword("MedcabType")
STATUS = SearchAttributeKey.for_keyword("MedcabStatus")
UNIT = SearchAttributeKey.for_keyword("MedcabUnit")
WAITS_FOR = SearchAttributeKey.for_keyword("MedcabWaitsFor")
DUE = SearchAttributeKey.for_datetime("MedcabDue")

SEARCH_ATTRIBUTES: Mapping[str, str] = {
    NUMBER.name: "Keyword",
    KIND.name: "Keyword",
    TYPE.name: "Keyword",
    STATUS.name: "Keyword",
    UNIT.name: "Keyword",
    WAITS_FOR.name: "Keyword",
    DUE.name: "Datetime",
}
"""Names and types, as they are registered with the server."""


class OpsText(str):
    """Text that is not encrypted in the Temporal UI: summaries and details, never contents.

    `summary=OpsText("look into the case")`. A plain `str` is encrypted like everything else.
    """

    __slots__ = ()


def attributes_of(state: CaseState) -> TypedSearchAttributes:
    """The search attributes of a case in its present state."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(NUMBER, state.number),
        SearchAttributePair(KIND, state.kind.value),
        SearchAttributePair(TYPE, state.type),
        SearchAttributePair(STATUS, state.status.value),
        SearchAttributePair(UNIT, state.unit),
        SearchAttributePair(WAITS_FOR, state.waits_for.value),
    ]
    if state.due_at is not None:
        pairs.append(SearchAttributePair(DUE, state.due_at))
    return TypedSearchAttributes(pairs)


def changes_of(state: CaseState) -> list[SearchAttributeUpdate[Any]]:
    """The attributes that change while a case moves, for an upsert by its workflow.

    The number never changes; it is here for runs that began before there was an attribute for it.
    """
    return [
        NUMBER.value_set(state.number),
        STATUS.value_set(state.status.value),
        WAITS_FOR.value_set(state.waits_for.value),
        DUE.value_set(state.due_at) if state.due_at else DUE.value_unset(),
    ]
