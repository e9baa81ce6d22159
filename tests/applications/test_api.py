"""An application's whole life through the public API, by programs that hold access tokens.

Temporal is down and no worker runs: what workflows would do is done by the services they call.
"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert
from sqlmodel import select

from models.tables.cases import Case
from rules.access import Actor, Permission, Role
from rules.cases.process import Status, Transition
from rules.clock import now
from services.applications import enrolment
from services.dossier import receipt as receipts
from tests.files.samples import pdf
from tests.shared.desk import Desk, file_name, key, told
from tests.shared.office import FORM


async def filled(program: httpx.AsyncClient, programme_id: UUID) -> str:
    """A complete draft with papers that were uploaded for it."""
    draft = told(await program.post("/applications", json={"programme_id": str(programme_id)}), 201)
    case = told(await program.get(f"/applications/{draft['id']}"))
    cited: list[dict[str, str]] = []
    for rule in case["attachment_rules"]:
        if rule["required"] and not rule["waived_reason"]:
            given = await program.post(
                "/documents",
                params={"category": rule["kind"], "file_name": f"{rule['kind']}.pdf"},
                content=pdf(size=(400 + len(cited), 500)),
                headers={"Content-Type": "application/pdf"},
            )
            version = told(given, 201)["version"]["id"]
            cited.append({"kind": rule["kind"], "document_version_id": version})
    data = {**FORM, "starts_on": (now() + timedelta(days=30)).date().isoformat()}
    kept = await program.put(
        f"/applications/{draft['id']}/draft", json={"data": data, "attachments": cited}
    )
    assert told(kept)["errors"] == []
    return str(draft["id"])


async def acts(
    program: httpx.AsyncClient,
    case_id: str,
    what: str,
    body: dict[str, Any],
    act: UUID | None = None,
) -> httpx.Response:
    """An act on a case."""
    return await program.post(f"/applications/{case_id}/{what}", json=body, headers=key(act))


async def test_from_draft_to_act_by_tokens(desk: Desk, clinician: Actor) -> None:
    """Draft, submit, clarify, resubmit, approve, act: each step by HTTP, each answer true."""
    office = desk.office
    applicant, reviewer = await desk.program(clinician), await desk.program(office.reviewer)
    case_id = await filled(applicant, office.programme_id)
    act = uuid4()
    first = told(await acts(applicant, case_id, "submit", {"step": 0}, act))
    again = told(await acts(applicant, case_id, "submit", {"step": 0}, act))
    assert first == again
    assert (first["status"], first["step"], first["open"]) == ("checking", 1, True)

    await office.check(UUID(case_id))
    state = told(await applicant.get(f"/applications/{case_id}/state"))
    assert (state["live"], state["status"], state["waits_for"]) == (False, "in_review", "reviewer")
    asked = told(
        await acts(
            reviewer,
            case_id,
            "decision",
            {
                "step": state["step"],
                "outcome": "clarify",
                "reason": "Цель описана коротко.",
                "remarks": {"purpose": "Какие умения нужны?"},
            },
        )
    )
    assert (asked["status"], asked["waits_for"]) == ("clarification", "applicant")

    told(
        await applicant.put(
            f"/applications/{case_id}/draft", json={"data": {"purpose": "Эхокардиография плода."}}
        )
    )
    told(await acts(applicant, case_id, "resubmit", {"step": asked["step"]}))
    await office.check(UUID(case_id))
    case = told(await reviewer.get(f"/applications/{case_id}"))
    assert [change["field"] for change in case["versions"][1]["changes"]] == ["purpose"]
    assert case["draft"] is None
    approval = {
        "step": case["step"],
        "outcome": "approve",
        "reason": "Документы в порядке.",
        "checklist": {item["name"]: True for item in case["checklist"]},
    }
    assert told(await acts(reviewer, case_id, "decision", approval))["status"] == "approved"
    missing = await applicant.get(f"/applications/{case_id}/act")
    assert missing.status_code == 404

    container = desk.container
    await enrolment.issue(
        container.settings, container.database, container.objects, container.seal, UUID(case_id)
    )
    paper = await applicant.get(f"/applications/{case_id}/act")
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF-")
    whole = told(await applicant.get(f"/applications/{case_id}"))
    assert (whole["status"], whole["may"]) == ("approved", [])
    assert file_name(paper) == f"Акт-{whole['act_number']}.pdf"
    assert [d["outcome"] for d in whole["decisions"]] == ["clarify", "approve"]
    timeline = told(await reviewer.get(f"/applications/{case_id}"))["timeline"]
    positions = [line["position"] for line in timeline]
    assert positions == list(range(len(positions), 0, -1)), "the journal has no gaps"


async def test_an_act_is_for_those_who_see_the_case(desk: Desk, clinician: Actor) -> None:
    """The applicant, reviewers and the head of the unit download it; others learn nothing (Q9)."""
    office, container = desk.office, desk.container
    case_id = await office.in_review(clinician)
    await office.decide(case_id, Transition.APPROVE)
    await enrolment.issue(
        container.settings, container.database, container.objects, container.seal, case_id
    )
    colleague = await office.person("Коллега", Role.DOCTOR, office.ward)
    unit_head = await office.person("Заведующий", Role.UNIT_HEAD, office.ward)
    security = await office.person("Охрана", Role.SECURITY, office.institution)
    seen = {}
    for name, actor in {
        "applicant": clinician,
        "reviewer": office.reviewer,
        "unit head": unit_head,
        "colleague": colleague,
        "security": security,
    }.items():
        program = await desk.program(actor, tuple(Permission))
        seen[name] = {
            what: (await program.get(f"/applications/{case_id}/{what}")).status_code
            for what in ("act", "receipt")
        }
    inside, outside = {"act": 200, "receipt": 200}, {"act": 404, "receipt": 404}
    assert seen == {
        "applicant": inside,
        "reviewer": inside,
        "unit head": inside,
        "colleague": outside,
        # A token has rights of its person only, and theirs are none that these routes are open to.
        "security": {"act": 403, "receipt": 403},
    }


async def test_a_receipt_is_checked_offline(desk: Desk, clinician: Actor) -> None:
    """What the API hands out holds without the institution, and breaks when changed (A7)."""
    case_id = await desk.office.submitted(clinician)
    program = await desk.program(clinician)
    answer = await program.get(f"/applications/{case_id}/receipt")
    receipt = receipts.read(answer.content)
    case = await desk.office.case(case_id)
    assert (receipt.chain, receipt.number, receipt.version) == (case_id, case.number, 1)
    assert answer.headers["content-type"] == "application/pdf"
    assert file_name(answer) == f"Расписка-{case.number}-версия-1.pdf"
    same = await program.get(f"/applications/{case_id}/receipt", params={"version": 1})
    assert receipts.read(same.content).version == 1
    draft = await desk.office.draft(clinician)
    for none in (f"{draft}/receipt", f"{case_id}/receipt?version=2"):
        assert (await program.get(f"/applications/{none}")).status_code == 404, none


async def test_a_token_does_only_what_its_scope_says(desk: Desk) -> None:
    """A reviewer's token for documents neither decides nor sees the queue nor applies."""
    office = desk.office
    case_id = await office.in_review()
    case = await office.case(case_id)
    narrow = await desk.program(office.reviewer, (Permission.KEEP_DOCUMENTS,))
    body = {"step": case.step, "outcome": "reject", "reason": "Причина решения."}
    assert (await acts(narrow, str(case_id), "decision", body)).status_code == 403
    several = {
        "outcome": "reject",
        "reason": "Причина решения.",
        "cases": [{"step": case.step, "case_id": str(case_id), "act_id": str(uuid4())}],
    }
    assert (await narrow.post("/desk/decisions", json=several)).status_code == 403
    assert (await narrow.get("/desk")).status_code == 403
    assert (await narrow.get(f"/applications/{case_id}")).status_code == 403
    made = await narrow.post("/applications", json={"programme_id": str(office.programme_id)})
    assert made.status_code == 403
    assert (await office.case(case_id)).step == case.step


