"""Metrics for Prometheus: requests, and the state of the installation.

They are served at `metrics_address`, a port apart from the cabinet's: the proxy does not reach it,
and each process of the API is scraped by itself. Labels hold kinds, states and templates of routes,
never an id.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import perf_counter

import structlog
from fastapi import FastAPI
from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.container import Container
from clients.telemetry.logs import REQUEST, route_of
from rules.cases.process import CaseKind
from rules.clock import now as present
from rules.notices.kinds import Channel
from services.operation.metrics import Figures, MetricsSource
from services.operation.temporal_health import Engine, Standings

log = structlog.get_logger(__name__)

WITHIN = 5.0
"""Seconds that a scrape waits for the database and Temporal at most."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
CHANNELS = [channel.value for channel in Channel if channel is not Channel.CABINET]


class Observed:
    """ASGI middleware: measure requests where metrics are on, and name each request for the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, measured."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seconds: Histogram | None = getattr(scope["app"].state, "request_seconds", None)
        named = REQUEST.set(scope)
        try:
            if seconds is None:
                await self._app(scope, receive, send)
            else:
                await self._timed(seconds, scope, receive, send)
        finally:
            REQUEST.reset(named)

    async def _timed(self, seconds: Histogram, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            labels = (method, route_of(scope) or "none", str(status))
            seconds.labels(*labels).observe(perf_counter() - began)


@asynccontextmanager
async def observed(app: FastAPI, container: Container) -> AsyncIterator[None]:
    """Serve metrics while the application runs, if `metrics_address` is set."""
    if not container.settings.metrics_address:
        yield
        return
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    watch = MetricsSource(container.database, container.settings.sweep_grace)
    loop = asyncio.get_running_loop()
    registry.register(LoopCollector(loop))
    registry.register(InstallationCollector(watch, container.standings, loop))
    app.state.request_seconds = Histogram(
        "medcab_request_seconds",
        "Requests by template of the route; their number is the count.",
        ("method", "route", "status"),
        buckets=BUCKETS,
        registry=registry,
    )
    host, _, port = container.settings.metrics_address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host, registry)
    except OSError as error:
        # The cabinet works without metrics.
        log.warning("metrics_not_told", address=f"{host}:{port}", error=error.strerror)
        yield
        return
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join(WITHIN)


class LoopCollector(Collector):
    """How long this process takes to begin with something; asked alone, it shows that it works."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def describe(self) -> list[Metric]:
        """Its name, by which it can be asked for alone."""
        return [self._told(0.0)]

    def collect(self) -> Iterator[Metric]:
        """One metric. Raises TimeoutError if the process hangs."""
        began = perf_counter()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result(2 * WITHIN)
        yield self._told(perf_counter() - began)

    def _told(self, seconds: float) -> Metric:
        return _gauge("medcab_loop_seconds", "Time until the event loop answers.", seconds)


class InstallationCollector(Collector):
    """The state of the installation.

    A scrape asks on the event loop, where the connections live.
    """

    def __init__(
        self, watch: MetricsSource, standings: Standings, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._watch = watch
        self._standings = standings
        self._loop = loop

    def describe(self) -> list[Metric]:
        """Nothing, so that registering the collector asks no server."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Metrics of the database and of Temporal; of one that is down, only that it is."""
        asked = asyncio.run_coroutine_threadsafe(self._ask(), self._loop)
        figures, engine = asked.result(2 * WITHIN)
        yield _gauge("medcab_database_up", "PostgreSQL answers this process.", figures is not None)
        yield _gauge("medcab_temporal_up", "Temporal answers this process.", engine is not None)
        if figures is not None:
            yield from _of_database(figures)
        if engine is not None:
            yield from _of_engine(engine)

    async def _ask(self) -> tuple[Figures | None, Engine | None]:
        engine = await self._standings.known()
        try:
            async with asyncio.timeout(WITHIN):
                return await self._watch.figures(), engine
        except Exception as error:
            log.warning("figures_not_known", error=type(error).__name__)
            return None, engine


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _by(name: str, words: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _of_database(told: Figures) -> Iterator[Metric]:
    cases = GaugeMetricFamily("medcab_cases_open", "Cases open.", labels=["kind", "status"])
    for kind, status, number in told.open:
        cases.add_metric([kind, status], number)
    yield cases
    stuck = {kind.value: float(told.stuck.get(kind, 0)) for kind in CaseKind}
    yield _by("medcab_cases_stuck", "Cases that are stuck.", "kind", stuck)
    yield _gauge("medcab_cases_unheard", "Cases not woken in time.", told.unheard)
    yield _gauge(
        "medcab_unheard_seconds", "Time since the oldest of them was due.", told.unheard_age
    )
    yield _gauge("medcab_cases_overdue", "Cases whose term is over.", told.overdue)
    nobody = (0, 0.0)
    waiting = {channel: told.waiting.get(channel, nobody) for channel in CHANNELS}
    numbers = {channel: float(number) for channel, (number, _) in waiting.items()}
    ages = {channel: age for channel, (_, age) in waiting.items()}
    yield _by("medcab_notices_waiting", "Notices due and not sent.", "channel", numbers)
    yield _by("medcab_notices_waiting_seconds", "How long the oldest is due.", "channel", ages)
    failed = {channel: float(told.failed.get(channel, 0)) for channel in CHANNELS}
    yield _by("medcab_notices_failed", "Notices that failed in seven days.", "channel", failed)
    yield _gauge("medcab_exports_failed", "Exports failed in seven days.", told.exports_failed)
    yield _gauge("medcab_servers_replaced", "Servers replaced within a day.", told.replaced)
    yield _by("medcab_outage_seconds", "How long a system is down.", "system", dict(told.outages))
    yield _gauge("medcab_journal_seal_age_seconds", "Age of the last checkpoint.", told.sealed_age)
    yield _gauge(
        "medcab_journal_unsealed_seconds",
        "Age of the oldest entry in no checkpoint.",
        told.unsealed_age,
    )
    yield _gauge("medcab_journal_refused", "Rows that checkpoints refuse.", told.refused)
    yield _gauge("medcab_backup_age_seconds", "Since the last backup.", told.backup_age)


def _of_engine(told: Engine) -> Iterator[Metric]:
    yield _gauge("medcab_workers", "Processes that ask Temporal for work.", told.workers)
    runs = {one.id: float(one.runs) for one in told.standing}
    yield _by("medcab_standing_up", "Standing workflows that run.", "workflow", runs)
    tries = {one.id: float(one.attempt) for one in told.standing}
    yield _by("medcab_standing_attempt", "Attempts of the present step.", "workflow", tries)
    idle = {
        one.id: max((present() - one.worked_at).total_seconds(), 0.0)
        for one in told.standing
        if one.worked_at
    }
    yield _by("medcab_standing_idle_seconds", "Since it was seen to work.", "workflow", idle)
