"""A real service, people of every role, and a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from api import Settings
from api.identity.settings import Argon2, IdentitySettings
from api.server import running
from tests.console.desk import Desk, Live
from tests.console.seats import Seats
from tests.services import absent

# A machine that does four things at once is slow, and no test here is of how quick it is.
expect.set_options(timeout=30_000)
PROGRAMS = ("chromium-headless-shell", "chromium")
"""The same engine with no window of its own around the page takes a quarter of the processor time less."""
LAUNCH = (
    "--use-angle=swiftshader",  # the software renderer: no machine of tests has another
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",  # it is for maps alone: pages are put together without it, in half the time
    "--no-sandbox",  # as root, in a container
    "--disable-dev-shm-usage",
)
# Whoever sat down at the start of a run is not sent away at its end; the cheapest hash that is taken.
_IDENTITY = IdentitySettings(idle_s=12 * 3600, argon2=Argon2(time_cost=2, memory_kib=19 << 10, parallelism=1))


def program_of_the_browser() -> str | None:
    """Path of the first of `PROGRAMS` that is there."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


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
    program = program_of_the_browser()
    if program is None:
        absent("chromium-headless-shell is absent: .ci/services installs it")
    browser = playwright.chromium.launch(executable_path=program, args=list(LAUNCH))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def seats(chromium: Browser) -> Seats:
    return Seats(chromium)


@pytest.fixture(scope="session")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """A service that has stopped: its folder, in which everybody is logged in, is copied for each test."""
    directory = tmp_path_factory.mktemp("peopled") / "service"
    with running(Settings(directory, port=0, identity=_IDENTITY)) as service:
        return Live.of(service, directory)


@pytest.fixture(scope="session")
def served() -> Callable[..., AbstractContextManager[Live]]:
    """Serve a copy of what a service left: `with served(peopled, tmp_path / "service")`; other settings by name.

    A folder that is there already is gone on with.
    """

    @contextmanager
    def run(left: Live, directory: Path, **settings: Any) -> Iterator[Live]:
        if not directory.exists():
            shutil.copytree(left.directory, directory)
        given = {"port": 0, "identity": _IDENTITY, **settings}
        with running(Settings(directory, **given)) as service:
            yield replace(left, url=service.url, service=service, directory=directory)

    return run


@pytest.fixture
def serve(
    tmp_path: Path, peopled: Live, served: Callable[..., AbstractContextManager[Live]]
) -> Callable[..., AbstractContextManager[Live]]:
    """Run the service of this test, with somebody of every role: `with serve()`, and again `with serve(port)`."""
    return lambda port=0: served(peopled, tmp_path / "service", port=port)


@pytest.fixture
def live(serve: Callable[..., AbstractContextManager[Live]]) -> Iterator[Live]:
    """A service of its own for a test, with somebody of every role."""
    with serve() as live:
        yield live


@pytest.fixture
def desk(seats: Seats, pictures: Path) -> Iterator[Callable[..., Desk]]:
    """Sit somebody down: `desk(live, "analyst")` is a page, logged in; what goes wrong in one fails the test.

    With a place, `desk(live, "analyst", "#/account")`, it opens there, and no map of the first view is drawn for
    nothing. Without a role, or with settings of its own for the browser, it is a page that nobody had before.
    """
    desks: list[Desk] = []

    def sit(
        live: Live, role: str | None, place: str = "", *, width: int = 1280, height: int = 800, **context: Any
    ) -> Desk:
        page = seats.take({"width": width, "height": height}, kept=role is not None and not context, **context)
        made = Desk(page, live, pictures)
        desks.append(made)
        if role is not None:
            made.log_in(role, place)
        return made

    yield sit
    try:
        for made in desks:
            made.leave()
            seats.leave(made.page)
    finally:  # what went wrong is told, though a page that it left so cannot be put in order
        for made in desks:
            made.check()
