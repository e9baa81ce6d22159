"""When a newer credential takes the place of an older one without being told to (Q7). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.credentials.categories import CategoryDefinition, Need
from rules.texts.cleaning import plain


@dataclass(frozen=True)
class Admitting:
    """What a credential says that is needed here."""

    category: CategoryDefinition
    data: Mapping[str, Any]
    issued_on: date | None
    valid_until: date | None

    @property
    def about(self) -> str:
        """What it is about, as far as words can be compared."""
        words = str(self.data.get(self.category.about) or "")
        return " ".join(plain(words).casefold().replace("ё", "е").split())


def may_succeed(category: CategoryDefinition) -> bool:
    """Whether credentials of the category take the place of others: what admits to work does."""
    return category.need is Need.ADMISSION


def succeeds(newer: Admitting, older: Admitting) -> bool:
    """Whether one accreditation or certificate is the next one in the same specialty.

    It is issued no earlier and ends later. A category of a hospital's own that admits to work
    counts as one of them.
    """
    if not (may_succeed(newer.category) and may_succeed(older.category)):
        return False
    if newer.issued_on is None or newer.valid_until is None:
        return False
    if older.issued_on is None or older.valid_until is None:
        return False
    later = newer.issued_on >= older.issued_on and newer.valid_until > older.valid_until
    return later and bool(newer.about) and newer.about == older.about
