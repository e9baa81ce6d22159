"""The department: who reviews and how much, who is away, which cases are overdue, moving cases."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.http.entrance import CleanRoute
from cabinet.frame.views import ErrorItem, FieldView, Flash, Option
from cabinet.frame.visits import Inside, Visit, uuid_of
from cabinet.reviews.bulk import MOST, lines_of
from cabinet.reviews.decision_page import SHOWN_AGAIN
from cabinet.reviews.lines import hand_over, queue_row
from cabinet.reviews.views import AbsenceLine, Member, ResultRow, Results, Team
from clients.database import DatabaseSession
from rules.access import Permission
from rules.cases.limits import LONGEST_REMARK
from rules.cases.process import Status
from rules.clock import now
from rules.refusals import FieldError, Refusal, forbidden
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from rules.texts.names import short_name
from services.cases import lists as case_lists
from services.cases.assignment import HELD
from services.cases.lists import CaseLine, Filters, Order
from services.catalogue import lookup as catalogue
from services.staff import absences
from services.staff.absences import Reviewer
from words.translation import gettext as _
from words.translation import in_words, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/desk/team")

Chosen = Annotated[list[UUID], Query(alias="case", max_length=MOST)]
Text = Annotated[str, Form()]

_DONE = {
    "away": marked("Отсутствие записано."),
    "back": marked("Отсутствие отменено."),
}


@router.get("")
async def team_page(
    visit: Inside,
    case: Chosen = [],  # noqa: B006
    of: str = "",
    done: str = "",
) -> Response:
    """The department today.

    Cases chosen in the queue, or all `of` one reviewer, can be moved here.
    """
    flash = Flash(_(_DONE[done])) if done in _DONE else None
    return await _shown(visit, case, of=uuid_of(of), flash=flash)


async def _shown(
    visit: Visit,
    chosen: Sequence[UUID] = (),
    *,
    of: UUID | None = None,
    absence: dict[str, str] | None = None,
    move: dict[str, str] | None = None,
    refusal: Refusal | None = None,
    flash: Flash | None = None,
) -> Response:
    actor, at = visit.actor, now()
    told = {e.path: in_words(e.message) for e in refusal.fields} if refusal else {}
    async with visit.container.database.work() as session:
        unit = await catalogue.unit_id(session, "hr")
        people = await absences.reviewers(session, actor, unit)
        counts = await case_lists.counts(session, actor, at)
        calendar = await catalogue.calendar(session)
        heads = actor.may(Permission.OVERSEE_REVIEWS, unit)
        whose = next((one for one in people if heads and one.id == of), None)
        lines = await _movable(session, visit, chosen, whose) if heads else ()
        reading = await case_lists.readers(session, actor, [line.id for line in lines])
    rows = [
        queue_row(line, actor, at, calendar, reading=reading.get(line.id, ()), selectable=True)
        for line in lines
    ]
    typed = move or {}
    errors = [ErrorItem(text, f"#field-{name}") for name, text in told.items()]
    if refusal and not errors:
        errors = [ErrorItem(in_words(refusal.message))]
    team = Team(
        members=_members(visit, people, unit),
        movable=rows,
        steps={str(line.id): line.step for line in lines},
        holders={str(line.id): str(line.reviewer_id or "") for line in lines},
        late=counts["overdue"],
        unassigned=counts["unassigned"],
        waiting=counts["in_review"],
        oversees=heads,
        reconciles=actor.may(Permission.RECONCILE_STAFF),
        move=hand_over(
            "/desk/team/move",
            people,
            frozenset({whose.id}) if whose else frozenset(),
            chosen=typed.get("to", str(actor.person_id) if whose else ""),
            why=typed.get("why", ""),
            error=told.get("to", ""),
            why_error=told.get("why", ""),
        ),
        absence=_absence_fields(visit, people, heads, absence or {}, told),
        chosen=bool(chosen) and bool(rows),
        whose=whose.name if whose else "",
        ticked=frozenset(str(line.id) for line in lines if whose or line.id in chosen),
    )
    status = refusal.status if refusal else 200
    return visit.page("reviews/team.html", status=status, team=team, errors=errors, flash=flash)


async def _movable(
    session: DatabaseSession, visit: Visit, chosen: Sequence[UUID], whose: Reviewer | None
) -> Sequence[CaseLine]:
    """The cases that the head may move: those chosen, all of one colleague, else the overdue
    ones."""
    held = tuple(map(Status, HELD))
    if whose is not None:
        filters = Filters(reviewer=whose.id, status=held)
    elif chosen:
        filters = Filters(ids=tuple(chosen), status=held)
    else:
        filters = Filters(overdue=True, waiting=True)
    # Cases that do not wait at the desk have no term to be sorted by.
    order = Order.DUE if filters.overdue else Order.NEWEST
    return (await case_lists.desk(session, visit.actor, filters, limit=MOST, order=order)).lines


def _members(visit: Visit, people: Sequence[Reviewer], unit: UUID) -> list[Member]:
    heads = visit.actor.may(Permission.OVERSEE_REVIEWS, unit)
    most = max((person.in_review for person in people), default=0) or 1
    return [
        Member(
            id=str(person.id),
            name=person.name,
            position=person.position,
            in_review=person.in_review,
            overdue=person.overdue,
            away_now=person.away_now,
            absences=[
                AbsenceLine(
                    away.first_day,
                    away.last_day,
                    short_name(away.deputy) if away.deputy else "",
                    f"/desk/team/absences/{away.id}/end"
                    if heads or person.id == visit.actor.person_id
                    else None,
                )
                for away in person.absences
            ],
            queue_url="/desk?reviewer=me"
            if person.id == visit.actor.person_id
            else f"/desk?reviewer={person.id}",
            share=round(100 * person.in_review / most),
            take_over_url=f"/desk/team?of={person.id}#move"
            if heads and person.in_review and person.id != visit.actor.person_id
            else None,
        )
        for person in people
    ]


def _absence_fields(
    visit: Visit,
    people: Sequence[Reviewer],
    heads: bool,
    typed: dict[str, str],
    told: dict[str, str],
) -> list[FieldView]:
    """Who is away, from when until when, and who stands in.

    Reviewers record only their own days.
    """
    options = [Option(str(person.id), person.name) for person in people]
    own = str(visit.actor.person_id)
    fields = []
    if heads:
        fields.append(
            FieldView(
                "person_id",
                _("Сотрудник"),
                "choice",
                typed.get("person_id", ""),
                error=told.get("person_id", ""),
                options=options,
            )
        )
    for name, label in (("first_day", _("Первый день")), ("last_day", _("Последний день"))):
        fields.append(FieldView(name, label, "date", typed.get(name, ""), error=told.get(name, "")))
    fields.append(
        FieldView(
            "deputy_id",
            _("Кто замещает"),
            "choice",
            typed.get("deputy_id", ""),
            error=told.get("deputy_id", ""),
            options=options if heads else [o for o in options if o.value != own],
            required=False,
        )
    )
    return fields


@router.post("/absences")
async def set_absence(
    visit: Inside,
    person_id: Text = "",
    first_day: Text = "",
    last_day: Text = "",
    deputy_id: Text = "",
) -> Response:
    """Record an absence: one's own, or anybody's by the head."""
    typed = {
        "person_id": person_id,
        "first_day": first_day,
        "last_day": last_day,
        "deputy_id": deputy_id,
    }
    try:
        errors, days = [], {}
        for name in ("first_day", "last_day"):
            try:
                days[name] = identifiers.day(typed[name])
            except IdentifierError as error:
                errors.append(FieldError(name, error.message))
        who = uuid_of(person_id) if person_id else visit.actor.person_id
        if who is None:
            errors.append(FieldError("person_id", "Выберите сотрудника."))
        if errors or who is None:
            raise Refusal("incomplete", "Исправьте отмеченные поля.", 422, errors)
        await _set(visit, who, days["first_day"], days["last_day"], uuid_of(deputy_id))
    except Refusal as refusal:
        if refusal.status not in SHOWN_AGAIN:
            raise
        return await _shown(visit, absence=typed, refusal=refusal)
    return visit.go("/desk/team?done=away")


async def _set(visit: Visit, who: UUID, first: date, last: date, deputy: UUID | None) -> None:
    async with visit.container.database.work() as session:
        unit = await catalogue.unit_id(session, "hr")
        await absences.set_absence(session, visit.actor, unit, who, first, last, deputy)


@router.post("/absences/{absence_id}/end")
async def end_absence(absence_id: UUID, visit: Inside) -> Response:
    """Remove an absence."""
    async with visit.container.database.work() as session:
        unit = await catalogue.unit_id(session, "hr")
        await absences.end_absence(session, visit.actor, unit, absence_id)
    return visit.go("/desk/team?done=back")


@router.post("/move")
async def move(visit: Inside, to: Text = "", why: Text = "") -> Response:
    """Assign the ticked cases to somebody, as the head may. Each is moved or refused on its own."""
    if not visit.actor.may(Permission.OVERSEE_REVIEWS):
        raise forbidden()
    form = await visit.request.form()
    chosen = [found for text in form.getlist("case")[:MOST] if (found := uuid_of(str(text)))]
    whom = uuid_of(to)
    errors = []
    if whom is None:
        errors.append(FieldError("to", "Выберите, кому передать."))
    if not chosen:
        errors.append(FieldError("case", "Отметьте хотя бы одну заявку."))
    if len(why.strip()) > LONGEST_REMARK:
        errors.append(FieldError("why", "Сократите объяснение до 1000 знаков."))
    if errors or whom is None:
        refusal = Refusal("incomplete", "Исправьте отмеченные поля.", 422, errors)
        return await _shown(visit, chosen, move={"to": to, "why": why}, refusal=refusal)
    refused: dict[UUID, Refusal] = {}
    for case_id in chosen:
        step = identifiers.whole(str(form.get(f"step.{case_id}", "")))
        try:
            at_step = -1 if step is None else step
            had = uuid_of(str(form.get(f"had.{case_id}", "")))
            await visit.container.reviews.hand_over(visit.actor, case_id, at_step, whom, why, had)
        except Refusal as refusal:
            refused[case_id] = refusal
    lines = await lines_of(visit, chosen)
    rows = [_moved(case_id, lines.get(case_id), refused.get(case_id)) for case_id in chosen]
    results = Results(_("Передача заявок"), rows, "/desk/team")
    return visit.page("reviews/results.html", results=results)


def _moved(case_id: UUID, line: CaseLine | None, refused: Refusal | None) -> ResultRow:
    """The result for one case, and who has it now."""
    done = _("Новый исполнитель: %(name)s.") % {"name": line.reviewer if line else ""}
    return ResultRow(
        f"/desk/cases/{case_id}",
        line.number or "" if line else "",
        line.applicant or "" if line else "",
        refused is None,
        in_words(refused.message) if refused else done,
        _("Заявка не изменилась.") if refused else "",
    )
