"""What the laboratory pushes: each version of each result (W2).

The route is open to all, since the caller has no account: the signature proves who it is. A push
that comes twice, late or after a newer one repeats nothing and hides nothing: it has a version.
"""

from fastapi import APIRouter, Request, Response

from api.callbacks.heard import heard
from api.container import ContainerDep
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.openapi import whole_schema
from api.http.problems import documented
from clients.clinic.laboratory import LabMessage
from services.outages import LABORATORY
from services.results import hearing
from services.results.terms import terms_of

router = APIRouter(route_class=CleanRoute, prefix="/callbacks", tags=["callbacks"])


@router.post(
    "/laboratory",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(403, 409, 413, 422, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "A version of a result, signed as Standard Webhooks: "
            "`webhook-id`, `webhook-timestamp`, `webhook-signature`.",
            "content": {"application/json": {"schema": whole_schema(LabMessage)}},
        }
    },
)
async def push(request: Request, container: ContainerDep, visitor: From) -> Response:
    """Take a version of a result. Repeating the push changes nothing."""
    secret = container.settings.laboratory_secret
    read = LabMessage.model_validate_json
    _call, message = await heard(request, container, visitor.address, LABORATORY, secret, read)
    terms = terms_of(container.settings)
    await hearing.take(container.database, message, terms, container.result_waker)
    return Response(status_code=204)
