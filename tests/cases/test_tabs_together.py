"""Several tabs on one thing: what was shown as kept is kept."""

import asyncio
from dataclasses import dataclass, replace
from datetime import time
from typing import Any
from uuid import UUID

import httpx
from playwright.async_api import Browser, Route, expect

from services.notices import settings as notice_settings
from tests.shared.cabinet import Site, signed_in, small_pdf, token_on
from tests.shared.office import Office
from tests.shared.tabs import Tab, shown_on
from tests.shared.waiting import until

AT_ONCE = 24


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


async def test_an_older_tab_empties_nothing(client: httpx.AsyncClient, office: Office) -> None:
    """What a newer tab wrote stays when an older one sends the same section with another field."""
    page = await section(office, "grounds")
    older, newer = [await Tab.open(client, page, page) for _ in range(2)]
    await newer.send(purpose="Написано в новом окне")
    # The older one shows no purpose yet, and sends all that it shows.
    await older.send(payer="own")
    kept = await draft_of(office, page)
    assert (kept["purpose"], kept["payer"]) == ("Написано в новом окне", "own")


async def test_what_two_tabs_changed_is_shown_twice_and_asked(
    client: httpx.AsyncClient, office: Office
) -> None:
    """Neither is lost: the refusal has both, and the next time the person has decided."""
    page = await section(office, "grounds")
    older, newer = [await Tab.open(client, page, page) for _ in range(2)]
    await newer.send(purpose="Из нового окна")
    refused = await older.send(purpose="Из старого окна", payer="own")
    assert refused.status_code == 409
    assert "В другом окне здесь записано: «Из нового окна»" in refused.text
    again = Tab.of(client, refused.text, page)
    assert again.fields["purpose"] == ["Из старого окна"]
    kept = await draft_of(office, page)
    assert (kept["purpose"], kept["payer"]) == ("Из нового окна", "own")
    await again.send()
    assert (await draft_of(office, page))["purpose"] == "Из старого окна"


async def test_autosave_of_an_older_tab(client: httpx.AsyncClient, office: Office) -> None:
    """It says what was not kept; a tab that saves twice does not stand in its own way."""
    page = await section(office, "grounds")
    older, newer = [
        replace(await Tab.open(client, page, page), action=f"{page}/autosave") for _ in range(2)
    ]
    for purpose in ("Раз", "Раз и два"):
        saved = await newer.send(purpose=purpose, left="purpose")
        assert "Сохранено в" in saved.text
        newer.fields["shown"] = [shown_on(saved.text)]
    refused = await older.send(purpose="Иначе", left="purpose")
    assert "Сохранены не все поля" in refused.text
    assert "«Раз и два»" in refused.text
    older.fields["shown"] = [shown_on(refused.text)]
    assert "Сохранены не все поля" in (await older.send(purpose="Иначе", payer="own")).text
    kept = await draft_of(office, page)
    assert (kept["purpose"], kept["payer"]) == ("Раз и два", "own")


async def test_a_text_that_is_far_too_long_stays_in_the_form(
    client: httpx.AsyncClient, office: Office
) -> None:
    """It is refused in words with the text still there: nothing is cut, the rest is kept."""
    page, long = await section(office, "grounds"), "я" * 20_001
    tab = await Tab.open(client, page, page)
    refused = await tab.send(purpose=long, payer="own")
    assert refused.status_code == 409
    assert "Сократите текст до 20000 знаков" in refused.text
    assert Tab.of(client, refused.text, page).fields["purpose"] == [long]
    kept = await draft_of(office, page)
    assert (kept.get("purpose"), kept["payer"]) == (None, "own")


async def test_the_reason_of_a_withdrawal_is_kept_whole(
    client: httpx.AsyncClient, office: Office
) -> None:
    """4000 signs with many lines are kept; one more is refused, and the text is still there."""
    case_id = await office.in_review()
    action = f"/applications/{case_id}/withdraw"
    reason = "я\r\n" * 1999 + "яя"
    tab = await Tab.open(client, action, action)
    refused = await tab.send(reason=f"{reason}я")
    assert refused.status_code == 422
    assert "Сократите причину до 4000 знаков." in refused.text
    again = Tab.of(client, refused.text, action)
    whole = reason.replace("\r\n", "\n")
    assert again.fields["reason"] == [f"{whole}я"]
    assert (await again.send(reason=reason)).status_code == 303
    assert (await office.journal(case_id))[-1].contents == {"reason": whole}


async def section(office: Office, name: str) -> str:
    """The page of a section of a new draft."""
    case = await office.applications.create_draft(office.clinician, office.programme_id)
    return f"/applications/{case.id}/draft/{name}"


async def draft_of(office: Office, page: str) -> dict[str, Any]:
    """What is kept of the draft that a page belongs to."""
    kept = (await office.case(UUID(page.split("/")[2]))).draft
    assert kept is not None
    return kept


async def test_a_tab_that_is_typed_in_stands_not_in_its_own_way(
    browser: Browser, site: Site, office: Office
) -> None:
    """Changes made while the one before is still being kept: the last is kept, nothing is asked."""
    page_url = await section(office, "grounds")
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()

    typed = asyncio.Event()

    async def held(route: Route) -> None:
        await typed.wait()
        await route.continue_()

    await page.route("**/autosave", held)
    await page.goto(f"{site.url}{page_url}")
    purpose = page.locator("#field-purpose")
    async with page.expect_request("**/autosave"):
        await purpose.fill("Первое")
        await purpose.blur()
    for words in ("Второе", "Третье, последнее"):
        await purpose.fill(words)
        await purpose.blur()
    typed.set()

    async def last_is_kept() -> bool:
        return (await draft_of(office, page_url)).get("purpose") == "Третье, последнее"

    await until(last_is_kept)
    await expect(purpose).to_have_value("Третье, последнее")
    await page.get_by_role("button", name="Сохранить и продолжить").click()
    assert "В другом окне" not in await page.content()
    await context.close()


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
        async with self.office.database.work() as session:
            return await notice_settings.wishes_of(session, self.office.clinician)
