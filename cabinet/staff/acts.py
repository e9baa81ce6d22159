"""Acts on a person's account, each on a page of its own that says what it does and asks why."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit
from cabinet.staff.views import StaffActPage
from rules.access import Permission
from rules.clock import now
from rules.ids import new_id
from rules.refusals import FieldError, Refusal, forbidden
from rules.staff.people import REASON, StaffActKind
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.staff import directory
from words.translation import gettext as _
from words.translation import in_words, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/people/{person_id}")

Kind = StaffActKind
ASKED_BY_PAGE = {
    Kind.LOCK: (
        marked("Заблокировать"),
        marked(
            "Сеансы и ключи доступа завершатся сразу, войти будет нельзя. Дела на рассмотрении "
            "перейдут к другим сотрудникам. Роли останутся. Человек получит уведомление."
        ),
    ),
    Kind.UNLOCK: (
        marked("Снять блокировку"),
        marked("Человек снова сможет войти с прежним паролем и кодом. Он получит уведомление."),
    ),
    Kind.END_SESSIONS: (
        marked("Завершить сеансы"),
        marked("Человеку придётся войти заново. Он получит уведомление."),
    ),
    Kind.LEAVE: (
        marked("Уволить"),
        marked(
            "Роли закончатся, войти будет нельзя, сеансы и ключи доступа завершатся. Дела на "
            "рассмотрении вернутся в очередь подразделения, а о собственных открытых делах узнает "
            "руководитель."
        ),
    ),
    Kind.STAY: (
        marked("Отменить увольнение"),
        marked("Учётная запись и роли останутся."),
    ),
    Kind.TRANSFER: (
        marked("Перевести"),
        marked(
            "Роли, которые человек держал из-за прежнего подразделения, закончатся сразу, сеансы и "
            "ключи доступа тоже. Роли в новом подразделении выдают отдельно."
        ),
    ),
}
"""The acts that have a page, with their names and what they do (msgids)."""
_NEED_CODE = (Kind.UNLOCK, Kind.STAY)
"""What lets somebody in asks for a code when the last is older than five minutes."""
_DONE = {
    Kind.LOCK: "locked",
    Kind.UNLOCK: "unlocked",
    Kind.END_SESSIONS: "sessions_ended",
    Kind.LEAVE: "leaves",
    Kind.STAY: "stays",
    Kind.TRANSFER: "transferred",
}
Which = Annotated[UUID | None, Query()]
Shown = Annotated[str, Form(max_length=40)]


@router.get("/act/{change}")
async def act_page(
    person_id: UUID,
    change: Kind,
    visit: Inside,
    session: Work,
    session_id: Which = None,
    device_id: Which = None,
) -> Response:
    """What the act does, and the reason for it."""
    if change in _NEED_CODE:
        visit.signed_in.demand_fresh(now())
    hidden = _hidden(session_id, device_id)
    return await _page(visit, session, person_id, change, hidden)


@router.post("/act/{change}")
async def act(
    person_id: UUID,
    change: Kind,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=5000)] = "",
    last_day: Annotated[str, Form(max_length=40)] = "",
    shown: Shown = "",
    unit_id: Annotated[UUID | None, Form()] = None,
    session_id: Annotated[UUID | None, Form()] = None,
    device_id: Annotated[UUID | None, Form()] = None,
) -> Response:
    """Do it, and go back to the person."""
    staff, actor = visit.container.staff, visit.actor
    if change in _NEED_CODE:
        visit.signed_in.demand_fresh(now())
    try:
        match change:
            case Kind.LOCK:
                await staff.lock(actor, act_id, person_id, reason)
            case Kind.UNLOCK:
                await staff.unlock(actor, act_id, person_id, reason)
            case Kind.END_SESSIONS:
                which = {"session_id": session_id, "device_id": device_id}
                await staff.end_sessions(actor, act_id, person_id, reason, **which)
            case Kind.LEAVE:
                day, known = _day(last_day), _moment(shown)
                await staff.leave(actor, act_id, person_id, reason, day, shown=known)
            case Kind.STAY:
                await staff.stay(actor, act_id, person_id, reason)
            case Kind.TRANSFER:
                await staff.transfer(actor, act_id, person_id, _chosen(unit_id), reason)
            case _:
                raise forbidden()
    except Refusal as refusal:
        if refusal.status != 422 or not refusal.fields:
            raise
        typed = {"reason": reason, "last_day": last_day, "unit_id": str(unit_id or "")}
        hidden = {**_hidden(session_id, device_id), "act_id": str(act_id)}
        async with visit.container.database.work() as session:
            return await _page(visit, session, person_id, change, hidden, typed, refusal)
    return visit.go(f"/people/{person_id}", _DONE[change])


def _hidden(session_id: UUID | None, device_id: UUID | None) -> dict[str, str]:
    given = (("session_id", session_id), ("device_id", device_id))
    return {name: str(id_) for name, id_ in given if id_}


def _day(text: str) -> date | None:
    """The last day as it was typed; None for an empty field. Raises Refusal 422."""
    if not text.strip():
        return None
    try:
        return identifiers.day(text)
    except IdentifierError as error:
        raise Refusal(
            "last_day", error.message, 422, [FieldError("last_day", error.message)]
        ) from None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _chosen(unit_id: UUID | None) -> UUID:
    if unit_id is None:
        words = "Выберите подразделение."
        raise Refusal("incomplete", words, 422, [FieldError("unit_id", words)])
    return unit_id


async def _page(
    visit: Visit,
    session: Work,
    person_id: UUID,
    change: Kind,
    hidden: dict[str, str],
    typed: dict[str, str] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    person = await directory.look_at(session, visit.actor, person_id)
    if change not in ASKED_BY_PAGE or not directory.may_manage(visit.actor, person):
        raise forbidden()
    title, does = ASKED_BY_PAGE[change]
    fields = [*await _fields(visit, session, change, person.unit_id), reason_field()]
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    drawn = [
        replace(one, value=(typed or {}).get(one.name, one.value), error=wrong.get(one.name, ""))
        for one in fields
    ]
    shown = person.left_at.isoformat() if person.left_at and change is Kind.LEAVE else ""
    return visit.page(
        "staff/act.html",
        status=refusal.status if refusal else 200,
        act=StaffActPage(
            title=_(title),
            does=_(does),
            name=person.name,
            back=f"/people/{person_id}",
            url=f"/people/{person_id}/act/{change.value}",
            fields=drawn,
            hidden={"act_id": str(new_id()), "shown": shown, **hidden},
            dangerous=change in (Kind.LOCK, Kind.LEAVE, Kind.END_SESSIONS),
        ),
        errors=errors_of(refusal) if refusal else [],
    )


async def _fields(visit: Visit, session: Work, change: Kind, unit_id: UUID) -> Sequence[FieldView]:
    if change is Kind.LEAVE:
        return (
            FieldView(
                "last_day",
                _("Последний рабочий день"),
                "date",
                hint=_("Как дд.мм.гггг. Доступ закроется, когда этот день закончится. Если поле "
                       "пустое, доступ закроется сразу."),
                required=False,
            ),
        )  # fmt: skip
    if change is Kind.TRANSFER:
        managed = visit.actor.units_with(Permission.MANAGE_PEOPLE)
        units = [
            Option(str(id_), name)
            for id_, name in await directory.units_of(session, visit.actor)
            if id_ in managed and id_ != unit_id
        ]
        return (FieldView("unit_id", _("Новое подразделение"), "choice", options=units),)
    return ()


def reason_field() -> FieldView:
    """The field for the reason of an act."""
    return FieldView(
        "reason",
        _("Причина"),
        "long_text",
        hint=_("Останется в журнале. Её увидят те, кто ведёт учёт сотрудников."),
        max_length=REASON[1],
    )
