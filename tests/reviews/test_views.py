"""What the desk makes of addresses, terms and typed decisions, without servers or a browser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.frame.rendering import page
from cabinet.reviews.decision_form import DecisionInput, decision_of, error_items, typed_of
from cabinet.reviews.filters import DeskQuery, active, asked_of, tabs
from cabinet.reviews.lines import due_of
from rules.access import Actor
from rules.cases.process import Status, Transition
from rules.cases.terms import WorkingCalendar
from rules.forms.definitions import ChecklistItem
from rules.refusals import Refusal
from services.cases.lists import Order
from services.catalogue.lookup import OfferedReason
from tests.cabinet.samples.desk import DECISION, DESK_SAMPLES
from words.translation import Presentation, presented

ZONE = "Europe/Moscow"
REVIEWER = Actor(uuid4(), "Иванова Мария Петровна", uuid4())
COUNTS = {"in_review": 9, "mine": 4, "overdue": 2, "unassigned": 1}
QUESTIONS = tuple(
    ChecklistItem(name=name, question="Подходит?") for name in ("education_fits", "specialty_fits")
)
MONDAY, SATURDAY = (datetime(2026, 11, day, 9, tzinfo=UTC) for day in (23, 21))


def asked(query: str) -> DeskQuery:
    """The address as the desk reads it."""
    return asked_of(query, REVIEWER, ZoneInfo(ZONE))


@pytest.mark.parametrize(
    ("at", "last", "words", "tone"),
    [
        (MONDAY, 16, "просрочено на 5 рабочих дней", "late"),
        (MONDAY, 19, "просрочено на 2 рабочих дня", "late"),
        (MONDAY, 20, "просрочено на 1 рабочий день", "late"),
        (SATURDAY, 20, "срок истёк 20 ноября", "late"),
        (MONDAY, 23, "сегодня до конца дня", "today"),
        (MONDAY, 24, "до 24 ноября, 1 рабочий день", "soon"),
        (MONDAY, 25, "до 25 ноября, 2 рабочих дня", "soon"),
        (MONDAY, 30, "до 30 ноября, 5 рабочих дней", "calm"),
    ],
)
def test_terms_are_told_in_working_days(at: datetime, last: int, words: str, tone: str) -> None:
    """A row says by how many working days a review is late, or how many are left (A11)."""
    due = datetime(2026, 11, last, 21, tzinfo=UTC)
    shown = due_of(Status.IN_REVIEW, due, at, ZONE, WorkingCalendar())
    assert (shown.words, shown.tone) == (words, tone)


@pytest.mark.parametrize(
    ("reader", "at", "words"),
    [
        ("Europe/Moscow", MONDAY, "до 24 ноября (Калининград), 1 рабочий день"),
        ("Europe/Kaliningrad", MONDAY, "до 24 ноября, 1 рабочий день"),
        ("Europe/Moscow", MONDAY + timedelta(days=1), "до конца дня 24 ноября (Калининград)"),
        ("Europe/Kaliningrad", MONDAY + timedelta(days=1), "сегодня до конца дня"),
        ("Europe/Moscow", MONDAY + timedelta(days=2), "просрочено на 1 рабочий день"),
    ],
)
def test_a_term_is_told_by_the_clock_of_its_unit(reader: str, at: datetime, words: str) -> None:
    """The same day for every reader; where the reader's clock differs, the zone is named."""
    due = datetime(2026, 11, 24, 22, tzinfo=UTC)
    with presented(Presentation("ru", reader)):
        shown = due_of(Status.IN_REVIEW, due, at, "Europe/Kaliningrad", WorkingCalendar())
    assert shown.words == words


def test_the_applicants_term_is_never_the_reviewers_delay() -> None:
    """While the applicant is awaited the row says until when, and is not shown as overdue."""
    due = datetime(2026, 11, 30, 21, tzinfo=UTC)
    shown = due_of(Status.CLARIFICATION, due, MONDAY, ZONE, WorkingCalendar())
    assert (shown.words, shown.tone) == ("ответ до 30 ноября", "calm")
    assert due_of(Status.CHECKING, None, MONDAY, ZONE, WorkingCalendar()).words == "—"


def test_the_desk_begins_with_the_queue() -> None:
    """Without filters the desk shows what is in review, in the order of terms."""
    plain = asked("")
    assert plain.filters.waiting
    assert plain.filters.status == ()
    assert plain.order is Order.DUE
    assert plain.suffix == ""
    assert asked("sort=newest").order is Order.NEWEST


def test_closed_cases_have_no_term_to_be_sorted_by() -> None:
    """Statuses without a term are listed by age whatever the order, or the list would be empty."""
    for query in ("status=approved", "status=any", "number=%D0%9F%D0%9A-2026-000123-0"):
        assert asked(query).order is Order.NEWEST, query


