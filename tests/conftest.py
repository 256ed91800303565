"""What every test may ask for."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from tests.services import absent, mosquitto, postgres  # noqa: F401 - fixtures
from tests.steady import SteadyPolicy

# Rooms whose tests mostly wait: what they fly has a time of its own.
WAITING = {"autopilot", "sim", "system"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files that wait evenly among those that compute, so that neither kind comes last; the longest first.

    Workers take whole files, in this order.
    """
    kinds: dict[bool, dict[Path, bool]] = {True: {}, False: {}}
    for item in items:
        long = item.get_closest_marker("timeout") is not None
        files = kinds[item.path.parent.name in WAITING]
        files[item.path] = files.get(item.path, False) or long
    place = {
        file: (not long, (number + 0.5) / len(files))
        for files in kinds.values()
        for number, (file, long) in enumerate(files.items())
    }
    items.sort(key=lambda item: place[item.path])


# No vehicle was silent and nobody slow while the machine stood still.
asyncio.set_event_loop_policy(SteadyPolicy())

# How long a test takes says more of the machine than of the code: figures of time are in bench.
settings.register_profile("at any pace", deadline=None)
settings.load_profile("at any pace")
# What decides whether a change lands is asked the same questions every time; at a developer's desk they are new ones.
settings.register_profile("same every time", parent=settings.get_profile("at any pace"), derandomize=True)
if os.environ.get("VEDETTE_REQUIRE_ALL") == "1":
    settings.load_profile("same every time")
    # Numbers that stand in our modules are drawn too, of those that a worker happens to have loaded by then.
    none = providers.Constants()
    providers.HypothesisProvider._local_constants = property(lambda _: none)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Path of a file of the shared data folder; skips, or with VEDETTE_REQUIRE_ALL=1 fails, where it is absent."""
    root = Path(os.environ.get("VEDETTE_DATA", Path(__file__).parents[2] / "shared" / "data"))

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            absent(f"shared data file {name} is absent: set VEDETTE_DATA to the folder that holds it")
        return path

    return find


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """Path of the program; where it is absent the test is skipped, or fails with VEDETTE_REQUIRE_ALL=1."""
    program = shutil.which("ffmpeg")
    if program is None:
        absent("ffmpeg is absent: .ci/services installs it")
    return program
