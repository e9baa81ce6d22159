"""Bad values typed into forms of pages: told at the field, whatever a library makes of them."""

import httpx
import pytest

from rules.access import Role
from tests.shared.desk import Desk

LONG = "9" * 5000
"""Digits of more than Python reads as a number."""


@pytest.fixture(scope="module")
async def browser(desk: Desk) -> httpx.AsyncClient:
    """An administrator's, just signed in."""
    office = desk.office
    person = await office.person("Админов Пётр", Role.ADMINISTRATOR, office.institution)
    return await desk.browser(person)


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        (
            "/notices/wishes",
            {"quiet": "true", "quiet_from": "9" * 20, "quiet_to": "08:00"},
            "например 22:00",
        ),
        (
            "/administration/terms/qualification",
            {"review": "10", "review_reminders": LONG, "answer": "10", "answer_reminders": "5"},
            "перечислите дни через запятую",
        ),
    ],
)
async def test_a_number_that_nobody_means_is_told_at_its_field(
    browser: httpx.AsyncClient, path: str, form: dict[str, str], words: str
) -> None:
    """No server error, and what was typed is on the page again."""
    answer = await browser.post(path, data=form)
    assert answer.status_code in (200, 422), answer.text
    assert words in answer.text


async def test_a_page_that_one_came_from_and_that_is_none_leads_home(
    browser: httpx.AsyncClient,
) -> None:
    """Whoever is signed out is led to signing in, whatever the browser says of where it was."""
    async with httpx.AsyncClient(
        transport=browser._transport, base_url=browser.base_url, headers={"Accept": "text/html"}
    ) as nobody:
        answer = await nobody.get("/", headers={"HX-Request": "true", "Referer": "http://["})
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"].startswith("/sign-in")
