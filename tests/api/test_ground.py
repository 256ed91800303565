"""How high the ground is: by the service's terrain where it has some, unknown elsewhere, and told to nobody outside."""

from dataclasses import replace

import numpy as np
import pytest

from api.planning.ground import ground_at
from api.planning.settings import PlanningSettings
from tests.api.conftest import ON_SQLITE

SAMPLES = 1201


@pytest.fixture(scope="module")
def terrain(tmp_path_factory):
    """A slope of SRTM form: 1000 m in the south, 1120 m in the north."""
    folder = tmp_path_factory.mktemp("terrain")
    heights = np.repeat(np.linspace(1120, 1000, SAMPLES)[:, None], SAMPLES, axis=1).round().astype(">i2")
    heights.tofile(folder / "N31W111.hgt")
    return folder


@pytest.mark.parametrize(("lat", "height"), [(31.25, 1030.0), (31.5, 1060.0), (31.75, 1090.0)])
def test_the_ground_is_as_high_as_the_terrain_says(terrain, lat, height):
    told = ground_at(terrain, lat, -110.5)
    assert told["ground_amsl_m"] == pytest.approx(height, abs=1.0)
    assert told["resolution_m"] == pytest.approx(92.6, abs=1.0)


def test_of_what_lies_elsewhere_nothing_is_known(terrain, tmp_path):
    unknown = {"ground_amsl_m": None, "resolution_m": None}
    assert ground_at(terrain, 45.0, 10.0) == unknown
    assert ground_at(None, 31.5, -110.5) == unknown
    assert ground_at(tmp_path / "nothing", 31.5, -110.5) == unknown


def test_terrain_that_cannot_be_read_is_logged_and_holes_in_it_are_not(terrain, tmp_path, caplog):
    ground_at(terrain, 45.0, 10.0)
    assert caplog.messages == []
    ground_at(tmp_path / "nothing", 31.5, -110.5)
    assert caplog.messages == ["terrain cannot be read"]


@ON_SQLITE
def test_those_inside_are_told_and_partners_are_not(service, terrain):
    service.app.state.settings = replace(service.app.state.settings, planning=PlanningSettings(terrain=terrain))
    service.partner("bravo")
    place = {"lat": 31.5, "lon": -110.5}
    for who in ("pilot", "analyst", "supervisor"):
        assert service.ask(who, "GET", "/ground", params=place).json()["ground_amsl_m"] == pytest.approx(1060, abs=1)
    assert service.ask("bravo", "GET", "/ground", params=place).json()["ground_amsl_m"] is None
    assert service.ask("sensor", "GET", "/ground", params=place).status_code == 403
    assert service.ask("pilot", "GET", "/ground", params={"lat": 91, "lon": 0}).status_code == 422
    assert service.ask("pilot", "GET", "/ground").status_code == 422
