"""What the SMS gateway calls back: receipts of messages that it took (N3).

Open to all, since the caller has no account: its signature says who it is. A receipt that comes
twice, or late, changes nothing, so callbacks need not be remembered.
"""

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from api.auth import OPEN_TO_ALL, From
from api.problems import documented
from api.state import MedcabState
from clients.sms import Told
from rules.clock import now
from rules.deliveries import Receipt
from rules.notices import Channel
from rules.refusals import Refusal, not_found
from services import callbacks, provider_receipts
from services.callbacks import CallbackFault
from services.provider_receipts import Said

router = APIRouter(prefix="/callbacks", tags=["callbacks"])

SOURCE = "sms"


@router.post(
    "/sms",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(403, 404, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "What became of a message, signed as Standard Webhooks: `webhook-id`, "
            "`webhook-timestamp`, `webhook-signature`.",
            "content": {"application/json": {"schema": Told.model_json_schema()}},
        }
    },
)
async def sms(request: Request, medcab: MedcabState, visitor: From) -> Response:
    """Take a receipt of the gateway. The same callback again changes nothing."""

    async def tell(why: CallbackFault) -> None:
        await callbacks.tell_refused(medcab.database, SOURCE, why, visitor.address, now())

    body = await request.body()
    secrets = medcab.settings.sms_secret.get_secret_value()
    if callbacks.verified(body, request.headers, secrets) is None:
        await tell(CallbackFault.SIGNATURE if secrets else CallbackFault.NO_SECRET)
        raise Refusal("signature", "Подпись сообщения не подтверждается.", 403)
    try:
        told = Told.model_validate_json(body)
    except ValidationError:
        await tell(CallbackFault.UNREADABLE)
        raise Refusal("unreadable", "Сообщение не удаётся прочесть.", 422) from None
    said = Said(told.id, Receipt(told.state), told.at)
    async with medcab.database.work() as session:
        known = await provider_receipts.receive(session, Channel.SMS, said)
    if not known:
        await tell(CallbackFault.UNKNOWN_MESSAGE)
        raise not_found()
    return Response(status_code=204)