@pytest.mark.parametrize("way", ["decision", "several", "take", "hand-over"])
async def test_nobody_decides_on_their_own_application(desk: Desk, way: str) -> None:
    """Neither directly, nor among several, nor by having it handed over (A11)."""
    office = desk.office
    reviewer = await office.person("Иванова Мария Петровна", Role.HR_REVIEWER, office.hr)
    case_id = await office.in_review(reviewer)
    case = await office.case(case_id)
    program, head = await desk.program(reviewer), await desk.program(office.head)
    body = {"outcome": "approve", "reason": "Себе.", "checklist": await office.checklist(case_id)}
    here = f"/applications/{case_id}"
    if way == "several":
        one = {"step": case.step, "case_id": str(case_id), "act_id": str(uuid4())}
        done = told(await program.post("/desk/decisions", json={**body, "cases": [one]}))
        assert [one["refused"] for one in done] == ["own_case"]
    elif way == "decision":
        refused = await acts(program, str(case_id), "decision", {**body, "step": case.step})
        assert (refused.status_code, refused.json()["code"]) == (403, "own_case")
    elif way == "take":
        refused = await program.post(f"{here}/take", json={"step": case.step})
        assert (refused.status_code, refused.json()["code"]) == (403, "own_case")
    else:
        to = {"step": case.step, "to": str(reviewer.person_id)}
        refused = await head.post(f"{here}/hand-over", json=to)
        assert (refused.status_code, refused.json()["code"]) == (403, "own_case")
    after = await office.case(case_id)
    assert (after.step, after.status, after.reviewer_id) == (
        case.step,
        case.status,
        case.reviewer_id,
    )


