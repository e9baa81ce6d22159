"""The application: the JSON API under /api/v1, its documentation, and the pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from api.accounts.watching import watch_use
from api.container import Container
from api.fhir import practitioners
from api.fhir.resources import ROOT, outcome
from api.http.auth import OPEN_TO_ALL, cookie_names, guard
from api.http.bodies import BodyLimit
from api.http.body_limits import BodyLimits, body_limits
from api.http.compression import Compressed
from api.http.headers import SecurityHeaders
from api.http.metrics import Observed, observed
from api.http.openapi import describe
from api.http.problems import ProblemFormat, answer_problems
from api.route_index import index_routes
from api.routers import JSON_ROUTERS, OTHER_ROUTERS
from cabinet.frame import assets
from cabinet.frame.problems import page_problem
from cabinet.routers import ROUTERS as PAGES
from clients.telemetry.collector import traces_of
from clients.telemetry.traces import OFF
from settings import Settings, get_settings

API = "/api/v1"


def check_settings(settings: Settings) -> None:
    """Raise RuntimeError if cookies would be sent over a connection that others can read."""
    parts = urlsplit(settings.public_url)
    host = parts.hostname or ""
    try:
        on_loopback = ip_address(host).is_loopback
    except ValueError:
        on_loopback = host == "localhost"
    if not settings.cookie_secure and not on_loopback:
        raise RuntimeError("MEDCAB_COOKIE_SECURE may be off only where people open a loopback URL")


@cache
def _routes() -> list[BaseRoute]:
    """All routes. They depend on no setting, and resolving them takes a second: once is enough."""
    whole = APIRouter(dependencies=[Depends(guard)])
    for router in JSON_ROUTERS:
        whole.include_router(router, prefix=API)
    for router in OTHER_ROUTERS:
        whole.include_router(router)
    whole.include_router(assets.router, dependencies=[OPEN_TO_ALL])
    for router in PAGES:
        whole.include_router(router)
    return whole.routes


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for the given settings, or for those of the environment."""
    chosen = settings or get_settings()
    check_settings(chosen)

    traces = traces_of(chosen, "medcab-api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Container.running(chosen, traces) as container, observed(app, container):
            app.state.container = container
            yield
        if traces is not None:
            await asyncio.to_thread(traces.close)

    app = FastAPI(
        title="Medcab",
        summary="Личный кабинет медработника",
        description=(
            "Errors are RFC 9457 problems. Sign in with `POST /api/v1/sign-in` and `/sign-in/code`,"
            " or send a personal access token as `Authorization: Bearer mcb_…`. With a session,"
            " send `X-CSRF-Token` with everything that changes something."
        ),
        version="0.1.0",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        # A redirect would lead to whatever host the request names.
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=traces.of_requests if traces else OFF,
        routes=_routes(),
    )
    index_routes(app.router)
    answer_problems(app)
    watch_use(app)
    app.state.page_problem = page_problem
    app.state.problem_formats = {ROOT: ProblemFormat(practitioners.MEDIA_TYPE, outcome)}
    describe(app, cookie_names(chosen).session)
    app.add_middleware(BodyLimit, limits=BodyLimits(body_limits(chosen.upload_limit)))
    app.add_middleware(Compressed)
    app.add_middleware(SecurityHeaders, https=chosen.cookie_secure)
    app.add_middleware(Observed)
    return app
