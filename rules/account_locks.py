"""The way by which a lock by suspicion is opened: a meeting, then somebody else's word (I4).

Owner, operator and approver are three different people; the database says so too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from rules.accounts import Limit
from rules.refusals import Refusal
from rules.second_factor import Method


class LockState(StrEnum):
    """What an account that is locked by suspicion waits for. Values are stored for ever."""

    MEETING = "meeting"
    APPROVAL = "approval"
    OPENED = "opened"
    LEFT = "left"
    """Its owner works here no longer: there is nothing to open."""


LOCK_WORDS: Mapping[LockState, str] = {
    LockState.MEETING: "ждёт видеовстречи владельца с оператором",
    LockState.APPROVAL: "ждёт согласия второго сотрудника",
    LockState.OPENED: "блокировка снята",
    LockState.LEFT: "владелец уволен",
}
"""The states in words (msgids)."""

FACTOR_WORDS: Mapping[Method, str] = {
    Method.APP: "Приложение с кодами",
    Method.PASSKEY: "Ключ входа",
    Method.SMS: "Коды в SMS",
    Method.RECOVERY: "Коды восстановления",
}
"""What operator and owner go through in the meeting (msgids)."""

LINKS = Limit("unlock_link", 3, timedelta(hours=1))
"""How many links one owner is sent on demand."""
CODES = Limit("unlock_code", 5, timedelta(hours=1))
"""How many codes an operator is given for one lock."""

_DAY = timedelta(days=1)
REMINDERS: Mapping[LockState, Sequence[timedelta]] = {
    LockState.MEETING: (_DAY, 3 * _DAY, 7 * _DAY, 14 * _DAY),
    LockState.APPROVAL: (_DAY, 2 * _DAY, 3 * _DAY),
}
"""So long after the last change whoever is awaited is reminded; then once a week."""
SECURITY_TOLD = 4
"""From this reminder of the owner on, information security is told that nobody comes."""
WEEKLY = timedelta(days=7)


def next_look(state: LockState, since: datetime, reminded: int) -> datetime:
    """When a lock that has waited since then, with so many reminders, is looked at next."""
    known = REMINDERS[state]
    if reminded < len(known):
        return since + known[reminded]
    return since + known[-1] + WEEKLY * (reminded - len(known) + 1)


def demand_third(approver: UUID, owner: UUID, operator: UUID | None) -> None:
    """Raise Refusal 409 unless the approver is neither the owner nor the operator."""
    if approver == owner:
        words = "Это ваша учётная запись. Снять с неё блокировку может только другой сотрудник."
        raise Refusal("oneself", words, 409)
    if approver == operator:
        words = "Вы проводили видеовстречу. Согласие должен дать третий сотрудник."
        raise Refusal("same_person", words, 409)


def changed_meanwhile() -> Refusal:
    """The lock waits for something else by now."""
    words = "Пока вы смотрели, блокировка изменилась. Откройте список заново."
    return Refusal("changed_meanwhile", words, 409)


def locked_by_suspicion() -> Refusal:
    """An administrator does not open what was locked by suspicion."""
    words = (
        "Учётная запись заблокирована по подозрению. Такую блокировку снимают только после "
        "видеовстречи владельца с оператором и согласия третьего сотрудника."
    )
    return Refusal("locked_by_suspicion", words, 409)


def no_way_in() -> Refusal:
    """No factor stays, and the operator has given the owner no code."""
    words = (
        "На встрече не подтвердили ни одного способа входа, и код владельцу ещё не передан: войти "
        "он не сможет. Попросите оператора передать код или назначьте новую встречу."
    )
    return Refusal("no_way_in", words, 409)


def sent_too_often(retry_after: int) -> Refusal:
    """Links or codes were asked for too often; `retry_after` in seconds."""
    words = "Вы повторяете это слишком часто. Подождите."
    return Refusal("too_often", words, 429, retry_after=retry_after)


def unlock_link_over() -> Refusal:
    """The link to choose a meeting was replaced by a newer one, or the account is open again."""
    words = "Ссылка больше не действует: откройте самое новое письмо или войдите в кабинет."
    return Refusal("link_over", words, 409)