async def test_of_all_who_act_at_once_one_is_first(desk: Desk, clinician: Actor) -> None:
    """Approve, reject, clarify, withdraw and correct in one moment: one is taken."""
    office = desk.office
    case_id = await office.in_review(clinician)
    case = await office.case(case_id)
    applicant, reviewer = await desk.program(clinician), await desk.program(office.reviewer)
    head = await desk.program(office.head)
    step = {"step": case.step}
    reason = {**step, "reason": "Причина решения."}
    checklist = await office.checklist(case_id)
    approval = {**reason, "outcome": "approve", "checklist": checklist}
    question = {**reason, "outcome": "clarify", "remarks": {"purpose": "Подробнее."}}
    other = {"data": {"purpose": "Иная цель."}}
    await applicant.put(f"/applications/{case_id}/draft", json=other)
    at_once = await asyncio.gather(
        acts(reviewer, str(case_id), "decision", approval),
        acts(head, str(case_id), "decision", {**reason, "outcome": "reject"}),
        acts(reviewer, str(case_id), "decision", question),
        acts(applicant, str(case_id), "withdraw", reason),
        acts(applicant, str(case_id), "correct", step),
    )
    assert sorted(answer.status_code for answer in at_once) == [200, 409, 409, 409, 409]
    assert (await office.case(case_id)).step == case.step + 1
    assert len([e for e in await office.journal(case_id) if e.step == case.step + 1]) == 1


