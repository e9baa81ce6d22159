"""Traces by OpenTelemetry: one for each act of a person, through API, workflow and activities.

They are off unless `otlp_url` is set: then the libraries that make and send spans are not even
imported.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from temporalio.client import Interceptor

from crypto.key_ring import KeyRing

if TYPE_CHECKING:
    # Workers answer no requests and import no FastAPI.
    from fastapi.telemetry import TelemetryConfig

OFF: "TelemetryConfig" = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own telemetry, switched off."""

_NOWHERE = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.DEFAULT))


class Traces(Protocol):
    """The traces of one process."""

    @property
    def of_requests(self) -> "TelemetryConfig":
        """FastAPI's settings for tracing requests."""

    def interceptor(self, keys: KeyRing) -> Interceptor:
        """The interceptor that carries traces through Temporal, for clients and workers alike."""

    def close(self) -> None:
        """Send what is left, for at most two seconds. Blocks."""


@contextmanager
def untraced() -> Iterator[None]:
    """Trace nothing within the block, nor anything that it causes elsewhere.

    For loops that run for ever: their trace would never end.
    """
    token = context.attach(trace.set_span_in_context(NonRecordingSpan(_NOWHERE), Context()))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def anew() -> Iterator[None]:
    """Begin a new trace within the block, whatever the current one is."""
    token = context.attach(Context())
    try:
        yield
    finally:
        context.detach(token)
