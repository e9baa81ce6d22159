"""The life of a result: heard, matched, answered for by exactly one person, confirmed, reopened.

These functions decide; services lock the row, ask them, and write what they return. A result is one
test of one order. Each message of the laboratory about it is a version; the newest one counts,
whatever order they come in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from rules.refusals import FieldError, Refusal, not_found


class ResultState(StrEnum):
    """Where a result stands. Values are stored for ever."""

    UNMATCHED = "unmatched"
    """Nobody knows yet whose it is."""
    AWAITING = "awaiting"
    """It is in a patient's record and waits to be confirmed."""
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    """The laboratory has it back with a reason; a new version opens it again."""


OPEN_STATES = (ResultState.UNMATCHED.value, ResultState.AWAITING.value)
"""Somebody has to do something."""

STATE_WORDS: Mapping[ResultState, str] = {
    ResultState.UNMATCHED: "пациент не определён",
    ResultState.AWAITING: "ждёт подтверждения",
    ResultState.CONFIRMED: "подтверждён",
    ResultState.RETURNED: "возвращён в лабораторию",
}
"""The states in words (msgids)."""


class ResultStage(StrEnum):
    """What the laboratory says of a version, as HL7 has it. Values are stored for ever."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"


STAGE_WORDS: Mapping[ResultStage, str] = {
    ResultStage.PRELIMINARY: "предварительный",
    ResultStage.FINAL: "окончательный",
    ResultStage.CORRECTED: "исправленный",
    ResultStage.CANCELLED: "отменён лабораторией",
}
"""The stages in words (msgids)."""


class NextStep(StrEnum):
    """What follows from a result. Values are stored for ever."""

    NOTHING = "nothing"
    TREATMENT = "treatment"
    REPEAT = "repeat"
    VISIT = "visit"
    REFERRAL = "referral"
    HOSPITAL = "hospital"


STEP_WORDS: Mapping[NextStep, str] = {
    NextStep.NOTHING: "ничего, всё в порядке",
    NextStep.TREATMENT: "изменено лечение",
    NextStep.REPEAT: "анализ повторить",
    NextStep.VISIT: "пациента пригласить на приём",
    NextStep.REFERRAL: "направить к другому врачу",
    NextStep.HOSPITAL: "госпитализировать",
}
"""The next steps in words (msgids)."""


class Matching(StrEnum):
    """How a patient was found. Values are stored for ever."""

    NUMBER = "number"
    """By SNILS or policy, and name and day of birth agree."""
    PERSON = "person"
    """Somebody chose."""


class OfferState(StrEnum):
    """What became of an offer to answer for a result. Values are stored for ever."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    LAPSED = "lapsed"
    """Nobody answered in time: it came back."""
    WITHDRAWN = "withdrawn"
    """Taken back, or the result was settled meanwhile."""


OFFER_WORDS: Mapping[OfferState, str] = {
    OfferState.OFFERED: "ждёт ответа",
    OfferState.ACCEPTED: "принято",
    OfferState.REFUSED: "отказ",
    OfferState.LAPSED: "нет ответа, вернулось",
    OfferState.WITHDRAWN: "отозвано",
}
"""What became of offers, in words (msgids)."""


class Passed(StrEnum):
    """Why somebody else answers for a result now. Values stand in the journal."""

    HEARD = "heard"
    MATCHED = "matched"
    DETACHED = "detached"
    REOPENED = "reopened"
    ACCEPTED = "accepted"
    TAKEN = "taken"
    ABSENT = "absent"
    GONE = "gone"
    """Left, or may not confirm results any more."""


@dataclass(frozen=True)
class ResultStanding:
    """Where one result stands."""

    state: ResultState
    version: int
    """The newest version that was heard."""
    patient_id: UUID | None
    answers_id: UUID | None
    """Who answers for it; nobody only while the laboratory has it back."""
    offered_to: UUID | None = None
    confirmed_by: UUID | None = None
    """Who confirmed it last, in whatever version."""
    confirmed_version: int | None = None


def heard(standing: ResultStanding, version: int) -> ResultStanding:
    """After a message with this version. An older one than the newest changes nothing.

    What was confirmed is open again, for whoever confirmed it; what was returned looks for its
    patient anew.
    """
    if version <= standing.version:
        return standing
    state, answers = standing.state, standing.answers_id
    if state is ResultState.CONFIRMED:
        state, answers = ResultState.AWAITING, standing.confirmed_by
    elif state is ResultState.RETURNED:
        state = ResultState.UNMATCHED
    return replace(standing, version=version, state=state, answers_id=answers)


