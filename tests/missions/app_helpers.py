"""What the tests of the formats for pilots' apps share: a fleet that fits them, hills, and measures by pyproj alone."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import shapely
from pyproj import Geod

from missions import LegKind
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, fleet_for

GEOD = Geod(ellps="WGS84")


class Hills:
    """Ground that rolls along the border and rises away from it, as no plane does."""

    resolution_m = 30.0

    def elevation_m(self, lat_deg, lon_deg):
        east = (np.asarray(lon_deg, dtype=float) - LON) * M_LON
        north = (np.asarray(lat_deg, dtype=float) - LAT) * M_LAT
        return 700.0 + 60.0 * np.sin(east / 900.0) + 40.0 * np.cos(north / 700.0) + 0.01 * east

    def known_elevation_m(self, lat_deg, lon_deg):
        return self.elevation_m(lat_deg, lon_deg)


def app_fleet(border, count=1, distance_m=1500.0):
    """The default fleet at the speeds that DJI's apps take."""
    fleet = fleet_for(border, count, distance_m)
    craft = replace(fleet.vehicles[0].aircraft, cruise_m_s=12.0, max_m_s=15.0)
    return replace(fleet, vehicles=tuple(replace(v, aircraft=craft) for v in fleet.vehicles))


class Line:
    """The border as points (lon, lat) so close together that the nearest of them is as good as the nearest place."""

    def __init__(self, border, step_m=2.0):
        out = []
        for (x0, y0), (x1, y1) in pairwise(border.coordinates):
            n = max(2, int(GEOD.inv(x0, y0, x1, y1)[2] / step_m))
            out += [(x0 + t * (x1 - x0), y0 + t * (y1 - y0)) for t in np.arange(n) / n]
        self.points = np.array([*out, border.coordinates[-1]])
        self.shape = shapely.LineString(border.coordinates)
        self._scale = np.array([np.cos(np.radians(LAT)), 1.0])
        self._tree = shapely.STRtree(shapely.points(self.points * self._scale))

    def nearest(self, places):
        """Geodesic distance, metres, of each place (lon, lat), and the azimuth to its nearest point."""
        near = self.points[self._tree.nearest(shapely.points(np.asarray(places) * self._scale))]
        x, y = np.asarray(places).T
        azimuth, _, distance = GEOD.inv(x, y, near[:, 0], near[:, 1])
        return np.asarray(distance), np.asarray(azimuth)


def along(a, b, step_m=5.0):
    """Places (lon, lat) on the straight way between two."""
    _, _, length = GEOD.inv(*a, *b)
    t = np.linspace(0, 1, max(2, int(length / step_m) + 1))[:, None]
    return np.asarray(a) + t * (np.asarray(b) - np.asarray(a))


def turned(from_deg, to_deg):
    """The shorter way round from one direction to another, degrees."""
    return (to_deg - from_deg + 180.0) % 360.0 - 180.0


def planned_speeds(sortie):
    """Speeds of a sortie between take-off and landing, each by its kind."""
    flown = [leg for leg in sortie.legs if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}]
    return {
        watching: {leg.speed_m_s for leg in flown if (leg.kind is LegKind.PATROL) == watching}
        for watching in (True, False)
    }


def check_way(border, sortie, lon_lat, heights, speeds, headings, watching):
    """All that holds of a way whatever the format: stand-off, spacing, speeds, nose square to the course at the border.

    Parameters
    ----------
    border, sortie
        What was planned.
    lon_lat, heights, speeds, headings
        Of each waypoint: degrees, metres over the base, metres a second, degrees.
    watching
        Whether the camera records on the way from each waypoint to the next.
    """
    line = Line(border)
    places = np.array(lon_lat)
    base = sortie.vehicle.base
    for end in (places[0], places[-1]):
        assert GEOD.inv(*end, base.lon_deg, base.lat_deg)[2] < 0.05
    planned = planned_speeds(sortie)
    course, _, length = GEOD.inv(*places[:-1].T, *places[1:].T)
    assert np.hypot(length, np.diff(heights)).min() >= 0.48
    for k, (a, b) in enumerate(pairwise(places)):
        distance, _ = line.nearest(along(a, b))
        assert distance.min() >= border.stand_off_m - 0.1
        low, high = min(planned[watching[k]]), max(planned[watching[k]])
        assert low - 0.01 <= speeds[k] <= high + 0.01
        if watching[k]:
            middle = (a + b) / 2
            nose = headings[k] + turned(headings[k], headings[k + 1]) / 2
            # Square to the course wherever the piece is no turn, and the border ahead of the nose.
            if length[k] > 40:
                assert abs(abs(turned(course[k], nose)) - 90) < 6
            far = GEOD.fwd(*middle, nose, 1000.0)[:2]
            sight = shapely.LineString([middle, far])
            assert sight.crosses(line.shape) or length[k] <= 40
