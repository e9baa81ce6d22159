"""Callbacks of the gov service: it works on a request, or has answered it (S4).

The route is open to all, since the caller has no account: the signature proves who it is. Nothing
else in a callback is trusted: the answer itself is signed and encrypted, and the workflow opens it.
"""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from api.container import Container, ContainerDep
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.problems import documented
from clients.gov_service import Acknowledgement
from rules.clock import now
from rules.refusals import Refusal
from services import webhooks
from services.outages import GOV_SERVICE
from services.webhooks import CallbackFault, WebhookCall

router = APIRouter(route_class=CleanRoute, prefix="/callbacks", tags=["callbacks"])


class _About(BaseModel):
    """The message that an acknowledgement is about, named beside the acknowledgement's own
    fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: UUID


@router.post(
    "/gov-service",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(403, 404, 413, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "An acknowledgement with its `message_id`, signed as Standard "
            "Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.",
            "content": {"application/json": {"schema": Acknowledgement.model_json_schema()}},
        }
    },
)
async def gov_service(request: Request, container: ContainerDep, visitor: From) -> Response:
    """Take an acknowledgement of the gov service. Repeating the callback changes nothing."""
    body = await request.body()
    secrets = container.settings.gov_service_callback_secret.get_secret_value()
    webhook_id = webhooks.verified(body, request.headers, secrets)
    if webhook_id is None:
        why = CallbackFault.SIGNATURE if secrets else CallbackFault.NO_SECRET
        await webhooks.tell_refused(container.database, GOV_SERVICE, why, visitor.address, now())
        raise Refusal("signature", "Подпись сообщения не подтверждается.", 403)
    await _take(container, body, WebhookCall(GOV_SERVICE, webhook_id), visitor.address)
    return Response(status_code=204)


async def _take(container: Container, body: bytes, call: WebhookCall, address: str) -> None:
    try:
        about = _About.model_validate_json(body)
        receipt = Acknowledgement.model_validate_json(body)
    except ValidationError:
        why = CallbackFault.UNREADABLE
        await webhooks.tell_refused(container.database, GOV_SERVICE, why, address, now())
        raise Refusal("unreadable", "Сообщение не удаётся прочесть.", 422) from None
    try:
        await container.requests.receipt(about.message_id, receipt, call)
    except Refusal as refusal:
        if refusal.status == 404:
            why = CallbackFault.UNKNOWN_MESSAGE
            await webhooks.tell_refused(container.database, GOV_SERVICE, why, address, now())
        raise
