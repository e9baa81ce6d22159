"""Filters and order in the desk's address: read, shown in the form, written back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from cabinet.frame.filters import address, filter_field
from cabinet.frame.periods import period_of
from cabinet.frame.views import Chip, FieldView, Option
from cabinet.frame.visits import uuid_of
from rules.access import Actor
from rules.cases.kinds import PROCESSES
from rules.cases.numbers import parse_number
from rules.cases.process import CaseKind, Status
from rules.catalogue.programmes import KINDS
from rules.texts.cleaning import one_line
from rules.texts.identifiers import IdentifierError
from services.cases.lists import Filters, Order
from words.translation import gettext as _
from words.translation import in_words

DESK = "/desk"
ANY = "any"
_NAMES = (
    "what",
    "status",
    "kind",
    "unit",
    "reviewer",
    "from",
    "until",
    "overdue",
    "left",
    "number",
    "sort",
)
_SHOWN = (
    Status.CONFIRMING,
    Status.IN_REVIEW,
    Status.CLARIFICATION,
    Status.CHECKING,
    Status.APPROVED,
    Status.REJECTED,
    Status.WITHDRAWN,
    Status.LAPSED,
    Status.ACCEPTED,
    Status.PROCESSING,
    Status.READY,
    Status.REFUSED,
    Status.CONFIRMED,
    Status.FORWARDED,
    Status.WITH_COMMISSION,
    Status.ACCREDITED,
    Status.RETURNED,
)
_WITH_TERM = frozenset(
    {
        Status.CONFIRMING,
        Status.IN_REVIEW,
        Status.CLARIFICATION,
        Status.PROCESSING,
        Status.FORWARDED,
        Status.WITH_COMMISSION,
    }
)
WHAT: Mapping[str, str] = {one.kind.value: one.words_for_many for one in PROCESSES.values()}
"""The kinds of case."""


@dataclass(frozen=True)
class PersonOption:
    """Somebody who can be chosen in a filter."""

    id: UUID
    name: str


@dataclass(frozen=True)
class DeskQuery:
    """The filters in the address. Unknown values are left out, wrong ones stand in `errors`."""

    given: dict[str, str]
    filters: Filters
    order: Order
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The address after `?`, without the position in the list; empty for the plain queue."""
        return urlencode(self.given)

    @property
    def suffix(self) -> str:
        """The same with its question mark, to be added to a path."""
        return f"?{self.query}" if self.given else ""

    def address(self, path: str = DESK, **changes: str) -> str:
        """The same list with other filters; an empty value removes one."""
        return address(path, {**self.given, **changes})


def asked_of(query: str, actor: Actor, zone: ZoneInfo) -> DeskQuery:
    """Read the address.

    A number is sought in all cases; without number or status, the queue is shown.
    """
    given_in = ((name, one_line(value)[:100]) for name, value in parse_qsl(query))
    raw = {name: value for name, value in given_in if value}
    given = {name: raw[name] for name in _NAMES if name in raw}
    for ticked in {"overdue", "left"} & given.keys():
        given[ticked] = "1"
    status = _status(given)
    period = period_of(given, zone)
    errors = dict(period.errors)
    number = given.get("number")
    if number is not None:
        try:
            parse_number(number)
        except IdentifierError as error:
            errors["number"] = in_words(error.message)
            number = None
    reviewer = given.get("reviewer")
    waiting = _waits(given)
    filters = Filters(
        kind=CaseKind(given["what"]) if given.get("what") in WHAT else None,
        waiting=waiting,
        status=() if status is None else (status,),
        programme_kind=given.get("kind") if given.get("kind") in KINDS else None,
        unit_id=uuid_of(given.get("unit")),
        reviewer=actor.person_id
        if reviewer == "me"
        else "nobody"
        if reviewer == "nobody"
        else uuid_of(reviewer),
        submitted_from=period.begins,
        submitted_until=period.ends,
        overdue="overdue" in given,
        applicant_left="left" in given,
        open=True if "left" in given else None,
        number=number,
    )
    newest = given.get("sort") == "newest" or (not waiting and status not in _WITH_TERM)
    return DeskQuery(given, filters, Order.NEWEST if newest else Order.DUE, errors)


def word_of(status: Status) -> str:
    """A status in words; where kinds of case differ, as the first of them has it."""
    return _(next(one.words[status] for one in PROCESSES.values() if status in one.words))


