"""What Temporal stores of us: every payload is encrypted for the one workflow it belongs to.

AES-256-GCM with the key ring. The workflow id is authenticated, so a payload copied into another
workflow is refused like one typed by hand. Decoding never raises, and never accepts plaintext: a
payload that is not ours gets an encoding that no converter reads, so the SDK drops the signal
instead of failing the workflow's task for ever.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
)

from crypto.key_ring import KeyRing, UndecryptableError
from models.visibility import OpsText

ENCRYPTED = b"binary/medcab-sealed"
UNREADABLE = b"binary/medcab-unreadable"
FRAMES_KEPT = 4
ERRORS_KEPT = 3
_OWNER = "workflow"
_READABLE = "medcab-readable"
_METADATA_OF_WORKFLOW = b"temporal.api.sdk.v1.WorkflowMetadata"
_STARTED_BY_SCHEDULE = re.compile(r"-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def _place(workflow_id: bytes) -> bytes:
    return b"temporal payload\x00" + workflow_id


def _for_ops(payload: Payload) -> bool:
    """Whether the payload is plain text for ops: an `OpsText`, or a workflow's current details."""
    return (
        _READABLE in payload.metadata
        or payload.metadata.get("messageType") == _METADATA_OF_WORKFLOW
    )


def is_encrypted(payload: Payload) -> bool:
    """Whether the payload is labelled as encrypted by us."""
    return payload.metadata.get("encoding") == ENCRYPTED


def owner_of(payload: Payload) -> str:
    """The id of the workflow that an encrypted payload claims to belong to."""
    return payload.metadata.get(_OWNER, b"").decode("utf-8", "replace")


def encrypt(keys: KeyRing, payload: Payload, workflow_id: str) -> Payload:
    """Encrypt one payload for one workflow."""
    owner = workflow_id.encode()
    return Payload(
        metadata={"encoding": ENCRYPTED, _OWNER: owner},
        data=keys.encrypt(payload.SerializeToString(), _place(owner)),
    )


def decrypt(keys: KeyRing, payload: Payload) -> Payload:
    """Decrypt one encrypted payload. Raises UndecryptableError."""
    if not is_encrypted(payload):
        raise UndecryptableError("not encrypted")
    plain = keys.decrypt(payload.data, _place(payload.metadata.get(_OWNER, b"")))
    return Payload.FromString(plain)


class EncryptingCodec(PayloadCodec, WithSerializationContext):
    """Encrypts and decrypts for the workflow that the SDK's context names."""

    def __init__(self, keys: KeyRing, workflow_id: str = "") -> None:
        self._keys = keys
        self._workflow_id = workflow_id

    def with_context(self, context: SerializationContext) -> Self:
        """The codec for one workflow. The context of an activity has the id of its workflow."""
        workflow_id = getattr(context, "workflow_id", None) or ""
        return self if workflow_id == self._workflow_id else type(self)(self._keys, workflow_id)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt everything but plain text for ops."""
        return [p if _for_ops(p) else encrypt(self._keys, p, self._workflow_id) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt payloads of ours for this workflow; others become unreadable."""
        return [self._opened(payload) for payload in payloads]

    def _opened(self, payload: Payload) -> Payload:
        try:
            if self._meant_for_us(owner_of(payload)):
                return decrypt(self._keys, payload)
        except Exception:  # noqa: S110 - whatever is wrong with it, it must not stop a workflow
            pass
        return Payload(metadata={"encoding": UNREADABLE})

    def _meant_for_us(self, owner: str) -> bool:
        """Whether `owner` is this workflow, or the schedule that started it.

        A schedule encrypts for the id it was given, and the runs it starts are called `<that
        id>-<time>`.
        """
        if owner == self._workflow_id:
            return True
        rest = self._workflow_id.removeprefix(owner)
        return rest != self._workflow_id and bool(_STARTED_BY_SCHEDULE.fullmatch(rest))


@lru_cache(maxsize=512)
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


class _Json(PydanticJSONPlainPayloadConverter):
    """Pydantic's JSON with one set of adapters for all workflows; it marks text for ops."""

    def to_payload(self, value: Any) -> Payload | None:
        payload = super().to_payload(value)
        if payload is not None and isinstance(value, OpsText):
            payload.metadata[_READABLE] = b"ops"
        return payload

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        hint: Any = Any if type_hint is None else type_hint
        try:
            hash(hint)
        except TypeError:
            return TypeAdapter(hint).validate_json(payload.data)
        return _adapter(hint).validate_json(payload.data)


_JSON = _Json()
_CONVERTERS: tuple[EncodingPayloadConverter, ...] = tuple(
    _JSON if isinstance(one, JSONPlainPayloadConverter) else one
    for one in DefaultPayloadConverter.default_encoding_payload_converters
)


class MessageConverter(CompositePayloadConverter):
    """Our messages as JSON. Every workflow makes one; they share their converters."""

    def __init__(self) -> None:
        super().__init__(*_CONVERTERS)

    def with_context(self, context: SerializationContext) -> Self:
        """The same converter: none of its parts depends on the context."""
        return self


class ShortFailures(DefaultFailureConverterWithEncodedAttributes):
    """Failures with encrypted messages, short enough for Temporal to keep.

    Of an activity that is retried Temporal keeps at most 4 KiB, and shows no reason at all if there
    is more; the stack of one lost database connection is longer. The log has everything.
    """

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Keep only the innermost frames of each error of the chain."""
        for error in _chain(exception):
            error.__traceback__ = _innermost(error.__traceback__)
        super().to_failure(exception, payload_converter, failure)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and its causes, up to ERRORS_KEPT in all; the rest of the chain is cut off."""
    for _ in range(ERRORS_KEPT):
        yield error
        led = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if led is None:
            return
        last, error = error, led
    last.__cause__ = None
    last.__suppress_context__ = True


def _innermost(traceback: TracebackType | None) -> TracebackType | None:
    frames = 0
    at = traceback
    while at is not None:
        frames, at = frames + 1, at.tb_next
    for _ in range(frames - FRAMES_KEPT):
        traceback = traceback.tb_next if traceback else None
    return traceback


def data_converter(keys: KeyRing) -> DataConverter:
    """The one data converter of clients and workers; messages of failures are encrypted too."""
    return DataConverter(
        payload_converter_class=MessageConverter,
        payload_codec=EncryptingCodec(keys),
        failure_converter_class=ShortFailures,
    )
