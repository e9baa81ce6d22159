"""Where the traces of a process go: to an OpenTelemetry collector, or nowhere."""

from clients.telemetry.traces import Traces
from settings import Settings


def traces_of(settings: Settings, service: str) -> Traces | None:
    """The traces of this process, or None where no collector is named."""
    if not settings.otlp_url:
        return None
    from clients.telemetry.spans import SentTraces

    return SentTraces.to_collector(settings.otlp_url, service, settings.trace_share)
