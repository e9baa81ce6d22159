"""How much one person may keep and submit: more than anybody needs, too little to do harm."""

from datetime import datetime, timedelta

from rules.accounts import Limit
from rules.cases.process import Process
from rules.refusals import FieldError, Refusal, Words

MOST_DRAFTS = 50
"""How many drafts of each kind of case one person may have that were never submitted."""

MOST_VERSIONS = 20
"""How many versions of one case may be submitted within `VERSIONS_WITHIN`."""

VERSIONS_WITHIN = timedelta(days=1)

UPLOADED_FILES = Limit("uploaded-files", 300, timedelta(days=1))
UPLOADED_OCTETS = Limit("uploaded-octets", 1024**3, timedelta(days=1))
"""Files that one person uploads, and their bytes. Files that are refused count too."""

LONGEST_REASON = 4000
"""The longest reason for an act, in characters; a line break counts as one."""

LONGEST_REMARK = 1000
"""The longest remark on a field, and the longest note to a handover, in characters."""

MOST_ATTACHMENTS = 30
"""How many documents may be attached to one draft."""

INTEGER = 2**31 - 1
"""The largest value of an `integer` column in PostgreSQL."""


def too_many_attachments() -> Refusal:
    """The draft has as many documents as it may have. They stay attached."""
    return Refusal(
        "too_many_attachments",
        "Уже приложено %(most)s документов, больше нельзя. Уберите лишние и повторите.",
        422,
        most=MOST_ATTACHMENTS,
    )


def too_many_uploads(wait: int) -> Refusal:
    """The person may upload nothing more for `wait` seconds. What was uploaded before stays."""
    words = Words(
        "Вы отправили столько файлов, сколько можно за сутки: {files}, или вместе {gigabytes} ГБ."
        " Этот файл можно отправить через {minutes} мин.",
        files=UPLOADED_FILES.times,
        gigabytes=f"{UPLOADED_OCTETS.times / 1024**3:g}",
        minutes=-(-wait // 60),
    )
    return Refusal("too_many_uploads", words, 429, [FieldError("file", words)], retry_after=wait)


def too_many_drafts(process: Process, most: int) -> Refusal:
    """The person has as many unsent drafts as allowed. They stay."""
    return Refusal("too_many_drafts", process.refusals.too_many_drafts, 422, most=most)


def too_many_versions(most: int, first: datetime, now: datetime) -> Refusal:
    """The applicant has submitted as many versions as allowed within a day.

    `first` is when the oldest of them was submitted: a day after it the next one may follow.
    """
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
