"""Signs that somebody else is at work in an account, and what follows from them (I4, I10).

Figures are data with their source. A limit of use is meant never to be met by a person at work: the
busiest desk that was measured asks for some 60 pages in a minute and opens some 40 files in ten.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network

from rules.accounts import Limit
from rules.refusals import Refusal

LINK_LIVES = timedelta(days=7)
"""How long the link of a notice locks the account."""
NETWORKS_KNOWN = timedelta(days=90)
"""How far back the networks count from which a person has signed in."""
LOOKED_BACK = timedelta(hours=1)
"""How far back refused tries are looked at."""
ONCE_PER = timedelta(hours=1)
"""Within which time the same sign of the same person is one event, which counts."""


class RiskKind(StrEnum):
    """The signs. Values are stored for ever: add, never rename."""

    RATE = "rate"
    FAILURES = "failures"
    NEW_PLACE = "new_place"
    ENUMERATION = "enumeration"
    DOWNLOADS = "downloads"
    TOKEN_REUSED = "token_reused"  # noqa: S105


SUSPICION = "suspicion"
"""The reason of such a lock, as it stands in the account."""


class LockedBy(StrEnum):
    """Who locked an account by suspicion. Values are stored in the journal."""

    PERSON = "person"
    LINK = "link"
    SECURITY = "security"


class RiskOutcome(StrEnum):
    """How an event was closed. Values are stored."""

    HARMLESS = "harmless"
    LOCKED = "locked"


@dataclass(frozen=True)
class UseLimit:
    """How much somebody may use before it is a sign; then requests are refused for `pause`.

    Uses are counted in the process. Only those above the pace of the limit are added to the count
    that all processes share, `chunk` at a time: so ordinary work costs no commit, and an attack one
    for each chunk.
    """

    limit: Limit
    chunk: int
    pause: timedelta
    source: str


USE_LIMITS: Mapping[RiskKind, UseLimit] = {
    RiskKind.RATE: UseLimit(
        Limit("risk_rate", 600, timedelta(minutes=1)),
        chunk=100,
        pause=timedelta(minutes=1),
        source="OWASP ASVS 5.0, 2.4.2: realistic human timing; ten requests a second for a minute",
    ),
    RiskKind.ENUMERATION: UseLimit(
        Limit("risk_enumeration", 30, timedelta(minutes=10)),
        chunk=10,
        pause=timedelta(minutes=10),
        source="OWASP API Security 2023, API1: ids of others are tried one after another",
    ),
    RiskKind.DOWNLOADS: UseLimit(
        Limit("risk_downloads", 200, timedelta(minutes=10)),
        chunk=50,
        pause=timedelta(minutes=10),
        source="OWASP ASVS 5.0, 2.4.1, and OAT-011 Scraping: records are taken away in bulk",
    ),
}

WORDS: Mapping[RiskKind, str] = {
    RiskKind.RATE: "Слишком частые запросы",
    RiskKind.FAILURES: "Много неудачных попыток входа",
    RiskKind.NEW_PLACE: "Вход с нового устройства из новой сети",
    RiskKind.ENUMERATION: "Перебор чужих дел",
    RiskKind.DOWNLOADS: "Массовое скачивание файлов",
    RiskKind.TOKEN_REUSED: "Повторно использован ключ устройства",
}
"""The signs in words (msgids)."""


def network_of(address: str) -> str:
    """The network of an address, as far as one household or institution has it: /24, or /48."""
    try:
        version = ip_address(address).version
    except ValueError:
        return address
    return str(ip_network(f"{address}/{24 if version == 4 else 48}", strict=False))


def slowed(seconds: int) -> Refusal:
    """So much was used that it may be an attack."""
    words = (
        "Из вашей учётной записи приходит необычно много запросов, поэтому мы приостановили их. "
        "Подождите и повторите. Если это не вы, заблокируйте учётную запись."
    )
    return Refusal("slowed", words, 429, retry_after=seconds)


def link_over() -> Refusal:
    """The link of a notice was used, or is too old, or is none."""
    words = "Ссылка уже использована или больше не действует."
    return Refusal("link_over", words, 409)
