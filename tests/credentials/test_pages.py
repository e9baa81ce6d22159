"""The file as people meet it: pages without scripts over the served cabinet (Q1-Q3, Q6, Q7, Q9)."""

import re

import httpx
import pytest

from rules.access import Role
from tests.credentials.conftest import ACCREDITATION, DIPLOMA, Keeping
from tests.shared.cabinet import Site, account_of, let_in, small_pdf, token_on
from tests.shared.office import Office
from tests.shared.tabs import write_at_once
from tests.shared.waiting import PATIENCE

DRAFT = re.compile(r"/credentials/drafts/[0-9a-f-]{36}")
ID = re.compile(r'name="draft_id" value="([^"]+)"')


async def posted(client: httpx.AsyncClient, page: str, path: str, **fields: str) -> httpx.Response:
    """A form of a page sent."""
    token = await token_on(client, page)
    return await client.post(path, data={"csrf_token": token, **fields})


async def begun(client: httpx.AsyncClient, category: str) -> str:
    """A new draft: the address of its page."""
    page = (await client.get("/credentials/new")).text
    found = ID.search(page)
    assert found is not None
    chosen = {"draft_id": found[1], "category": category}
    went = await posted(client, "/credentials/new", "/credentials/new", **chosen)
    return went.headers["location"]


async def test_a_credential_is_described_mended_and_kept(client: httpx.AsyncClient) -> None:
    """Nothing typed is lost on the way; all that is wrong is said at once, with the remedy (Q3)."""
    assert "В деле пока пусто" in (await client.get("/credentials")).text
    here = await begun(client, "diploma")
    token = await token_on(client, here)
    refused = await client.post(
        f"/documents/files{here.replace('/drafts', '')}",
        data={"csrf_token": token},
        files={"file": ("diploma.pdf", b"no pdf at all", "application/pdf")},
    )
    assert refused.status_code == 422
    wrong = {**DIPLOMA, "issued_on": "31.02.2012", "number": ""}
    answer = await posted(client, here, here, **wrong)
    assert answer.status_code == 422
    for words in (
        "Такого дня нет в календаре",
        "Заполните поле «Серия и номер»",
        "Приложите копию документа",
        DIPLOMA["issuer"],
        "31.02.2012",
    ):
        assert words in answer.text
    assert "Диплом об образовании" in (await client.get("/credentials")).text
    given = await client.post(
        f"/documents/files{here.replace('/drafts', '')}",
        data={"csrf_token": token},
        files={"file": ("diploma.pdf", small_pdf(), "application/pdf")},
    )
    assert given.status_code == 303
    saved = await posted(client, here, here, **DIPLOMA)
    assert saved.status_code == 303
    page = (await client.get(saved.headers["location"])).text
    for words in ("Лечебное дело", "107704 0012345", "30.06.2012", "активен", "diploma.pdf"):
        assert words in page
    again = await client.post(here, data={"csrf_token": token, **DIPLOMA})
    assert again.headers["location"] == saved.headers["location"]
    listed = (await client.get("/credentials")).text
    assert "Не закончено" not in listed
    assert "Диплом об образовании: Лечебное дело" in listed


async def test_several_files_are_taken_in_and_described_in_turn(client: httpx.AsyncClient) -> None:
    """Each gets its check; what is left waits; looking creates nothing (Q3, Q10)."""
    token = await token_on(client, "/credentials/new")
    files = [("file", (f"{n}.pdf", small_pdf(), "application/pdf")) for n in range(3)]
    files.append(("file", ("bad.pdf", b"nothing", "application/pdf")))
    answer = await client.post(
        "/documents/files/credentials", data={"csrf_token": token}, files=files
    )
    assert answer.status_code == 422
    assert "bad.pdf" in answer.text
    for _ in range(2):
        waiting = list(dict.fromkeys(DRAFT.findall((await client.get("/credentials/new")).text)))
        assert len(waiting) == 3
    first = waiting[0]
    chosen = await posted(client, first, f"{first}/category", category="accreditation")
    assert chosen.headers["location"] == first
    saved = await posted(client, first, first, **ACCREDITATION)
    assert saved.headers["location"].startswith(waiting[1])
    assert (await posted(client, waiting[1], f"{waiting[1]}/discard")).status_code == 303
    page = (await client.get("/credentials")).text
    assert "Аккредитация специалиста: Кардиология" in page
    assert set(DRAFT.findall(page)) == {waiting[2]}


