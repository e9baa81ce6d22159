"""A real Chromium for the tests that need one: a single one for all files of a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright, async_playwright, expect

from ops.install.chromium import find
from tests.shared.waiting import PATIENCE

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A Chromium that is on this machine; without one the test fails with the remedy."""
    return find()


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    """What drives the browsers of this process."""
    async with async_playwright() as driver:
        expect.set_options(timeout=PATIENCE * 1000)
        yield driver


@asynccontextmanager
async def launched(playwright: Playwright, chromium: Path) -> AsyncIterator[Browser]:
    """A real Chromium for as long as the block lasts."""
    started = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield started
    await started.close()


@pytest.fixture(scope="session")
async def browser(playwright: Playwright, chromium: Path) -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with launched(playwright, chromium) as started:
        yield started
