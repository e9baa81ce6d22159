"""Requests over HTTP: the whole life as programs see it, and bodies that make no sense."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest

from rules.cases.process import Status, Transition
from rules.clock import now
from services.cases.transitions import lock, move
from tests.files.samples import pdf
from tests.shared.counter import FORMS, Counter
from tests.shared.desk import Desk, file_name, key, told


@pytest.fixture
async def counter(desk: Desk) -> Counter:
    """People of this test's own, in the application's database."""
    return await Counter.open(desk.container.database)


async def laid_on_the_desk(counter: Counter, case_id: str) -> int:
    """What the workflow would do; answers the step."""
    async with counter.database.work() as session:
        case = await lock(session, UUID(case_id))
        await move(session, case, Transition.HAND_OVER, now=now())
        return case.step


async def test_catalogue_has_forms_that_programs_can_fill_in(desk: Desk, counter: Counter) -> None:
    """S1, S2: each type comes with its form and JSON Schema; what it takes is what is sent."""
    program = await desk.program(counter.clinician)
    types = {one["key"]: one for one in told(await program.get("/request-types"))}
    assert set(FORMS) <= set(types)
    laboratory = types["laboratory_results"]
    assert (laboratory["channel"], laboratory["answer"]) == ("module", "data")
    assert laboratory["terms"]["review"] == 2
    schema = jsonschema_rs.validator_for(laboratory["data_schema"])
    draft = told(await program.post("/requests", json={"type": "laboratory_results"}), 201)
    data = FORMS["laboratory_results"]
    kept = told(await program.put(f"/requests/{draft['id']}/draft", json={"data": data}))
    assert kept["errors"] == []
    state = told(
        await program.post(f"/requests/{draft['id']}/submit", json={"step": 0}, headers=key())
    )
    assert state["status"] == "accepted"
    case = told(await program.get(f"/requests/{draft['id']}"))
    assert schema.is_valid(case["versions"][0]["data"])
    assert [one["id"] for one in told(await program.get("/requests"))["items"]] == [draft["id"]]
    assert told(await program.get("/applications"))["items"] == []
    told(await program.get(f"/requests/{draft['id']}/document"), 404)


async def test_every_form_is_filled_in_page_by_page(desk: Desk, counter: Counter) -> None:
    """S2, S3: the pages of each type show every field, take what people type, and send it."""
    browser = await desk.browser(counter.clinician)
    for type_key, form in FORMS.items():
        begun = await browser.post("/requests", data={"type": type_key})
        draft = begun.headers["location"]
        tasks = (await browser.get(draft)).text.partition('class="tasks"')[2]
        address = re.search(r'href="([^"]+)"', tasks).group(1)  # type: ignore[union-attr]
        shown: set[str] = set()
        while not address.endswith("/check"):
            page = (await browser.get(address)).text
            names = set(re.findall(r'name="(\w+)"', page)) & set(form)
            typed = {name: as_typed(form[name]) for name in names}
            shown |= names
            kept = await browser.post(address, data=typed)
            assert kept.status_code == 303, kept.text
            address = kept.headers["location"]
        assert shown == set(form), type_key
        checked = (await browser.get(address)).text
        hidden = dict(re.findall(r'name="(act_id|at_step|mode)" value="([^"]+)"', checked))
        sent = await browser.post(f"{draft}/submit", data=hidden)
        assert sent.headers.get("location", "").endswith("/sent"), sent.text
        assert "ЗС-" in (await browser.get(sent.headers["location"])).text


def as_typed(value: Any) -> str:
    """What a field of a form holds: a tick, a day in a month, or the text as it is."""
    if value is None:
        return f"{now() + timedelta(days=30):%d.%m.%Y}"
    return "true" if value is True else str(value)


async def test_answered_with_a_file_corrected_and_refused(desk: Desk, counter: Counter) -> None:
    """S4, S6: a file by form, downloaded with safe headers; the second version is refused."""
    program = await desk.program(counter.clinician)
    reviewer = await desk.program(counter.office.reviewer)
    case_id = str(await counter.sent("workplace_certificate"))
    step = await laid_on_the_desk(counter, case_id)
    queue = told(await reviewer.get("/desk"))
    assert case_id in {line["id"] for line in queue["items"]}
    address, body = f"/requests/{case_id}/answer", pdf()
    lacking = await reviewer.post(address, json={"step": step, "message": "Вот."}, headers=key())
    assert [one["field"] for one in told(lacking, 422)["errors"]] == ["file"]
    given = await reviewer.post(
        address,
        data={"step": str(step), "message": "Вот."},
        files={"file": ("справка.pdf", body, "application/pdf")},
        headers=key(),
    )
    assert told(given)["status"] == "ready"
    case = told(await program.get(f"/requests/{case_id}"))
    (answer,) = case["answers"]
    assert (answer["message"], answer["files"][0]["size"]) == ("Вот.", len(body))
    file = await program.get(f"{address}/1")
    assert file.content == body
    assert file_name(file) == f"Ответ-{case['number']}-версия-1.pdf"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in file.headers["cache-control"]
    await program.put(f"/requests/{case_id}/draft", json={"data": {"purpose": "Иначе"}})
    again = await program.post(
        f"/requests/{case_id}/correct", json={"step": case["step"]}, headers=key()
    )
    assert told(again)["status"] == "accepted"
    step = await laid_on_the_desk(counter, case_id)
    refusal = {"step": step, "reason": "Такой справки мы не выдаём."}
    no = await reviewer.post(f"/requests/{case_id}/refuse", json=refusal, headers=key())
    assert told(no)["status"] == "refused"
    answers = told(await program.get(f"/requests/{case_id}"))["answers"]
    assert [one["outcome"] for one in answers] == ["ready", "refused"]
    earlier = await program.get(f"{address}/1", params={"version": 1})
    assert earlier.content == body


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[]", "application/json"),
        (b'{"step": -1}', "application/json"),
        (b'{"step": 0, "message": 7}', "application/json"),
        (b"step=1", "multipart/form-data"),
        (b"--x\r\n\r\nno end", "multipart/form-data; boundary=x"),
    ],
)
async def test_answer_that_makes_no_sense_is_refused(
    desk: Desk, counter: Counter, body: bytes, content_type: str
) -> None:
    """Odd bodies are told so, and never answer anything."""
    reviewer = await desk.program(counter.office.reviewer)
    case_id = str(await counter.sent("workplace_certificate"))
    await laid_on_the_desk(counter, case_id)
    answer = await reviewer.post(
        f"/requests/{case_id}/answer",
        content=body,
        headers={**key(), "Content-Type": content_type},
    )
    assert answer.status_code in (400, 422), answer.text
    assert (await counter.office.case(UUID(case_id))).status == Status.PROCESSING
