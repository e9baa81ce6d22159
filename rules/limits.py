"""How much one person may keep and hand in: more than anybody needs, less than does harm."""

from datetime import datetime, timedelta

from rules.cases import CaseKind
from rules.refusals import Refusal

MOST_DRAFTS = 50
"""Drafts never sent that one person keeps, of each kind of case."""

MOST_VERSIONS = 20
"""Versions of one case that are handed in within `VERSIONS_WITHIN`."""

VERSIONS_WITHIN = timedelta(days=1)

LONGEST_REASON = 4000
"""Characters of the reason that a person gives for an act; a line's end is one."""

MOST_ATTACHMENTS = 30
"""Documents that one draft cites."""

INTEGER = 2**31 - 1
"""The most that a column of whole numbers holds."""


def too_many_attachments() -> Refusal:
    """No further document with this draft; those attached before are untouched."""
    return Refusal(
        "too_many_attachments",
        "К этому уже приложено %(most)s документов, больше нельзя. Уберите лишние и повторите.",
        422,
        most=MOST_ATTACHMENTS,
    )


def too_many_drafts(kind: CaseKind, most: int) -> Refusal:
    """No further draft; those begun before are untouched."""
    return Refusal(
        "too_many_drafts",
        "У вас уже %(most)s неотправленных запросов. Отправьте или удалите лишние и начните новый:"
        " всё, что вы заполнили, сохранено."
        if kind is CaseKind.REQUEST
        else "У вас уже %(most)s неотправленных заявок. Отправьте или удалите лишние и начните"
        " новую: всё, что вы заполнили, сохранено.",
        422,
        most=most,
    )


def too_many_versions(most: int, first: datetime, now: datetime) -> Refusal:
    """No further version yet: `first` is when the oldest that counts was handed in."""
    wait = max(first + VERSIONS_WITHIN - now, timedelta(seconds=1))
    return Refusal(
        "too_often",
        "За сутки вы отправили это %(most)s раз, больше нельзя. Исправления сохранены в черновике:"
        " отправьте их через %(hours)s ч.",
        429,
        most=most,
        hours=-(-wait // timedelta(hours=1)),
        retry_after=-(-wait // timedelta(seconds=1)),
    )
