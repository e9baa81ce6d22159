"""Named places where a process can be made to die, to prove that nothing is lost there.

They do nothing unless `MEDCAB_CRASH_POINTS` names a folder, which only a development installation
accepts. The first process that reaches a place whose name a file in that folder bears renames the
file to `<name>.hit.<nanoseconds>` and kills itself, as a power cut would.
"""

import os
import signal
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from settings import Settings


class CrashPoint(StrEnum):
    """The places. Each lies between two effects that no single transaction can contain."""

    ACT_COMMITTED = "act-committed-not-rung"
    DOCUMENT_STORED = "document-stored-no-row"
    REGISTER_ASKED = "register-asked-review-not-opened"
    REVIEW_OPENED = "review-opened-not-reported"
    ACT_FILED = "act-filed-no-row"
    ACT_ISSUED = "act-issued-not-reported"
    REQUEST_FILED = "request-filed-no-row"
    REQUEST_HANDED_OVER = "request-handed-over-not-noted"
    ANSWER_FILED = "answer-filed-no-row"
    PORTFOLIO_FILED = "portfolio-filed-no-row"
    PORTFOLIO_SENT = "portfolio-sent-not-noted"
    MAIL_HANDED_OVER = "mail-handed-over-not-noted"
    SMS_HANDED_OVER = "sms-handed-over-not-noted"
    PUSH_HANDED_OVER = "push-handed-over-not-noted"
    BATCH_ASKED = "register-batch-asked-not-stored"
    BATCH_STORED = "register-batch-stored-not-reported"
    EVENT_SENT = "subscriber-event-sent-not-noted"
    SWEPT = "rung-by-sweeper-not-counted"
    SEALED = "journal-sealed-not-copied"


_folder: Path | None = None


def arm(settings: Settings) -> None:
    """Take the folder from the settings. Raises RuntimeError outside development."""
    global _folder
    if settings.crash_points is not None and not settings.demo:
        raise RuntimeError("MEDCAB_CRASH_POINTS is for development only (MEDCAB_DEMO)")
    _folder = settings.crash_points


def reach(point: CrashPoint) -> None:
    """Die here if a file says so; otherwise this costs one comparison."""
    if _folder is not None:
        _die_if_told(_folder, point)


def _die_if_told(folder: Path, point: CrashPoint) -> None:
    with suppress(FileNotFoundError):
        # Only one process can rename the file.
        (folder / point).rename(folder / f"{point}.hit.{time.time_ns()}")
        os.kill(os.getpid(), signal.SIGKILL)
