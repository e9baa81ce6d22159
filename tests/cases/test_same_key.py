"""The same key again gets the same answer, letter by letter, whatever happened meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx

from rules.access import Actor
from rules.cases.conversation import OFTEN
from tests.shared.desk import Desk, key, told

TIMES = 8
Ask = Callable[[], Awaitable[httpx.Response]]


def asking(program: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Ask:
    """A request that can be sent again under the same key."""
    header = key()
    return lambda: program.post(path, json=body, headers=header)


async def one_answer(asked: Ask, times: int = TIMES) -> tuple[int, bytes]:
    """Send it many times at once, and once more: all answers are one."""
    answers = await asyncio.gather(*(asked() for _ in range(times)))
    answers.append(await asked())
    [answer] = {(each.status_code, each.content) for each in answers}
    assert answer[0] in (200, 201), answer
    return answer


async def test_a_key_gets_one_answer(desk: Desk, clinician: Actor) -> None:
    """Submission, decision and withdrawal, each also after the case has moved on."""
    office = desk.office
    applicant, reviewer = await desk.program(clinician), await desk.program(office.reviewer)
    case_id = str(await office.draft(clinician))
    here = f"/applications/{case_id}"
    submit = asking(applicant, f"{here}/submit", {"step": 0})
    answers = {submit: await one_answer(submit)}
    await office.check(UUID(case_id))
    step = told(await reviewer.get(f"{here}/state"))["step"]
    remarks = {"purpose": "Уточните."}
    clarification = {"outcome": "clarify", "reason": "Коротко.", "remarks": remarks}
    decide = asking(reviewer, f"{here}/decision", {"step": step, **clarification})
    answers[decide] = await one_answer(decide)
    assert b'"due_at":"' in answers[decide][1]
    withdraw = asking(applicant, f"{here}/withdraw", {"step": step + 1, "reason": "Передумала"})
    answers[withdraw] = await one_answer(withdraw)
    assert [await one_answer(asked, 1) for asked in answers] == list(answers.values())


async def test_a_message_that_is_sent_again_is_counted_once(desk: Desk, clinician: Actor) -> None:
    """Far more often than one may write: one message, one answer."""
    case_id = await desk.office.submitted(clinician)
    applicant, path = await desk.program(clinician), f"/cases/{case_id}/messages"
    said = asking(applicant, path, {"text": "Добрый день"})
    await one_answer(said, OFTEN.times + 5)
    assert len(told(await applicant.get(path))) == 1
    assert (await asking(applicant, path, {"text": "Ещё вопрос"})()).status_code == 201