def confirmed(
    standing: ResultStanding, by: UUID, version: int, patient_id: UUID, *, saw: bool
) -> ResultStanding:
    """After somebody confirmed this version of this patient's result.

    Raises Refusal 409 unless it is the newest version, of the patient whose it is, seen by who
    confirms, and theirs to answer for. The same confirmation again changes nothing.
    """
    if standing.patient_id != patient_id:
        words = "Результат больше не относится к этому пациенту. Откройте его заново."
        raise Refusal("another_patient", words, 409)
    if version != standing.version:
        words = "Пришла новая версия результата. Посмотрите её и подтвердите."
        raise Refusal("superseded", words, 409, current=standing.version)
    if standing.state is ResultState.CONFIRMED:
        if standing.confirmed_by == by:
            return standing
        raise settled()
    demand_answerer(standing, by)
    if not saw:
        words = "Сначала откройте эту версию результата: подтверждают только то, что видели."
        raise Refusal("unseen", words, 409)
    return replace(
        standing,
        state=ResultState.CONFIRMED,
        confirmed_by=by,
        confirmed_version=version,
        offered_to=None,
    )


def offered(standing: ResultStanding, by: UUID, to: UUID) -> ResultStanding:
    """After an offer to somebody else to answer for it. Until it is accepted nothing changes.

    Raises Refusal 409 where another offer is open, 422 for oneself.
    """
    demand_answerer(standing, by)
    if to == by:
        words = "Выберите другого сотрудника."
        raise Refusal("incomplete", words, 422, [FieldError("to", words)])
    if standing.offered_to is not None:
        words = "Результат уже предложен. Дождитесь ответа или отзовите предложение."
        raise Refusal("offered_already", words, 409)
    return replace(standing, offered_to=to)


def accepted(standing: ResultStanding, by: UUID) -> ResultStanding:
    """After the one to whom it was offered took it. Raises Refusal 409 for anybody else."""
    if standing.state is not ResultState.AWAITING or standing.offered_to != by:
        raise offer_over()
    return replace(standing, answers_id=by, offered_to=None)


def came_back(standing: ResultStanding) -> ResultStanding:
    """After an offer was refused, taken back, or not answered in time."""
    return replace(standing, offered_to=None)


def passed_on(standing: ResultStanding, to: UUID) -> ResultStanding:
    """After somebody else answers for it without being asked: an absence, a departure."""
    return replace(standing, answers_id=to, offered_to=None)


def matched(standing: ResultStanding, patient_id: UUID, answers_id: UUID) -> ResultStanding:
    """After a patient was found. Raises Refusal 409 where that happened before."""
    if standing.state is not ResultState.UNMATCHED:
        raise settled()
    return replace(
        standing, state=ResultState.AWAITING, patient_id=patient_id, answers_id=answers_id
    )


def detached(standing: ResultStanding, patient_id: UUID, answers_id: UUID | None) -> ResultStanding:
    """After it was taken out of the record of a patient whose it is not. Raises Refusal 409."""
    if standing.patient_id is None or standing.patient_id != patient_id:
        words = "Результат уже не относится к этому пациенту. Откройте его заново."
        raise Refusal("another_patient", words, 409)
    return replace(
        standing,
        state=ResultState.UNMATCHED,
        patient_id=None,
        answers_id=answers_id,
        offered_to=None,
        confirmed_by=None,
        confirmed_version=None,
    )


def returned(standing: ResultStanding) -> ResultStanding:
    """After the laboratory got it back. Raises Refusal 409 unless it is a result for nobody."""
    if standing.state is not ResultState.UNMATCHED:
        raise settled()
    return replace(standing, state=ResultState.RETURNED, answers_id=None)


def demand_answerer(standing: ResultStanding, person_id: UUID) -> None:
    """Raise Refusal 409 unless it waits, and this person answers for it."""
    if standing.state is not ResultState.AWAITING:
        raise settled()
    if standing.answers_id != person_id:
        words = "За этот результат теперь отвечает другой сотрудник. Откройте его заново."
        raise Refusal("not_yours", words, 409)


def settled() -> Refusal:
    """Somebody did something else with it meanwhile."""
    words = "Состояние результата изменилось. Откройте его заново."
    return Refusal("changed_meanwhile", words, 409)


def offer_over() -> Refusal:
    """The offer was answered, came back, or the result is settled."""
    return Refusal("offer_over", "Предложение уже не действует. Откройте результат заново.", 409)


def unknown_patient() -> Refusal:
    """The patient that somebody chose is not there."""
    return not_found()
