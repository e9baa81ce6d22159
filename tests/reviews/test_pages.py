"""The pages of the desk as a browser without scripts gets them: what is new, what comes next, what
was typed and refused."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from rules.access import Actor, Role
from rules.cases.process import Moved, Transition
from rules.clock import now
from services.cases.acts import Act
from services.cases.transitions import lock, move
from services.dossier import page as dossier
from tests.shared.counter import Counter
from tests.shared.desk import Desk
from tests.shared.office import Office

LONG = "Ухожу в отпуск. " + "я" * 1000
REMARK = "Нет вкладыша."


@dataclass
class Reviewing:
    """A reviewer at the desk."""

    desk: Desk
    browser: httpx.AsyncClient

    @property
    def office(self) -> Office:
        """The people, and what they do."""
        return self.desk.office

    async def on_the_desk(self, days: int = 10) -> UUID:
        """A case of the reviewer's, due in so many days."""
        case_id = await self.office.in_review()
        await self.office.take(case_id)
        await self.office.set_times(case_id, due_at=now() + timedelta(days=days))
        return case_id

    async def live(self, case_id: UUID, step: int) -> str:
        """What a page that was drawn at this step learns."""
        answer = await self.browser.get(f"/desk/cases/{case_id}/live/{step}")
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture(scope="module")
async def at_work(desk: Desk) -> Reviewing:
    """A reviewer's browser, where Temporal is down."""
    browser = await desk.browser(desk.office.reviewer)
    browser.headers["Accept"] = "text/html"
    return Reviewing(desk, browser)


async def test_a_later_version_opens_on_what_is_new_beside_the_remark(at_work: Reviewing) -> None:
    """One answer and one paper were changed: two changes, each beside what was remarked on it."""
    office = at_work.office
    case_id = await at_work.on_the_desk()
    remarks = {"purpose": "Напишите подробнее.", "diploma": REMARK, "snils": "Проверьте цифры."}
    await office.decide(case_id, Transition.CLARIFY, remarks=remarks)
    step = (await office.case(case_id)).step
    await office.applications.save_draft(office.clinician, case_id, {"purpose": "Эхокардиография."})
    cited = {
        one["kind"]: UUID(one["document_version_id"])
        for one in (await office.case(case_id)).draft_attachments
    }
    await office.applications.detach(office.clinician, case_id, "diploma", cited["diploma"])
    better = await office.document(office.clinician, "diploma")
    await office.applications.attach(office.clinician, case_id, "diploma", better)
    await office.applications.resubmit(office.clinician, case_id, Act(uuid4(), step))
    await office.check(case_id)
    shown = (await at_work.browser.get(f"/desk/cases/{case_id}")).text
    assert "2 изменения" in shown
    assert "Версия 2 в сравнении с версией 1" in shown
    assert f"К версии 1: {REMARK}" in shown
    assert shown.count("Не изменено.") == 1, "the number is as it was"
    alone = (await at_work.browser.get(f"/desk/cases/{case_id}?version=2")).text
    assert "<del" not in alone
    assert "К версии 1" not in alone


async def test_a_decision_leads_to_the_next_case_and_alarms_nobody_who_made_it(
    at_work: Reviewing,
) -> None:
    """The next page says what was decided; the open page of the decided one does not cry wolf."""
    office, browser = at_work.office, at_work.browser
    first, second = [await at_work.on_the_desk(days) for days in (3, 4)]
    number, step = (await office.case(first)).number or "", (await office.case(first)).step
    page = f"/desk/cases/{first}"
    form = {"act_id": str(uuid4()), "at_step": str(step)}
    drawn = await browser.post(f"{page}/decision?reviewer=me", data={**form, "redraw": "fits"})
    assert "соответствуют требованиям программы.</textarea>" in drawn.text
    form |= {f"check.{name}": "yes" for name in await office.checklist(first)}
    form |= {"outcome": "approve", "reason": "Подходит."}
    assert drawn.text.count("checked") >= len(form) - 3
    decided = await browser.post(f"{page}/decision?reviewer=me", data=form)
    assert decided.status_code == 303, decided.text
    assert decided.headers["location"].startswith(f"/desk/cases/{second}?reviewer=me&")
    told = (await browser.get(decided.headers["location"])).text
    assert f'<a class="number" href="{page}?reviewer=me">{number}</a>' in told
    assert "Вы уже приняли решение по этой заявке." in await at_work.live(first, step)
    after = (await office.case(first)).step
    async with office.database.work() as session:
        await move(session, await lock(session, first), Transition.ISSUE_ACT, now=now())
    for seen in (step, after):
        assert "Пока вы смотрели" not in await at_work.live(first, seen)
    assert "Вы уже приняли решение" not in await at_work.live(first, after)
    await office.decide(second, Transition.REJECT, office.head)
    assert "Пока вы смотрели" in await at_work.live(second, (await office.case(second)).step - 1)


