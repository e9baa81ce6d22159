"""The server of our processes rests, and still ends at once and knows the date."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx
import pytest

from ops.local.home import CHECKOUT
from ops.local.servers.asking import answers
from ops.local.servers.ports import LOOPBACK, choose_port, return_port
from rules.clock import now
from tests.ops.test_system import within
from tests.shared.waiting import PATIENCE

PROGRAM = """
import sys, uvicorn
from fastapi import FastAPI
from clients import serving
app = FastAPI()
app.get("/")(lambda: "here")
serving.RestingServer(uvicorn.Config(app, port=int(sys.argv[1]), loop=sys.argv[2])).run()
"""


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this test alone."""
    made = choose_port()
    yield made
    return_port(made)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_it_ends_when_told(port: int, loop: str) -> None:
    """A signal wakes it."""
    command = [sys.executable, "-c", PROGRAM, str(port), loop]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as program:
        try:
            address = f"http://{LOOPBACK}:{port}/"
            assert within(PATIENCE, lambda: answers(address))
            told = httpx.get(address, trust_env=False).headers["date"]
            assert abs((now() - parsedate_to_datetime(told)).total_seconds()) < PATIENCE
            program.send_signal(signal.SIGTERM)
            program.wait(PATIENCE)
        finally:
            program.kill()
