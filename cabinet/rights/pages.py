"""«Мои заявки на права»: the list, a change of rights, asking for one; and the whole matrix."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.right_words import right_words
from cabinet.accounts.sign_in import errors_of
from cabinet.cases.lines import answer_sections, case_timeline, waits_for, whole_case
from cabinet.cases.pages import CaseView, Groups, Narrowed, add_pages, list_page, receipt_paper
from cabinet.conversation.pages import talk_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit
from cabinet.rights.kind import RIGHTS
from cabinet.rights.views import AskPage, MatrixPage, MatrixUnit, RightsPage
from rules.access import SINGLE, Permission, Role
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.ids import new_id
from rules.refusals import FieldError, Refusal
from rules.staff.people import REASON
from rules.staff.right_names import RIGHT_NAMES
from rules.texts import identifiers
from rules.texts.cleaning import in_order
from rules.texts.identifiers import IdentifierError
from services.access_changes import reading
from services.access_changes.asking import RightsWish
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

_OPEN = {"status": (Status.CONFIRMING, Status.IN_REVIEW)}
_GROUPS: Groups = {"": ("Все", {}), "open": ("Ждут решения", _OPEN)}
Short = Annotated[str, Form(max_length=40)]


@router.get("/rights")
async def list_mine(visit: Inside, session: Work, asked: Narrowed) -> Response:
    """The changes that the person has asked for."""
    choice = FieldView("kind", _("Вид"), "choice")
    return await list_page(visit, session, RIGHTS, asked, _GROUPS, choice, {})


@router.get("/rights/matrix")
async def matrix(visit: Inside, session: Work) -> Response:
    """The whole matrix: role, permission, and the units of the visitor."""
    found = await reading.matrix(session, visit.actor, now())
    return visit.page(
        "rights/matrix.html",
        matrix=MatrixPage(
            roles=[right_words(role) for role in Role],
            rows=[
                (_(RIGHT_NAMES[right]), right.value, [role in roles for role in Role])
                for right, roles in found.permissions.items()
            ],
            units=[
                MatrixUnit(
                    str(row.unit.id),
                    row.unit.name,
                    [str(row.holders.get(role) or "") for role in Role],
                    row.unit.urgent,
                    row.may_set_urgent,
                )
                for row in found.units
            ],
            singles=[
                (row.unit.name, right_words(right), str(count))
                for row in found.units
                for right, count in sorted(row.holders.items())
                if isinstance(right, Permission)
            ],
            act_id=str(new_id()),
        ),
    )


@router.post("/rights/units/{unit_id}/urgent")
async def set_urgent(
    unit_id: UUID, visit: Inside, act_id: Annotated[UUID, Form()], allowed: Short = ""
) -> Response:
    """Allow or forbid rights before anybody has decided, in one unit."""
    visit.signed_in.demand_fresh(now())
    revocations = visit.container.revocations
    await revocations.set_urgent(visit.actor, act_id, unit_id, allowed=allowed == "yes")
    return visit.go("/rights/matrix", "urgent_set")


@router.get("/rights/new")
async def ask_page(
    visit: Inside,
    session: Work,
    person: Annotated[UUID | None, Query()] = None,
    grant: Annotated[UUID | None, Query()] = None,
) -> Response:
    """What to change: what is to be given, or with `grant` what is to be taken."""
    visit.signed_in.demand_fresh(now())
    return await _ask_page(visit, session, person or visit.actor.person_id, grant)


@router.post("/rights/new")
async def ask(
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    person: Annotated[UUID, Form()],
    grant: Short = "",
    role: Short = "",
    unit_id: Short = "",
    first_day: Short = "",
    last_day: Short = "",
    urgent: Short = "",
    reason: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Ask, and go to the change."""
    visit.signed_in.demand_fresh(now())
    typed = {
        "act_id": str(act_id),
        "role": role,
        "unit_id": unit_id,
        "first_day": first_day,
        "last_day": last_day,
        "urgent": urgent,
        "reason": reason,
    }
    takes = _uuid(grant)
    try:
        wish = RightsWish(
            role=Role(role) if role in set(Role) else None,
            permission=Permission(role) if role in SINGLE else None,
            unit_id=_uuid(unit_id),
            takes_grant_id=takes,
            first_day=_day("first_day", first_day),
            last_day=_day("last_day", last_day),
            urgent=bool(urgent),
            reason=reason,
        )
        made = await visit.container.access_changes.ask(visit.actor, act_id, person, wish)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        async with visit.container.database.work() as session:
            return await _ask_page(visit, session, person, takes, typed, refusal)
    return visit.go(f"/rights/{made.case_id}", "rights_asked")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(name: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return identifiers.day(text)
    except IdentifierError as error:
        raise Refusal(name, error.message, 422, [FieldError(name, error.message)]) from None


async def _ask_page(
    visit: Visit,
    session: Work,
    subject_id: UUID,
    takes: UUID | None,
    typed: Mapping[str, str] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    form = await reading.ask_form(session, visit.actor, subject_id, now())
    taken = next((one for one in form.held if one.id == takes), None)
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    given = typed or {}

    def field(name: str, label: str, kind: str, **more: object) -> FieldView:
        return FieldView(
            name, label, kind, given.get(name, ""), error=wrong.get(name, ""), **more  # type: ignore[arg-type]
        )  # fmt: skip

    fields = []
    if taken is None:
        whole, single = _("Роли"), _("Отдельные права")
        rights = [Option(one.value, _(RIGHT_NAMES[one]), group=whole) for one in Role]
        rights += sorted(
            (Option(one.value, _(RIGHT_NAMES[one]), group=single) for one in SINGLE),
            key=lambda one: in_order(one.label),
        )
        units = [Option(str(one.id), one.name) for one in form.units]
        day = _("Как дд.мм.гггг. Можно оставить пустым")
        fields += [
            field(
                "role",
                _("Роль или отдельное право"),
                "choice",
                hint=_("Отдельное право — если роль дала бы больше, чем нужно"),
                options=rights,
            ),
            field("unit_id", _("Подразделение"), "choice", options=units),
            field("first_day", _("Действует с"), "date", hint=day, required=False),
            field("last_day", _("Действует по"), "date", hint=day, required=False),
        ]
        if any(one.urgent for one in form.units):
            fields.append(
                field(
                    "urgent",
                    _("Срочно: до решения, не дольше суток. Об этом сразу узнают все, кого не "
                      "спросили"),
                    "checkbox",
                    required=False,
                )
            )  # fmt: skip
    fields.append(
        field(
            "reason",
            _("Для чего это нужно"),
            "long_text",
            hint=_("Прочитают руководитель и информационная безопасность"),
            max_length=REASON[1],
        )
    )
    title = _("Попросить права") if form.own else _("Изменить права")
    if taken is not None:
        title = _("Забрать: %(role)s, %(unit)s") % {
            "role": right_words(taken.right),
            "unit": taken.unit,
        }
    here = "/rights/new" if form.own else f"/rights/new?person={subject_id}"
    link = "&" if "?" in here else "?"
    return visit.page(
        "rights/ask.html",
        status=refusal.status if refusal else 200,
        ask=AskPage(
            title=title,
            does=_(
                "Права изменятся, когда согласятся двое других: руководитель подразделения и "
                "информационная безопасность."
            ),
            name=form.name,
            back="/profile" if form.own else f"/people/{subject_id}",
            back_words=_("Профиль") if form.own else form.name,
            fields=fields,
            hidden={
                "act_id": given.get("act_id", str(new_id())),
                "person": str(subject_id),
                "grant": str(takes) if taken else "",
            },
            held=[]
            if taken
            else [
                (right_words(one.right), one.unit, f"{here}{link}grant={one.id}")
                for one in form.held
            ],
        ),
        errors=errors_of(refusal) if refusal else [],
    )


def _view(look: CaseView) -> RightsPage:
    page, chosen = look.page, look.chosen
    return RightsPage(
        url=look.url,
        number=page.case.number or "",
        title=_(page.definition.title),
        step=page.case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=False,
        unfolded=True,
        waits=waits_for(page, look.calendar, look.answer, asked=look.asked),
        sections=answer_sections(page.definition, chosen.data),
        happenings=case_timeline(page),
        papers=[receipt_paper(look.url), whole_case(page)],
        talk=talk_of(page, look.url),
        withdraw_url=f"{look.url}/withdraw" if Transition.WITHDRAW in page.may else None,
        tag=look.tag,
    )


add_pages(router, RIGHTS, _view)
