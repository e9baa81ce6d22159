"""Several cases at once: one outcome with one reason, each case decided or refused on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData

from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside, Visit, own_path, uuid_of
from cabinet.reviews.context import stock_for
from cabinet.reviews.decision_form import (
    DecisionInput,
    decision_form,
    decision_of,
    error_items,
    typed_of,
)
from cabinet.reviews.lines import made, queue_row
from cabinet.reviews.views import ResultRow, Results, Several, SeveralRow
from rules.cases.kinds import decides_anywhere, process_of
from rules.cases.limits import LONGEST_REASON
from rules.cases.process import Status, Transition
from rules.cases.terms import WorkingCalendar
from rules.clock import now
from rules.forms.definitions import (
    AttachmentRule,
    CaseTypeDefinition,
    ChecklistItem,
    merged_attachments,
    merged_checklist,
)
from rules.ids import new_id
from rules.refusals import FieldError, Refusal, forbidden
from rules.texts.identifiers import whole
from services.cases import drafts
from services.cases import lists as case_lists
from services.cases.acts import Act
from services.cases.lists import CaseLine, Filters, Order
from services.catalogue import lookup as catalogue
from services.catalogue.lookup import OfferedReason
from services.reviews.decisions import Decision, DecisionResult
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/desk")

MOST = 100
"""Cases that can be decided at once."""

Chosen = Annotated[list[UUID], Query(alias="case", max_length=MOST)]


@dataclass(frozen=True)
class _One:
    """A case among several, with what it requires of its reviewer."""

    line: CaseLine
    definition: CaseTypeDefinition
    attachments: Sequence[AttachmentRule]
    questions: Sequence[ChecklistItem]


@dataclass(frozen=True)
class _Known:
    """The chosen cases: those that can be decided, and why the others cannot."""

    cases: Sequence[_One]
    left_out: Sequence[tuple[str, str]]
    stock: Sequence[OfferedReason]


async def _known(visit: Visit, chosen: Sequence[UUID]) -> _Known:
    if not decides_anywhere(visit.actor):
        raise forbidden()
    async with visit.container.database.work() as session:
        found = await case_lists.desk(
            session,
            visit.actor,
            Filters(ids=tuple(chosen) or (new_id(),)),
            limit=MOST,
            order=Order.NEWEST,
        )
        lines, left_out = [], []
        for line in sorted(found.lines, key=lambda line: chosen.index(line.id)):
            if line.applicant_id == visit.actor.person_id:
                why = _("это ваша заявка, по ней решает другой сотрудник")
            elif process_of(line.kind).needs_fresh_code:
                why = _("такие заявки решают по одной")
            elif line.status != Status.IN_REVIEW:
                why = _("сейчас она не на рассмотрении")
            else:
                lines.append(line)
                continue
            left_out.append((line.number or "", why))
        rules = await drafts.rules_of_all(session, [line.id for line in lines])
        cases = [
            _One(
                line,
                rules[line.id][0],
                merged_attachments(*rules[line.id]),
                merged_checklist(*rules[line.id]),
            )
            for line in lines
        ]
        stock = await stock_for(session, *(line.kind for line in lines))
        return _Known(cases, left_out, stock)


def _common(known: _Known) -> list[AttachmentRule]:
    """The documents that every chosen case asks for, since a remark must fit all of them."""
    kinds = [{rule.kind for rule in one.attachments} for one in known.cases]
    shared = set.intersection(*kinds) if kinds else set()
    return [rule for rule in known.cases[0].attachments if rule.kind in shared] if shared else []


def _several(
    visit: Visit,
    known: _Known,
    typed: DecisionInput,
    back: str,
    acts: Mapping[UUID, Act],
    calendar: WorkingCalendar,
    errors: Sequence[FieldError] = (),
) -> Several:
    at = now()
    questions = {item.name: item for one in known.cases for item in one.questions}
    shared = {
        name
        for name in questions
        if all(name in {item.name for item in one.questions} for one in known.cases)
    }
    first = known.cases[0] if known.cases else None
    return Several(
        rows=[
            SeveralRow(
                queue_row(one.line, visit.actor, at, calendar),
                str(acts[one.line.id].id if one.line.id in acts else new_id()),
                acts[one.line.id].at_step if one.line.id in acts else one.line.step,
                [_(item.question) for item in one.questions if item.name not in shared],
            )
            for one in known.cases
        ],
        left_out=known.left_out,
        form=decision_form(
            "/desk/several",
            first.definition,
            _common(known),
            list(questions.values()),
            known.stock,
            typed,
            errors=errors,
        )
        if first
        else None,
        back_url=back,
        query=back.partition("?")[2],
    )


@router.get("/several")
async def several_page(
    visit: Inside,
    case: Chosen,
    since: Annotated[str, Query(alias="from", max_length=1000)] = "",
) -> Response:
    """The chosen cases with one form for all."""
    return await _shown(visit, await _known(visit, case), DecisionInput(), _back(since), {})


def _back(query: str) -> str:
    return own_path(f"/desk?{query}" if query else "/desk", "/desk")


async def _shown(
    visit: Visit,
    known: _Known,
    typed: DecisionInput,
    back: str,
    acts: Mapping[UUID, Act],
    refusal: Refusal | None = None,
) -> Response:
    async with visit.container.database.work() as session:
        calendar = await catalogue.calendar(session)
    fields = refusal.fields if refusal else ()
    several = _several(visit, known, typed, back, acts, calendar, fields)
    return visit.page(
        "reviews/bulk.html",
        status=refusal.status if refusal else 200,
        several=several,
        errors=error_items(refusal, several.form) if refusal else (),
    )


def _acts(form: FormData) -> dict[UUID, Act]:
    """The cases of the form, each with the act id and the step it was drawn with."""
    acts: dict[UUID, Act] = {}
    for text in form.getlist("case")[:MOST]:
        case_id = uuid_of(str(text))
        act_id = uuid_of(str(form.get(f"act.{case_id}", "")))
        step = whole(str(form.get(f"step.{case_id}", "")))
        if case_id and act_id and step is not None:
            acts[case_id] = Act(act_id, step)
    return acts


@router.post("/several")
async def decide_several(visit: Inside) -> Response:
    """Decide all the chosen cases. One that is refused is reported, and stays as it was."""
    form = await visit.request.form()
    acts, typed = _acts(form), typed_of(form)
    back = _back(str(form.get("from", ""))[:1000])
    known = await _known(visit, list(acts))
    questions = list({item.name: item for one in known.cases for item in one.questions}.values())
    if form.get("redraw"):
        typed = (
            typed.all_fits(questions, known.stock)
            if form.get("redraw") == "fits"
            else typed.with_stock(str(form.get("stock", "")), known.stock)
        )
        return await _shown(visit, known, typed, back, acts)
    try:
        decision = decision_of(typed, questions)
        _check(known, decision)
    except Refusal as refusal:
        return await _shown(visit, known, typed, back, acts, refusal)
    done = await _decide(visit, known, acts, decision)
    return await _results(visit, done, decision.outcome, back)


def _check(known: _Known, decision: Decision) -> None:
    """Refuse at once what every case would refuse, while the form is still open."""
    errors = []
    if not 3 <= len(decision.reason.strip()) <= LONGEST_REASON:
        errors.append(FieldError("reason", "Напишите причину решения: от 3 до 4000 знаков."))
    if decision.outcome is Transition.CLARIFY and not decision.remarks:
        errors.append(FieldError("remarks", "Отметьте хотя бы одно поле и напишите, что не так."))
    if decision.outcome is Transition.APPROVE:
        asked = dict.fromkeys(item.name for one in known.cases for item in one.questions)
        errors += [
            FieldError(f"checklist.{name}", "Чтобы одобрить, подтвердите это требование.")
            for name in asked
            if not decision.checklist.get(name)
        ]
    if errors:
        raise Refusal(
            "incomplete", "Решение пока нельзя принять: исправьте отмеченные поля.", 422, errors
        )


async def _decide(
    visit: Visit, known: _Known, acts: Mapping[UUID, Act], decision: Decision
) -> list[DecisionResult]:
    """Answer each case's own questions; cases with the same questions are decided together."""
    asked: dict[UUID, tuple[str, ...]] = dict.fromkeys(acts, ())
    for one in known.cases:
        asked[one.line.id] = tuple(item.name for item in one.questions)
    groups: dict[tuple[str, ...], dict[UUID, Act]] = {}
    for case_id, names in asked.items():
        groups.setdefault(names, {})[case_id] = acts[case_id]
    done: list[DecisionResult] = []
    for names, group in groups.items():
        answers = {name: yes for name, yes in decision.checklist.items() if name in names}
        own = Decision(decision.outcome, decision.reason, decision.remarks, answers)
        done += await visit.container.reviews.decide_several(visit.actor, group, own)
    return done


async def _results(
    visit: Visit, done: Sequence[DecisionResult], outcome: Transition, back: str
) -> Response:
    rows = []
    lines = await lines_of(visit, [one.case_id for one in done])
    for one in done:
        line = lines.get(one.case_id)
        rows.append(
            ResultRow(
                f"/desk/cases/{one.case_id}",
                line.number or "" if line else "",
                line.applicant or "" if line else "",
                one.refusal is None,
                in_words(one.refusal.message) if one.refusal else made(outcome),
                _("Заявка не изменилась.") if one.refusal else "",
            )
        )
    return visit.page(
        "reviews/results.html",
        results=Results(_("Решение по нескольким заявкам"), rows, back),
    )


async def lines_of(visit: Visit, ids: Sequence[UUID]) -> dict[UUID, CaseLine]:
    """Cases by id, as the desk lists them."""
    if not ids:
        return {}
    async with visit.container.database.work() as session:
        found = await case_lists.desk(
            session, visit.actor, Filters(ids=tuple(ids)), limit=MOST, order=Order.NEWEST
        )
    return {line.id: line for line in found.lines}
