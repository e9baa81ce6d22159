"""«Сроки квалификации»: who in one's units has what, ending when; and the numbers without names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from babel.dates import format_date
from fastapi import APIRouter, Response

from api.container import Work
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from cabinet.frame.filters import address, filter_field
from cabinet.frame.states import StatusTag, Tone
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit, uuid_of
from rules.clock import now
from rules.credentials.categories import CategoryDefinition
from rules.texts.cleaning import one_line
from services.credentials import categories, overview, staff_list
from services.credentials.overview import (
    STANDING_WORDS,
    StaffCredential,
    StaffQuery,
    StaffStanding,
)
from words.translation import gettext as _

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/credentials/staff")

STAFF = "/credentials/staff"
_address = partial(address, STAFF)
_NAMES = ("unit", "category", "standing", "month")
_LOOKS: Mapping[StaffStanding, tuple[Tone, str]] = {
    StaffStanding.EXPIRED: ("bad", "octagon-x"),
    StaffStanding.RENEWING: ("waiting", "hourglass"),
    StaffStanding.SOON: ("waiting", "clock"),
    StaffStanding.ENDLESS: ("idle", "circle"),
    StaffStanding.VALID: ("good", "circle-check"),
}


@dataclass(frozen=True)
class StaffRow:
    """A line of the table."""

    url: str
    name: str
    person_url: str
    position: str
    unit: str
    title: str
    valid_until: date | None
    tag: StatusTag
    told: str
    """How many reminders were sent, and whether the owner has done anything since."""


@dataclass(frozen=True)
class MonthBar:
    """A month of the picture: its name, how many end in it, the link to them."""

    word: str
    number: int
    url: str
    here: bool


@router.get("")
async def show(visit: Inside, session: Work) -> Response:
    """The list, narrowed by the filters in the address, with the next twelve months."""
    units = dict(await overview.units_of(session, visit.actor))
    known = await categories.offered(session)
    given = _given(visit.request.query_params, units, known)
    query, moment = _query(given), now()
    after = overview.after_cursor(visit.request.query_params.get("after", ""))
    found = await overview.page(session, visit.actor, query, moment, after)
    today = moment.astimezone(visit.presentation.tzinfo).date()
    months = await overview.coming(session, visit.actor, query, moment, today)
    return visit.page(
        "credentials/staff.html",
        rows=[_row(line) for line in found.lines],
        fields=_fields(given, units, known),
        narrowed=bool(given),
        months=_bars(visit, months, given),
        most=max((number for _month, number in months), default=0),
        next_url=_address({**given, "after": found.cursor}) if found.after else "",
        first_url=_address(given) if after else "",
        file_url=address(f"{STAFF}/file", given),
    )


@router.post("/file")
async def export(visit: Inside) -> Response:
    """The same list as a workbook; journaled."""
    async with visit.container.database.work() as session:
        units = dict(await overview.units_of(session, visit.actor))
        known = await categories.offered(session)
    query = _query(_given(visit.request.query_params, units, known))
    container = visit.container
    body = await staff_list.workbook(
        container.database, visit.actor, container.settings.institution, query
    )
    day = now().astimezone(visit.presentation.tzinfo).date()
    headers = file_headers(f"Сроки-квалификации-{day.isoformat()}.xlsx")
    return Response(body, media_type=staff_list.MEDIA_TYPE, headers=headers)


@router.get("/numbers")
async def numbers(visit: Inside, session: Work) -> Response:
    """How many stand where, by unit; small numbers are hidden."""
    found = await overview.statistics(session, visit.actor, now())
    lines = [*found.units, _("Всего")] if found.units else []
    return visit.page(
        "credentials/numbers.html",
        heads=[*(_(STANDING_WORDS[one]) for one in StaffStanding), _("Всего")],
        lines=list(zip(lines, found.cells, strict=True)),
    )


def _given(
    asked: Mapping[str, str], units: Mapping[UUID, str], known: Mapping[str, CategoryDefinition]
) -> dict[str, str]:
    """The filters of the address that are known."""
    given = {name: one_line(asked[name])[:60] for name in _NAMES if asked.get(name)}
    right = {
        "unit": uuid_of(given.get("unit")) in units,
        "category": given.get("category") in known,
        "standing": given.get("standing") in set(StaffStanding),
        "month": _day(f"{given.get('month', '')}-01") is not None,
    }
    return {name: value for name, value in given.items() if right[name]}


def _query(given: Mapping[str, str]) -> StaffQuery:
    return StaffQuery(
        unit_id=uuid_of(given.get("unit")),
        category=given.get("category"),
        standing=StaffStanding(given["standing"]) if "standing" in given else None,
        month=_day(f"{given['month']}-01") if "month" in given else None,
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2200 else None


def _fields(
    given: Mapping[str, str], units: Mapping[UUID, str], known: Mapping[str, CategoryDefinition]
) -> Sequence[FieldView]:
    return [
        filter_field(
            given,
            {},
            "unit",
            _("Подразделение"),
            [Option("", _("Все подразделения"))] + [Option(str(i), n) for i, n in units.items()],
        ),
        filter_field(
            given,
            {},
            "category",
            _("Документ"),
            [Option("", _("Все документы"))]
            + [Option(key, _(one.title)) for key, one in known.items()],
        ),
        filter_field(
            given,
            {},
            "standing",
            _("Состояние"),
            [Option("", _("Любое"))]
            + [Option(one.value, _(STANDING_WORDS[one])) for one in StaffStanding],
        ),
    ]


def _bars(
    visit: Visit, months: Sequence[tuple[date, int]], given: Mapping[str, str]
) -> list[MonthBar]:
    language = visit.presentation.language
    return [
        MonthBar(
            format_date(first, "LLLL y", locale=language),
            number,
            _address({**given, "month": f"{first:%Y-%m}"}),
            given.get("month") == f"{first:%Y-%m}",
        )
        for first, number in months
    ]


def _row(line: StaffCredential) -> StaffRow:
    title = _(line.category.title)
    tone, icon = _LOOKS[line.standing]
    told = _("отправлено: %(n)s") % {"n": line.sent} if line.sent else ""
    if line.sent:
        told += ", " + (_("есть ответ") if line.answered else _("ответа нет"))
    return StaffRow(
        url=f"/credentials/{line.id}",
        name=line.name,
        person_url=f"/credentials/people/{line.owner_id}",
        position=line.position,
        unit=line.unit,
        title=f"{title}: {line.about}" if line.about else title,
        valid_until=line.valid_until,
        tag=StatusTag(_(STANDING_WORDS[line.standing]), tone, icon),
        told=told,
    )
