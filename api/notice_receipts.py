"""What providers call back: receipts of messages that they took (N3).

Signed by Standard Webhooks with a secret that only we and the provider know; an old or tampered
call is refused. A receipt that comes twice changes nothing the second time.
"""

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api.auth import OPEN_TO_ALL
from api.problems import documented
from api.state import MedcabState
from clients.sms import Told
from rules.notices import Channel, Receipt
from rules.refusals import Refusal, not_found
from services import provider_receipts
from services.provider_receipts import Said

router = APIRouter(prefix="/callbacks", tags=["callbacks"], dependencies=[OPEN_TO_ALL])


@router.post("/sms", status_code=204, responses=documented(401, 404, 422))
async def sms(request: Request, medcab: MedcabState) -> Response:
    """The SMS gateway says what became of a message."""
    told = _told(await _signed(request, medcab.settings.sms_secret.get_secret_value()))
    said = Said(told.id, Receipt(told.state), told.at)
    async with medcab.database.work() as session:
        if not await provider_receipts.receive(session, Channel.SMS, said):
            raise not_found()
    return Response(status_code=204)


async def _signed(request: Request, secret: str) -> bytes:
    """The body of a call that its signature proves. Raises Refusal 401."""
    body = await request.body()
    try:
        if not secret:
            raise WebhookVerificationError("no secret is agreed")
        Webhook(secret).verify(body, dict(request.headers))
    except (WebhookVerificationError, ValueError):
        raise Refusal("signature", "Подпись сообщения не подтверждается.", 401) from None
    return body


def _told(body: bytes) -> Told:
    try:
        return Told.model_validate_json(body)
    except ValidationError:
        raise Refusal("unreadable", "Сообщение не удаётся прочесть.", 422) from None
