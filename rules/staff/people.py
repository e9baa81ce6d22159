"""The accounts of people as those see and change them who manage people."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from rules.refusals import FieldError, Refusal

INVITATION_LIFE = timedelta(hours=72)
MOST_AT_ONCE = 200
"""How many people one act invites."""


class AccountState(StrEnum):
    """How far a person's account is."""

    NONE = "none"
    INVITED = "invited"
    ACTIVE = "active"
    LOCKED = "locked"
    LEFT = "left"


STATE_NAMES: Mapping[AccountState, str] = {
    AccountState.NONE: "нет учётной записи",
    AccountState.INVITED: "отправлено приглашение",
    AccountState.ACTIVE: "действует",
    AccountState.LOCKED: "заблокирована",
    AccountState.LEFT: "уволен",
}
"""The states in words (msgids)."""


class StaffActKind(StrEnum):
    """What is done to people's accounts. Values are stored for ever: add, never rename."""

    INVITE = "invite"
    REVOKE_INVITATION = "revoke_invitation"


class LeftAlone(StrEnum):
    """Why somebody was not invited."""

    HAS_ACCOUNT = "has_account"
    HAS_LEFT = "has_left"
    ADDRESS_TAKEN = "address_taken"


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