def _status(given: dict[str, str]) -> Status | None:
    """The status asked for; None where none is."""
    wish = given.get("status")
    return Status(wish) if wish in {status.value for status in _SHOWN} else None


def _waits(given: dict[str, str]) -> bool:
    """Whether the queue is asked for, that is, cases that wait.

    A number is sought in all cases, and cases of applicants who left in all open ones.
    """
    anywhere = {"number", "left"} & given.keys()
    return _status(given) is None and given.get("status") != ANY and not anywhere


def tabs(asked: DeskQuery, counts: dict[str, int]) -> list[Chip]:
    """The main views of the queue, with how many cases wait in each."""
    plain = {k: v for k, v in asked.given.items() if k != "sort"}
    views: tuple[tuple[str, dict[str, str], str], ...] = (
        (_("Все"), {}, "in_review"),
        (_("Мои"), {"reviewer": "me"}, "mine"),
        (_("Просроченные"), {"overdue": "1"}, "overdue"),
        (_("Не назначены"), {"reviewer": "nobody"}, "unassigned"),
    )
    return [
        Chip(words, address(DESK, query), plain == query, counts[key])
        for words, query, key in views
    ]


def fields(
    asked: DeskQuery, units: Sequence[tuple[UUID, str]], reviewers: Sequence[PersonOption]
) -> list[FieldView]:
    """The form of the filters, with what is chosen."""
    one = partial(filter_field, asked.given, asked.errors)
    kinds = [Option(kind, _(words)) for kind, words in KINDS.items()]
    places = [Option(str(key), name) for key, name in units]
    what = [Option(value, _(words)) for value, words in WHAT.items()]
    statuses = [Option(s.value, word_of(s)) for s in _SHOWN]
    return [
        one("number", _("Номер")),
        one("what", _("Что"), [Option("", _("Всё")), *what]),
        one(
            "status",
            _("Состояние"),
            [Option("", _("Ждут решения")), *statuses, Option(ANY, _("Любое"))],
        ),
        one("kind", _("Вид обучения"), [Option("", _("Любой")), *kinds]),
        one("unit", _("Подразделение"), [Option("", _("Любое")), *places]),
        one(
            "reviewer",
            _("Рассматривает"),
            [
                Option("", _("Все")),
                Option("me", _("Я")),
                Option("nobody", _("Никто")),
                *(Option(str(p.id), p.name) for p in reviewers),
            ],
        ),
        one("from", _("Подана не раньше"), kind="date"),
        one("until", _("не позже"), kind="date"),
        one("overdue", _("Только просроченные"), kind="checkbox"),
        one("left", _("Заявитель уволен"), kind="checkbox"),
    ]


def active(
    asked: DeskQuery, units: Sequence[tuple[UUID, str]], reviewers: Sequence[PersonOption]
) -> list[Chip]:
    """The filters in force that have no tab of their own, each with the address without it."""
    given = asked.given
    names = {str(key): name for key, name in units} | {str(p.id): p.name for p in reviewers}
    words: dict[str, str] = {}
    if given.get("what") in WHAT:
        words["what"] = _(WHAT[given["what"]])
    if given.get("status"):
        known = _status(given)
        words["status"] = word_of(known) if known else _("любое состояние")
    if given.get("kind") in KINDS:
        words["kind"] = _(KINDS[given["kind"]])
    if given.get("unit") in names:
        words["unit"] = names[given["unit"]]
    if given.get("reviewer") in names:
        words["reviewer"] = names[given["reviewer"]]
    if asked.filters.submitted_from:
        words["from"] = _("с %(day)s") % {"day": given["from"]}
    if asked.filters.submitted_until:
        words["until"] = _("по %(day)s") % {"day": given["until"]}
    if "number" in given:
        words["number"] = given["number"]
    if "left" in given:
        words["left"] = _("заявитель уволен")
    narrowed = len(given.keys() - {"sort"}) > 1
    if narrowed and "overdue" in given:
        words["overdue"] = _("просроченные")
    if narrowed and given.get("reviewer") in ("me", "nobody"):
        words["reviewer"] = _("мои") if given["reviewer"] == "me" else _("не назначены")
    return [Chip(text, asked.address(**{name: ""})) for name, text in words.items()]
