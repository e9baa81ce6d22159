"""What is missing in a person's file, as progress with the next step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from rules.credentials.categories import CategoryDefinition, Need, Validation
from rules.credentials.statuses import CredentialStatus
from rules.texts.cleaning import folded

TRAINED_WITHIN = 5
"""Years for which a course counts as recent: the portfolio of an accreditation covers five."""
_GOOD = (CredentialStatus.ACTIVE, CredentialStatus.RENEWING)


class GapKind(StrEnum):
    """What is missing."""

    NEED = "need"
    """Nothing in the file shows it."""
    EXPIRED = "expired"
    ENDING = "ending"
    COPY = "copy"
    ORIGINAL = "original"
    """The personnel department has not seen the original."""


class Filed(Protocol):
    """A credential, as progress looks at it."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def category(self) -> CategoryDefinition:
        """Its category."""

    @property
    def about(self) -> str:
        """What tells it from others of its category, such as the specialty."""

    @property
    def status(self) -> CredentialStatus:
        """What it is worth today."""

    @property
    def issued_on(self) -> date | None:
        """When it was issued."""

    @property
    def ends_soon(self) -> bool:
        """Whether it ends soon."""

    @property
    def has_copy(self) -> bool:
        """Whether there is a file."""

    @property
    def vouched(self) -> bool:
        """Whether somebody has seen the original."""


@dataclass(frozen=True)
class Gap:
    """One thing that is missing: of the file as a whole, or of one credential."""

    kind: GapKind
    need: Need | None = None
    credential_id: UUID | None = None


@dataclass(frozen=True)
class Progress:
    """How many of the things that a file is expected to have are there."""

    done: int
    total: int
    gaps: Sequence[Gap]


def progress_of(filed: Sequence[Filed], today: date) -> Progress:
    """What the file has and lacks: every need, and each standing credential whole and valid.

    An expired credential is no gap where a valid one for the same need and specialty is there.
    """
    standing = [one for one in filed if one.status in (*_GOOD, CredentialStatus.EXPIRED)]
    met = {need for need in Need if any(_meets(one, need, today) for one in standing)}
    gaps = [Gap(GapKind.NEED, need) for need in Need if need not in met]
    valid = {_same(one) for one in standing if one.status in _GOOD}
    whole = 0
    for one in standing:
        if one.status is CredentialStatus.EXPIRED and _same(one) in valid:
            continue
        found = _gap_of(one)
        gaps += [Gap(found, credential_id=one.id)] if found else []
        whole += 0 if found else 1
    return Progress(len(met) + whole, len(met) + whole + len(gaps), gaps)


def _same(one: Filed) -> tuple[str, str]:
    """What an expired credential is compared by with those that came after it."""
    return one.category.need or one.category.key, folded(one.about)


def _meets(one: Filed, need: Need, today: date) -> bool:
    if one.category.need is not need or one.status not in _GOOD:
        return False
    if need is not Need.TRAINING:
        return True
    since = date(today.year - TRAINED_WITHIN, today.month, min(today.day, 28))
    return one.issued_on is not None and one.issued_on >= since


def _gap_of(one: Filed) -> GapKind | None:
    """The first thing that one credential lacks."""
    if one.status is CredentialStatus.EXPIRED:
        return GapKind.EXPIRED
    if one.ends_soon and one.status is CredentialStatus.ACTIVE:
        return GapKind.ENDING
    if not one.has_copy and one.category.files_required:
        return GapKind.COPY
    if one.category.validation is Validation.HAND and not one.vouched:
        return GapKind.ORIGINAL
    return None
