"""How many drafts a person keeps and how often one case is handed in (S2, S6, A6)."""

from contextvars import copy_context
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.tables.cases import CaseVersion
from rules.cases.applications import APPLICATION
from rules.cases.limits import MOST_DRAFTS, MOST_VERSIONS, too_many_drafts, too_many_versions
from rules.cases.requests import REQUEST
from rules.clock import now
from rules.refusals import Refusal
from services.cases.acts import Act
from tests.requests.conftest import Visit
from tests.shared.counter import Counter
from words.translation import Presentation, in_words, present


async def test_drafts_end_where_the_rules_say_and_none_is_lost(counter: Counter) -> None:
    """One more is refused in words that help; the other kind, and room made, are free again."""
    kept = [await counter.draft() for _ in range(MOST_DRAFTS)]
    with pytest.raises(Refusal) as refused:
        await counter.requests.create_draft(counter.clinician, "insurance")
    assert (refused.value.code, refused.value.status) == ("too_many_drafts", 422)
    assert refused.value.facts["most"] == MOST_DRAFTS
    await counter.office.applications.create_draft(counter.clinician, counter.office.programme_id)
    assert (await counter.office.case(kept[0])).draft
    await counter.requests.submit(counter.clinician, kept[0], Act(uuid4(), 0))
    await counter.requests.discard_draft(counter.clinician, kept[1])
    for _ in range(2):
        await counter.draft()
    with pytest.raises(Refusal):
        await counter.draft()


async def test_a_copy_is_a_draft_too(counter: Counter) -> None:
    """Copying what was taken back is no way around."""
    case_id = await counter.sent()
    act = await counter.act(case_id)
    await counter.requests.withdraw(counter.clinician, case_id, act, "Передумала.")
    counter.requests.most_drafts = 1
    await counter.requests.copy(counter.clinician, case_id)
    with pytest.raises(Refusal) as refused:
        await counter.requests.copy(counter.clinician, case_id)
    assert refused.value.code == "too_many_drafts"


@pytest.mark.asvs("2.3.2")
async def test_a_case_is_handed_in_so_often_a_day_and_the_draft_waits(counter: Counter) -> None:
    """S6: one more is refused with the hours to wait; a day later the same draft goes through."""
    case_id = await counter.sent()
    for turn in range(1, MOST_VERSIONS):
        await counter.corrected(case_id, purpose=f"Вариант {turn}")
    with pytest.raises(Refusal) as refused:
        await counter.corrected(case_id, purpose="Последний")
    assert (refused.value.code, refused.value.status) == ("too_often", 429)
    assert 23 * 3600 < refused.value.facts["retry_after"] <= 24 * 3600
    assert refused.value.facts["hours"] == 24
    case = await counter.office.case(case_id)
    assert (case.version, (case.draft or {})["purpose"]) == (MOST_VERSIONS, "Последний")
    async with counter.database.work() as session:
        await session.exec(
            update(CaseVersion)
            .where(col(CaseVersion.case_id) == case_id, col(CaseVersion.number) == 1)
            .values(submitted_at=now() - timedelta(days=1, seconds=1))
        )
    act = await counter.act(case_id)
    await counter.requests.correct(counter.clinician, case_id, act)
    assert (await counter.office.case(case_id)).version == MOST_VERSIONS + 1


async def test_pages_say_it_where_the_person_is(visit: Visit) -> None:
    """The page that sends stays, with what to do at its top; a further draft has a page that says
    why not."""
    counter, browser = visit
    case_id = await counter.sent()
    for turn in range(1, MOST_VERSIONS):
        await counter.corrected(case_id, purpose=f"Вариант {turn}")
    await counter.requests.save_draft(counter.clinician, case_id, {"purpose": "Последний"})
    act = await counter.act(case_id)
    form = {"act_id": str(act.id), "at_step": str(act.at_step), "mode": "correction"}
    answer = await browser.post(f"/requests/{case_id}/draft/submit", data=form)
    assert answer.status_code == 429
    assert "За сутки можно отправить не больше 20 версий" in answer.text
    assert "Последний" in answer.text
    for _ in range(MOST_DRAFTS):
        await counter.draft()
    refused = await browser.post("/requests", data={"type": "insurance"})
    assert refused.status_code == 422
    assert "У вас уже 50 неотправленных запросов" in refused.text


@pytest.mark.parametrize("language", ["ru", "en"])
def test_both_languages_say_what_to_do(language: str) -> None:
    """The figures stand in the words."""
    moment = now()
    drafts = [too_many_drafts(one, MOST_DRAFTS) for one in (APPLICATION, REQUEST)]
    versions = too_many_versions(MOST_VERSIONS, moment - timedelta(hours=22, minutes=30), moment)

    def in_this_language() -> list[str]:
        present(Presentation(language=language))
        return [in_words(one.message) % one.facts for one in (*drafts, versions)]

    said = copy_context().run(in_this_language)
    assert all("50" in one for one in said[:-1])
    assert "20" in said[-1]
    assert ("2 ч." if language == "ru" else "in 2 h.") in said[-1]
    assert all(("сохранен" in one) == (language == "ru") for one in said)
    assert all(("kept" in one) == (language == "en") for one in said)
