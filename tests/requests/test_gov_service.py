"""The line to the gov-service module: hand over, ask, answers; and each of its faults (S3, O2)."""

import json
import time
from collections.abc import AsyncIterator
from io import BytesIO

import pikepdf
import pytest

from clients.gov_service import (
    GovService,
)
from settings import Settings
from tests.requests.line import Line, facts


@pytest.fixture
async def line(settings: Settings) -> AsyncIterator[Line]:
    """A client that waits one second; all switches off before and after."""
    async with GovService(settings, timeout=1.0) as module:
        opened = Line(settings, module)
        opened.fault()
        opened.behave()
        yield opened
        opened.fault()
        opened.behave()


async def test_a_request_is_acknowledged_worked_on_and_answered(line: Line) -> None:
    """The states follow from receipts; the answer opens, and its signed PDF is whole (S4)."""
    line.behave(delay=0.9)
    id_, receipt = await line.hand_over()
    assert (receipt.state, receipt.envelope) == ("accepted", None)
    states = set()
    began = time.monotonic()
    while time.monotonic() < began + 10 and "answered" not in states:
        states.add((receipt := await line.module.ask(id_)).state)
    assert states >= {"working", "answered"}
    opened, answer = line.read(id_, receipt)
    assert opened.signer == "Модуль госуслуг (тест)"
    assert (answer.outcome, answer.number, answer.version) == ("answered", facts().number, 1)
    pdf, data = answer.files
    assert b"/ETSI.CAdES.detached" in pdf.content
    assert json.loads(data.content)["results"] == answer.data["results"] != []
    with pikepdf.open(BytesIO(pdf.content)) as document:
        assert answer.document_number in str(document.docinfo["/Title"])
