"""The log of a process: one JSON object a line, with trace, case and place, but no contents.

Of an error, its type and its lines of code are logged, never its message or any value: they may
hold what people entered. The logs of libraries are treated the same way.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity

REQUEST: ContextVar[Mapping[str, Any] | None] = ContextVar("request", default=None)
"""The ASGI scope of the request that is being answered; it is filled while it is routed."""

FRAMES = 12
_JSON_API = "/api/v1"
_CASE = re.compile(r"(?:application|request)-([0-9a-f-]{36})")


def log_in_json() -> None:
    """Make this process log in JSON. Machines read it; people read `medcab status`."""
    structlog.configure(
        processors=[*_SHARED, _JSON],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _JSON],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.INFO)


def place(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the trace, and the activity or route with the case it is about."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid and span.trace_flags.sampled:
        event["trace"] = trace.format_trace_id(span.trace_id)
    if activity.in_activity():
        info = activity.info()
        event["activity"], event["attempt"] = info.activity_type, info.attempt
        event["workflow"] = info.workflow_id
        if case := _CASE.fullmatch(info.workflow_id or ""):
            event.setdefault("case", case.group(1))
    elif (scope := REQUEST.get()) is not None:
        event.setdefault("route", route_of(scope))
        if case_id := scope.get("path_params", {}).get("case_id"):
            event.setdefault("case", str(case_id))
    return event


def route_of(scope: Mapping[str, Any]) -> str | None:
    """The template of the route that was chosen.

    The path itself would show ids of people's things.
    """
    template: str | None = getattr(scope.get("route"), "path_format", None)
    # A route of a router included under a prefix knows only its own part.
    if template and scope["path"].startswith(_JSON_API) and not template.startswith("/api/"):
        return _JSON_API + template
    return template


def without_contents(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an error's text by its type and the lines of code it went through."""
    error = _error(event)
    if error is not None:
        event.setdefault("error", type(error).__name__)
        event["at"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-FRAMES:]
        ]
        if cause := error.__cause__ or error.__context__:
            event["cause"] = type(cause).__name__
    event.pop("stack_info", None)
    return event


def _error(event: MutableMapping[str, Any]) -> BaseException | None:
    told = event.pop("exc_info", None)
    if isinstance(told, BaseException):
        return told
    if isinstance(told, tuple):
        return told[1] if isinstance(told[1], BaseException) else None
    return sys.exc_info()[1] if told else None


_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    place,
    without_contents,
]
_JSON = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
