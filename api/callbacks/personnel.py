"""What the personnel register pushes: hired, transferred, dismissed, on leave (I8).

The route is open to all, since the caller has no account: the signature proves who it is. A push
that comes twice, late or after a newer one changes nothing: records have versions.
"""

from fastapi import APIRouter, Request, Response

from api.callbacks.heard import heard
from api.container import ContainerDep
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.openapi import whole_schema
from api.http.problems import documented
from clients.personnel import StaffEvent
from services.outages import PERSONNEL
from services.staff import personnel

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
    secret = container.settings.personnel_secret
    read = StaffEvent.model_validate_json
    _call, event = await heard(request, container, visitor.address, PERSONNEL, secret, read)
    await personnel.take(container.database, event.record)
    return Response(status_code=204)
