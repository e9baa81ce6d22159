"""How results are shown: tags, fields of the forms, the figure of values over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from cabinet.frame.states import StatusTag, Tone
from cabinet.frame.views import FieldView, Option
from rules.refusals import Refusal
from rules.results.life import STAGE_WORDS, STATE_WORDS, STEP_WORDS, NextStep, ResultState
from rules.results.plot import Plot, plot_of
from rules.results.values import FLAG_WORDS, URGENCY_WORDS, Bounds, Urgency, number_of
from services.results.seen import EarlierValue, LabVersionSeen, ResultLine, ResultSeen
from words.translation import Presentation, gettext, in_words

_URGENCIES: dict[Urgency, tuple[Tone, str]] = {
    Urgency.CRITICAL: ("bad", "triangle-alert"),
    Urgency.ABNORMAL: ("waiting", "circle-alert"),
    Urgency.OTHER: ("good", "circle-check"),
}
_STATES: dict[ResultState, tuple[Tone, str]] = {
    ResultState.UNMATCHED: ("waiting", "circle-question-mark"),
    ResultState.AWAITING: ("waiting", "hourglass"),
    ResultState.CONFIRMED: ("good", "badge-check"),
    ResultState.RETURNED: ("idle", "undo-2"),
}


def urgency_tag(urgency: Urgency) -> StatusTag:
    """How dangerous it is: word, colour and shape."""
    return StatusTag(gettext(URGENCY_WORDS[urgency]), *_URGENCIES[urgency])


def state_tag(state: ResultState) -> StatusTag:
    """Where it stands: word, colour and shape."""
    return StatusTag(gettext(STATE_WORDS[state]), *_STATES[state])


@dataclass(frozen=True)
class LineView:
    """A result in a list."""

    line: ResultLine
    urgency: StatusTag
    state: StatusTag
    stage: str


@dataclass(frozen=True)
class LabVersionView:
    """A version with its words."""

    seen: LabVersionSeen
    urgency: StatusTag
    stage: str
    flag: str
    reference: str
    next_step: str


@dataclass(frozen=True)
class ResultView:
    """The page of one result."""

    seen: ResultSeen
    line: LineView
    versions: Sequence[LabVersionView]
    plot: Plot | None
    told: bool
    """Whether it is recorded how the newest version was told."""


def line_view(line: ResultLine) -> LineView:
    """A line with its words."""
    stage = gettext(STAGE_WORDS[line.stage])
    return LineView(line, urgency_tag(line.urgency), state_tag(line.state), stage)


def result_view(seen: ResultSeen) -> ResultView:
    """The whole page."""
    numbers = [(one.at, number_of(one.value), one.urgency) for one in seen.earlier]
    unit = seen.newest.said.unit_of_value
    alike = all(one.unit == unit for one in seen.earlier)
    known = [(at, value, urgency) for at, value, urgency in numbers if value is not None]
    return ResultView(
        seen,
        line_view(seen.line),
        [_version(one, seen.reference) for one in seen.versions],
        plot_of(known, seen.reference) if alike else None,
        any(one.version == seen.newest.number for one in seen.calls),
    )


def earlier_rows(seen: ResultSeen) -> Sequence[tuple[EarlierValue, StatusTag, str]]:
    """The table beside the figure, the newest first."""
    return [
        (one, urgency_tag(one.urgency), gettext(STAGE_WORDS[one.stage]))
        for one in reversed(seen.earlier)
    ]


def _version(seen: LabVersionSeen, reference: Bounds | None) -> LabVersionView:
    said = seen.said
    words = said.reference.text or _bounds(said.reference.low, said.reference.high)
    if not words and reference is not None:
        words = _bounds(_number(reference.low), _number(reference.high))
    return LabVersionView(
        seen,
        urgency_tag(seen.urgency),
        gettext(STAGE_WORDS[seen.stage]),
        gettext(FLAG_WORDS[said.flag]) if FLAG_WORDS[said.flag] else "",
        words,
        gettext(STEP_WORDS[seen.next_step]) if seen.next_step else "",
    )


def _number(value: object) -> str:
    return "" if value is None else str(value)


def _bounds(low: str, high: str) -> str:
    low, high = low.replace(".", ","), high.replace(".", ",")
    if low and high:
        return f"{low}–{high}"
    if low:
        return gettext("от %(low)s") % {"low": low}
    return gettext("до %(high)s") % {"high": high} if high else ""


@dataclass(frozen=True)
class Typed:
    """What was typed into the forms of the page, and what was wrong with it."""

    next_step: str = ""
    follows: str = ""
    told_at: str = ""
    words: str = ""
    to: str = ""
    reason: str = ""
    refusal: Refusal | None = None
    form: str = ""
    """Which form was sent."""

    def error(self, form: str, field: str) -> str:
        """The words of the refusal at this field."""
        if self.refusal is None or self.form != form:
            return ""
        return next((in_words(e.message) for e in self.refusal.fields if e.path == field), "")


def confirm_fields(typed: Typed) -> tuple[FieldView, FieldView]:
    """What follows: the choice, and the words."""
    steps = [Option(one.value, gettext(STEP_WORDS[one])) for one in NextStep]
    return (
        FieldView(
            "next_step",
            gettext("Что дальше"),
            "choice",
            typed.next_step,
            options=steps,
            error=typed.error("confirm", "next_step"),
        ),
        FieldView(
            "follows",
            gettext("Что именно"),
            "long_text",
            typed.follows,
            hint=gettext("Увидят все, кому открыта карта. Если дальше ничего, можно не писать."),
            required=False,
            max_length=2000,
            error=typed.error("confirm", "follows"),
        ),
    )


def call_fields(typed: Typed) -> tuple[FieldView, FieldView]:
    """When the laboratory rang, and who told whom."""
    return (
        FieldView(
            "told_at",
            gettext("Когда сообщили"),
            "text",
            typed.told_at,
            hint=gettext("Время, например 14:05. Если не звонили, оставьте пустым."),
            required=False,
            width="width-5",
            error=typed.error("call", "told_at"),
        ),
        FieldView(
            "words",
            gettext("Кто сообщил и кому"),
            "text",
            typed.words,
            hint=gettext("Если не звонили, напишите, как вы узнали."),
            error=typed.error("call", "words"),
        ),
    )


def offer_fields(
    typed: Typed, people: Sequence[tuple[UUID, str, str]]
) -> tuple[FieldView, FieldView]:
    """To whom, and why."""
    options = [Option(str(one), f"{name}, {post}" if post else name) for one, name, post in people]
    return (
        FieldView(
            "to",
            gettext("Кому предложить"),
            "choice",
            typed.to,
            options=options,
            error=typed.error("offer", "to"),
        ),
        FieldView(
            "reason",
            gettext("Почему"),
            "text",
            typed.reason,
            error=typed.error("offer", "reason"),
        ),
    )


def detach_field(typed: Typed) -> FieldView:
    """Why it is not this patient's."""
    return FieldView(
        "detach_reason",
        gettext("Почему это результат не этого пациента"),
        "text",
        typed.reason if typed.form == "detach" else "",
        error=typed.error("detach", "reason"),
    )


def time_of(text: str, shown: Presentation, present: datetime) -> datetime | None:
    """The last moment at which the reader's clock showed this time; None for nothing typed.

    Raises ValueError for what is no time.
    """
    if not text.strip():
        return None
    typed = time.fromisoformat(text.strip().replace(".", ":").zfill(5))
    here = present.astimezone(shown.tzinfo)
    moment = here.replace(hour=typed.hour, minute=typed.minute, second=0, microsecond=0)
    return moment if moment <= here else moment - timedelta(days=1)
