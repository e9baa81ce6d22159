"""Traces by OpenTelemetry: one for each act of a person, through API, workflow and activities.

Off unless `otlp_url` is set: then none of the libraries that make and send spans is even loaded.
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
    # Workers serve nobody and load no FastAPI.
    from fastapi.telemetry import TelemetryConfig

OFF: "TelemetryConfig" = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own telemetry with nothing to do."""

_NOWHERE = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.DEFAULT))


class Traces(Protocol):
    """The traces of one process."""

    @property
    def of_requests(self) -> "TelemetryConfig":
        """What FastAPI is told."""

    def interceptor(self, keys: KeyRing) -> Interceptor:
        """What carries traces through Temporal, for clients and workers alike."""

    def close(self) -> None:
        """Send what is left, for at most two seconds. Blocks."""


@contextmanager
def untraced() -> Iterator[None]:
    """Trace nothing within, nor what follows from it elsewhere.

    For what runs always: a trace without an end is no trace.
    """
    token = context.attach(trace.set_span_in_context(NonRecordingSpan(_NOWHERE), Context()))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def anew() -> Iterator[None]:
    """Begin a trace of its own within, whatever led here."""
    token = context.attach(Context())
    try:
        yield
    finally:
        context.detach(token)
