"""The operator's pages: a schedule of times, and what is compared in a meeting (I3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit
from cabinet.meetings.lines import meeting_view
from cabinet.meetings.views import AskedRow, HoldingPage, SchedulePage, TimeRow
from clients.database import DatabaseSession
from rules.clock import now
from rules.meetings import (
    ASKED_WORDS,
    CHECKLIST,
    MOST_MARKED,
    OUTCOMES,
    PURPOSE_WORDS,
    REASON,
    STATE_WORDS,
)
from rules.refusals import FieldError, Refusal
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.meetings import seen as meetings
from services.meetings import times
from services.meetings.purposes import case_of
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/meetings")

SCHEDULE = "/meetings/mine"
Text = Annotated[str, Form(max_length=40)]


@router.get("/mine")
async def schedule(visit: Inside, session: Work) -> Response:
    """The operator's times and the meetings in them."""
    return await _schedule(visit, session, {}, None)


@router.post("/mine")
async def open_times(visit: Inside, day: Text = "", first: Text = "", last: Text = "") -> Response:
    """Offer times of a day."""
    try:
        async with visit.container.database.work() as session:
            given = _day(day), _time("first", first), _time("last", last)
            await times.open_times(session, visit.actor, *given, now())
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        typed = {"day": day, "first": first, "last": last}
        async with visit.container.database.work() as session:
            return await _schedule(visit, session, typed, refusal)
    return visit.go(SCHEDULE, "times_opened")


@router.post("/mine/{slot_id}/withdraw")
async def withdraw(slot_id: UUID, visit: Inside) -> Response:
    """Offer a time no longer."""
    await visit.container.meetings.withdraw_time(visit.actor, slot_id)
    return visit.go(SCHEDULE, "time_withdrawn")


@router.get("/{meeting_id}")
async def hold(meeting_id: UUID, visit: Inside, session: Work) -> Response:
    """What to compare, and the outcome."""
    return await _holding(visit, session, meeting_id)


@router.post("/{meeting_id}/outcome")
async def record(
    meeting_id: UUID,
    visit: Inside,
    outcome: Text = "",
    compared: Annotated[Sequence[str], Form(max_length=20)] = (),
    reason: Annotated[str, Form(max_length=5 * REASON[1])] = "",
    marked: Annotated[Sequence[str], Form(max_length=MOST_MARKED)] = (),
) -> Response:
    """Record how the meeting ended; where a code is to be told, the page stays open for it."""
    typed = _Typed(outcome, compared, reason, marked)
    acts = visit.container.meetings
    try:
        await acts.record(visit.actor, meeting_id, outcome, compared, reason, marked)
    except Refusal as refusal:
        if refusal.status != 422 or not refusal.fields:
            raise
        async with visit.container.database.work() as session:
            return await _holding(visit, session, meeting_id, typed, refusal)
    async with visit.container.database.work() as session:
        held = await meetings.to_hold(session, visit.actor, meeting_id)
    return visit.go(f"/meetings/{meeting_id}" if held.gives_code else SCHEDULE, "outcome_recorded")


@dataclass(frozen=True)
class _Typed:
    """What was chosen in the form of the outcome so far."""

    outcome: str = ""
    compared: Sequence[str] = ()
    reason: str = ""
    marked: Sequence[str] = ()


async def _schedule(
    visit: Visit, session: DatabaseSession, typed: dict[str, str], refusal: Refusal | None
) -> Response:
    moment, template = now(), visit.container.settings.meeting_room
    rows = [
        TimeRow(
            slot_id=one.slot_id,
            starts_at=one.starts_at,
            meeting=meeting_view(one.meeting, template, one.meeting.person, moment)
            if one.meeting
            else None,
            withdrawable=one.starts_at > moment and (one.meeting is None or one.meeting.booked),
        )
        for one in await meetings.schedule(session, visit.actor, moment)
    ]
    fields = [
        FieldView("day", gettext("День"), "date", hint=gettext("Как дд.мм.гггг")),
        FieldView("first", gettext("С"), hint=gettext("Например, 09:00"), width="5"),
        FieldView("last", gettext("До какого времени"), hint=gettext("Например, 13:30"), width="5"),
    ]
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    return visit.page(
        "meetings/schedule.html",
        status=refusal.status if refusal else 200,
        schedule=SchedulePage(
            rows=rows,
            fields=[
                replace(one, value=typed.get(one.name, ""), error=wrong.get(one.name, ""))
                for one in fields
            ],
            zone=visit.signed_in.zone,
        ),
        errors=errors_of(refusal) if refusal else [],
    )


async def _holding(
    visit: Visit,
    session: DatabaseSession,
    meeting_id: UUID,
    typed: _Typed = _Typed(),
    refusal: Refusal | None = None,
) -> Response:
    moment = now()
    held = await meetings.to_hold(session, visit.actor, meeting_id)
    one = held.meeting
    wrong = {each.path: in_words(each.message) for each in refusal.fields} if refusal else {}
    case_id = await case_of(session, one.purpose, one.person_id)
    seen = typed.compared if one.booked else one.compared
    marked = typed.marked if one.booked else one.marked
    asked_words = ASKED_WORDS.get(one.purpose, ("", ""))
    return visit.page(
        "meetings/hold.html",
        status=refusal.status if refusal else 200,
        holding=HoldingPage(
            meeting=meeting_view(one, visit.container.settings.meeting_room, one.person, moment),
            purpose=gettext(PURPOSE_WORDS[one.purpose]),
            case_url=f"/cases/{case_id}" if case_id else "",
            checklist=[(name, gettext(words), name in seen) for name, words in CHECKLIST.items()],
            outcomes=FieldView(
                "outcome",
                gettext("Итог встречи"),
                "choice",
                value=typed.outcome,
                error=wrong.get("outcome", ""),
                options=[Option(state.value, gettext(STATE_WORDS[state])) for state in OUTCOMES],
            ),
            reason=FieldView(
                "reason",
                gettext("Причина"),
                "long_text",
                value=typed.reason,
                hint=gettext("Обязательна, если личность не подтверждена. Её прочитает человек."),
                error=wrong.get("reason", ""),
                required=False,
                max_length=REASON[1],
            ),
            begun=one.starts_at <= moment,
            asks=gettext(asked_words[0]) if asked_words[0] else "",
            asks_hint=gettext(asked_words[1]) if asked_words[1] else "",
            asked=[
                AskedRow(each.name, gettext(each.words), each.hint, each.since, each.name in marked)
                for each in held.asked
            ],
            gives_code=held.gives_code,
        ),
        errors=errors_of(refusal) if refusal else [],
        compared_error=wrong.get("compared", ""),
    )


def _day(text: str) -> date:
    try:
        return identifiers.day(text)
    except IdentifierError as error:
        raise _wrong("day", error.message) from None


def _time(field: str, text: str) -> time:
    try:
        return time.fromisoformat(text.strip().zfill(5))
    except ValueError:
        raise _wrong(field, "Укажите время, например 09:30.") from None


def _wrong(field: str, words: str) -> Refusal:
    return Refusal("incomplete", words, 422, [FieldError(field, words)])
