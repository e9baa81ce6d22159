"""The accounts of people as those see and change them who manage people."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.refusals import FieldError, Refusal
from rules.texts.cleaning import clean

INVITATION_LIFE = timedelta(hours=72)
LATEST_DEPARTURE = timedelta(days=366)
REASON = 3, 500
"""The shortest and the longest reason for an act, in characters."""
MOST_AT_ONCE = 200
"""How many people one act invites."""


class PersonState(StrEnum):
    """How far a person's account is."""

    NONE = "none"
    INVITED = "invited"
    ACTIVE = "active"
    LOCKED = "locked"
    LEFT = "left"


STATE_NAMES: Mapping[PersonState, str] = {
    PersonState.NONE: "нет учётной записи",
    PersonState.INVITED: "отправлено приглашение",
    PersonState.ACTIVE: "действует",
    PersonState.LOCKED: "заблокирована",
    PersonState.LEFT: "уволен",
}
"""The states in words (msgids)."""


class StaffActKind(StrEnum):
    """What is done to people's accounts. Values are stored for ever: add, never rename."""

    INVITE = "invite"
    REVOKE_INVITATION = "revoke_invitation"
    LOCK = "lock"
    UNLOCK = "unlock"
    END_SESSIONS = "end_sessions"
    LEAVE = "leave"
    STAY = "stay"
    TRANSFER = "transfer"
    END_GRANT = "end_grant"
    SET_URGENT_ACCESS = "set_urgent_access"
    RETRY_RECORD = "retry_record"
    CLOSE_RECORD = "close_record"


class LeftAlone(StrEnum):
    """Why somebody was not invited."""

    HAS_ACCOUNT = "has_account"
    HAS_LEFT = "has_left"
    ADDRESS_TAKEN = "address_taken"


def demand_reason(reason: str) -> str:
    """The reason as it is journaled. Raises Refusal 422 unless its length is acceptable."""
    shortest, longest = REASON
    said = clean(reason).strip()
    if not shortest <= len(said) <= longest:
        words = "Укажите причину: от 3 до 500 знаков."
        raise Refusal("incomplete", words, 422, [FieldError("reason", words)])
    return said


def leaving_at(last_day: date, today: date, zone: ZoneInfo) -> datetime:
    """When a person leaves whose last day this is: as it ends in the zone of the unit.

    Raises Refusal 422 for a day that is over, or too far away to be meant.
    """
    words = ""
    if last_day < today:
        words = "Этот день уже прошёл. Чтобы закрыть доступ сразу, оставьте поле пустым."
    elif last_day - today > LATEST_DEPARTURE:
        words = "Указать можно день не позже чем через год."
    if words:
        raise Refusal("last_day", words, 422, [FieldError("last_day", words)])
    return datetime.combine(last_day + timedelta(days=1), time(), zone).astimezone(UTC)


def oneself() -> Refusal:
    """People do not change their own account here."""
    words = "Себя заблокировать, уволить или перевести нельзя. Попросите другого администратора."
    return Refusal("oneself", words, 409)


def last_manager() -> Refusal:
    """Without this person nobody could manage people somewhere."""
    words = (
        "Больше некому вести учёт сотрудников: это последний администратор. Сначала выдайте роль "
        "администратора другому сотруднику с действующей учётной записью."
    )
    return Refusal("last_manager", words, 409)


def no_account() -> Refusal:
    """There is no account that could be locked or whose sessions could end."""
    words = "Учётной записи у сотрудника нет. Если он приглашён, отзовите приглашение."
    return Refusal("no_account", words, 409)


def as_it_is() -> Refusal:
    """The account is in that state already."""
    return Refusal("changed_meanwhile", "Состояние учётной записи уже изменилось.", 409)


def has_left() -> Refusal:
    """The person works here no longer."""
    return Refusal("has_left", "Сотрудник уже уволен: его доступ закрыт.", 409)


def same_unit() -> Refusal:
    """A transfer to where the person works already."""
    words = "Сотрудник уже работает в этом подразделении. Выберите другое."
    return Refusal("same_unit", words, 422, [FieldError("unit_id", words)])


def invitation_over() -> Refusal:
    """The link of an invitation was used, ended or replaced, or is none."""
    words = "Ссылка больше не действует. Попросите администратора отправить приглашение ещё раз."
    return Refusal("invitation_over", words, 409)


def not_invited() -> Refusal:
    """There is no open invitation that could be revoked."""
    return Refusal("not_invited", "Действующего приглашения нет: отзывать нечего.", 409)


def nobody_to_invite(why: LeftAlone | None = None) -> Refusal:
    """None of the people named could be invited."""
    words = {
        None: "Выберите, кого пригласить.",
        LeftAlone.HAS_ACCOUNT: "У сотрудника уже есть учётная запись: приглашение не нужно.",
        LeftAlone.HAS_LEFT: "Сотрудник уволен: пригласить его нельзя.",
        LeftAlone.ADDRESS_TAKEN: "С этим адресом почты уже входит другой сотрудник. Исправьте "
        "адрес в списке сотрудников и загрузите его снова.",
    }[why]
    fields = [FieldError("person", words)] if why is None else []
    return Refusal("nobody_to_invite", words, 422 if why is None else 409, fields)
