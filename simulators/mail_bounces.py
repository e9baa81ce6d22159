"""The delivery report (RFC 3464) that a mail server sends when it cannot deliver what it took."""

from datetime import UTC, datetime
from email import message_from_string
from email.message import Message
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import format_datetime

from simulators.calling import call_back

_ACTIONS = {"2": "delivered", "4": "delayed"}


def report(recipient: str, sender: str, headers: str, status: str) -> bytes:
    """The report about a letter; `headers` are those of the letter, `status` is such as 5.1.1."""
    moment = format_datetime(datetime.now(UTC))
    whole = MIMEMultipart("report")
    whole.set_param("report-type", "delivery-status")
    whole["From"] = "MAILER-DAEMON@mail.simulator"
    whole["To"] = sender
    whole["Subject"] = "Undelivered Mail Returned to Sender"
    whole["Date"] = moment
    whole["Auto-Submitted"] = "auto-replied"
    whole.attach(MIMEText("This is the mail system. Your message is returned below.\n"))
    server, fate = Message(), Message()
    server["Reporting-MTA"] = "dns; mail.simulator"
    server["Arrival-Date"] = moment
    fate["Final-Recipient"] = f"rfc822; {recipient}"
    fate["Action"] = _ACTIONS.get(status[0], "failed")
    fate["Status"] = status
    fate["Diagnostic-Code"] = f"smtp; 550 {status} <{recipient}>: refused"
    told = Message()
    told["Content-Type"] = "message/delivery-status"
    told.set_payload([server, fate])
    whole.attach(told)
    whole.attach(MIMEMessage(message_from_string(headers)))
    return whole.as_bytes(policy=SMTP)


async def tell(url: str, secret: str, content: bytes) -> None:
    """Send a signed report to the product; three attempts."""
    body, tries = content.decode(), (0.0, 0.0, 0.0)
    await call_back(url, secret, "bounce", body, pauses=tries, media_type="message/rfc822")
