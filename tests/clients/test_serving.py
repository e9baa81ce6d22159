"""The server of our processes rests, and still ends at once and knows the date."""

import signal
import socket
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


def test_several_applications_end_together() -> None:
    """Simulators share a process: each answers on its port, and none outlives the others."""
    ports = [choose_port(), choose_port()]
    command = _two_registers(*ports)
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as program:
        try:
            addresses = [f"http://{LOOPBACK}:{port}/health" for port in ports]
            assert within(PATIENCE, lambda: all(map(answers, addresses)))
            program.send_signal(signal.SIGTERM)
            assert program.wait(PATIENCE) == -signal.SIGTERM
        finally:
            program.kill()
            for port in ports:
                return_port(port)


def test_a_port_that_is_taken_ends_all() -> None:
    """Half of the simulators are no use: the supervisor starts them anew on other ports."""
    with socket.create_server((LOOPBACK, 0)) as other:
        free, taken = choose_port(), other.getsockname()[1]
        command = _two_registers(free, taken)
        ended = subprocess.run(
            command, cwd=CHECKOUT, capture_output=True, timeout=PATIENCE, check=False
        )
        return_port(free)
    assert ended.returncode != 0


def _two_registers(one: int, other: int) -> list[str]:
    program = [sys.executable, "-m", "simulators.together"]
    return [*program, "register", "--port", str(one), "--", "identity", "--port", str(other)]
