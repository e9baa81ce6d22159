"""The line of steps at the head of a case: what is done and when, where it stands, what follows."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cabinet.applications.kind import APPLICATIONS
from cabinet.cases.lines import waits_for
from cabinet.cases.progress import application_steps, request_steps
from cabinet.cases.timeline import timeline
from rules.cases.applications import APPLICATION
from rules.cases.process import CaseKind, Status
from rules.cases.terms import WorkingCalendar
from rules.journal.entries import JournalKind
from services.dossier.page import CasePage, TimelineEntry
from words.translation import Presentation, presented

SENT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CHECKED, DECIDED, ISSUED = (SENT + timedelta(days=days) for days in (1, 2, 3))
DUE = SENT + timedelta(days=10)


def page(status: Status, **known: Any) -> CasePage:
    """As much of a case as its line of steps looks at."""
    version = SimpleNamespace(number=1, submitted_at=SENT, checked_at=known.pop("checked", CHECKED))
    case = SimpleNamespace(
        status=status, since=DECIDED, version=1, due_at=DUE, term_zone="Europe/Moscow"
    )
    given: dict[str, Any] = {
        "decisions": [],
        "act": None,
        "papers": [],
        "answers": [],
        "newest": version,
    }
    return cast("CasePage", SimpleNamespace(case=case, **{**given, **known}))


def drawn(steps: Any) -> list[tuple[str, str, datetime | None]]:
    return [(step.text, step.state, step.at or step.until) for step in steps]


def test_each_version_in_the_history_leads_to_its_own_receipt() -> None:
    """What was sent first is proved after a correction too; what was not sent has no receipt."""
    told = [
        TimelineEntry(3, JournalKind.CASE_RESUBMITTED, DECIDED, None, {"version": 2}, None, ""),
        TimelineEntry(2, JournalKind.CASE_CHECKED, CHECKED, None, {}, None, ""),
        TimelineEntry(1, JournalKind.CASE_SUBMITTED, SENT, None, {"version": 1}, None, ""),
    ]
    with presented(Presentation("ru")):
        lines = timeline(told, APPLICATIONS.sentences, own=True, receipts="/requests/x/receipt")
        others = timeline(told, APPLICATIONS.sentences, own=False)
    urls = [line.proof_url for line in lines]
    assert urls == ["/requests/x/receipt?version=2", "", "/requests/x/receipt?version=1"]
    assert not any(line.proof_url for line in others)


BEGUN = [("Отправлена", "done", SENT), ("Проверена", "done", CHECKED)]
DECISION = [SimpleNamespace(at=DECIDED)]
ACT = ("Акт о зачислении", "ahead", None)


@pytest.mark.parametrize(
    ("known", "rest"),
    [
        ({"status": Status.IN_REVIEW}, [("Рассмотрение", "now", DUE), ACT]),
        (
            {"status": Status.CLARIFICATION, "decisions": DECISION},
            [("Ваш ответ", "now", DUE), ("Рассмотрение", "ahead", None), ACT],
        ),
        (
            {"status": Status.APPROVED, "decisions": DECISION},
            [("Одобрена", "done", DECIDED), ("Акт о зачислении", "now", None)],
        ),
        (
            {
                "status": Status.APPROVED,
                "decisions": DECISION,
                "act": SimpleNamespace(issued_at=ISSUED),
            },
            [("Одобрена", "done", DECIDED), ("Акт о зачислении", "done", ISSUED)],
        ),
        (
            {"status": Status.REJECTED, "decisions": DECISION},
            [("Отклонена", "bad", DECIDED)],
        ),
        ({"status": Status.WITHDRAWN}, [("Отозвана", "over", DECIDED)]),
        ({"status": Status.LAPSED}, [("Закрыта без ответа", "over", DECIDED)]),
    ],
)
def test_an_application_shows_how_far_it_came(known: dict[str, Any], rest: list[Any]) -> None:
    """Steps that are done have their day, the present one its term; no step follows an end."""
    with presented(Presentation()):
        assert drawn(application_steps(page(**known))) == BEGUN + rest
        unchecked = application_steps(page(Status.CHECKING, checked=None))
    assert [step.text for step in unchecked] == [
        "Отправлена",
        "Проверка",
        "Рассмотрение",
        "Акт о зачислении",
    ]


@pytest.mark.parametrize(
    ("status", "whom"),
    [
        (Status.CHECKING, "завершения автоматической проверки"),
        (Status.IN_REVIEW, "Отдел кадров"),
        (Status.CLARIFICATION, "вас"),
        (Status.APPROVED, "акт о зачислении"),
        (Status.REJECTED, ""),
        (Status.WITHDRAWN, ""),
        (Status.LAPSED, ""),
    ],
)
def test_each_status_says_what_is_awaited(status: Status, whom: str) -> None:
    """After the approval that is the act, no more the check."""
    known = page(status, own=True, responsible_unit="Отдел кадров")
    known.case.waits_for = APPLICATION.waits_for[status]
    known.case.kind, known.case.step = CaseKind.APPLICATION, 1
    known.case.due_at = known.case.stuck = known.case.escalated_at = None
    known.case.closed_at = None if whom else DECIDED
    with presented(Presentation()):
        assert waits_for(known, WorkingCalendar({}), None).whom == whom


@pytest.mark.parametrize(
    ("status", "answers", "rest"),
    [
        (Status.PROCESSING, [], [("Ответ", "now", DUE)]),
        (Status.READY, [SimpleNamespace(version=1, at=ISSUED)], [("Ответ", "done", ISSUED)]),
        (Status.REFUSED, [SimpleNamespace(version=1, at=ISSUED)], [("Отказ", "bad", ISSUED)]),
        (Status.WITHDRAWN, [], [("Отозван", "over", DECIDED)]),
    ],
)
def test_a_request_shows_how_far_it_came(status: Status, answers: list[Any], rest: Any) -> None:
    """From sending by the hand-over to the answer (S4)."""
    paper = SimpleNamespace(version=1, formed_at=SENT, handed_over_at=CHECKED)
    module = SimpleNamespace(answered_by_people=False)
    sent = [("Отправлен", "done", SENT), ("Передан адресату", "done", CHECKED)]
    with presented(Presentation()):
        known = page(status, answers=answers, papers=[paper], definition=module)
        assert drawn(request_steps(known)) == sent + rest
        waiting = request_steps(page(Status.ACCEPTED, definition=module))
    assert [(step.text, step.state) for step in waiting] == [
        ("Отправлен", "done"),
        ("Передаём адресату", "now"),
        ("Ответ", "ahead"),
    ]