async def test_what_happens_while_an_open_page_learns_is_told_by_the_next_answer(
    at_work: Reviewing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4: a colleague decides after the case was read and before the answer has left."""
    office = at_work.office
    case_id = await at_work.on_the_desk()
    step = (await office.case(case_id)).step
    read = dossier.moved_since

    async def overtaken(session: AsyncSession, actor: Actor, case_id: UUID, step: int) -> Moved:
        found = await read(session, actor, case_id, step)
        await office.decide(case_id, Transition.REJECT, office.head)
        return found

    address = f"/desk/cases/{case_id}/live/{step}"
    with monkeypatch.context() as patched:
        patched.setattr(dossier, "moved_since", overtaken)
        answer = await at_work.browser.get(address)
    assert "Пока вы смотрели" not in answer.text
    shown = {"If-None-Match": answer.headers["ETag"]}
    again = await at_work.browser.get(address, headers=shown)
    assert again.status_code == 200
    assert "Пока вы смотрели" in again.text


async def test_the_head_takes_over_all_that_a_colleague_has(at_work: Reviewing) -> None:
    """A11: every case is listed and ticked, whatever it waits for, with the head as the one to get
    it.
    """
    office = at_work.office
    absent = await office.person("Петров Илья Андреевич", Role.HR_REVIEWER, office.hr)
    cases = [await at_work.on_the_desk() for _ in range(2)]
    for case_id in cases:
        await office.take(case_id, absent)
    await office.decide(cases[1], Transition.CLARIFY, absent)
    head = await at_work.desk.browser(office.head)
    team = (await head.get("/desk/team")).text
    assert f"/desk/team?of={absent.person_id}#move" in team
    page = (await head.get(f"/desk/team?of={absent.person_id}")).text
    assert f'value="{office.head.person_id}" selected' in page
    assert page.index('id="move"') < page.index("Все дела сотрудника"), "the link shows the heading"
    assert "Просроченных нет." in page
    assert "Просрочено 0" not in page
    form: dict[str, str | list[str]] = {"to": str(office.head.person_id), "case": []}
    for name in map(str, cases):
        assert f'value="{name}" checked' in page
        step = (await office.case(UUID(name))).step
        form |= {f"step.{name}": str(step), f"had.{name}": str(absent.person_id)}
    form["case"] = [str(case_id) for case_id in cases]
    moved = await head.post("/desk/team/move", data=form)
    assert "Готово: 2 заявки" in moved.text
    assert moved.text.count(f"Новый исполнитель: {office.head.name}.") == 2
    assert {(await office.case(one)).reviewer_id for one in cases} == {office.head.person_id}


async def test_what_is_too_long_comes_back_as_it_was_typed(at_work: Reviewing) -> None:
    """A hand-over of either kind of case, several at once, a take with a long reason."""
    office, desk = at_work.office, at_work.desk
    case_id = await at_work.on_the_desk()
    case = await office.case(case_id)
    given = {"at_step": str(case.step), "to": str(office.head.person_id), "why": LONG}
    counter = await Counter.open(office.database)
    colleague = await office.person("Орлов Пётр", Role.CLERK, counter.clerk.unit_id)
    asked_id = await counter.laid_on_the_desk()
    asked = await office.case(asked_id)
    request = {"at_step": str(asked.step), "to": str(colleague.person_id), "why": LONG}
    several = {"to": str(office.head.person_id), "why": LONG, "case": str(case_id)}
    clerk, head = [await desk.browser(one) for one in (counter.clerk, office.head)]
    for browser, path, form in (
        (at_work.browser, f"/desk/cases/{case_id}/hand-over", given),
        (clerk, f"/desk/cases/{asked_id}/hand-over", request),
        (head, "/desk/team/move", several),
    ):
        answer = await browser.post(path, data=form, headers={"Accept": "text/html"})
        assert answer.status_code == 422, (path, answer.text)
        assert LONG in answer.text, path
        assert 'id="error-why"' in answer.text, path
    typed = {"at_step": str(case.step), "reason": "я" * 4000, "outcome": "reject"}
    answer = await at_work.browser.post(f"/desk/cases/{case_id}/take", data=typed)
    assert typed["reason"] in answer.text
    assert (await office.case(case_id)).reviewer_id == office.reviewer.person_id
