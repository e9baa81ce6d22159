"""Spans of one process, sent to an OpenTelemetry collector: see `clients.telemetry.traces`.

Only what `Discreet` lets through leaves the process: templates of routes, names and ids, never
contents.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.textmap import (
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status

from clients.telemetry.act_tracing import ActTracing
from clients.telemetry.traces import OFF, Traces
from crypto.key_ring import KeyRing

ATTRIBUTES = frozenset(
    {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "error.type",
        "temporalActivityID",
        "temporalWorkflowID",
        "temporalRunID",
    }
)
"""The only attributes that are sent; a span's name, kind and times are sent as well."""

UNTRACED_PATHS = ("/static/", "/health/", "/temporal/")
_BACKGROUND = b"x-medcab-background"
_FLUSH_WITHIN_MS = 2000


class NoPropagation(TextMapPropagator):
    """Neither reads a trace context from a request nor writes one: anybody may send false ids."""

    def extract(
        self, carrier: Any, context: Context | None = None, getter: Any = default_getter
    ) -> Context:
        """Return the given context unchanged, or an empty one."""
        return context or Context()

    def inject(
        self, carrier: Any, context: Context | None = None, setter: Any = default_setter
    ) -> None:
        """Write nothing."""

    @property
    def fields(self) -> set[str]:
        """No header is read."""
        return set()


class SentTraces(Traces):
    """Traces that are sent to a collector in the background."""

    def __init__(self, service: str, exporter: SpanExporter, share: float = 1.0) -> None:
        self.provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource({"service.name": service}),
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(BatchSpanProcessor(Discreet(exporter)))
        propagate.set_global_textmap(NoPropagation())

    @classmethod
    def to_collector(cls, url: str, service: str, share: float) -> "SentTraces":
        """Traces sent to the collector at this URL, by OTLP over HTTP."""
        return cls(service, OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces", timeout=5), share)

    @property
    def of_requests(self) -> TelemetryConfig:
        """FastAPI's settings: a span for each request, except those pages send by themselves."""
        return {**OFF, "tracing": True, "tracer_provider": self.provider, "exclude": _is_untraced}

    def interceptor(self, keys: KeyRing) -> ActTracing:
        """The interceptor that carries traces through Temporal, for clients and workers alike."""
        return ActTracing(self.provider.get_tracer("medcab"), keys)

    def close(self) -> None:
        """Send what is left, for at most two seconds. Blocks."""
        self.provider.force_flush(_FLUSH_WITHIN_MS)
        self.provider.shutdown()


def _is_untraced(scope: MutableMapping[str, Any]) -> bool:
    if scope["type"] != "http" or scope["path"].startswith(UNTRACED_PATHS):
        return True
    return any(name == _BACKGROUND for name, _ in scope["headers"])


class Discreet(SpanExporter):
    """Passes on only `ATTRIBUTES`; of errors the type, never the message."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans, reduced to what may be sent."""
        return self._exporter.export([_discreet(span) for span in spans])

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send the spans that wait."""
        return self._exporter.force_flush(timeout_millis)


def _discreet(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_only(span.attributes, ATTRIBUTES.__contains__),
        events=[
            Event(event.name, _only(event.attributes, "exception.type".__eq__), event.timestamp)
            for event in span.events
        ],
        links=[trace.Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _only(attributes: Mapping[str, Any] | None, allowed: Callable[[str], bool]) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if allowed(name)}
