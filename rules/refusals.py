"""How the business refuses: typed, with words for the person and a status for the client."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self


class Words(str):
    """A Russian sentence filled with facts that can still be translated.

    It is the finished Russian text; `msgid` and `facts` let a page say
    `gettext(words.msgid).format(**words.facts)`.
    """

    msgid: str
    facts: dict[str, Any]

    def __new__(cls, msgid: str, /, **facts: Any) -> Self:
        """Fill the facts into the sentence, and keep both."""
        words = super().__new__(cls, msgid.format(**facts) if facts else msgid)
        words.msgid = msgid
        words.facts = facts
        return words


@dataclass(frozen=True)
class FieldError:
    """One field to be corrected: `path` names it, `message` says what to write (Russian)."""

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
    """The answer both for what does not exist and for what this person must not know of."""
    return Refusal("not_found", "Такой страницы нет, или она вам недоступна.", 404)


def forbidden() -> Refusal:
    """The person is known, but lacks the permission."""
    return Refusal("forbidden", "У вас нет прав на это действие.", 403)


def incomplete_code() -> Refusal:
    """What was typed cannot be the code of a paper. This says nothing about any paper."""
    words = "Введите код целиком: в нём 26 цифр и латинских букв. Пробелы не важны."
    return Refusal("incomplete_code", words, 422)


def busy() -> Refusal:
    """Others are changing the same at this moment: the act waited for them, and in vain."""
    words = "Это сейчас меняет кто-то ещё. Ничего не изменено, повторите через несколько секунд."
    return Refusal("busy", words, 409, retry_after=2)


def act_id_reused() -> Refusal:
    """An act's id was sent a second time with other contents: nothing is done."""
    words = "Это действие уже выполнено с другими данными. Обновите страницу."
    return Refusal("act_id_reused", words, 422)
