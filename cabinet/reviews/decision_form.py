"""The form of a decision: what was typed, the form with it, and the decision it makes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cabinet.frame.views import ErrorItem, FieldView
from cabinet.reviews.lines import OUTCOMES
from cabinet.reviews.views import Check, DecisionForm, DecisionOption, RemarkSubject, StockReason
from rules.cases.limits import LONGEST_REASON, LONGEST_REMARK
from rules.cases.process import Transition
from rules.forms.definitions import AttachmentRule, CaseTypeDefinition, ChecklistItem
from rules.ids import new_id
from rules.refusals import FieldError, Refusal
from services.catalogue.lookup import OfferedReason
from services.reviews.decisions import Decision
from words.translation import gettext as _
from words.translation import in_words

CHECK, REMARK = "check.", "remark."


@dataclass
class DecisionInput:
    """What a reviewer has typed so far, valid or not."""

    outcome: str = ""
    reason: str = ""
    remarks: dict[str, str] = field(default_factory=dict)
    checks: set[str] = field(default_factory=set)
    """The requirements that are confirmed."""

    @property
    def anything(self) -> bool:
        """Whether anything was typed that could be lost."""
        return bool(self.outcome or self.reason.strip() or self.remarks or self.checks)

    @property
    def words(self) -> str:
        """All texts, for a page that has no form for them any more."""
        return "\n".join(text for text in (self.reason.strip(), *self.remarks.values()) if text)

    def with_stock(self, key: str, stock: Sequence[OfferedReason]) -> "DecisionInput":
        """The same with a ready-made reason added, as scripts do it in the browser."""
        text = next((reason.text for reason in stock if reason.key == key), "")
        self.reason = "\n".join(part for part in (self.reason.strip(), text) if part)
        return self

    def all_fits(
        self, questions: Sequence[ChecklistItem], stock: Sequence[OfferedReason]
    ) -> "DecisionInput":
        """The usual approval: every requirement confirmed, with the first ready-made reason."""
        self.outcome = Transition.APPROVE
        self.checks = {item.name for item in questions}
        usual = (reason.key for reason in stock if reason.outcome == Transition.APPROVE)
        return self if self.reason.strip() else self.with_stock(next(usual, ""), stock)


def typed_of(form: Mapping[str, Any]) -> DecisionInput:
    """Read the form. Remarks and checks with unknown names stay, and the service refuses them."""
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    return DecisionInput(
        outcome=texts.get("outcome", ""),
        reason=texts.get("reason", ""),
        remarks={
            name.removeprefix(REMARK): value.strip()
            for name, value in texts.items()
            if name.startswith(REMARK) and value.strip()
        },
        checks={
            name.removeprefix(CHECK)
            for name, value in texts.items()
            if name.startswith(CHECK) and value == "yes"
        },
    )


def decision_of(typed: DecisionInput, questions: Iterable[ChecklistItem]) -> Decision:
    """The decision that was typed. Only a clarification keeps its remarks. Raises `incomplete`.

    A checklist in which nothing is confirmed counts as not used.
    """
    if typed.outcome not in {outcome.value for outcome in OUTCOMES}:
        raise _incomplete(FieldError("outcome", "Выберите решение."))
    outcome = Transition(typed.outcome)
    remarks = typed.remarks if outcome is Transition.CLARIFY else {}
    if long := [name for name, text in remarks.items() if len(text) > LONGEST_REMARK]:
        raise _incomplete(
            *(FieldError(f"remarks.{name}", "Сократите замечание до 1000 знаков.") for name in long)
        )
    asked = {item.name for item in questions} | typed.checks if typed.checks else ()
    answers = {name: name in typed.checks for name in asked}
    return Decision(outcome, typed.reason, remarks, answers)


def _incomplete(*errors: FieldError) -> Refusal:
    return Refusal(
        "incomplete", "Решение пока нельзя принять: исправьте отмеченные поля.", 422, errors
    )


def decision_form(
    url: str,
    definition: CaseTypeDefinition,
    rules: Sequence[AttachmentRule],
    questions: Sequence[ChecklistItem],
    stock: Sequence[OfferedReason],
    typed: DecisionInput,
    *,
    offered: Collection[Transition] = tuple(OUTCOMES),
    step: int = 0,
    act_id: UUID | None = None,
    errors: Sequence[FieldError] = (),
) -> DecisionForm:
    """The form with what was typed, and with a new act id unless one is given.

    `offered` are the decisions that the case allows now.
    """
    told = {error.path: in_words(error.message) for error in errors}
    papers = _("Документы")
    subjects = [
        (f.name, _(f.label), _(section.title))
        for section in definition.sections
        for f in section.fields
        if not f.locked
    ] + [(rule.kind, _(rule.title), papers) for rule in rules if not rule.waived_reason]
    return DecisionForm(
        url=url,
        act_id=str(act_id or new_id()),
        step=step,
        outcomes=[
            DecisionOption(
                outcome.value,
                _(word),
                key,
                picture,
                tone,
                [
                    StockReason(reason.key, reason.title, reason.text)
                    for reason in stock
                    if reason.outcome == outcome.value
                ],
            )
            for outcome, (word, key, picture, tone) in OUTCOMES.items()
            if outcome in offered
        ],
        outcome=typed.outcome,
        reason=FieldView(
            "reason",
            _("Причина"),
            "long_text",
            typed.reason,
            hint=_("Её увидит заявитель"),
            error=told.get("reason", ""),
            max_length=LONGEST_REASON,
        ),
        checks=[
            Check(
                item.name,
                _(item.question),
                item.name in typed.checks,
                told.get(f"checklist.{item.name}", ""),
            )
            for item in questions
        ],
        subjects=[
            RemarkSubject(
                name, label, group, typed.remarks.get(name, ""), told.get(f"remarks.{name}", "")
            )
            for name, label, group in subjects
            if Transition.CLARIFY in offered
        ],
        outcome_error=told.get("outcome", ""),
        remarks_error=told.get("remarks", ""),
    )


def error_items(refusal: Refusal, form: DecisionForm | None = None) -> list[ErrorItem]:
    """The lines of the error summary, with links to the fields."""
    questions = {check.name: check.question for check in form.checks} if form else {}
    items = []
    for error in refusal.fields:
        kind, _dot, name = error.path.partition(".")
        message = in_words(error.message)
        if name in questions:
            message = _("Чтобы одобрить, подтвердите: %(question)s") % {"question": questions[name]}
        href = {
            "outcome": "#outcome-approve",
            "reason": "#field-reason",
            "remarks": f"#remark-{name}" if name else "#remarks",
            "checklist": f"#check-{name}",
        }.get(kind, "#decision")
        items.append(ErrorItem(message, href))
    return items or [ErrorItem(in_words(refusal.message))]
