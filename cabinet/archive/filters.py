"""The filters in the archive's address: read, shown in the form, written back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from cabinet.frame.filters import address, filter_field
from cabinet.frame.periods import period_of
from cabinet.frame.views import Chip, FieldView, Option
from cabinet.frame.visits import uuid_of
from rules.cases.kinds import PROCESSES
from rules.cases.numbers import parse_number
from rules.cases.process import CaseKind, Status
from rules.texts.cleaning import one_line
from rules.texts.identifiers import IdentifierError
from services.archive.search import ArchiveFilters, TypeTitle
from words.translation import gettext as _

ARCHIVE = "/archive"
KINDS = {one.kind: one.heading for one in PROCESSES.values()}
_NAMES = ("text", "kind", "type", "status", "unit", "from", "until")


def status_words() -> dict[Status, str]:
    """Every status but the draft, with its word; where kinds of case differ, both side by side.

    Call it within a request: the words are in its language.
    """
    words: dict[Status, list[str]] = {}
    for process in PROCESSES.values():
        for status, word in process.words.items():
            if status is not Status.DRAFT and _(word) not in words.setdefault(status, []):
                words[status].append(_(word))
    return {status: " / ".join(each) for status, each in words.items()}


@dataclass(frozen=True)
class ArchiveQuery:
    """The filters in the address. Unknown values are left out, wrong ones stand in `errors`."""

    given: dict[str, str]
    filters: ArchiveFilters
    errors: Mapping[str, str]

    @property
    def query(self) -> str:
        """The address after `?`, without the position in the list."""
        return urlencode(self.given)

    def address(self, path: str = ARCHIVE, **changes: str) -> str:
        """The same list with other filters; an empty value removes one."""
        return address(path, {**self.given, **changes})


def asked_of(query: str, known: Sequence[TypeTitle], zone: ZoneInfo) -> ArchiveQuery:
    """Read the address.

    A text that reads as a case number is one, any other is sought in titles.
    """
    given_in = ((name, one_line(value)[:100]) for name, value in parse_qsl(query))
    raw = {name: value for name, value in given_in if value}
    given = {name: raw[name] for name in _NAMES if name in raw}
    period = period_of(given, zone)
    text = given.get("text")
    number = text if text and _is_number(text) else None
    kind, status, type_ = given.get("kind"), given.get("status"), given.get("type")
    filters = ArchiveFilters(
        kind=CaseKind(kind) if kind in set(CaseKind) else None,
        type=type_ if type_ in {one.key for one in known} else None,
        status=(Status(status),) if status in set(Status) else (),
        unit_id=uuid_of(given.get("unit")),
        submitted_from=period.begins,
        submitted_until=period.ends,
        number=number,
        text=None if number else text,
    )
    return ArchiveQuery(given, filters, period.errors)


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except IdentifierError:
        return False
    return True


def fields(
    asked: ArchiveQuery, known: Sequence[TypeTitle], units: Sequence[tuple[UUID, str]]
) -> list[FieldView]:
    """The form of the filters, with what is chosen."""
    one = partial(filter_field, asked.given, asked.errors)
    kinds = [Option(kind.value, _(words)) for kind, words in KINDS.items()]
    types = [Option(one.key, _(one.title)) for one in known]
    statuses = [Option(status.value, word) for status, word in status_words().items()]
    places = [Option(str(key), name) for key, name in units]
    return [
        one("text", _("Номер или название")),
        one("kind", _("Вид"), [Option("", _("Любой")), *kinds]),
        one("type", _("Тип"), [Option("", _("Любой")), *types]),
        one("status", _("Состояние"), [Option("", _("Любое")), *statuses]),
        *([one("unit", _("Подразделение"), [Option("", _("Любое")), *places])] if places else []),
        one("from", _("Подано не раньше"), kind="date"),
        one("until", _("не позже"), kind="date"),
    ]


def words_of(
    asked: ArchiveQuery, known: Sequence[TypeTitle], units: Sequence[tuple[UUID, str]]
) -> dict[str, str]:
    """The filters in force, in words, by their names in the address."""
    given, filters = asked.given, asked.filters
    words: dict[str, str] = {}
    if "text" in given:
        words["text"] = f"«{given['text']}»"
    if filters.kind:
        words["kind"] = _(KINDS[filters.kind])
    if filters.type:
        words["type"] = next(_(one.title) for one in known if one.key == filters.type)
    if filters.status:
        words["status"] = status_words().get(filters.status[0], "")
    if filters.unit_id:
        words["unit"] = dict(units).get(filters.unit_id, "")
    if filters.submitted_from:
        words["from"] = _("с %(day)s") % {"day": given["from"]}
    if filters.submitted_until:
        words["until"] = _("по %(day)s") % {"day": given["until"]}
    return {name: text for name, text in words.items() if text}


def active(words: dict[str, str], asked: ArchiveQuery) -> list[Chip]:
    """The filters in force, each with the address without it."""
    return [Chip(text, asked.address(**{name: ""})) for name, text in words.items()]
