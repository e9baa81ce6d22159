"""What mail servers say became of a letter they took: a short callback, or a letter of RFC 3464.

Whoever forwards such reports knows a letter by its Message-ID. Only that, what became of it and the
enhanced status code of RFC 3463 are read; addresses and the servers' own words are left unread.
"""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

CALLBACK_PATH = "/api/v1/callbacks/mail"
REPORT_TYPE = "message/rfc822"
"""The content type of a callback that is a delivery report instead of JSON."""

LONGEST_REPORT = 1024 * 1024
"""Bytes of a report that are read; what is needed stands far before."""

State = Literal["delivered", "delayed", "bounced", "unknown"]

_STATUS = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
_ACTIONS: dict[str, State] = {
    "failed": "bounced",
    "delivered": "delivered",
    "delayed": "delayed",
}
_ORDER: tuple[State, ...] = ("bounced", "delivered", "delayed", "unknown")


class MailReport(BaseModel, title="Told"):
    """What became of a letter. `unknown` says only that nobody knows, and changes nothing.

    `reason` is an enhanced status code: a bounce with 4.x.x may still be delivered.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: Annotated[str, StringConstraints(min_length=1, max_length=998)]
    state: Literal["delivered", "bounced", "unknown"]
    reason: str = Field("", pattern=r"^([245]\.[0-9]{1,3}\.[0-9]{1,3})?$")
    at: AwareDatetime

    @property
    def became(self) -> "MailDelivery":
        """The same in the terms of reports."""
        later = self.state == "bounced" and self.reason.startswith("4.")
        return MailDelivery(
            self.message_id, "delayed" if later else self.state, self.reason, self.at
        )


@dataclass(frozen=True)
class MailDelivery:
    """What became of the letter of this Message-ID; `bounced` is for good."""

    message_id: str
    state: State
    reason: str
    at: datetime

    @property
    def name(self) -> str:
        """What the letter is known by here; see `Mailer.message_id`."""
        return self.message_id.strip().removeprefix("<").partition("@")[0]


def read_report(content: bytes, at: datetime) -> MailDelivery | None:
    """What a delivery report says of the letter that it returns; None where it is no such report.

    A report of RFC 3464 that says `failed` is the end even with a code 4.x.x: the server has tried
    for days and given up.
    """
    try:
        report = email.message_from_bytes(content[:LONGEST_REPORT], policy=email.policy.compat32)
    except RecursionError:
        # Parts in parts without end: nothing that a mail server writes.
        return None
    if report.get_content_type() != "multipart/report":
        return None
    parts = report.get_payload()
    if not isinstance(parts, list):
        return None
    said: list[tuple[State, str]] = []
    message_id = ""
    for part in parts:
        if not isinstance(part, Message):
            continue
        if part.get_content_type() == "message/delivery-status":
            said += _recipients(part)
        message_id = message_id or _returned(part)
    if not said or not message_id:
        return None
    state, reason = min(said, key=lambda one: _ORDER.index(one[0]))
    return MailDelivery(message_id, state, reason, at)


def _recipients(status: Message) -> Iterator[tuple[State, str]]:
    """What became of it for each recipient, with the code."""
    groups = status.get_payload()
    for group in groups if isinstance(groups, list) else []:
        if isinstance(group, Message) and "Action" in group:
            action = str(group["Action"]).strip().lower()
            code = _STATUS.match(str(group.get("Status", "")))
            yield _ACTIONS.get(action, "unknown"), code[1] if code else ""


def _returned(part: Message) -> str:
    """The Message-ID of the returned letter or of its headers; empty where this part is neither."""
    match part.get_content_type():
        case "message/rfc822" | "message/global":
            inner = part.get_payload()
            letter = inner[0] if isinstance(inner, list) and inner else None
        case "text/rfc822-headers":
            body = part.get_payload(decode=True)
            letter = email.message_from_bytes(body) if isinstance(body, bytes) else None
        case _:
            return ""
    return str(letter.get("Message-ID", "")).strip() if isinstance(letter, Message) else ""
