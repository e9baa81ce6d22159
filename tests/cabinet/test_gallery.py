"""Every page in a real Chromium: nothing for axe to find, nothing cut off, nothing blocked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from tests.cabinet.gallery import PAGES, gallery
from tests.shared.cabinet import DESKTOP, DRAWN, PHONE, faults_of, watch
from tests.shared.served import at_port, free_port

pytestmark = pytest.mark.browser

WIDE, NARROW = (ViewportSize(width=one["width"], height=one["height"]) for one in (DESKTOP, PHONE))

MEASURED = """[
  document.documentElement.scrollWidth,
  new Set([...document.querySelectorAll("input[type=checkbox]")].map((box) => {
    const sign = box.matches(".govuk-checkboxes__input") && box.nextElementSibling;
    return (sign ? getComputedStyle(sign, "::before") : getComputedStyle(box)).width;
  })).size,
  [...document.querySelectorAll("input:is([type=checkbox], [type=radio])")]
    .filter(box => box.checkVisibility({ opacityProperty: true }))
    .filter(box => getComputedStyle(box).appearance !== "none")
    .map(box => box.outerHTML),
]"""
"""How wide a page is; how many widths its boxes have; boxes that do not follow the theme."""

DARK = "document.documentElement.dataset.theme = 'dark'"

IN_ENGLISH = """async () => {
  const answer = await (await fetch(location.pathname + "?language=en")).text();
  document.body.replaceWith(new DOMParser().parseFromString(answer, "text/html").body);
}"""


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

    async def fits(self, size: ViewportSize) -> None:
        """Nothing hangs over the edge, and what one ticks looks the same all over the page."""
        width, box_widths, drawn_by_the_browser = await self.page.evaluate(MEASURED)
        assert width <= size["width"]
        assert box_widths <= 1
        assert drawn_by_the_browser == []


@pytest.fixture(scope="module")
async def screen(browser: Browser) -> AsyncIterator[Screen]:
    """One tab for all: what pages load is kept, and none needs a process of its own."""
    page = await browser.new_page(viewport=WIDE)
    yield Screen(page, watch(page))
    await page.close()


@pytest.mark.parametrize("name", PAGES)
async def test_page(screen: Screen, address: str, name: str) -> None:
    """A page is accessible, fits every screen, and asks for nothing that the policy forbids.

    A light desktop turns into a dark phone, then Russian into English.
    """
    page = screen.page
    screen.wrong.clear()
    answer = await page.goto(f"{address}/{name}?theme=light")
    assert answer is not None
    assert answer.status == 200
    assert await faults_of(page) == []
    await screen.fits(WIDE)
    await paper_is_in_sight(page, name, WIDE)
    await page.set_viewport_size(NARROW)
    await page.evaluate(DARK)
    assert await faults_of(page, DRAWN) == []
    await screen.fits(NARROW)
    await paper_is_in_sight(page, name, NARROW)
    assert screen.wrong == []
    await page.evaluate(IN_ENGLISH)
    await screen.fits(NARROW)
    await page.set_viewport_size(WIDE)
    await screen.fits(WIDE)


async def paper_is_in_sight(page: Page, name: str, size: ViewportSize) -> None:
    """What an approval brings stands on the first screen of its page."""
    if name == "case-approved":
        place = await page.locator(".case-now .button").first.bounding_box()
        assert place
        assert place["y"] < size["height"]


OPEN = """
  for (const menu of document.querySelectorAll("header details, nav details")) menu.open = true;
"""


@pytest.mark.parametrize("name", ["desk", "desk-team", "absence"])
async def test_what_only_a_phone_shows(screen: Screen, address: str, name: str) -> None:
    """Menus of a phone that are open, and tables that are cards there: nothing for axe to find."""
    page = screen.page
    await page.set_viewport_size(NARROW)
    answer = await page.goto(f"{address}/{name}?theme=light")
    assert answer is not None
    assert answer.status == 200
    await page.evaluate(OPEN)
    assert await page.locator(".only-narrow:visible").count() >= 2
    assert await page.locator(".nav-more .menu-sheet:visible").count() == (name != "absence")
    assert await faults_of(page) == []
    await page.set_viewport_size(WIDE)


CUT = """
  [...document.querySelectorAll(".table-dense :is(td, th, .row-link, .unread, .due), .tab")]
    .filter(one => getComputedStyle(one).display != "inline")
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => one.textContent.trim())
"""


@pytest.mark.parametrize("width", [1280, 1920])
async def test_what_a_reviewer_looks_for_is_never_cut(
    screen: Screen, address: str, width: int
) -> None:
    """Numbers, names, terms and what is new in the queue, and the tabs of papers, are whole."""
    page = screen.page
    await page.set_viewport_size({"width": width, "height": 900})
    for name in ("desk", "desk-team", "archive", "desk-case"):
        answer = await page.goto(f"{address}/{name}")
        assert answer is not None
        assert answer.status == 200
        assert await page.evaluate(CUT) == [], name
    await page.set_viewport_size(WIDE)
