"""Several tabs on one thing: what was shown as kept is kept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import time
from uuid import UUID

import httpx
import pytest

from services import notice_settings
from tests.office import Office
from tests.pages.conftest import Site, account_of
from tests.pages.tabs import Tab
from tests.pages.test_behaviour import let_in, small_pdf, token_on

AT_ONCE = 24


@pytest.fixture
async def client(site: Site, office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts, in which the clinician of this test has signed in."""
    await account_of(office, office.clinician)
    headers = {"Accept-Language": "ru"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=60) as made:
        await let_in(made, office, office.clinician)
        yield made


async def begun(client: httpx.AsyncClient, office: Office) -> tuple[UUID, list[str], str]:
    """A new draft, the kinds of document that it asks for, and the form token."""
    case = await office.applications.create_draft(office.clinician, office.programme_id)
    kinds = [one["kind"] for one in await office.attachments(office.clinician)]
    return case.id, kinds, await token_on(client, f"/applications/{case.id}/draft/attachments")


async def test_of_many_uploads_at_once_each_is_kept(
    client: httpx.AsyncClient, office: Office
) -> None:
    """Files dropped on several places of a draft at once: each that is shown is there later."""
    case_id, kinds, csrf = await begun(client, office)

    async def upload(number: int) -> str:
        kind, name = kinds[number % len(kinds)], f"Файл {number}.pdf"
        answer = await client.post(
            f"/documents/files/cases/{case_id}/{kind}",
            data={"csrf_token": csrf},
            files={"file": (name, small_pdf(), "application/pdf")},
            headers={"X-Requested-With": "upload"},
        )
        assert answer.status_code == 200
        assert name in answer.text
        return name

    names = await asyncio.gather(*map(upload, range(AT_ONCE)))
    page = (await client.get(f"/applications/{case_id}/draft/attachments")).text
    assert [name for name in names if name not in page] == []
    assert len((await office.case(case_id)).draft_attachments) == AT_ONCE


async def test_choosing_and_taking_off_at_once(client: httpx.AsyncClient, office: Office) -> None:
    """Documents chosen in one tab while others are taken off in another: each change holds."""
    case_id, kinds, csrf = await begun(client, office)
    kind, old, new = kinds[0], [], []
    for _ in range(6):
        old.append(await office.document(office.clinician, kind))
        new.append(await office.document(office.clinician, kind))
        await office.applications.attach(office.clinician, case_id, kind, old[-1])
    here = f"/documents/cases/{case_id}/{kind}"
    form = {"csrf_token": csrf}
    answers = await asyncio.gather(
        *(client.post(f"{here}/{one}/remove", data=form) for one in old),
        *(
            client.post(f"{here}/choose", data={**form, "document_version_id": str(one)})
            for one in new
        ),
    )
    assert {answer.status_code for answer in answers} == {303}
    kept = (await office.case(case_id)).draft_attachments
    assert {one["document_version_id"] for one in kept} == set(map(str, new))


async def test_an_older_tab_of_notice_settings_changes_only_its_own_box(
    client: httpx.AsyncClient, office: Office
) -> None:
    """What a newer tab turned on stays on when an older one turns something else off (N2)."""
    page, boxes = "/notices/settings", NoticeSettings(office)
    older, newer = [await Tab.open(client, page, page) for _ in range(2)]
    assert (await newer.send(on=[*newer.fields["on"], "cases:sms"])).status_code == 303
    fewer = [name for name in older.fields["on"] if name != "comments:mail"]
    assert (await older.send(on=fewer)).status_code == 303
    on = await boxes.on()
    assert "cases:sms" in on
    assert "comments:mail" not in on
    assert "cases:mail" in on


async def test_an_older_tab_leaves_quiet_hours_alone(
    client: httpx.AsyncClient, office: Office
) -> None:
    """The digest chosen in an older tab takes no quiet hours away, and the other way round."""
    page, boxes = "/notices/settings", NoticeSettings(office)
    older, newer = [await Tab.open(client, page, "/notices/wishes") for _ in range(2)]
    quiet = {"quiet": "true", "quiet_from": "21:00", "quiet_to": "7:30"}
    assert (await newer.send(**quiet)).status_code == 303
    assert (await older.send(digest_hour="18")).status_code == 303
    kept = await boxes.wishes()
    assert (kept.quiet_from, kept.quiet_to, kept.digest_hour) == (time(21), time(7, 30), 18)
    stale = await newer.send(**{**quiet, "quiet_to": "8:00"})
    assert stale.status_code == 303
    kept = await boxes.wishes()
    assert (kept.quiet_from, kept.quiet_to, kept.digest_hour) == (time(21), time(8), 18)


@dataclass(frozen=True)
class NoticeSettings:
    """What holds for the clinician of an office."""

    office: Office

    async def on(self) -> set[str]:
        """The boxes that are ticked."""
        async with self.office.database.work() as session:
            cells = await notice_settings.table(session, self.office.clinician)
        return {f"{cell.group}:{cell.channel}" for cell in cells if cell.on}

    async def wishes(self) -> notice_settings.Wishes:
        """Quiet hours and digest."""
        person = self.office.clinician.person_id
        async with self.office.database.work() as session:
            return await notice_settings.wishes_of(session, person, "Europe/Moscow")