async def test_reading_at_once_does_not_collide(desk: Desk) -> None:
    """Two windows of one reviewer say at once that the case is being read."""
    case_id = await desk.office.in_review()
    program = await desk.program(desk.office.reviewer)
    path = f"/applications/{case_id}/reading"
    answers = await asyncio.gather(*(program.post(path) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {204}


async def copies(desk: Desk, actor: Actor, number: int) -> list[Case]:
    """Many cases of one person, written as rows, in statuses by turns."""
    template = await desk.office.case(await desk.office.submitted(actor))
    moment, statuses = now(), (Status.IN_REVIEW, Status.REJECTED, Status.WITHDRAWN)
    rows = []
    for n in range(number):
        status = statuses[n % len(statuses)]
        # Some were submitted in the same moment, so that only the id tells them apart.
        row = template.model_dump() | {
            "id": UUID(int=uuid4().int),
            "number": f"ПК-2019-{n + 1:06}-{uuid4().int % 10**8}",
            "status": status.value,
            "created_at": moment - timedelta(days=number - n),
            "submitted_at": moment - timedelta(days=n // 2),
            "closed_at": None if status is Status.IN_REVIEW else moment,
            "due_at": moment + timedelta(days=n // 2) if status is Status.IN_REVIEW else None,
            "wakes_at": None,
        }
        rows.append(row)
    async with desk.container.database.work() as session:
        connection = await session.connection()
        await connection.execute(insert(Case), rows)
    async with desk.container.database.work() as session:
        found = await session.exec(select(Case).where(Case.applicant_id == actor.person_id))
        return list(found.all())


async def pages(program: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All lines of a list, page by page."""
    lines: list[dict[str, Any]] = []
    after = None
    while True:
        place: dict[str, Any] = {"after": after} if after else {}
        page = told(await program.get(path, params=query | place))
        assert len(page["items"]) <= query.get("limit", 50)
        lines += page["items"]
        after = page["after"]
        if after is None:
            return lines


async def test_lists_are_paged_whole_and_narrowed(desk: Desk, clinician: Actor) -> None:
    """Over more than one page nothing is missing, twice or out of order; filters narrow (A8)."""
    there = await copies(desk, clinician, 120)
    program = await desk.program(clinician)
    lines = await pages(program, "/applications")
    assert [line["id"] for line in lines] == [
        str(case.id) for case in sorted(there, key=lambda c: (c.submitted_at, c.id), reverse=True)
    ]
    for limit in (7, 200):
        same = await pages(program, "/applications", limit=limit)
        assert [line["id"] for line in same] == [line["id"] for line in lines]
    rejected = await pages(program, "/applications", status="rejected", limit=17)
    assert {x["id"] for x in rejected} == {str(c.id) for c in there if c.status == "rejected"}
    both = await pages(program, "/applications", status=["rejected", "withdrawn"])
    assert {x["status"] for x in both} == {"rejected", "withdrawn"}
    day = now() - timedelta(days=10)
    early = await pages(program, "/applications", submitted_until=day.isoformat())
    late = await pages(program, "/applications", submitted_from=day.isoformat())
    assert sorted(x["id"] for x in early + late) == sorted(x["id"] for x in lines)
    assert await pages(program, "/applications", type="nothing") == []
    assert len(await pages(program, "/applications", type="qualification")) == len(lines)
    number = next(c.number for c in there if c.status == "checking")
    assert number is not None
    like = number.replace("ПК", "PK").lower()
    assert [x["number"] for x in await pages(program, "/applications", number=like)] == [number]


async def test_the_queue_is_paged_by_what_is_due(desk: Desk) -> None:
    """The desk runs by term; by unit it shows that unit only, and nobody sees another's list."""
    office = desk.office
    doctor = await office.person("Доктор", Role.DOCTOR, office.ward)
    there = await copies(desk, doctor, 75)
    open_ones = {str(c.id) for c in there if c.status == "in_review"}
    reviewer = await desk.program(office.reviewer)
    queue = await pages(reviewer, "/desk", status="in_review", limit=10, unit_id=str(office.ward))
    assert [(x["due_at"], x["id"]) for x in queue] == sorted((x["due_at"], x["id"]) for x in queue)
    assert open_ones <= {x["id"] for x in queue}
    assert len(queue) == len({x["id"] for x in queue})
    assert await pages(reviewer, "/desk", unit_id=str(uuid4())) == []
    other = await desk.program(await office.person("Иной", Role.DOCTOR, office.ward))
    assert await pages(other, "/applications") == []


async def test_a_case_that_was_never_submitted_is_the_applicants_alone(
    desk: Desk, clinician: Actor
) -> None:
    """Reviewers and heads find no draft, by its id or in any list (Q9)."""
    case_id = str(await desk.office.draft(clinician))
    for actor in (desk.office.reviewer, desk.office.head):
        program = await desk.program(actor)
        assert (await program.get(f"/applications/{case_id}")).status_code == 404
        listed = await pages(program, "/desk", order="newest", limit=200)
        assert case_id not in {line["id"] for line in listed}


async def test_what_the_programme_says_cannot_be_typed_over(desk: Desk, clinician: Actor) -> None:
    """Locked fields, names of columns and unknown names sent with a draft change nothing."""
    program = await desk.program(clinician)
    path = f"/applications/{await desk.office.draft(clinician)}"
    before = told(await program.get(path))
    forged = {
        "course_title": "Иной курс",
        "hours": 1,
        "organisation": "Своя",
        "status": "approved",
        "number": "ПК-2026-000001-7",
        "applicant_id": str(uuid4()),
        "step": 7,
    }
    told(await program.put(f"{path}/draft", json={"data": forged, "status": "approved"}))
    after = told(await program.get(path))
    assert after["draft"] == before["draft"]
    assert (after["status"], after["step"], after["number"]) == ("draft", 0, None)


async def test_the_state_does_not_hold_the_database_while_it_waits(
    desk: Desk, clinician: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running case that does not answer must not take the connections of all others."""
    case_id = await desk.office.submitted(clinician)
    held: list[int] = []

    async def silent(*_: object) -> None:
        held.append(desk.container.database.engine.pool.checkedout())  # type: ignore[attr-defined]

    monkeypatch.setattr("services.cases.running.present_state", silent)
    program = await desk.program(clinician)
    answer = told(await program.get(f"/applications/{case_id}/state"))
    assert (answer["live"], held) == (False, [0])
