"""Metrics of a worker, by Temporal's SDK for Prometheus: latencies, failures, slots, caches."""

import structlog
from temporalio.runtime import LoggingConfig, PrometheusConfig, Runtime, TelemetryConfig

from settings import Settings

log = structlog.get_logger(__name__)


def metered_runtime(settings: Settings) -> Runtime | None:
    """A runtime that serves `/metrics` at `metrics_address`; None if no address is set.

    If the address is taken, the worker runs without metrics.
    """
    if not settings.metrics_address:
        return None
    told = PrometheusConfig(
        bind_address=settings.metrics_address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
    )
    try:
        return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig.default, metrics=told))
    except (RuntimeError, ValueError) as error:
        log.warning("metrics_not_told", address=settings.metrics_address, error=str(error))
        return None
