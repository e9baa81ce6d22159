"""The log says where and about which case, and holds nothing that people entered."""

import json
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from ops.local.home import CHECKOUT

CASE = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"
SECRET = "Соколова 112-233-445 95"

PROGRAM = f"""
import asyncio, logging, sys
import structlog
from fastapi import FastAPI
import httpx
from opentelemetry.sdk.trace import TracerProvider
from temporalio.testing import ActivityEnvironment
from api.http.metrics import Observed
from clients.telemetry.logs import log_in_json

log_in_json()
log = structlog.get_logger("test")
app = FastAPI(telemetry={{"tracer_provider": TracerProvider(), "metrics": False, "logs": False}})
app.add_middleware(Observed)

@app.get("/cases/{{case_id}}")
async def look(case_id: str) -> None:
    log.info("looked", said="a\\nb")

async def act() -> None:
    try:
        raise ValueError({SECRET!r})
    except ValueError:
        log.exception("failed")

async def main() -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        await client.get("/cases/{CASE}?who={SECRET}")
    env = ActivityEnvironment()
    env.info = env.info.__class__(**{{
        **env.info.__dict__, "workflow_id": "application-{CASE}", "activity_type": "check"
    }})
    await env.run(act)
    try:
        raise KeyError({SECRET!r}) from ValueError({SECRET!r})
    except KeyError:
        logging.getLogger("some.library").warning("a library says", exc_info=True)
    logging.getLogger("some.library").info("and more")

asyncio.run(main())
"""


@pytest.mark.asvs("16.2.1")
@pytest.mark.asvs("16.2.2")
@pytest.mark.asvs("16.2.4")
@pytest.mark.asvs("16.4.1")
def test_lines_say_where_they_come_from_and_no_contents() -> None:
    """Route, trace and case of a request; activity, workflow and case of an activity."""
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["looked", "failed", "a library says"]
    looked, failed, library = lines
    assert looked["route"] == "/cases/{case_id}"
    assert looked["case"] == failed["case"] == CASE
    assert len(looked["trace"]) == 32
    assert (failed["activity"], failed["workflow"]) == ("check", f"application-{CASE}")
    assert (failed["error"], failed["level"]) == ("ValueError", "error")
    assert any(place.endswith(" act") for place in failed["at"])
    assert (library["error"], library["cause"]) == ("KeyError", "ValueError")
    assert SECRET not in shown.stdout
    assert SECRET not in shown.stderr
    assert {"timestamp", "level"} <= set(library)
    for line in lines:
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta()
    assert len(shown.stdout.splitlines()) == len(lines), "a line end in a text begins no entry"
