"""The conversation on a case: who may write what, how much, how often and until when."""

from datetime import datetime, timedelta

from rules.accounts import Limit
from rules.refusals import FieldError, Refusal
from rules.texts.cleaning import clean

LONGEST = 4000
"""Characters of one message."""

MOST_FILES = 5
"""Files that may go with one message."""

OPEN_FOR = timedelta(days=30)
"""How long a closed case can still be talked about."""

OFTEN = Limit("message", 30, timedelta(minutes=10))
"""Messages of one person on all cases."""


def checked_text(text: str, files: int) -> str:
    """The text as it is kept. Raises Refusal 422 for an empty message, a long one, many files."""
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
    """Whether the case was closed so long ago that nothing can be said any more."""
    return closed_at is not None and now - closed_at > OPEN_FOR


def over() -> Refusal:
    """The conversation on a case that was closed long ago has ended."""
    return Refusal(
        "conversation_over",
        "Переписка окончена: после закрытия прошло больше 30 дней.",
        409,
    )


def not_begun() -> Refusal:
    """A draft that was never sent is nobody's but the applicant's."""
    return Refusal(
        "not_sent_yet", "Написать можно после отправки: черновик пока видите только вы.", 409
    )


def too_many(retry_after: int) -> Refusal:
    """More messages than a person writes; `retry_after` in seconds."""
    return Refusal(
        "too_often",
        "Слишком много сообщений подряд. Подождите немного и отправьте снова.",
        429,
        retry_after=retry_after,
    )