def test_a_wrong_filter_is_told_at_its_field() -> None:
    """A date or a number that nobody can read is kept as typed and explained; the rest works."""
    wrong = asked("from=40.11.2026&until=31.12.9999&number=777&kind=seminar")
    assert set(wrong.errors) == {"from", "until", "number"}
    assert wrong.filters.programme_kind == "seminar"
    assert wrong.given["from"] == "40.11.2026"


def test_who_reviews_can_be_me_nobody_or_a_colleague() -> None:
    """The filter by reviewer knows the two words and ids, and nothing else."""
    colleague = uuid4()
    assert asked("reviewer=me").filters.reviewer == REVIEWER.person_id
    assert asked("reviewer=nobody").filters.reviewer == "nobody"
    assert asked(f"reviewer={colleague}").filters.reviewer == colleague
    assert asked("reviewer=boss").filters.reviewer is None


@given(st.text(max_size=200))
def test_any_address_can_be_opened(query: str) -> None:
    """Whatever stands in the address, the desk reads it and can write it back (hypothesis)."""
    read = asked(query)
    again = asked(urlsplit(read.address()).query)
    assert again.filters == read.filters
    assert again.given == read.given


def test_a_tab_stands_for_its_own_filters_only() -> None:
    """A tab is current where the address says just that; more filters become chips to remove."""
    chosen = asked("reviewer=me")
    assert [tab.current for tab in tabs(chosen, COUNTS)] == [False, True, False, False]
    assert active(chosen, (), ()) == []
    narrowed = asked("reviewer=me&kind=seminar&overdue=true")
    assert not any(tab.current for tab in tabs(narrowed, COUNTS))
    chips = {chip.text: parse_qs(urlsplit(chip.url).query) for chip in active(narrowed, (), ())}
    assert set(chips) == {"Семинар", "просроченные", "мои"}
    assert chips["Семинар"] == {"reviewer": ["me"], "overdue": ["1"]}


def test_a_decision_is_read_from_the_form() -> None:
    """Outcome, reason, remarks and answers come from fields of their names; blanks are left out."""
    typed = typed_of(
        {
            "outcome": "clarify",
            "reason": "Строка\nещё",
            "remark.snils": " Проверьте цифры ",
            "remark.inn": "  ",
            "check.specialty_fits": "yes",
            "check.no_overlap": "maybe",
        }
    )
    decision = decision_of(typed, QUESTIONS)
    assert decision.outcome is Transition.CLARIFY
    assert decision.reason == "Строка\nещё"
    assert decision.remarks == {"snils": "Проверьте цифры"}
    assert decision.checklist == {"education_fits": False, "specialty_fits": True}
    assert decision_of(replace(typed, checks=set()), QUESTIONS).checklist == {}


def test_remarks_go_with_a_question_only() -> None:
    """Remarks typed before the reviewer chose to reject are not sent to the applicant."""
    typed = DecisionInput("reject", "Набор закрыт.", {"snils": "Проверьте"})
    assert decision_of(typed, ()).remarks == {}


def test_the_usual_approval_is_one_act() -> None:
    """«Всё соответствует» confirms everything with the stock's reason; what is typed is kept."""
    stock = [
        OfferedReason("full", "reject", "", "Мест нет."),
        OfferedReason("fits", "approve", "", "Подходит."),
    ]
    usual = DecisionInput("clarify").all_fits(QUESTIONS, stock)
    decision = decision_of(usual, QUESTIONS)
    assert (decision.outcome, decision.reason) == (Transition.APPROVE, "Подходит.")
    assert decision.checklist == {"education_fits": True, "specialty_fits": True}
    assert DecisionInput(reason="По письму.").all_fits(QUESTIONS, stock).reason == "По письму."
    assert DecisionInput().all_fits(QUESTIONS, ()).reason == ""


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        (DecisionInput("", "Причина"), "outcome"),
        (DecisionInput("withdraw", "Причина"), "outcome"),
        (DecisionInput("clarify", "Причина", {"snils": "а" * 1001}), "remarks.snils"),
    ],
)
def test_what_is_no_decision_is_refused(typed: DecisionInput, path: str) -> None:
    """Without an outcome of the three there is nothing to decide, and the field is named (A4)."""
    with pytest.raises(Refusal) as refused:
        decision_of(typed, ())
    assert [error.path for error in refused.value.fields] == [path]
    (item,) = error_items(refused.value, DECISION)
    assert item.href in ("#outcome-approve", "#remark-snils")


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("name", DESK_SAMPLES)
def test_every_page_of_the_desk_is_drawn(name: str, language: str) -> None:
    """Each page renders in both languages with nothing that its template did not get."""
    sample = DESK_SAMPLES[name]
    with presented(Presentation(language)):
        answer = page(sample.template, Presentation(language), sample.frame, **sample.context)
    text = bytes(answer.body).decode()
    words = {
        "archive": ("Выгрузить список", "Export the list"),
        "desk": ("Исполнитель", "Reviewer"),
        "desk-empty": ("Очередь пуста", "The queue is empty"),
    }
    russian, english = words.get(name, ("К очереди", "Back to the queue"))
    assert (russian in text, english in text) == (language == "ru", language == "en")
