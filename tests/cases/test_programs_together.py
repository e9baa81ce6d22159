"""Several things at once to one draft: what was answered as kept is kept."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from rules.access import Actor, Role
from rules.cases.limits import MOST_ATTACHMENTS
from tests.files.samples import born_digital
from tests.shared.desk import Desk
from tests.shared.waiting import until

AT_ONCE = 24


async def draft(desk: Desk, program: httpx.AsyncClient) -> tuple[str, list[str]]:
    """The address of a new draft, and the kinds of document that it asks for."""
    begun = await program.post(
        "/applications", json={"programme_id": str(desk.office.programme_id)}
    )
    case = (await program.get(f"/applications/{begun.json()['id']}")).json()
    kinds = [rule["kind"] for rule in case["attachment_rules"]]
    return f"/applications/{case['id']}", kinds


async def given(program: httpx.AsyncClient, kind: str) -> dict[str, str]:
    """A new document, as a draft cites it."""
    paper = born_digital(uuid4().hex)

    async def give() -> httpx.Response | None:
        answer = await program.post(
            "/documents",
            params={"category": kind, "file_name": f"{uuid4().hex}.pdf"},
            content=paper,
            headers={"Content-Type": "application/pdf"},
        )
        # Who waits too long for a lock on a busy machine is told so, and does it again.
        return None if answer.status_code == 503 else answer

    answer = await until(give, every=1)
    assert answer is not None
    assert answer.status_code == 201, answer.text
    return {"kind": kind, "document_version_id": answer.json()["version"]["id"]}


def places(cited: list[dict[str, str]]) -> set[tuple[str, str]]:
    """What is cited, in no order."""
    return {(one["kind"], one["document_version_id"]) for one in cited}


async def test_of_many_uploads_at_once_each_is_kept(desk: Desk, clinician: Actor) -> None:
    """Files for several places of a draft, given and attached at the same moment: all are there."""
    program = await desk.program(clinician)
    here, kinds = await draft(desk, program)

    async def upload(kind: str) -> dict[str, str]:
        cited = await given(program, kind)
        kept = await program.post(f"{here}/draft/attachments", json=cited)
        assert kept.status_code == 200, kept.text
        assert cited in kept.json()["attachments"]
        return cited

    sent = await asyncio.gather(*(upload(kinds[n % len(kinds)]) for n in range(AT_ONCE)))
    case = (await program.get(here)).json()
    assert places(case["draft_attachments"]) == places(sent)
    assert len(case["draft_attachments"]) == AT_ONCE


async def test_taking_off_and_adding_at_once(desk: Desk, clinician: Actor) -> None:
    """Who takes one document off takes off no other, whatever is added at the same moment."""
    program = await desk.program(clinician)
    here, kinds = await draft(desk, program)
    old = [await given(program, kinds[0]) for _ in range(6)]
    new = [await given(program, kinds[0]) for _ in range(6)]
    await program.put(f"{here}/draft", json={"attachments": old})

    async def take_off(cited: dict[str, str]) -> httpx.Response:
        place = f"{cited['kind']}/{cited['document_version_id']}"
        return await program.delete(f"{here}/draft/attachments/{place}")

    answers = await asyncio.gather(
        *(take_off(one) for one in old),
        *(program.post(f"{here}/draft/attachments", json=one) for one in new),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert places((await program.get(here)).json()["draft_attachments"]) == places(new)


async def test_a_whole_list_takes_off_only_what_its_author_saw(
    desk: Desk, clinician: Actor
) -> None:
    """A list is taken on the revision that it was made from; without one it may only add."""
    program = await desk.program(clinician)
    here, kinds = await draft(desk, program)
    first, second, third = [await given(program, kinds[0]) for _ in range(3)]

    async def put(attachments: list[dict[str, str]], **more: Any) -> httpx.Response:
        return await program.put(f"{here}/draft", json={"attachments": attachments, **more})

    seen = (await put([first])).json()["revision"]
    moved_on = (await put([first, second])).json()["revision"]
    for stale in (await put([third]), await put([third], revision=seen)):
        assert stale.status_code == 409
        told = stale.json()
        assert told["code"] == "draft_changed"
        assert told["revision"] == moved_on
        assert told["attachments"] == [first, second]
    kept = (await put([third], revision=moved_on)).json()
    assert kept["attachments"] == [third]
    assert (await program.get(here)).json()["draft_revision"] == kept["revision"]


async def test_lists_at_once_lose_nothing(desk: Desk, clinician: Actor) -> None:
    """Programs that read the list and put it back with one more: those told 200 are all kept."""
    program = await desk.program(clinician)
    here, kinds = await draft(desk, program)
    mine = [await given(program, kinds[0]) for _ in range(8)]

    async def add(cited: dict[str, str]) -> None:
        while True:
            case = (await program.get(here)).json()
            body = {
                "attachments": [*case["draft_attachments"], cited],
                "revision": case["draft_revision"],
            }
            if (await program.put(f"{here}/draft", json=body)).status_code == 200:
                return

    await asyncio.gather(*map(add, mine))
    assert places((await program.get(here)).json()["draft_attachments"]) == places(mine)


async def test_what_a_draft_does_not_take(desk: Desk, clinician: Actor) -> None:
    """A kind that is not asked for, and one document too many, are refused in words."""
    program = await desk.program(clinician)
    here, kinds = await draft(desk, program)
    paper = await given(program, kinds[0])
    odd = await program.post(f"{here}/draft/attachments", json={**paper, "kind": "passport"})
    assert (odd.status_code, odd.json()["code"]) == (422, "not_asked_for")
    many = [
        {
            "kind": kinds[0],
            "document_version_id": str(await desk.office.document(clinician, kinds[0])),
        }
        for _ in range(MOST_ATTACHMENTS)
    ]
    assert (await program.put(f"{here}/draft", json={"attachments": many})).status_code == 200
    again = await program.post(f"{here}/draft/attachments", json=many[0])
    assert again.status_code == 200
    more = await program.post(f"{here}/draft/attachments", json=paper)
    assert (more.status_code, more.json()["code"]) == (422, "too_many_attachments")
    assert "30" in more.json()["title"]


async def test_wishes_that_are_not_sent_stay(desk: Desk, clinician: Actor) -> None:
    """A program that sets the digest takes no quiet hours away; null does."""
    program = await desk.program(clinician)

    async def wish(**changes: Any) -> dict[str, Any]:
        assert (await program.put("/notices/wishes", json=changes)).status_code == 204
        kept: dict[str, Any] = (await program.get("/notices/settings")).json()["wishes"]
        return kept

    await wish(quiet_from="22:00", quiet_to="08:00", zone="Asia/Omsk")
    assert await wish(digest_hour=18) == {
        "zone": "Asia/Omsk",
        "quiet_from": "22:00:00",
        "quiet_to": "08:00:00",
        "digest_hour": 18,
    }
    assert (await wish(quiet_from=None, quiet_to=None))["digest_hour"] == 18
    half = await program.put("/notices/wishes", json={"quiet_from": "22:00"})
    assert (half.status_code, half.json()["code"]) == (422, "half_quiet")


async def test_an_absence_that_is_sent_twice_is_one(desk: Desk) -> None:
    """A form pressed twice at once notes one absence; another one beside it stands."""
    head = await desk.program(desk.office.head)
    days = {"first_day": "2027-03-01", "last_day": "2027-03-09"}
    body = {"person_id": str(desk.office.reviewer.person_id), **days}
    made = await asyncio.gather(*(head.post("/desk/absences", json=body) for _ in range(4)))
    assert {answer.status_code for answer in made} == {201}
    assert len({answer.json()["id"] for answer in made}) == 1
    other = await head.post("/desk/absences", json={**body, "last_day": "2027-03-10"})
    assert other.json()["id"] != made[0].json()["id"]


async def test_two_kept_views_never_bear_one_name(desk: Desk) -> None:
    """A view is not renamed to what another is called, nor are two at once to the same."""
    person = await desk.office.person("Петрова Вера Львовна", Role.HR_REVIEWER, desk.office.hr)
    program = await desk.program(person)
    ids = [
        (await program.post("/archive/views", json={"name": name, "query": ""})).json()["id"]
        for name in ("первая", "вторая", "третья")
    ]
    answers = await asyncio.gather(
        *(program.patch(f"/archive/views/{one}", json={"name": "Общая"}) for one in ids)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422]
    names = [view["name"] for view in (await program.get("/archive/views")).json()]
    assert names.count("Общая") == 1