async def test_a_newer_version_is_compared_with_the_one_before(
    client: httpx.AsyncClient, keeping: Keeping
) -> None:
    """«Обновить», the difference, corrected days, replacement, withdrawal (Q2, Q7)."""
    made = await keeping.add()
    here = f"/credentials/{made}"
    draft = (await posted(client, here, f"{here}/update")).headers["location"]
    assert (await posted(client, here, f"{here}/update")).headers["location"] == draft
    changed = {**ACCREDITATION, "issuer": "Центральная комиссия"}
    assert (await posted(client, draft, draft, **changed)).headers["location"].startswith(here)
    page = (await client.get(here)).text
    assert re.search(r"<del[^>]*>Федеральный аккредитационный центр</del>", page)
    assert "Центральная комиссия" not in (await client.get(f"{here}?version=1")).text
    act = re.search(r'name="act_id" value="([^"]+)"', (await client.get(f"{here}/correct")).text)
    assert act is not None
    days = {"act_id": act[1], "version": "2", "issued_on": "26.11.2024"}
    days["valid_until"] = ACCREDITATION["valid_until"]
    refused = await posted(client, f"{here}/correct", f"{here}/correct", **days)
    assert (refused.status_code, "Укажите причину" in refused.text) == (422, True)
    done = await posted(
        client, f"{here}/correct", f"{here}/correct", **days, reason="Опечатка в дате"
    )
    assert done.status_code == 303
    assert "Опечатка в дате" in (await client.get(here)).text
    newer = await keeping.add(number="НОВ 1")
    replaced = await posted(client, f"{here}/replace", f"{here}/replace", by=str(newer))
    assert replaced.status_code == 303
    assert "заменён" in (await client.get(here)).text
    other = f"/credentials/{newer}"
    gone = await posted(client, f"{other}/withdraw", f"{other}/withdraw", reason="Чужой документ")
    assert gone.status_code == 303
    assert "внесён ошибочно" in (await client.get(other)).text
    assert "активен" in (await client.get(here)).text


@pytest.mark.parametrize("role", [Role.HR_REVIEWER, Role.UNIT_HEAD, Role.DOCTOR])
async def test_colleagues_see_by_their_rights(
    role: Role, site: Site, office: Office, keeping: Keeping
) -> None:
    """Personnel confirms the original, a head reads, a colleague finds nothing (Q9)."""
    made, owner = await keeping.add("diploma"), office.clinician.person_id
    actor = await office.person("Кадрова Инна", role, office.institution)
    await account_of(office, actor)
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as theirs:
        await let_in(theirs, office, actor)
        page = await theirs.get(f"/credentials/{made}")
        listed = await theirs.get(f"/credentials/people/{owner}")
        if role is Role.DOCTOR:
            assert (page.status_code, listed.status_code) == (404, 404)
            return
        assert "Лечебное дело" in page.text
        assert office.clinician.name in listed.text
        assert "Обновить" not in page.text
        assert ("Оригинал сверен" in page.text) == (role is Role.HR_REVIEWER)
        file = re.search(r'"(/documents/versions/[0-9a-f-]+)"', page.text)
        assert file is not None
        assert (await theirs.get(file[1])).status_code == 200
        if role is Role.HR_REVIEWER:
            here = f"/credentials/{made}"
            done = await posted(theirs, here, f"{here}/confirm", version="1")
            assert done.status_code == 303
            said = (await theirs.get(here)).text
            assert re.search(r"сверен с оригиналом [^<]+, Кадрова Инна", said)
            assert "Сравните сведения и копию" not in said


async def test_what_two_windows_wrote_is_shown_twice_and_asked(client: httpx.AsyncClient) -> None:
    """Neither text is lost: both are seen before one of them is kept."""
    here = await begun(client, "diploma")
    again = await write_at_once(client, here, "issuer")
    assert (await again.send()).status_code == 422, "a copy is missing"
    kept = (await client.get(here)).text
    assert "Из старого окна" in kept
    assert "Из нового окна" not in kept
