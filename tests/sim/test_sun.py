"""Day and night."""

from datetime import UTC, datetime

import numpy as np
import pytest

from sim.sun import is_day, sun_elevation_deg
from sim.times import microseconds


def at(text):
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("lat", "lon", "start", "rise", "sets"),
    [
        # Published sunrise and sunset to the minute: Greenwich at an equinox and both solstices.
        (51.4779, 0.0, "2024-06-20", "03:43", "20:21"),
        (51.4779, 0.0, "2024-12-21", "08:04", "15:54"),
        (51.4779, 0.0, "2024-03-20", "06:03", "18:13"),
    ],
)
def test_the_sun_rises_and_sets_when_almanacs_say(lat, lon, start, rise, sets):
    minutes = at(start) + 60_000_000 * np.arange(24 * 60)
    day = is_day(lat, lon, minutes)
    up, down = np.flatnonzero(day)[[0, -1]]
    for found, told in ((up, rise), (down, sets)):
        hour, minute = map(int, told.split(":"))
        assert abs(int(found) - (60 * hour + minute)) <= 2


def test_noon_stands_as_high_as_latitude_and_declination_say():
    # June solstice 2024: declination 23.44 degrees; the sun culminates over Greenwich at 12:01:50.
    minutes = at("2024-06-20T11:00") + 60_000_000 * np.arange(120)
    highest = {lat: sun_elevation_deg(lat, 0.0, minutes).max() for lat in (60.0, 40.0, 23.44)}
    assert highest[60.0] == pytest.approx(53.44, abs=0.02)
    assert highest[40.0] == pytest.approx(73.44, abs=0.02)
    assert highest[23.44] > 89.8


def test_polar_night_and_day():
    assert not is_day(78.2, 15.6, at("2024-12-21") + 3_600_000_000 * np.arange(24)).any()
    assert is_day(78.2, 15.6, at("2024-06-21") + 3_600_000_000 * np.arange(24)).all()
