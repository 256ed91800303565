"""Cells of the band: their areas are those of buffers, and each lies beside its own part of the line."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missions.band import BandLine, band_cells
from missions.plane import Plane
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, wiggly_borders

SLOW = settings(max_examples=asked(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def line(points, left_m, right_m):
    xy = shapely.get_coordinates(shapely.segmentize(shapely.linestrings(points), 500.0))
    return BandLine(*Plane.at(LAT, LON).lat_lon(xy), left_m, right_m)


def everything(band, step_m=4.0, row_m=4.0):
    plane = Plane.at(LAT, LON)
    cells = list(band_cells(band, step_m, row_m))
    lat, lon = (np.concatenate(v) for v in zip(*(c.plane.lat_lon(c.xy) for c in cells), strict=True))
    return plane.xy(lat, lon), np.concatenate([c.area_m2 for c in cells]), np.concatenate([c.along_m for c in cells])


@pytest.mark.parametrize("turn_deg", [5, 40, 90, 140, -5, -60, -120])
def test_a_bend_has_the_area_of_its_buffer(turn_deg):
    a = np.radians(turn_deg)
    points = [(-800, 0), (0, 0), (800 * np.cos(a), 800 * np.sin(a))]
    band = line(points, 30.0, 20.0)
    xy, area, _ = everything(band)
    # Two rectangles, the overlap on the inner side taken away, the sector on the outer side added.
    inner, outer = (30.0, 20.0) if turn_deg > 0 else (20.0, 30.0)
    t = abs(a)
    expected = 2 * 800 * 50 - inner**2 * np.tan(t / 2) + outer**2 * t / 2
    assert area.sum() == pytest.approx(expected, rel=2e-3)
    assert shapely.distance(shapely.points(xy), shapely.LineString(points)).max() < 30.0


@SLOW
@given(border=wiggly_borders(), left=st.floats(5, 60), right=st.floats(5, 60))
def test_areas_add_up_to_that_of_the_buffer_and_no_cell_is_outside(border, left, right):
    lon, lat = np.array(border.coordinates).T
    points = np.column_stack([(lon - LON) * M_LON, (lat - LAT) * M_LAT])
    band = line(points, left, right)
    xy, _, along = everything(band)
    path = shapely.LineString(Plane.at(LAT, LON).xy(band.lat_deg, band.lon_deg))
    assert shapely.distance(shapely.points(xy), path).max() < max(left, right)
    both = min(left, right)
    _, even_area, _ = everything(line(points, both, both))
    assert even_area.sum() == pytest.approx(path.buffer(both, cap_style="flat", quad_segs=32).area, rel=0.02)
    # Where along the line a cell says it is, the line is as near as anywhere.
    foot = shapely.line_interpolate_point(path, along * path.length / band.along_m()[-1])
    nearest = shapely.distance(shapely.points(xy), path)
    assert np.all(shapely.distance(shapely.points(xy), foot) <= nearest + 5.0)


def test_stretches_of_a_long_line_join_without_gap_or_overlap():
    points = [(x, 400 * np.sin(x / 900.0)) for x in np.arange(0, 90_000, 150.0)]
    band = line(points, 25.0, 25.0)
    assert len(list(band_cells(band, 10.0, 5.0))) > 3
    _, area, along = everything(band, 10.0, 5.0)
    path = shapely.LineString(Plane.at(LAT, LON).xy(band.lat_deg, band.lon_deg))
    assert area.sum() == pytest.approx(path.buffer(25.0, cap_style="flat", quad_segs=32).area, rel=2e-3)
    assert np.diff(np.unique(along)).max() < 15.0


def test_a_ring_has_no_ends():
    angle = np.linspace(0, 2 * np.pi, 61)
    band = line(np.column_stack([3000 * np.cos(angle), 3000 * np.sin(angle)]), 30.0, 30.0)
    _, area, _ = everything(band)
    assert area.sum() == pytest.approx(2 * np.pi * 3000 * 60, rel=3e-3)
