"""Every page in a real Chromium: nothing for axe to find, nothing cut off, nothing blocked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page

from tests.cabinet.gallery import PAGES, gallery
from tests.shared.cabinet import DESKTOP, PHONE, faults_of, watch
from tests.shared.served import at_port, free_port

pytestmark = pytest.mark.browser

LOOKS = {"phone": (PHONE, "dark", "en"), "desktop": (DESKTOP, "light", "ru")}
"""Colours do not depend on the width: two looks show both themes, widths and languages."""


BOXES = """() => [...document.querySelectorAll("input[type=checkbox]")].map((box) => {
  const sign = box.matches(".govuk-checkboxes__input") && box.nextElementSibling;
  return (sign ? getComputedStyle(sign, "::before") : getComputedStyle(box)).width;
})"""
"""The widths of all boxes of a page to tick, as they are drawn."""

DRAWN_BY_THE_BROWSER = """
  [...document.querySelectorAll("input:is([type=checkbox], [type=radio])")]
    .filter(box => box.checkVisibility({ opacityProperty: true }))
    .filter(box => getComputedStyle(box).appearance !== "none")
    .map(box => box.outerHTML)
"""
"""Boxes and buttons of a choice that do not follow the theme."""


@pytest.fixture(scope="module")
async def address() -> AsyncIterator[str]:
    """The gallery, served."""
    async with at_port(gallery(), free_port()) as url:
        yield url


@dataclass(frozen=True)
class Screen:
    """A tab that goes from page to page, and what went wrong in it since somebody last asked."""

    page: Page
    wrong: list[str]


@pytest.fixture(scope="module")
async def screens(browser: Browser) -> AsyncIterator[dict[str, Screen]]:
    """A tab for each look: what all pages load is kept, and no page needs a process of its own."""
    made = {}
    for look, (size, _, _) in LOOKS.items():
        page = await browser.new_page(viewport=size)  # type: ignore[arg-type]
        made[look] = Screen(page, watch(page))
    yield made
    for screen in made.values():
        await screen.page.close()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
async def test_page(screens: dict[str, Screen], address: str, name: str, look: str) -> None:
    """A page is accessible, fits its screen, and asks for nothing that the policy forbids."""
    viewport, theme, language = LOOKS[look]
    page, wrong = screens[look].page, screens[look].wrong
    wrong.clear()
    answer = await page.goto(f"{address}/{name}?theme={theme}&language={language}")
    assert answer is not None
    assert answer.status == 200
    assert await faults_of(page) == []
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]
    assert len(set(await page.evaluate(BOXES))) <= 1
    assert await page.evaluate(DRAWN_BY_THE_BROWSER) == []
    if name == "case-approved":
        place = await page.locator(".case-now .button").first.bounding_box()
        assert place
        assert place["y"] < viewport["height"], "the paper is on the first screen"
    assert wrong == []


CUT = """
  [...document.querySelectorAll(".table-dense :is(td, th, .row-link, .unread, .due), .tab")]
    .filter(one => getComputedStyle(one).display != "inline")
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => one.textContent.trim())
"""


@pytest.mark.parametrize("width", [1280, 1920])
async def test_what_a_reviewer_looks_for_is_never_cut(
    screens: dict[str, Screen], address: str, width: int
) -> None:
    """Numbers, names, terms and what is new in the queue, and the tabs of papers, are whole."""
    page = screens["desktop"].page
    await page.set_viewport_size({"width": width, "height": 900})
    for name in ("desk", "desk-team", "archive", "desk-case"):
        answer = await page.goto(f"{address}/{name}")
        assert answer is not None
        assert answer.status == 200
        assert await page.evaluate(CUT) == [], name
    await page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
