"""Two dates of a request are held against each other while typing, and when it is sent (S2)."""

from typing import Any
from uuid import uuid4

import pytest

from rules.refusals import Refusal
from services.cases.acts import Act
from tests.requests.conftest import Visit
from tests.shared.counter import Counter

WRONG: dict[str, Any] = {"since": "01.02.2019", "until": "31.01.2019"}
WORDS = "Напишите дату не раньше, чем «Начало периода»: 01.02.2019"


@pytest.mark.parametrize("left", ["since", "until"])
async def test_whichever_date_is_left_the_later_one_says_it(visit: Visit, left: str) -> None:
    """The server's answer to typing redraws the field that has to be mended."""
    counter, browser = visit
    case_id = await counter.draft("workplace_certificate")
    at = f"/requests/{case_id}/draft/contents/autosave"
    answer = await browser.post(at, data={**WRONG, "left": left})
    assert answer.status_code == 200
    assert "group-until" in answer.text
    assert WORDS in answer.text
    mended = await browser.post(at, data={**WRONG, "until": "01.02.2019", "left": left})
    assert "group-until" in mended.text
    assert WORDS not in mended.text


async def test_an_empty_later_date_is_left_alone(visit: Visit) -> None:
    """Nobody is told about what they are yet to type, nor is it drawn under their fingers."""
    counter, browser = visit
    case_id = await counter.draft("workplace_certificate")
    at = f"/requests/{case_id}/draft/contents/autosave"
    answer = await browser.post(at, data={"since": "01.02.2019", "until": "", "left": "since"})
    assert "group-since" in answer.text
    assert "group-until" not in answer.text


async def test_it_is_refused_when_it_is_sent(counter: Counter) -> None:
    """The same words from the same definition."""
    case_id = await counter.draft("workplace_certificate", **WRONG)
    with pytest.raises(Refusal) as refused:
        await counter.requests.submit(counter.clinician, case_id, Act(uuid4(), 0))
    assert [(one.path, one.message) for one in refused.value.fields] == [("until", WORDS)]
