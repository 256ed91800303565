"""A real service, people of every role, and a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, expect, sync_playwright

from api import Settings
from api.server import running
from tests.console.desk import Desk, Live
from tests.services import absent

# A machine that does four things at once is slow, and no test here is of how quick it is.
expect.set_options(timeout=30_000)
LAUNCH = (
    "--use-angle=swiftshader",  # the software renderer: no machine of tests has another
    "--enable-unsafe-swiftshader",
    "--no-sandbox",  # as root, in a container
    "--disable-dev-shm-usage",
)


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept: the output of a CI run."""
    folder = Path(os.environ.get("VEDETTE_SCREENSHOTS", Path(__file__).parents[2] / "runs" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")  # it holds the event loop of its thread, which tests of other files need
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        absent("chromium is absent: .ci/services installs it")
    browser = playwright.chromium.launch(executable_path=program, args=list(LAUNCH))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """A service that has stopped: its folder, in which everybody has an account, is copied for each test."""
    directory = tmp_path_factory.mktemp("peopled") / "service"
    with running(Settings(directory, port=0)) as service:
        return Live.of(service, directory)


@pytest.fixture
def live(tmp_path: Path, peopled: Live) -> Iterator[Live]:
    """A service of its own for a test, with somebody of every role."""
    directory = tmp_path / "service"
    shutil.copytree(peopled.directory, directory)
    with running(Settings(directory, port=0)) as service:
        yield replace(peopled, url=service.url, service=service, directory=directory)


@pytest.fixture
def desk(chromium: Browser, pictures: Path) -> Iterator[Callable[..., Desk]]:
    """Sit somebody down: `desk(live, "analyst")` is a page, logged in; what goes wrong in one fails the test."""
    desks: list[Desk] = []

    def sit(live: Live, role: str | None, *, width: int = 1280, height: int = 800, **context: Any) -> Desk:
        size: ViewportSize = {"width": width, "height": height}
        opened = chromium.new_context(
            viewport=size, base_url=live.url, locale="en-GB", timezone_id="Europe/Athens", **context
        )
        page: Page = opened.new_page()
        page.set_default_timeout(60_000)
        made = Desk(page, live, pictures)
        desks.append(made)
        if role is not None:
            made.log_in(role)
        return made

    yield sit
    for made in desks:
        made.page.context.close()
    for made in desks:
        made.check()
