"""At the highest airspeed in a strong wind: what is planned can be flown, and the checker agrees, at any latitude."""

import math

import numpy as np
import pyproj
from hypothesis import example, given, settings
from hypothesis import strategies as st

from missions import BorderSegment, PlanOptions, Wind, plan, validate
from tests.asked import asked
from tests.missions.helpers import fleet_for

GEOD = pyproj.Geod(ellps="WGS84")


def oblique(lat, course):
    """Straight pieces of a few hundred metres each, one after the other."""
    places = [(-30.0, lat)]
    for k in range(12):
        lon, north, _ = GEOD.fwd(*places[-1], course + (15 if k % 2 else -15), 600)
        places.append((lon, north))
    return BorderSegment("oblique", "AAA", "BBB", tuple(places), "left")


@settings(max_examples=asked(12), deadline=None)
@example(lat=0.0, course=0.0, towards=0.0)
@example(lat=0.0, course=30.0, towards=120.0)
@example(lat=-69.0, course=0.0, towards=91.0)
@given(lat=st.floats(-75, 75), course=st.floats(0, 360), towards=st.floats(0, 360))
def test_no_leg_takes_more_airspeed_than_there_is_and_none_is_blamed_for_it(lat, course, towards):
    """A metre of east and one of north are not the same share of a degree: 0.7 % at the equator turn a course.

    By the first example and the third the bound was above the plan, by the second the checker blamed a leg.
    """
    border = oblique(lat, course)
    options = PlanOptions(dwell_s=0.5, wind=Wind(13.0, towards), shift_s=3600.0)
    made = plan(border, fleet_for(border, 1), None, options)
    assert validate(made).violations == []
    fastest = 0.0
    for sortie in made.sorties:
        for leg in sortie.patrol:
            azimuth, _, length = GEOD.inv(leg.start.lon_deg, leg.start.lat_deg, leg.end.lon_deg, leg.end.lat_deg)
            if length < 20:
                continue  # rounded to a centimetre, it has no course to speak of
            course_rad = math.radians(azimuth)
            ground = np.array([math.sin(course_rad), math.cos(course_rad)]) * length / leg.duration_s
            fastest = max(fastest, float(np.hypot(*(ground - options.wind.vector))))
    assert fastest <= made.fleet.vehicles[0].aircraft.max_m_s * 1.001
