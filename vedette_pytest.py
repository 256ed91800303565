"""Fixtures for pytest: vehicles that speak MAVLink, for each test its own.

Installed with the package, pytest finds it by itself. It stands outside the packages, and imports them only when a
fixture is asked for, because every run of pytest in the environment loads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import sim

__all__ = ["sitl_fleet", "sitl_vehicle", "sitl_world"]

_MARKER = (
    "sitl(autopilot, frame, vehicles, faults, speedup, home, ...): what the fixtures sitl_vehicle, sitl_fleet and "
    "sitl_world are made of; every setting of sim.FleetConfig, and actors for the world"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --sitl."""
    parser.getgroup("vedette").addoption(
        "--sitl",
        choices=("ardupilot", "px4"),
        help="Run the sitl fixtures against that autopilot's own simulator: the executable that VEDETTE_ARDUPILOT_SITL "
        "or VEDETTE_PX4_SITL names, or a Docker image of it.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@contextmanager
def _one_line() -> Iterator[None]:
    """What cannot be simulated is an error of the test's settings: told in one line, without a trace."""
    from geo import VedetteError  # noqa: PLC0415 (see above)

    try:
        yield
    except VedetteError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings of all markers of a test; the nearest counts."""
    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("sitl"))):
        if marker.args:
            pytest.fail(f"pytest.mark.sitl takes settings by name, not {marker.args!r}", pytrace=False)
        settings |= marker.kwargs
    return settings


@pytest.fixture
def _sitl_config(request: pytest.FixtureRequest) -> sim.FleetConfig:
    from sim import sitl_config  # noqa: PLC0415 (see above)

    settings = _settings(request)
    settings.setdefault("autopilot", request.config.getoption("--sitl") or "ardupilot")
    with _one_line():
        return sitl_config(settings, Path(request.path).parent)


@pytest.fixture
def sitl_fleet(
    request: pytest.FixtureRequest, _sitl_config: sim.FleetConfig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sim.SitlFleet]:
    """Vehicles that run on ports of their own until the test ends."""
    from sim import start_sitl  # noqa: PLC0415 (see above)

    real = request.config.getoption("--sitl")
    folder = tmp_path_factory.mktemp("sitl") if real else None
    running = start_sitl(_sitl_config, real=real, folder=folder)
    with _one_line():
        fleet = running.__enter__()
    try:
        yield fleet
    finally:
        running.__exit__(None, None, None)


@pytest.fixture
def sitl_vehicle(sitl_fleet: sim.SitlFleet) -> sim.SitlVehicle:
    """A vehicle that runs on a port of its own until the test ends: the first of the fleet."""
    return sitl_fleet[0]


@pytest.fixture
def sitl_world(request: pytest.FixtureRequest, _sitl_config: sim.FleetConfig) -> sim.World:
    """People, vehicles and animals about the home of the fleet, by its seed and on its clock."""
    from sim import peopled_world  # noqa: PLC0415 (see above)

    with _one_line():
        return peopled_world(_sitl_config, _settings(request).get("actors"))
