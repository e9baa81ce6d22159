"""How a trace passes through Temporal: one trace for each act, in encrypted headers.

For clients and activities the library's interceptors are used. Within workflows the library makes
one trace of a whole run, which here may last for weeks, so that part is ours: what a run does
belongs to the trace of the act it was last told of; what it does later because of a timer gets a
trace of its own, linked to that act. No command is added or changed, so histories still replay.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.converter import PayloadConverter
from temporalio.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleSignalInput,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from clients.payload_codec import decrypt, encrypt
from crypto.key_ring import KeyRing

HEADER = "_tracer-data"
LATER = timedelta(minutes=1)
"""What a run does this long after an act was not caused by the act, but by a timer."""

_OWNER = "trace context"
_EXTERN = "medcab_workflow_span"
_PROPAGATOR = TraceContextTextMapPropagator()

Carrier = dict[str, str]


class EncryptedCarriers(PayloadConverter):
    """Trace contexts as encrypted payloads. One that cannot be read is empty, never an error."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._plain = PayloadConverter.default

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Encrypt each context."""
        return [encrypt(self._keys, one, _OWNER) for one in self._plain.to_payloads(values)]

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        """Decrypt each context; a header that somebody typed by hand must not stop a workflow."""
        return [self._opened(one) for one in payloads]

    def _opened(self, payload: Payload) -> Carrier:
        try:
            found = self._plain.from_payload(decrypt(self._keys, payload), dict)
        except Exception:
            return {}
        return {str(name): str(value) for name, value in found.items()}


class ActTracing(TracingInterceptor):
    """The interceptor of clients and workers."""

    def __init__(self, tracer: Tracer, keys: KeyRing) -> None:
        super().__init__(tracer)
        self.header_key = HEADER
        self.text_map_propagator = _PROPAGATOR
        self.payload_converter = EncryptedCarriers(keys)

    def workflow_interceptor_class(  # type: ignore[override]
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002
    ) -> type[WorkflowInboundInterceptor]:
        """Our interceptor for workflows; it reaches the tracer through one external function."""
        input.unsafe_extern_functions[_EXTERN] = self._workflow_span

        class OfThisWorker(WorkflowTraces):
            carriers = self.payload_converter

        return OfThisWorker

    def _workflow_span(
        self, name: str, parent: Carrier, linked: Carrier, attributes: Mapping[str, str], at: int
    ) -> Carrier:
        """Make a span without duration: a run may wait for weeks, and be replayed elsewhere.

        Returns the context of the span.
        """
        of_parent = _PROPAGATOR.extract(parent, Context())
        other = trace.get_current_span(_PROPAGATOR.extract(linked, Context())).get_span_context()
        span = self.tracer.start_span(
            name,
            of_parent,
            attributes=attributes,
            links=[Link(other)] if other.is_valid else [],
            start_time=at,
            kind=SpanKind.SERVER,
        )
        span.end(at)
        carrier: Carrier = {}
        _PROPAGATOR.inject(carrier, trace.set_span_in_context(span, of_parent))
        return carrier


class WorkflowTraces(WorkflowInboundInterceptor):
    """Remembers the act that last moved a run, and passes its trace on to activities."""

    carriers: ClassVar[PayloadConverter]

    def __init__(self, next: WorkflowInboundInterceptor) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._act: Carrier = {}
        self._cause: Carrier = {}
        self._heard_at: datetime | None = None

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Put `_Doing` before the commands of the run."""
        super().init(_Doing(outbound, self))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002
        """Begin with the trace of the act that started the run."""
        info = workflow.info()
        if not self._cause:
            self._hear(info.headers, f"RunWorkflow:{info.workflow_type}")
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        """Go on with the trace of the act that sent the signal."""
        self._hear(input.headers, f"HandleSignal:{input.signal}")
        await super().handle_signal(input)

    def _hear(self, headers: Mapping[str, Payload], name: str) -> None:
        payload = headers.get(HEADER)
        if payload is None:
            return
        carrier: Carrier = self.carriers.from_payloads([payload])[0]
        if not carrier:
            return
        self._act = carrier
        self._heard_at = workflow.now()
        self._cause = carrier if workflow.unsafe.is_replaying() else self._span(name, carrier, {})

    def cause(self) -> Carrier:
        """The trace context of what the run does now; empty if it is not traced."""
        if self._heard_at is None:
            return {}
        if not self._cause or workflow.now() - self._heard_at > LATER:
            self._heard_at = workflow.now()
            self._cause = self._span(f"Clock:{workflow.info().workflow_type}", {}, self._act)
        return self._cause

    def headers(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        """The headers of a command, with the trace it belongs to."""
        # A command that is replayed has its headers already.
        if workflow.unsafe.is_replaying() or not (carrier := self.cause()):
            return headers
        return {**headers, HEADER: self.carriers.to_payloads([carrier])[0]}

    def _span(self, name: str, parent: Carrier, linked: Carrier) -> Carrier:
        info = workflow.info()
        attributes = {"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id}
        make: Callable[..., Carrier] = workflow.extern_functions()[_EXTERN]
        return make(name, parent, linked, attributes, workflow.time_ns())


class _Doing(WorkflowOutboundInterceptor):
    """Adds the trace to the commands of a run."""

    def __init__(self, next: WorkflowOutboundInterceptor, of: WorkflowTraces) -> None:  # noqa: A002
        super().__init__(next)
        self._of = of

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        """Pass the trace to the activity."""
        input.headers = self._of.headers(input.headers)
        return super().start_activity(input)

    def start_local_activity(
        self,
        input: StartLocalActivityInput,  # noqa: A002
    ) -> workflow.ActivityHandle[Any]:
        """Pass the trace to the step that the worker takes itself."""
        input.headers = self._of.headers(input.headers)
        return super().start_local_activity(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:  # noqa: A002
        """Pass the trace to the next run."""
        input.headers = self._of.headers(input.headers)
        super().continue_as_new(input)
