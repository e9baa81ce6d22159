"""«Сотрудники»: the list of people, and the page of one with account, roles and sessions (I6)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.profile import login_lines
from cabinet.accounts.right_words import right_words
from cabinet.accounts.views import SessionView
from cabinet.frame.filters import address, filter_field
from cabinet.frame.views import Chip, Option, Pages
from cabinet.frame.visits import Inside, Visit, uuid_of
from cabinet.notices.delivery_reasons import said
from cabinet.staff.acts import ASKED_BY_PAGE
from cabinet.staff.views import (
    DeviceRow,
    GrantRow,
    InvitationView,
    ListedPerson,
    PeopleList,
    PersonPage,
    StateView,
)
from rules.access import Permission
from rules.clock import now
from rules.ids import new_id
from rules.notices.kinds import NoticeState
from rules.staff.people import STATE_NAMES, PersonState, StaffActKind
from rules.texts.cleaning import one_line
from services.staff import card, directory
from services.staff.card import GrantSeen, PersonCard
from services.staff.directory import PeoplePage, PeopleQuery, PersonLine
from services.staff.invitations import InvitationSeen
from words import formats
from words.translation import gettext as _
from words.translation import marked, ngettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/people")

PEOPLE = "/people"
_NAMES = ("text", "unit", "state")
_LOOKS = {
    PersonState.NONE: ("idle", "circle-dashed"),
    PersonState.INVITED: ("waiting", "mail"),
    PersonState.ACTIVE: ("good", "circle-check"),
    PersonState.LOCKED: ("bad", "lock"),
    PersonState.LEFT: ("idle", "log-out"),
}
_GIVEN_BY = {
    "seed": marked("демонстрационные данные"),
    "bootstrap": marked("начало работы системы"),
}


@router.get("")
async def show_list(
    visit: Inside, session: Work, page: Annotated[int, Query(ge=1, le=1000)] = 1
) -> Response:
    """The people of the units that the visitor sees, narrowed by the filters in the address."""
    units = dict(await directory.units_of(session, visit.actor))
    given = given_filters(visit.request.query_params, units)
    found = await directory.page(session, visit.actor, query_of(given), now(), page)
    return visit.page("staff/people.html", people=_list(visit, found, given, units))


@router.get("/{person_id}")
async def show_person(person_id: UUID, visit: Inside, session: Work) -> Response:
    """One person; that the page was looked at is recorded."""
    return await person_page(visit, session, person_id)


async def person_page(visit: Visit, session: Work, person_id: UUID) -> Response:
    """The page of a person."""
    idle = timedelta(seconds=visit.container.settings.session_idle)
    found = await card.card(session, visit.actor, person_id, now(), idle, visit.container.activity)
    return visit.page("staff/person.html", person=_person(visit, found))


def query_of(given: Mapping[str, str]) -> PeopleQuery:
    """What the filters ask for."""
    return PeopleQuery(
        given.get("text", ""),
        uuid_of(given.get("unit")),
        PersonState(given["state"]) if "state" in given else None,
    )


def given_filters(query: Mapping[str, str], units: Mapping[UUID, str]) -> dict[str, str]:
    """The filters of the address that are known."""
    raw = {name: one_line(value)[:200] for name, value in query.items()}
    given = {name: raw[name] for name in _NAMES if raw.get(name)}
    if given.get("state") not in set(PersonState):
        given.pop("state", None)
    if uuid_of(given.get("unit")) not in units:
        given.pop("unit", None)
    return given


def state_view(state: PersonState) -> StateView:
    """A state in words, with its tone."""
    return StateView(_(STATE_NAMES[state]), *_LOOKS[state])


def _list(
    visit: Visit, found: PeoplePage, given: Mapping[str, str], units: Mapping[UUID, str]
) -> PeopleList:
    everywhere = [Option("", _("Все подразделения"))]
    states = [Option("", _("Все, кто работает"))]
    words = {
        "text": f"«{given.get('text', '')}»",
        "unit": units.get(uuid_of(given.get("unit")) or UUID(int=0), ""),
        "state": _(STATE_NAMES[PersonState(given["state"])]) if "state" in given else "",
    }
    return PeopleList(
        rows=[_row(line) for line in found.lines],
        fields=[
            filter_field(given, {}, "text", _("Фамилия, имя, должность или почта")),
            filter_field(
                given,
                {},
                "unit",
                _("Подразделение"),
                everywhere + [Option(str(id_), name) for id_, name in units.items()],
            ),
            filter_field(
                given,
                {},
                "state",
                _("Учётная запись"),
                states + [Option(one.value, _(STATE_NAMES[one])) for one in PersonState],
            ),
        ],
        active=[
            Chip(words[name], address(PEOPLE, {**given, name: ""}))
            for name in _NAMES
            if name in given
        ],
        found=ngettext("Найден %(n)s сотрудник", "Найдено %(n)s сотрудников", found.found)
        % {"n": found.found},
        more=found.more,
        pages=Pages(
            before=_at(given, found.page - 1) if found.page > 1 else None,
            after=_at(given, found.page + 1) if found.page < found.pages else None,
            shown=len(found.lines),
        ),
        manages=visit.actor.may(Permission.MANAGE_PEOPLE),
        invite_url=address(f"{PEOPLE}/invite", given)
        if found.found
        and visit.actor.may(Permission.MANAGE_PEOPLE)
        and given.get("state") in (PersonState.NONE, PersonState.INVITED)
        else "",
    )


def _at(given: Mapping[str, str], page: int) -> str:
    return address(PEOPLE, {**given, "page": page})


def _row(line: PersonLine) -> ListedPerson:
    url = f"{PEOPLE}/{line.id}"
    return ListedPerson(url, line.name, line.position, line.unit, state_view(line.state))


def _person(visit: Visit, found: PersonCard) -> PersonPage:
    return PersonPage(
        id=str(found.id),
        url=f"{PEOPLE}/{found.id}",
        name=found.name,
        state=state_view(found.state),
        facts=_facts(found),
        grants=[_grant(grant, found.id) for grant in found.grants],
        rights_url=f"/rights/new?person={found.id}" if found.manageable else "",
        own_open=found.own_open,
        under_review=found.under_review,
        cases=[(one.number, f"/cases/{one.id}") for one in found.cases],
        sessions=[
            SessionView(
                str(one.id), one.device, one.address, one.created_at, one.last_active, current=False
            )
            for one in found.sessions
        ],
        tokens=found.tokens,
        devices=[
            DeviceRow(str(one.id), one.name, one.first_seen, one.last_seen) for one in found.devices
        ],
        logins=login_lines(found.attempts),
        own=found.id == visit.actor.person_id,
        acts=[
            (f"{PEOPLE}/{found.id}/act/{kind.value}", _(ASKED_BY_PAGE[kind][0]))
            for kind in _acts(found)
        ],
        end_url=f"{PEOPLE}/{found.id}/act/{StaffActKind.END_SESSIONS.value}"
        if found.manageable and found.state is PersonState.ACTIVE
        else "",
        invitation=_invitation(found.invitation) if found.invitation else None,
        invites=found.manageable
        and (found.unfinished or found.state in (PersonState.NONE, PersonState.INVITED)),
        act_id=str(new_id()),
        log_url=address("/journal/search", {"person": found.id})
        if visit.actor.may(Permission.READ_JOURNAL)
        else "",
    )


def _acts(found: PersonCard) -> Sequence[StaffActKind]:
    """What can be done to the account as it stands."""
    if not found.manageable or found.state is PersonState.LEFT:
        return ()
    of_account = {
        PersonState.ACTIVE: [StaffActKind.LOCK],
        PersonState.LOCKED: [StaffActKind.UNLOCK],
    }.get(found.state, [])
    departure = [StaffActKind.LEAVE]
    if found.left_at is not None:
        departure += [StaffActKind.STAY]
    return [*of_account, StaffActKind.TRANSFER, *departure]


def _invitation(seen: InvitationSeen) -> InvitationView:
    words, bad = _("письмо ещё не отправлено"), False
    if seen.mail is NoticeState.TOLD:
        words = _("письмо отправлено")
    elif seen.mail is NoticeState.FAILED:
        words, bad = (
            _("письмо не доставлено: %(why)s") % {"why": said(seen.mail_reason or "")},
            True,
        )
    elif seen.mail is NoticeState.SUPERSEDED:
        words = _("письмо отменено")
    by = seen.by or _("командой на сервере")
    return InvitationView(seen.created_at, seen.ends_at, by, seen.over, words, bad)


def _facts(found: PersonCard) -> list[tuple[str, str]]:
    facts = [
        (_("Должность"), found.position),
        (_("Подразделение"), found.unit),
        (_("Электронная почта"), found.email),
    ]
    if found.unfinished:
        facts.append((_("Второй фактор"), _("ещё не подключён: человек ни разу не вошёл")))
    if found.locked_at is not None:
        facts.append((_("Заблокирована"), formats.moment(found.locked_at)))
        if found.locked_reason:
            facts.append((_("Причина блокировки"), found.locked_reason))
    if found.left_at is not None:
        label = _("Уволен") if found.left_at <= now() else _("Уходит")
        facts.append((label, formats.moment(found.left_at)))
    return facts


def _grant(grant: GrantSeen, person_id: UUID) -> GrantRow:
    by = grant.by or (
        _(_GIVEN_BY.get(grant.system, grant.system)) if grant.system else _("в журнале не указано")
    )
    ended = grant.valid_until is not None and grant.valid_until <= now()
    return GrantRow(
        right_words(grant.role),
        grant.unit,
        grant.valid_from,
        grant.valid_until,
        _("заявка %(number)s") % {"number": grant.number} if grant.number else by,
        ended,
        how=_how(grant),
        end_url=f"{PEOPLE}/{person_id}/grants/{grant.id}/end" if grant.may_end else "",
    )


def _how(grant: GrantSeen) -> list[str]:
    """Who asked for a grant, confirmed, approved and ended it, as far as people did."""
    told = (
        (_("срочно, до решения"), grant.urgent),
        (_("попросил: %(who)s") % {"who": grant.asked_by}, grant.asked_by),
        (_("подтвердил: %(who)s") % {"who": grant.confirmed_by}, grant.confirmed_by),
        (_("одобрил: %(who)s") % {"who": grant.approved_by}, grant.approved_by),
        (_("забрал: %(who)s") % {"who": grant.ended_by}, grant.ended_by),
    )
    return [words for words, holds in told if holds]
