"""What the SMS gateway and mail servers call back: receipts of messages that they took (N3).

Open to all, since the caller has no account: its signature says who it is. A receipt that comes
twice, or late, changes nothing, so callbacks need not be remembered.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import SecretStr

from api.container import Medcab, MedcabState
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.problems import documented
from clients.delivery import mail_reports
from clients.delivery.mail_reports import REPORT_TYPE, MailDelivery, read_report
from clients.delivery.sms import GatewayReport
from rules.clock import now
from rules.notices.delivery import DeliveryReport
from rules.notices.kinds import Channel
from rules.refusals import Refusal, not_found
from services import webhooks
from services.notices import delivery_reports
from services.notices.delivery_reports import Said
from services.webhooks import CallbackFault

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
async def sms(request: Request, medcab: MedcabState, visitor: From) -> Response:
    """Take a receipt of the gateway. The same callback again changes nothing."""

    def read(body: bytes) -> Said:
        told = GatewayReport.model_validate_json(body)
        return Said(told.id, DeliveryReport(told.state), told.at)

    secret = medcab.settings.sms_secret
    return await _taken(request, medcab, visitor.address, Channel.SMS, secret, read)


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
async def mail(request: Request, medcab: MedcabState, visitor: From) -> Response:
    """Take what became of a letter, in JSON or as the delivery report itself.

    `bounced` with a reason 4.x.x is only noted. The same callback again changes nothing.
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

    secret = medcab.settings.mail_callback_secret
    return await _taken(request, medcab, visitor.address, Channel.MAIL, secret, read)


async def _taken(
    request: Request,
    medcab: Medcab,
    address: str,
    channel: Channel,
    secret: SecretStr,
    read: Callable[[bytes], Said],
) -> Response:
    """Believe a callback that is signed, can be read and is about a message of ours."""

    async def tell(why: CallbackFault) -> None:
        await webhooks.tell_refused(medcab.database, channel.value, why, address, now())

    body = await request.body()
    secrets = secret.get_secret_value()
    if webhooks.verified(body, request.headers, secrets) is None:
        await tell(CallbackFault.SIGNATURE if secrets else CallbackFault.NO_SECRET)
        raise Refusal("signature", "Подпись сообщения не подтверждается.", 403)
    try:
        said = read(body)
    except ValueError:
        await tell(CallbackFault.UNREADABLE)
        raise Refusal("unreadable", "Сообщение не удаётся прочесть.", 422) from None
    async with medcab.database.work() as session:
        known = await delivery_reports.receive(session, channel, said)
    if not known:
        await tell(CallbackFault.UNKNOWN_MESSAGE)
        raise not_found()
    return Response(status_code=204)
