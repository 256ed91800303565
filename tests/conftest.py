"""What every test may ask for."""

import asyncio
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from tests import turns
from tests.asked import MOST
from tests.programs import heed_signals
from tests.services import absent, mosquitto, postgres  # noqa: F401 - fixtures
from tests.spent import Spent
from tests.steady import SteadyPolicy

IN_CI = os.environ.get("VEDETTE_REQUIRE_ALL") == "1"
# Files of minutes: begun late, one of them is all that still runs at the end.
LONGEST = [
    "system/test_patrol.py",
    "system/test_exercise.py",
    "system/test_demo.py",
    "api/test_leaks.py",
    "system/test_station.py",
    "console/test_units.py",
    "system/test_rejoin_flight.py",
    "missions/test_network_plan.py",
    "system/test_patrol_cues.py",
    "console/test_plan.py",
    "console/test_flown.py",
    "system/test_evaluate.py",
    "system/test_watch_live.py",
    "api/test_service_killed.py",
    "system/test_order_dialects.py",
    "console/test_wheel.py",
    "console/test_map.py",
    "system/test_watch_several.py",
    "system/test_log_poses.py",
    "system/test_commands.py",
    "console/test_review.py",
    "system/test_patrol_orders.py",
    "vision/test_steady.py",
    "system/test_dialect_flights.py",
    "missions/test_widened.py",
    "sim/test_pytest_plugin.py",
    "console/test_launch.py",
    "missions/test_picture.py",
    "system/test_resume.py",
    "console/test_fly.py",
    "vision/test_live.py",
    "vision/test_watch.py",
    "system/test_tampering.py",
    "vision/test_standing_cameras.py",
    "vision/test_tracker.py",
    "system/test_live_pictures.py",
    "system/test_stopping.py",
    "vision/test_train.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: workers take whole files, those of their kind (`tests.turns`) in this order."""
    items.sort(key=lambda item: _rank(item.path))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Tests last as long as the run: looked through for garbage over and over, they are a third of their collection.

    What tests leave behind is looked for less often than by itself, which takes a tenth of their time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Whole files are shared out by what they do; CI tells where its processor time goes."""
    config.pluginmanager.register(turns)
    turns.give_way(config)
    if IN_CI:
        config.pluginmanager.register(Spent())


def _rank(file: Path) -> int:
    name = f"{file.parent.name}/{file.name}"
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


heed_signals()
# No vehicle was silent and nobody slow while the machine stood still.
asyncio.set_event_loop_policy(SteadyPolicy())

# How long a test takes says more of the machine than of the code: figures of time are in bench.
settings.register_profile("at any pace", deadline=None)
settings.load_profile("at any pace")
# What decides whether a change lands is asked the same questions every time; at a developer's desk they are new ones.
settings.register_profile(
    "same every time", parent=settings.get_profile("at any pace"), derandomize=True, max_examples=MOST
)
if IN_CI:
    settings.load_profile("same every time")
    # Numbers that stand in our modules are drawn too, of those that a worker happens to have loaded by then.
    none = providers.Constants()
    providers._get_local_constants = lambda: none


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
