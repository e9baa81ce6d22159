"""Delivery reports of mail servers: a short callback in JSON, or a report message of RFC 3464.

A message is recognised by its Message-ID. Only that, the outcome and the enhanced status code (RFC
3463) are read; addresses and the servers' own words are ignored.
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
"""The content type of a callback that is a report message instead of JSON."""

LONGEST_REPORT = 1024 * 1024
"""How many bytes of a report are read; what is needed comes long before."""

State = Literal["delivered", "delayed", "bounced", "unknown"]

_STATUS = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
_ACTIONS: dict[str, State] = {
    "failed": "bounced",
    "delivered": "delivered",
    "delayed": "delayed",
}
_ORDER: tuple[State, ...] = ("bounced", "delivered", "delayed", "unknown")


class MailReport(BaseModel, title="Told"):
    """What became of a mail. `unknown` only says that nobody knows, and changes nothing.

    `reason` is an enhanced status code: a mail that bounced with 4.x.x may still be delivered.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: Annotated[str, StringConstraints(min_length=1, max_length=998)]
    state: Literal["delivered", "bounced", "unknown"]
    reason: str = Field("", pattern=r"^([245]\.[0-9]{1,3}\.[0-9]{1,3})?$")
    at: AwareDatetime

    @property
    def became(self) -> "MailDelivery":
        """The same report as a `MailDelivery`."""
        later = self.state == "bounced" and self.reason.startswith("4.")
        return MailDelivery(
            self.message_id, "delayed" if later else self.state, self.reason, self.at
        )


@dataclass(frozen=True)
class MailDelivery:
    """What became of the mail with this Message-ID; `bounced` is final."""

    message_id: str
    state: State
    reason: str
    at: datetime

    @property
    def name(self) -> str:
        """The name by which we know the mail; see `Mailer.message_id`."""
        return self.message_id.strip().removeprefix("<").partition("@")[0]


def read_report(content: bytes, at: datetime) -> MailDelivery | None:
    """What a report message says of the mail it returns; None if it is no such report.

    A report of RFC 3464 that says `failed` is final even with a code 4.x.x: the server has tried
    for days and given up.
    """
    try:
        report = email.message_from_bytes(content[:LONGEST_REPORT], policy=email.policy.compat32)
    except RecursionError:
        # Endlessly nested parts: no mail server writes that.
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
    """The outcome and the status code for each recipient."""
    groups = status.get_payload()
    for group in groups if isinstance(groups, list) else []:
        if isinstance(group, Message) and "Action" in group:
            action = str(group["Action"]).strip().lower()
            code = _STATUS.match(str(group.get("Status", "")))
            yield _ACTIONS.get(action, "unknown"), code[1] if code else ""


def _returned(part: Message) -> str:
    """The Message-ID of the returned mail or of its headers; empty if this part is neither."""
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
