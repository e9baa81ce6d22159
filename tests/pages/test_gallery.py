"""Every page in a real Chromium: nothing for axe to find, nothing cut off, nothing blocked."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.pages.conftest import DESKTOP, PHONE, faults_of, free_port, served, watch
from tests.pages.gallery import gallery
from tests.pages.samples import SAMPLES

pytestmark = pytest.mark.browser

LOOKS = {"phone": (PHONE, "dark", "en"), "desktop": (DESKTOP, "light", "ru")}
"""Colours do not depend on the width: two looks show both themes, widths and languages."""


@pytest.fixture(scope="module")
async def address() -> AsyncIterator[str]:
    """The gallery, served."""
    async with served(gallery(), free_port()) as url:
        yield url


@pytest.fixture(scope="module")
async def screens(browser: Browser) -> AsyncIterator[dict[str, BrowserContext]]:
    """A browser for each look, which keeps what all pages load."""
    made = {look: await browser.new_context(viewport=size) for look, (size, _, _) in LOOKS.items()}  # type: ignore[arg-type]
    yield made
    for context in made.values():
        await context.close()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SAMPLES)
async def test_page(screens: dict[str, BrowserContext], address: str, name: str, look: str) -> None:
    """A page is accessible, fits its screen, and asks for nothing that the policy forbids."""
    viewport, theme, language = LOOKS[look]
    page = await screens[look].new_page()
    wrong = watch(page)
    try:
        answer = await page.goto(f"{address}/{name}?theme={theme}&language={language}")
        assert answer is not None
        assert answer.status == 200
        assert await faults_of(page) == []
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"]
        assert wrong == []
    finally:
        await page.close()
