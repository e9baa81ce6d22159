"""What the personnel register pushes: hired, transferred, dismissed, on leave (I8).

The route is open to all, since the caller has no account: the signature proves who it is. A push
that comes twice, late or after a newer one changes nothing: records have versions.
"""

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from api.container import ContainerDep
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.openapi import whole_schema
from api.http.problems import documented
from clients.personnel import StaffEvent
from rules.clock import now
from rules.refusals import Refusal
from services import webhooks
from services.outages import PERSONNEL
from services.staff import personnel
from services.webhooks import CallbackFault

router = APIRouter(route_class=CleanRoute, prefix="/callbacks", tags=["callbacks"])


@router.post(
    "/personnel",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(403, 413, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "An employment after its change, signed as Standard Webhooks: "
            "`webhook-id`, `webhook-timestamp`, `webhook-signature`.",
            "content": {"application/json": {"schema": whole_schema(StaffEvent)}},
        }
    },
)
async def push(request: Request, container: ContainerDep, visitor: From) -> Response:
    """Take a record of the personnel register. Repeating the push changes nothing."""

    async def tell(why: CallbackFault) -> None:
        await webhooks.tell_refused(container.database, PERSONNEL, why, visitor.address, now())

    body = await request.body()
    secrets = container.settings.personnel_secret.get_secret_value()
    if webhooks.verified(body, request.headers, secrets) is None:
        await tell(CallbackFault.SIGNATURE if secrets else CallbackFault.NO_SECRET)
        raise Refusal("signature", "Подпись сообщения не подтверждается.", 403)
    try:
        event = StaffEvent.model_validate_json(body)
    except ValidationError:
        await tell(CallbackFault.UNREADABLE)
        raise Refusal("unreadable", "Сообщение не удаётся прочесть.", 422) from None
    await personnel.take(container.database, event.record)
    return Response(status_code=204)
