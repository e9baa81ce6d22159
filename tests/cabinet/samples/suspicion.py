"""Suspicion, locks and sign-in through a provider, with invented contents."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from cabinet.accounts.risks import RiskLine
from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView, Frame, Option
from cabinet.meetings.views import FreeTime, MeetingView
from rules.account_locks import LockState
from services.account_locks.seen import LockSeen
from tests.cabinet.samples.cases import AT, frame, outside
from tests.cabinet.samples.sample import Sample

_ID = UUID(int=1)
_NAME = "Константинопольская-Преображенская Александра Вячеславовна"
_UNIT = "Отделение реанимации и интенсивной терапии"
_LINE = RiskLine(
    "Вход с нового устройства из новой сети",
    "#",
    _NAME,
    "#",
    _UNIT,
    AT,
    3,
    "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    "Яндекс Браузер, Windows",
    "",
    locked=False,
)
_CLOSED = RiskLine(
    "Перебор чужих дел",
    "#",
    "Волков Николай Петрович",
    "#",
    _UNIT,
    AT,
    1,
    "192.0.2.7",
    "curl",
    "Учётная запись заблокирована",
    locked=True,
)
_MEETING = MeetingView(
    _ID,
    StatusTag("назначена", "waiting", "calendar-clock"),
    AT,
    AT + timedelta(minutes=30),
    "Орлова Вера Павловна",
    "https://meet.example/room",
    booked=True,
    changeable=True,
    reason="",
)


CODE = "00-4KD9W-Z2MTA"


def _lock(state: LockState, operator: str | None = None) -> LockSeen:
    return LockSeen(_ID, _ID, _NAME, _UNIT, "person", AT, state, AT, None, operator, None, ())


def suspicion_pages() -> list[Sample]:
    """What the owner, information security and whoever comes from a provider see."""
    here, desk, there = frame("/profile"), frame("/risks"), outside("/unlock")
    waiting = {"url": "#", "waits": False, "meeting": None, "days": []}
    times = [(AT, [FreeTime(_ID, AT), FreeTime(_ID, AT + timedelta(minutes=30))])]
    factors = ["Приложение с кодами", "Ключ входа"]
    approval = _lock(LockState.APPROVAL, "Орлова Вера")
    lines = [
        (approval, "ждёт согласия второго сотрудника", False, True, factors),
        (_lock(LockState.MEETING), "ждёт видеовстречи владельца с оператором", True, False, []),
    ]
    fields = [FieldView("kind", "Событие", "choice", "", options=[Option("", "Все")])]
    linked = {"name": "ЕСИА", "since": AT, "address": ""}
    pages: tuple[tuple[str, str, Frame, dict[str, Any]], ...] = (
        ("spoken-code", "account_locks/code.html", desk, {"code": CODE, "back_url": "#"}),
        ("lock", "accounts/lock.html", here, {"action": "#", "inside": True}),
        ("locked", "accounts/locked.html", there, {}),
        ("lock-over", "accounts/lock_over.html", there, {"message": "Ссылка уже использована."}),
        ("risks", "accounts/risks.html", desk, {"lines": [_LINE, _CLOSED], "fields": fields}),
        ("risks-none", "accounts/risks.html", desk, {"lines": [], "fields": fields}),
        ("locks", "account_locks/locks.html", desk, {"lines": lines, "everything": False}),
        ("unlock", "account_locks/unlock.html", there, waiting | {"days": times}),
        ("unlock-booked", "account_locks/unlock.html", there, waiting | {"meeting": _MEETING}),
        ("unlock-waits", "account_locks/unlock.html", there, waiting | {"waits": True}),
        ("provider", "accounts/provider.html", here, linked),
        ("provider-go", "accounts/provider.html", here, {**linked, "since": None, "address": "#"}),
        ("provider-none", "accounts/provider.html", here, {**linked, "since": None}),
        ("provider-over", "accounts/provider_over.html", there, {"message": "Начните заново."}),
    )
    return [Sample(name, template, at, context) for name, template, at, context in pages]
