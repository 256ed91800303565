"""Local frames against pymap3d, geodesics against published distances."""

import numpy as np
import pymap3d
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import (
    CoordinateError,
    LocalFrame,
    check_coordinates,
    geodesic_destination,
    geodesic_distance_m,
    geodesic_length_m,
)

latitudes = st.floats(-85, 85)
longitudes = st.floats(-180, 180)
metres = st.floats(-40_000, 40_000)


@given(latitudes, longitudes, st.floats(-400, 8000), metres, metres, st.floats(-500, 500))
def test_enu_agrees_with_pymap3d_and_returns(lat, lon, height, east, north, up):
    frame = LocalFrame(lat, lon, height)
    got = frame.to_geodetic(east, north, up)
    want = pymap3d.enu2geodetic(east, north, up, lat, lon, height)
    assert float(got[0]) == pytest.approx(want[0], abs=1e-9)
    assert (float(got[1]) - want[1] + 180) % 360 - 180 == pytest.approx(0, abs=1e-8)
    assert float(got[2]) == pytest.approx(want[2], abs=1e-3)
    assert np.allclose([float(v) for v in frame.to_enu(*got)], [east, north, up], atol=1e-4)


def test_an_origin_of_numpy_scalars_is_the_same_frame():
    plain, scalars = LocalFrame(31.0, -111.0, 5.0), LocalFrame(*np.array([31.0, -111.0, 5.0]))
    assert plain == scalars
    assert float(scalars.to_enu(31.0, -111.0, 6.0)[2]) == pytest.approx(1.0)


def test_arrays_broadcast():
    east, north, up = LocalFrame(31.0, -111.0).to_enu(np.array([[31.0], [31.1]]), np.array([-111.0, -110.9]))
    assert east.shape == north.shape == up.shape == (2, 2)
    assert east[0, 0] == pytest.approx(0, abs=1e-6)


def test_geodesic_of_flinders_peak_and_buninyon():
    # The worked example of the Geocentric Datum of Australia technical manual: 54,972.271 m on GRS80,
    # whose ellipsoid is WGS 84's to a tenth of a millimetre.
    flinders = (-(37 + 57 / 60 + 3.72030 / 3600), 144 + 25 / 60 + 29.52440 / 3600)
    buninyon = (-(37 + 39 / 60 + 10.15610 / 3600), 143 + 55 / 60 + 35.38390 / 3600)
    assert float(geodesic_distance_m(*flinders, *buninyon)) == pytest.approx(54_972.271, abs=0.001)


@given(latitudes, longitudes, st.floats(0, 360), st.floats(1, 1e6))
def test_destination_lies_at_its_distance(lat, lon, azimuth, distance):
    there = geodesic_destination(lat, lon, azimuth, distance)
    assert float(geodesic_distance_m(lat, lon, *there)) == pytest.approx(distance, abs=1e-5)


def test_length_is_the_sum_of_its_legs():
    lat, lon = np.array([10.0, 11.0, 11.0]), np.array([20.0, 20.0, 22.0])
    legs = geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    assert geodesic_length_m(lat, lon) == pytest.approx(legs.sum())


@pytest.mark.parametrize(
    ("lat", "lon", "names"),
    [
        (95.0, 10.0, "latitude 95.0 of vertex 0"),
        ([1.0, float("nan")], [2.0, 3.0], "latitude nan of vertex 1"),
        (1.0, float("inf"), "longitude inf"),
    ],
)
def test_bad_coordinates_are_named(lat, lon, names):
    with pytest.raises(CoordinateError, match=names):
        check_coordinates(lat, lon, "base 'north'")
