"""Callbacks of the SMS gateway and of mail servers: delivery reports on messages (N3).

The routes are open to all, since the caller has no account: the signature proves who it is. A
delivery report that comes twice or late changes nothing, so the ids of callbacks are not stored.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import SecretStr

from api.callbacks.heard import heard, tell_unknown
from api.container import Container, ContainerDep
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.problems import documented
from clients.delivery import mail_reports
from clients.delivery.mail_reports import REPORT_TYPE, MailDelivery, read_report
from clients.delivery.sms import GatewayReport
from rules.clock import now
from rules.notices.delivery import DeliveryReport
from rules.notices.kinds import Channel
from rules.refusals import not_found
from services.notices import delivery_reports
from services.notices.delivery_reports import Said

router = APIRouter(route_class=CleanRoute, prefix="/callbacks", tags=["callbacks"])


def _signed(schema: dict[str, Any], **other: Any) -> dict[str, Any]:
    """The body of a callback, for the API's documentation."""
    return {
        "requestBody": {
            "required": True,
            "description": "What became of a message, signed as Standard Webhooks: `webhook-id`, "
            "`webhook-timestamp`, `webhook-signature`.",
            "content": {"application/json": {"schema": schema}, **other},
        }
    }


@router.post(
    "/sms",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(403, 404, 422),
    openapi_extra=_signed(GatewayReport.model_json_schema()),
)
async def sms(request: Request, container: ContainerDep, visitor: From) -> Response:
    """Take a delivery report of the SMS gateway. Repeating the callback changes nothing."""

    def read(body: bytes) -> Said:
        told = GatewayReport.model_validate_json(body)
        return Said(told.id, DeliveryReport(told.state), told.at)

    secret = container.settings.sms_secret
    return await _taken(request, container, visitor.address, Channel.SMS, secret, read)


@router.post(
    "/mail",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(403, 404, 413, 422),
    openapi_extra=_signed(
        mail_reports.MailReport.model_json_schema(),
        **{REPORT_TYPE: {"schema": {"type": "string", "description": "A report of RFC 3464."}}},
    ),
)
async def mail(request: Request, container: ContainerDep, visitor: From) -> Response:
    """Take a delivery report on a letter, as JSON or as a message of RFC 3464.

    `bounced` with a reason 4.x.x (a temporary failure) is only noted. Repeating the callback
    changes nothing.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()

    def read(body: bytes) -> Said:
        became: MailDelivery | None
        if given == REPORT_TYPE:
            became = read_report(body, now())
        else:
            became = mail_reports.MailReport.model_validate_json(body).became
        if became is None:
            raise ValueError("not a delivery report")
        return delivery_reports.mail_said(became)

    secret = container.settings.mail_callback_secret
    return await _taken(request, container, visitor.address, Channel.MAIL, secret, read)


async def _taken(
    request: Request,
    container: Container,
    address: str,
    channel: Channel,
    secret: SecretStr,
    read: Callable[[bytes], Said],
) -> Response:
    """Take a callback that is signed, readable and about a message of ours; refuse any other."""
    _call, said = await heard(request, container, address, channel.value, secret, read)
    async with container.database.work() as session:
        known = await delivery_reports.receive(session, channel, said)
    if not known:
        await tell_unknown(container, address, channel.value)
        raise not_found()
    return Response(status_code=204)
