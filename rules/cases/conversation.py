"""The conversation on a case: who may write, how much, how often and until when."""

from datetime import datetime, timedelta

from rules.accounts import Limit
from rules.refusals import FieldError, Refusal
from rules.texts.cleaning import clean

LONGEST = 4000
"""The longest message, in characters."""

MOST_FILES = 5
"""How many files may go with one message."""

OPEN_FOR = timedelta(days=30)
"""How long after closing people may still write about a case."""

OFTEN = Limit("message", 30, timedelta(minutes=10))
"""The limit of messages of one person, on all cases together."""


def checked_text(text: str, files: int) -> str:
    """The text as it is stored.

    Raises Refusal 422 for no content, too long a text, too many files.
    """
    text = clean(text).strip()
    if not text and not files:
        raise _refused("text", "Напишите сообщение: от 1 до 4000 знаков.")
    if len(text) > LONGEST:
        raise _refused("text", "Сообщение длиннее 4000 знаков. Разделите его на несколько.")
    if files > MOST_FILES:
        raise _refused(
            "file", "К одному сообщению можно приложить не больше пяти файлов. Отправьте ещё одно."
        )
    return text


def _refused(path: str, words: str) -> Refusal:
    return Refusal("incomplete", words, 422, [FieldError(path, words)])


def is_over(closed_at: datetime | None, now: datetime) -> bool:
    """Whether the case was closed so long ago that its conversation has ended."""
    return closed_at is not None and now - closed_at > OPEN_FOR


def over() -> Refusal:
    """The case was closed too long ago to write about it."""
    return Refusal(
        "conversation_over",
        "Переписка окончена: после закрытия прошло больше 30 дней.",
        409,
    )


def not_begun() -> Refusal:
    """The case is a draft that was never submitted: only the applicant sees it."""
    return Refusal(
        "not_sent_yet", "Написать можно после отправки: черновик пока видите только вы.", 409
    )


def too_many(retry_after: int) -> Refusal:
    """The person has sent too many messages; `retry_after` in seconds."""
    return Refusal(
        "too_often",
        "Слишком много сообщений подряд. Подождите немного и отправьте снова.",
        429,
        retry_after=retry_after,
    )
