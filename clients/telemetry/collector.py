"""Where a process sends its traces: to an OpenTelemetry collector, or nowhere."""

from clients.telemetry.traces import Traces
from settings import Settings


def traces_of(settings: Settings, service: str) -> Traces | None:
    """The traces of this process; None if the settings name no collector."""
    if not settings.otlp_url:
        return None
    from clients.telemetry.spans import SentTraces

    return SentTraces.to_collector(settings.otlp_url, service, settings.trace_share)
