"""The pages of results, with invented contents."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from cabinet.frame.views import ErrorItem, FieldView
from cabinet.results.views import (
    Typed,
    call_fields,
    confirm_fields,
    detach_field,
    earlier_rows,
    line_view,
    offer_fields,
    result_view,
    urgency_tag,
)
from clients.clinic.laboratory import LabMessage, SaidPatient
from rules.refusals import FieldError, Refusal
from rules.results.life import NextStep, OfferState, ResultStage, ResultState
from rules.results.values import Bounds, Urgency
from services.results.finding import Suggestion
from services.results.seen import (
    CallSeen,
    EarlierValue,
    LabVersionSeen,
    OfferSeen,
    ResultLine,
    ResultSeen,
)
from services.results.unmatched import TraceSeen, UnmatchedSeen
from tests.cabinet.samples.cases import AT, frame
from tests.cabinet.samples.sample import Sample

_ID = UUID(int=1)
_LONG = "Константинопольская-Преображенская Александра Вячеславовна"


def _line(n: int, urgency: Urgency, value: str, **changes: Any) -> ResultLine:
    usual: dict[str, Any] = {
        "id": UUID(int=n),
        "version": 1,
        "state": ResultState.AWAITING,
        "urgency": urgency,
        "stage": ResultStage.FINAL,
        "opened_at": AT,
        "due_at": AT + timedelta(hours=1),
        "late": False,
        "answers_id": _ID,
        "answers": "Соколова Анна Сергеевна",
        "patient": _LONG,
        "test": "Калий",
        "value": value,
    }
    return ResultLine(**{**usual, **changes})


_CRITICAL = _line(1, Urgency.CRITICAL, "6,9 ммоль/л")
_ABNORMAL = _line(2, Urgency.ABNORMAL, "5,4 ммоль/л", late=True, stage=ResultStage.CORRECTED)
_CALM = _line(3, Urgency.OTHER, "132 г/л", test="Гемоглобин", stage=ResultStage.PRELIMINARY)
_OFFERED = _line(
    4,
    Urgency.ABNORMAL,
    "положительно",
    test="Антитела к вирусу гепатита C, суммарные, качественное определение",
    offer_id=_ID,
    offered_by="Кузнецов Игорь Викторович",
    offer_reason="Ухожу на операцию до вечера",
    offer_until=AT + timedelta(hours=4),
)


def _said(value: str, **changes: Any) -> LabMessage:
    usual = {
        "number": "L-1",
        "version": 1,
        "stage": "final",
        "order": "З-000777",
        "patient": {"name": _LONG, "birth_date": "1958-04-12", "sex": "female"},
        "specimen": "венозная кровь",
        "taken_at": AT - timedelta(hours=3),
        "ready_at": AT,
        "test": {"code": "2823-3", "name": "Калий", "dictionary": "LOINC", "version": "2026-11"},
        "value": value,
        "unit_of_value": "ммоль/л",
        "reference": {"low": "3.5", "high": "5.1"},
        "flag": "critical_high",
        "method": "ионоселективный электрод",
        "validated_by": "Врач КЛД Орлова Н. П.",
        "comment": "Проба без гемолиза, измерено дважды",
    }
    return LabMessage.model_validate({**usual, **changes})


_EARLIER = [
    EarlierValue(
        UUID(int=10 + n),
        AT - timedelta(days=120 - 30 * n),
        value,
        "ммоль/л",
        ResultStage.FINAL,
        urgency,
    )
    for n, (value, urgency) in enumerate(
        [
            ("4,2", Urgency.OTHER),
            ("4,9", Urgency.OTHER),
            ("5,4", Urgency.ABNORMAL),
            ("6,9", Urgency.CRITICAL),
        ]
    )
]


def _offer(state: OfferState) -> OfferSeen:
    return OfferSeen(
        _ID,
        _ID,
        UUID(int=2),
        "Соколова Анна Сергеевна",
        "Кузнецов Игорь Викторович",
        "Ухожу на операцию до вечера",
        AT,
        AT + timedelta(hours=4),
        state,
        None if state is OfferState.OFFERED else AT,
    )


def _result(line: ResultLine, *versions: LabVersionSeen, **changes: Any) -> ResultSeen:
    usual: dict[str, Any] = {
        "line": line,
        "patient_id": _ID,
        "patient": _LONG,
        "birth_date": "1958-04-12",
        "versions": versions,
        "calls": [],
        "offers": [],
        "earlier": _EARLIER,
        "reference": Bounds(Decimal("3.5"), Decimal("5.1")),
        "repeats_id": None,
        "yours": True,
    }
    return ResultSeen(**{**usual, **changes})


_SECOND = LabVersionSeen(2, ResultStage.CORRECTED, Urgency.CRITICAL, AT, _said("6,9"))
_FIRST = LabVersionSeen(
    1,
    ResultStage.FINAL,
    Urgency.OTHER,
    AT - timedelta(hours=2),
    _said("4,9", flag="normal"),
    confirmed_by="Соколова Анна Сергеевна",
    confirmed_at=AT - timedelta(hours=1),
    next_step=NextStep.REPEAT,
    follows="Повторить через неделю, до этого отменить препараты калия",
)
_CALL = CallSeen(2, AT, "Лаборант Иванов врачу Соколовой, повторено вслух", "Соколова А. С.", AT)


def _page(seen: ResultSeen, typed: Typed | None = None, **more: Any) -> dict[str, Any]:
    kept, people = typed or Typed(), [(UUID(int=2), "Кузнецов Игорь Викторович", "врач-кардиолог")]
    refusal = kept.refusal
    errors = [ErrorItem(refusal.message, "#field-follows")] if refusal else []
    return {
        "view": result_view(seen),
        "earlier": earlier_rows(seen),
        "offers": [(one, "ждёт ответа") for one in seen.offers],
        "asked": None,
        "asked_me": False,
        "treats": True,
        "confirm": confirm_fields(kept),
        "call": call_fields(kept),
        "offer": offer_fields(kept, people),
        "people": people,
        "detach": detach_field(kept),
        "errors": errors,
        **more,
    }


def _of_nobody(*suggestions: Suggestion) -> UnmatchedSeen:
    return UnmatchedSeen(
        id=_ID,
        number="L-4",
        version=1,
        urgency=Urgency.ABNORMAL,
        patient=SaidPatient(name=_LONG, birth_date=date(1958, 4, 12), snils="143-555-666 05"),
        test="Гемоглобин",
        specimen="капиллярная кровь",
        order="З-000778",
        taken_at=AT,
        due_at=AT + timedelta(days=1),
        answers="Лаптева Ирина Юрьевна",
        ordered_by="Соколова Анна Сергеевна",
        suggestions=suggestions,
    )


def result_pages() -> list[Sample]:
    """Lists, one result in its states, and the desk of results for nobody."""
    here, desk = frame("/results"), frame("/results/unmatched")
    lines = [line_view(one) for one in (_CRITICAL, _ABNORMAL, _CALM)]
    trace = TraceSeen(_ID, _ID, _LONG, "Калий", AT, AT, "Пробирки перепутаны")
    listed: dict[str, Any] = {
        "mine": lines,
        "offered": [line_view(_OFFERED)],
        "late": [line_view(_line(5, Urgency.ABNORMAL, "", late=True, patient="", test=""))],
        "unmatched": [_of_nobody()],
        "traces": [trace],
        "heads": True,
        "matches": True,
    }
    empty: dict[str, Any] = {
        **dict.fromkeys(("mine", "offered", "late", "unmatched", "traces"), ()),
        "heads": False,
        "matches": False,
    }
    critical = _result(_CRITICAL, _SECOND, _FIRST)
    told = _result(_CRITICAL, _SECOND, _FIRST, calls=[_CALL], offers=[_offer(OfferState.OFFERED)])
    asked = _offer(OfferState.OFFERED)
    message = "Напишите, что именно нужно сделать."
    wrong = Refusal("incomplete", message, 422, [FieldError("follows", message)])
    typed = Typed(next_step="repeat", refusal=wrong, form="confirm")
    done = _line(1, Urgency.OTHER, "4,9", state=ResultState.CONFIRMED, due_at=None)
    closed = _result(done, _FIRST, yours=False, earlier=_EARLIER[:1])
    suggestions = (
        Suggestion(UUID(int=5), _LONG, date(1958, 4, 12), True, 100),
        Suggestion(UUID(int=6), "Константинопольская Анна", date(1958, 4, 12), False, 74),
    )
    reason = FieldView("reason", "Причина, её прочитает лаборатория", "text", "")
    chosen = {"urgency": urgency_tag(Urgency.ABNORMAL), "reason": reason, "errors": []}
    rows = [(_of_nobody(), urgency_tag(Urgency.ABNORMAL))]
    return [
        Sample("results", "results/list.html", here, listed),
        Sample("results-none", "results/list.html", here, empty),
        Sample("result-critical", "results/result.html", here, _page(critical)),
        Sample("result-told", "results/result.html", here, _page(told, asked=asked)),
        Sample(
            "result-asked",
            "results/result.html",
            here,
            _page(
                _result(_ABNORMAL, _FIRST, yours=False, offers=[asked]),
                asked=asked,
                asked_me=True,
            ),
        ),
        Sample("result-wrong", "results/result.html", here, _page(critical, typed)),
        Sample("result-confirmed", "results/result.html", here, _page(closed)),
        Sample("results-unmatched", "results/unmatched.html", desk, {"rows": rows}),
        Sample("results-unmatched-none", "results/unmatched.html", desk, {"rows": []}),
        Sample(
            "result-unmatched",
            "results/unmatched_one.html",
            desk,
            {**chosen, "one": _of_nobody(*suggestions)},
        ),
        Sample(
            "result-unmatched-unknown",
            "results/unmatched_one.html",
            desk,
            {**chosen, "one": _of_nobody()},
        ),
    ]
