"""What ends when, as heads meet it; a renewal begun from its page; one's own days (Q4, Q7, Q9)."""

from datetime import timedelta
from io import BytesIO

import httpx
import openpyxl

from rules.clock import now
from tests.credentials.conftest import Keeping
from tests.credentials.test_overview import ward
from tests.credentials.test_pages import posted
from tests.shared.cabinet import Site, account_of, let_in, token_on
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE


async def test_a_head_finds_what_ends_and_takes_the_list_along(
    site: Site, office: Office, keeping: Keeping
) -> None:
    """The table, its filters, the months, the workbook, and numbers without names."""
    unit, head, doctor = await ward(office)
    last = (now() + timedelta(days=40)).date()
    soon = await keeping.add(actor=doctor, number="77", valid_until=last.strftime("%d.%m.%Y"))
    await keeping.add("diploma", doctor)
    await account_of(office, head)
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as theirs:
        await let_in(theirs, office, head)
        page = (await theirs.get("/credentials/staff")).text
        assert "Врачова Анна" in page
        first, second = "специалиста: Кардиология", "образовании: Лечебное дело"
        assert page.index(first) < page.index(second), "what ends soonest comes first"
        assert page.count("month-bar") == 12
        month = f"/credentials/staff?month={last:%Y-%m}"
        assert month in page
        narrowed = (await theirs.get(f"{month}&standing=soon&unit={unit.id}")).text
        assert str(soon) in narrowed
        assert "Диплом об образовании: Лечебное дело" not in narrowed
        nothing = (await theirs.get("/credentials/staff?standing=expired")).text
        assert "ничего не нашлось" in nothing
        assert (await theirs.get("/credentials/staff?after=x&month=1-1&unit=1")).status_code == 200
        token = await token_on(theirs, "/credentials/staff")
        file = await theirs.post(
            "/credentials/staff/file?standing=soon", data={"csrf_token": token}
        )
        sheet = openpyxl.load_workbook(BytesIO(file.content)).active
        assert sheet is not None
        rows = [row for row in sheet.iter_rows(values_only=True) if row[0] == "Врачова Анна"]
        assert [row[3:7] for row in rows] == [
            ("Аккредитация специалиста", "Кардиология", f"{last:%d.%m.%Y}", "заканчивается")
        ]
        numbers = (await theirs.get("/credentials/staff/numbers")).text
        assert "скрыто" in numbers
        assert "Врачова" not in numbers


async def test_nobody_else_sees_what_ends(client: httpx.AsyncClient) -> None:
    """A clinician sees no colleagues, in no surface."""
    assert (await client.get("/credentials/staff")).status_code == 403
    assert (await client.get("/credentials/staff/numbers")).status_code == 403
    token = await token_on(client, "/credentials")
    assert "Сроки сотрудников" not in (await client.get("/credentials")).text
    file = await client.post("/credentials/staff/file", data={"csrf_token": token})
    assert file.status_code == 403


async def test_a_renewal_begins_from_the_credential(
    client: httpx.AsyncClient, keeping: Keeping, office: Office
) -> None:
    """«Продлить» leads to the draft of the kind that renews it, and again to the same one."""
    here = f"/credentials/{await keeping.add('certificate')}"
    assert f"{here}/renew" in (await client.get(here)).text
    refused = await posted(client, f"{here}/renew", f"{here}/renew")
    assert (refused.status_code, "Выберите программу" in refused.text) == (422, True)
    programme = str(office.programme_id)
    began = await posted(client, f"{here}/renew", f"{here}/renew", programme_id=programme)
    draft = began.headers["location"]
    assert draft.startswith("/applications/")
    assert (await client.get(draft)).status_code == 200
    page = (await client.get(here)).text
    assert "в процессе продления" in page
    assert f"{here}/renew" not in page
    again = await posted(client, f"{here}/renew", f"{here}/renew", programme_id=programme)
    assert again.headers["location"] == draft
    other = f"/credentials/{await keeping.add()}"
    began = await posted(client, f"{other}/renew", f"{other}/renew")
    assert began.headers["location"].startswith("/accreditations/")
    assert (await client.get(began.headers["location"])).status_code == 200


async def test_own_days_are_chosen_among_the_settings(client: httpx.AsyncClient) -> None:
    """Q4: what was typed is kept, and what is no number is said so."""
    page = "/notices/settings"
    assert 'value="90, 60, 30, 14, 7, 1, 0"' in (await client.get(page)).text
    refused = await posted(client, page, "/notices/reminders", leads_typed="семь")
    assert (refused.status_code, "числами" in refused.text) == (422, True)
    kept = await posted(client, page, "/notices/reminders", leads_typed="3 45;10")
    assert kept.status_code == 303
    assert 'value="45, 10, 3"' in (await client.get(page)).text
