"""How much one person may keep and hand in: more than anybody needs, less than does harm."""

from datetime import datetime, timedelta

from rules.accounts import Limit
from rules.cases.process import Process
from rules.refusals import FieldError, Refusal, Words

MOST_DRAFTS = 50
"""Drafts never sent that one person keeps, of each kind of case."""

MOST_VERSIONS = 20
"""Versions of one case that are handed in within `VERSIONS_WITHIN`."""

VERSIONS_WITHIN = timedelta(days=1)

UPLOADED_FILES = Limit("uploaded-files", 300, timedelta(days=1))
UPLOADED_OCTETS = Limit("uploaded-octets", 1024**3, timedelta(days=1))
"""Files that one person sends, and their bytes, also of those that are refused."""

LONGEST_REASON = 4000
"""Characters of the reason that a person gives for an act; a line's end is one."""

LONGEST_REMARK = 1000
"""Characters of a remark on a field, and of the words with which a case is handed over."""

MOST_ATTACHMENTS = 30
"""Documents that one draft cites."""

INTEGER = 2**31 - 1
"""The most that a column of whole numbers holds."""


def too_many_attachments() -> Refusal:
    """No further document with this draft; those attached before are untouched."""
    return Refusal(
        "too_many_attachments",
        "Уже приложено %(most)s документов, больше нельзя. Уберите лишние и повторите.",
        422,
        most=MOST_ATTACHMENTS,
    )


def too_many_uploads(wait: int) -> Refusal:
    """No further file yet; `wait` in seconds. Those sent before are untouched."""
    words = Words(
        "Вы отправили столько файлов, сколько можно за сутки: {files}, или вместе {gigabytes} ГБ."
        " Этот файл можно отправить через {minutes} мин.",
        files=UPLOADED_FILES.times,
        gigabytes=f"{UPLOADED_OCTETS.times / 1024**3:g}",
        minutes=-(-wait // 60),
    )
    return Refusal("too_many_uploads", words, 429, [FieldError("file", words)], retry_after=wait)


def too_many_drafts(process: Process, most: int) -> Refusal:
    """No further draft; those begun before are untouched."""
    return Refusal("too_many_drafts", process.refusals.too_many_drafts, 422, most=most)


def too_many_versions(most: int, first: datetime, now: datetime) -> Refusal:
    """No further version yet: `first` is when the oldest that counts was handed in."""
    wait = max(first + VERSIONS_WITHIN - now, timedelta(seconds=1))
    return Refusal(
        "too_often",
        "За сутки можно отправить не больше %(most)s версий. Исправления сохранены в черновике: "
        "отправьте их через %(hours)s ч.",
        429,
        most=most,
        hours=-(-wait // timedelta(hours=1)),
        retry_after=-(-wait // timedelta(seconds=1)),
    )
