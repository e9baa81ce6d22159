"""Long texts are kept whole or refused in words; the end of a line counts as one sign."""

from rules.access import Actor
from rules.cases.limits import LONGEST_REASON
from tests.files.samples import born_digital
from tests.shared.desk import Desk, key
from tests.shared.office import FORM

LINES = "я\r\n" * 1999 + "яя"
"""4000 signs, of which 1999 are ends of lines that a browser sends as two."""
WHOLE = LINES.replace("\r\n", "\n")


async def test_as_many_signs_as_are_promised_are_kept(desk: Desk, clinician: Actor) -> None:
    """A message, a decision's reason and a withdrawal's of 4000 signs: none is cut or refused."""
    applicant = await desk.program(clinician)
    reviewer = await desk.program(desk.office.reviewer)
    case_id = await desk.office.in_review(clinician)
    here = f"/applications/{case_id}"
    said = await applicant.post(f"{here}/comments", json={"text": LINES})
    assert (said.status_code, said.json()["text"]) == (201, WHOLE)
    step = (await applicant.get(here)).json()["step"]
    decision = {
        "step": step,
        "outcome": "clarify",
        "reason": LINES,
        "remarks": {"purpose": "Напишите подробнее."},
    }
    decided = await reviewer.post(f"{here}/decision", json=decision, headers=key())
    assert decided.status_code == 200, decided.text
    back = {"step": decided.json()["step"], "reason": LINES}
    taken_back = await applicant.post(f"{here}/withdraw", json=back, headers=key())
    assert taken_back.status_code == 200, taken_back.text
    case = (await applicant.get(here)).json()
    assert case["decisions"][-1]["reason"] == WHOLE
    assert (await desk.office.journal(case_id))[-1].contents == {"reason": WHOLE}


async def test_what_is_too_long_is_refused_and_not_cut(desk: Desk, clinician: Actor) -> None:
    """A title, a text of a draft and a reason beyond the limit: told by field, nothing is kept."""
    applicant = await desk.program(clinician)
    case_id = await desk.office.draft(clinician)
    here = f"/applications/{case_id}"
    long = await applicant.put(f"{here}/draft", json={"data": {"purpose": "я" * 20_001}})
    assert (long.status_code, long.json()["errors"][0]["field"]) == (422, "purpose")
    assert (await applicant.get(here)).json()["draft"]["purpose"] == FORM["purpose"]
    most = await applicant.put(f"{here}/draft", json={"data": {"purpose": "я" * 20_000}})
    assert len(most.json()["data"]["purpose"]) == 20_000
    titled = await applicant.post(
        "/documents",
        data={"category": "diploma", "title": "я" * 201},
        files={"file": ("Диплом.pdf", born_digital("Long"), "application/pdf")},
    )
    assert (titled.status_code, titled.json()["errors"][0]["field"]) == (422, "title")
    body = {"step": 0, "reason": "я" * (LONGEST_REASON + 1)}
    refused = await applicant.post(f"{here}/withdraw", json=body, headers=key())
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    assert (await desk.office.case(case_id)).step == 0
