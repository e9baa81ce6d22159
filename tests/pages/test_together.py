"""Several tabs on one thing: what was shown as kept is kept."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from tests.office import Office
from tests.pages.conftest import Site, account_of
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
