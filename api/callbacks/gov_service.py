"""Callbacks of the gov service: it works on a request, or has answered it (S4).

The route is open to all, since the caller has no account: the signature proves who it is. Nothing
else in a callback is trusted: the answer itself is signed and encrypted, and the workflow opens it.
"""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from api.callbacks.heard import heard, tell_unknown
from api.container import ContainerDep
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.problems import documented
from clients.gov_service import Acknowledgement
from rules.refusals import Refusal
from services.outages import GOV_SERVICE

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
    secret, address = container.settings.gov_service_callback_secret, visitor.address
    call, (about, receipt) = await heard(request, container, address, GOV_SERVICE, secret, _read)
    try:
        await container.requests.receipt(about.message_id, receipt, call)
    except Refusal as refusal:
        if refusal.status == 404:
            await tell_unknown(container, address, GOV_SERVICE)
        raise
    return Response(status_code=204)


def _read(body: bytes) -> tuple[_About, Acknowledgement]:
    return _About.model_validate_json(body), Acknowledgement.model_validate_json(body)
