"""How the business says no: typed, with words for the person and a status for the client."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self


class Words(str):
    """A Russian sentence with facts in it, that can still be translated.

    It is the finished Russian text; `msgid` and `facts` let a page say
    `gettext(words.msgid).format(**words.facts)`.
    """

    msgid: str
    facts: dict[str, Any]

    def __new__(cls, msgid: str, /, **facts: Any) -> Self:
        """Put the facts into the sentence and remember both."""
        words = super().__new__(cls, msgid.format(**facts) if facts else msgid)
        words.msgid = msgid
        words.facts = facts
        return words


@dataclass(frozen=True)
class FieldError:
    """One field that has to be mended: `path` names it, `message` says what to write (Russian)."""

    path: str
    message: str


class Refusal(Exception):
    """A request that the rules do not allow. Nothing was changed.

    `code` is stable and machine-readable, `message` is a Russian gettext msgid for the person,
    `status` is the HTTP status: 403 not allowed, 404 not there (or not for you), 409 the case has
    moved on, 422 something has to be mended, 429 too often.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 409,
        fields: Sequence[FieldError] = (),
        **facts: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status
        self.fields = tuple(fields)
        self.facts = facts


def not_found() -> Refusal:
    """The same answer for what does not exist and what is not for this person to know of."""
    return Refusal("not_found", "Такой страницы нет, или она вам недоступна.", 404)


def forbidden() -> Refusal:
    """The person is known, the action is not among their rights."""
    return Refusal("forbidden", "У вас нет прав на это действие.", 403)


def incomplete_code() -> Refusal:
    """What was typed can be no code of an act: that says nothing of the paper."""
    words = "Введите код целиком: в нём 26 цифр и латинских букв. Пробелы не важны."
    return Refusal("incomplete_code", words, 422)


def act_id_reused() -> Refusal:
    """An act's id came again with other contents: nothing of them is done."""
    words = "Это действие уже выполнено с другими данными. Обновите страницу."
    return Refusal("act_id_reused", words, 422)
