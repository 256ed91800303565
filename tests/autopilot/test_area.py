"""Where a vehicle may be sent, beside an oracle that walks the way in small steps over its own plane."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from autopilot import FlightArea, Place, PlaceError
from missions import BorderSegment, Clearance, FenceCircle, FencePolygon, Zone

LAT, LON = 31.34, -110.94
HERE = Place(LAT, LON, 60.0)
METRE_LAT = 1 / 110_876.0  # degrees of latitude a metre, here
METRE_LON = METRE_LAT / math.cos(math.radians(LAT)) * 0.9951


def at(east_m, north_m, up_m=60.0):
    return Place(LAT + north_m * METRE_LAT, LON + east_m * METRE_LON, up_m)


def corners(*points):
    return tuple((at(*point).lat_deg, at(*point).lon_deg) for point in points)


# An L about the vehicle, with a triangle and a circle cut out; the border runs 300 m to the south.
FENCE = (
    FencePolygon(corners((-400, -150), (900, -150), (900, 250), (200, 250), (200, 900), (-400, 900))),
    FencePolygon(corners((350, -60), (450, 60), (500, -60)), inclusion=False),
    FenceCircle(*corners((-200, 500))[0], 80.0, inclusion=False),
)
BORDER = BorderSegment(
    "south", "USA", "MEX", tuple((lon, lat) for lat, lon in corners((-5000, -300), (5000, -300))), "left"
)
ZONE = Zone("works", (tuple((lon, lat) for lat, lon in corners((700, 100), (760, 100), (760, 200), (700, 200))),))
# Three metres to the fence, seven beyond the stand-off.
KEPT = Clearance(2.0, 3.0, 7.0)
AREA = FlightArea(FENCE, (BORDER,), (ZONE,), 5.0, 100.0, KEPT)

# The oracle: rays and steps, no shapely.


def inside(ring, x, y):
    found = np.zeros(np.shape(x), dtype=bool)
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
        if ay != by:
            found ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return found


L_SHAPE = [(-400, -150), (900, -150), (900, 250), (200, 250), (200, 900), (-400, 900)]
TRIANGLE = [(350, -60), (450, 60), (500, -60)]
WORKS = [(700, 100), (760, 100), (760, 200), (700, 200)]


def forbidden(x, y):
    return (
        ~inside(L_SHAPE, x, y)
        | inside(TRIANGLE, x, y)
        | inside(WORKS, x, y)
        | (np.hypot(x + 200, y - 500) < 80)
        | (y < -300 + 60 + 7 - 0.2)  # the rounding of an order, and of this plane
    )


def way_is_forbidden(start, end):
    s = np.linspace(0, 1, 250)
    return forbidden(*(a + s * (b - a) for a, b in zip(start, end, strict=True))).any()


def taken(area, place, **more):
    try:
        area.check(HERE, place, **more)
    except PlaceError:
        return False
    return True


@settings(deadline=None)
@given(x=st.floats(-1500, 1500), y=st.floats(-1500, 1500), up=st.floats(-50, 200))
@example(x=0.0, y=-236.0, up=60.0)
@example(x=0.0, y=-350.0, up=60.0)
@example(x=600.0, y=0.0, up=60.0)
def test_no_place_and_no_way_that_the_oracle_forbids_is_taken(x, y, up):
    if way_is_forbidden((0, 0), (x, y)) or not 5 <= up <= 100:
        assert not taken(AREA, at(x, y, up))


@settings(deadline=None)
@given(x=st.floats(-380, 880), y=st.floats(-130, 880), up=st.floats(5, 100))
def test_what_is_well_inside_is_taken(x, y, up):
    around = [(x + 7 * dx, y + 7 * dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    assume(not any(way_is_forbidden((0, 0), point) or way_is_forbidden((7, -7), point) for point in around))
    assume(not any(way_is_forbidden((-7, 7), point) for point in around))
    assert taken(AREA, at(x, y, up))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (at(0, 0, 4.9), "between 5 and 100 m above home"),
        (at(0, 0, 100.1), "between 5 and 100"),
        (at(0, 0, math.nan), "between 5 and 100"),
        (at(1000, 0), "outside the vehicle's fence"),
        (at(-200, 450), "shuts out"),
        (at(730, 150), "zone 'works'"),
        (Place(91.0, LON, 60.0), "latitude"),
        (Place(math.nan, LON, 60.0), "latitude"),
        (Place(0.0, 0.0, 60.0), "km from the vehicle"),
    ],
)
def test_a_refusal_says_why(place, words):
    with pytest.raises(PlaceError, match=words):
        AREA.check(HERE, place)


def test_a_way_that_leaves_the_fence_between_two_places_inside_is_refused():
    here, there = at(800, 200), at(0, 800)
    assert not forbidden(800, 200)
    assert not forbidden(0, 800)
    with pytest.raises(PlaceError, match="way there"):
        AREA.check(here, there)


def test_the_stand_off_holds_without_a_fence_and_beyond_the_line():
    bare = replace(AREA, fence=(), zones=())
    bare.check(HERE, at(3000, -200))
    bare.check(HERE, at(0, -232))
    for north, words in ((-234, "lies 66"), (-236, "lies 64"), (-400, "way there comes within 0.0 m")):
        with pytest.raises(PlaceError, match=rf"{words}.* the stand-off is 60 m, and 7.0 m"):
            bare.check(HERE, at(0, north))
    far = at(0, -900)
    with pytest.raises(PlaceError, match="beyond border 'south'"):
        bare.check(far, at(500, -900))


def test_past_the_end_of_a_border_only_a_fence_tells():
    short = replace(BORDER, coordinates=tuple((lon, lat) for lat, lon in corners((-500, -300), (500, -300))))
    bare = replace(AREA, borders=(short,), fence=(), zones=())
    bare.check(HERE, at(400, 300))
    with pytest.raises(PlaceError, match="past the end of border"):
        bare.check(HERE, at(800, 0))
    fenced = replace(bare, fence=(FencePolygon(corners((-900, -150), (900, -150), (900, 400), (-900, 400))),))
    fenced.check(HERE, at(800, 0))


def test_nothing_that_limits_it_is_no_leave():
    for fence in ((), FENCE[1:]):
        with pytest.raises(PlaceError, match="no fence that was proved"):
            replace(AREA, fence=fence, borders=()).check(HERE, at(0, 10))


def test_a_fence_that_crosses_itself_lets_nothing_through():
    bow = FencePolygon(corners((-400, -150), (400, 400), (400, -150), (-400, 400)))
    with pytest.raises(PlaceError, match="no outline that can be understood"):
        replace(AREA, fence=(bow,)).check(HERE, at(0, 10))


def test_of_two_shapes_to_stay_in_both_count():
    two = (FENCE[0], FencePolygon(corners((-50, -50), (50, -50), (50, 50), (-50, 50))))
    with pytest.raises(PlaceError, match="shape 2"):
        replace(AREA, fence=two).check(HERE, at(100, 0))


def test_a_vehicle_beside_its_way_may_join_it_but_not_from_within_the_stand_off():
    wide = replace(AREA, fence=(FencePolygon(corners((-900, -290), (900, -290), (900, 400), (-900, 400))),))
    there, beside, inside = at(500, -230), at(0, -237), at(0, -241)
    with pytest.raises(PlaceError, match=r"way there comes within 6[23]\.\d m"):
        wide.check(beside, there)
    wide.check(beside, there, planned=True)
    # Not nearer on the way than it is, nor to a place that a plan would not choose.
    with pytest.raises(PlaceError, match=r"way there comes within 59\.\d m"):
        wide.check(inside, there, planned=True)
    with pytest.raises(PlaceError, match=r"lies 6[45]\.\d m"):
        wide.check(beside, at(500, -235), planned=True)


BENT = BorderSegment(
    "bent", "USA", "MEX",
    tuple((lon, lat) for lat, lon in corners((-1000, -300), (0, -200), (1000, -300))), "left",
)  # fmt: skip


@pytest.mark.parametrize(
    ("here", "place", "velocity", "cuts"),
    [
        ((-300, -131), (300, -131), (0.0, 0.0), False),
        ((-300, -135), (300, -135), (0.0, 0.0), True),
        ((-300, -100), (300, -132), (0.0, 0.0), False),
        ((-300, -100), (300, -132), (100.0, -20.0), True),
        # As near to the border as the wind has set it, and away from there.
        ((0, -135), (300, -132), (0.0, 0.0), False),
    ],
    ids=[
        "clear of the bend",
        "cuts the bend",
        "clear from here",
        "cuts it from where the order finds it",
        "off its line",
    ],
)
def test_no_way_off_the_line_of_a_plan_cuts_a_bend_of_the_border(here, place, velocity, cuts):
    wide = FlightArea(
        (FencePolygon(corners((-900, -190), (900, -190), (900, 400), (-900, 400))),), (BENT,), (), 5.0, 100.0, KEPT
    )
    if not cuts:
        wide.check_diversion(at(*here), at(*place), velocity, 2.0)
        return
    with pytest.raises(
        PlaceError, match=r"way there comes within 6[0-5]\.\d m of border 'bent', the stand-off is 60 m"
    ):
        wide.check_diversion(at(*here), at(*place), velocity, 2.0)


def test_wings_are_diverted_where_the_fence_holds_their_circle_with_its_room():
    AREA.check_diversion(HERE, at(250, 50), (20.0, 0.0), 2.0, radius_m=60.0)
    AREA.check_diversion(HERE, at(250, 190), (20.0, 0.0), 2.0)
    with pytest.raises(PlaceError, match="too near to its edge"):
        AREA.check_diversion(HERE, at(250, 190), (20.0, 0.0), 2.0, radius_m=60.0)


def test_a_zone_far_larger_than_the_flight_still_counts():
    huge = Zone("state", (((-130.0, 10.0), (-80.0, 10.0), (-80.0, 60.0), (-130.0, 60.0)),))
    with pytest.raises(PlaceError, match="zone 'state'"):
        replace(AREA, zones=(huge,)).check(HERE, at(0, 10))
    elsewhere = Zone("far", (((10.0, 40.0), (12.0, 40.0), (12.0, 42.0), (10.0, 42.0)),))
    replace(AREA, zones=(elsewhere,)).check(HERE, at(0, 10))


# Wings.


def simulated(velocity, there, radius_m, side):
    """Turn on a side with a fixed radius, in steps, until the place is ahead; then straight. Points flown over."""
    x = y = 0.0
    course = math.atan2(velocity[1], velocity[0])
    points = [(x, y)]
    for _ in range(20_000):
        ahead = math.atan2(there[1] - y, there[0] - x)
        off = (ahead - course + math.pi) % (2 * math.pi) - math.pi
        if abs(off) > 0.03:
            course += side * 1.0 / radius_m
        x, y = x + math.cos(course), y + math.sin(course)
        points.append((x, y))
        if math.hypot(there[0] - x, there[1] - y) < 2.0 or len(points) > 3000:
            break
    return points


@settings(deadline=None)
@given(
    heading=st.floats(0, 6.28),
    distance=st.floats(200, 600),
    bearing=st.floats(0, 6.28),
    south_m=st.floats(-200, -30),
)
def test_wings_are_not_sent_where_their_turn_would_leave_the_fence(heading, distance, bearing, south_m):
    """The turn goes to the side on which the place lies; to what lies behind, to either."""
    radius_m = 80.0
    there = distance * math.cos(bearing), distance * math.sin(bearing)
    velocity = 20 * math.cos(heading), 20 * math.sin(heading)
    fence = FencePolygon(corners((-2000, south_m), (2000, south_m), (2000, 2000), (-2000, 2000)))
    area = FlightArea((fence,), (), (), 5.0, 100.0, KEPT)
    turn = (bearing - heading + math.pi) % (2 * math.pi) - math.pi
    lowest = min(y for _, y in simulated(velocity, there, radius_m, 1 if turn > 0 else -1))
    if taken(area, at(*there), velocity_m_s=velocity, radius_m=radius_m):
        assert lowest > south_m
        assert there[1] - radius_m > south_m


def test_the_circle_of_wings_has_to_fit_in_too():
    wide = FlightArea(
        (FencePolygon(corners((-900, -500), (900, -500), (900, 500), (-900, 500))),), (), (), 5.0, 100.0, KEPT
    )
    wide.check(HERE, at(0, 420))
    with pytest.raises(PlaceError, match="outside the vehicle's fence"):
        wide.check(HERE, at(0, 420), velocity_m_s=(0.0, 20.0), radius_m=80.0)
    wide.check(HERE, at(0, 400), velocity_m_s=(0.0, 20.0), radius_m=80.0)


def test_wings_whose_heading_is_not_known_may_turn_anywhere():
    strip = FlightArea(
        (FencePolygon(corners((-150, -900), (150, -900), (150, 900), (-150, 900))),), (), (), 5.0, 100.0, KEPT
    )
    strip.check(HERE, at(0, 500), velocity_m_s=(0.0, 20.0), radius_m=80.0)
    with pytest.raises(PlaceError, match="outside the vehicle's fence"):
        strip.check(HERE, at(0, 500), velocity_m_s=(0.0, 0.0), radius_m=80.0)
