"""The validation finds a plan that was broken by hand: of each thing that a plan promises one, in one place."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo import Altitude, Datum
from missions import (
    Aircraft,
    AircraftForm,
    Airspace,
    Fleet,
    LegKind,
    PlanOptions,
    Zone,
    ZoneKind,
    plan,
    validate,
)
from tests.asked import asked
from tests.missions.helpers import (
    LAT,
    LON,
    M_LAT,
    M_LON,
    area,
    beside,
    border_from_metres,
    fleet_for,
    metres,
    straight,
    zone,
)
from tests.missions.test_wide_turns import flown_wide

PLACE, SIDE, ACROSS, ZONES, LIMITS, JOIN = (
    "distance from the border",
    "own side",
    "no leg across the border or its continuation",
    "outside no-fly zones",
    "heights within the limits of zones",
    "legs join, from base to base",
)
LOOK, CAMERA, SHARE, HEIGHT, SPEED, ENERGY, TURN, CORNERS, FIGURES = (
    "camera looks to a watched line",
    "gimbal, resolution and dwell of the cameras",
    "share of the band that is seen",
    "height above ground within floor and ceiling",
    "airspeed and rates of climb",
    "battery above reserve at landing",
    "turn radius on patrol, into it and out of it",
    "corners flown wide keep their distance",
    "figures of legs are those of their ends",
)
ROTATION, LAUNCH, BATTERIES, SEPARATION, INTERVAL = (
    "turn-round between flights",
    "one launch at a time from a base",
    "batteries charged at the base",
    "separation between aircraft",
    "interval as the schedule has it",
)
FINGER = [(0, 0), (3000, 0), (3020, -900), (3060, -900), (3080, 0), (12_000, 0)]
"""The stand-off keeps everybody out of it: some of the band is not seen."""

LAKE = zone("lake", 7000, 300, 150, 20)
PARK = Zone(
    "park",
    (tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in ((8500, -50), (9500, -50), (9500, 400), (8500, 400))),),
    ZoneKind.LIMITS,
    Altitude(60.0, Datum.AGL),
)


def _rotors():
    border = border_from_metres(FINGER)
    west, east = (beside(border_from_metres([(x, 0), (x + 100, 0)]), 900.0) for x in (2000, 9000))
    fleet = fleet_for(border)
    bases = [replace(west, name="west", batteries=5), replace(east, name="east", batteries=5)]
    kinds = fleet.vehicles[0]
    vehicles = tuple(replace(kinds, sysid=n, name=f"vehicle-{n}", base=bases[n % 2]) for n in range(1, 5))
    options = PlanOptions(shift_s=7200.0)
    return plan(border, Fleet(fleet.camera, vehicles), None, options, airspace=Airspace((LAKE, PARK)))


WAVES = [(0, 0), (4000, 150), (8000, 0), (12_000, 100)]


def _wings():
    border = border_from_metres(WAVES)
    wings = Aircraft(
        "wings", 20.0, 28.0, 4.0, 3.0, 900.0, 300.0, 1100.0, 700.0,
        form=AircraftForm.VTOL, min_m_s=14.0, turn_radius_m=60.0, takeoff_s=15.0, landing_s=20.0, transition_s=10.0,
    )  # fmt: skip
    fleet = fleet_for(border, 1)
    vehicles = tuple(replace(vehicle, aircraft=wings) for vehicle in fleet.vehicles)
    return plan(
        border, Fleet(replace(fleet.camera, max_gsd_m=0.2), vehicles), None, PlanOptions(dwell_s=2.0, shift_s=7200.0)
    )


@pytest.fixture(scope="module")
def good():
    made = {"rotors": _rotors(), "wings": _wings()}
    for one in made.values():
        assert validate(one).violations == []
    assert made["rotors"].coverage.share < 0.99
    return made


def first(made, kind, number=0, *, east=None):
    """The first leg of a kind, of some length, of a sortie; that which ends farthest east of a place, metres."""
    for k, leg in enumerate(made.sorties[number].legs):
        if leg.kind is kind and (east is None or metres((leg.end.lon_deg, leg.end.lat_deg))[0] > east):
            return k
    raise AssertionError((kind, number))


def with_sortie(made, number, **fields):
    changed = replace(made.sorties[number], **fields)
    return replace(made, sorties=(*made.sorties[:number], changed, *made.sorties[number + 1 :]))


def with_leg(made, number, k, **fields):
    legs = made.sorties[number].legs
    return with_sortie(made, number, legs=(*legs[:k], replace(legs[k], **fields), *legs[k + 1 :]))


def moved(made, number, k, *, north=0.0, east=0.0, up=0.0):
    """The end of a leg, and so the beginning of the next one, elsewhere; figures of legs as they were."""
    legs = made.sorties[number].legs
    at = legs[k].end
    there = replace(
        at,
        lat_deg=at.lat_deg + north / M_LAT,
        lon_deg=at.lon_deg + east / M_LON,
        altitude=Altitude(at.agl_m + up, Datum.AGL),
    )
    return with_leg(with_leg(made, number, k, end=there), number, k + 1, start=there)


def with_look(made, **fields):
    return replace(made, observations=(replace(made.observation, **fields),))


def with_craft(made, number, **fields):
    vehicle = made.sorties[number].vehicle
    return with_sortie(made, number, vehicle=replace(vehicle, aircraft=replace(vehicle.aircraft, **fields)))


def with_flight(made, number, **fields):
    flights = (*made.flights[:number], replace(made.flights[number], **fields), *made.flights[number + 1 :])
    return replace(made, flights=flights)


def flights_of(made, number):
    """Places among the flights of those of a sortie."""
    return [k for k, flight in enumerate(made.flights) if flight.sortie == number]


def seen(made, share):
    """The share of the band that is said to be seen, all sums made to agree."""
    said, left = made.coverage, (1 - share) / (1 - made.coverage.share)
    uncovered = tuple(replace(gap, area_m2=gap.area_m2 * left) for gap in said.uncovered)
    by_gsd = (*said.by_gsd[:-1], replace(said.by_gsd[-1], share=share))
    return replace(
        made,
        coverage=replace(said, seen_area_m2=share * said.band_area_m2, uncovered=uncovered, by_gsd=by_gsd),
    )


def poorer(made, base):
    """The same with one battery less at a base than the most that are away from it at once."""
    own = [f for f in made.flights if made.sorties[f.sortie].vehicle.base.name == base]
    spans = [(f.start_s, f.start_s + made.sorties[f.sortie].duration_s + 3599.9) for f in own]
    most = max(sum(a <= begin < b for a, b in spans) for begin, _ in spans)

    def changed(vehicle):
        if vehicle.base.name != base:
            return vehicle
        return replace(vehicle, base=replace(vehicle.base, batteries=most - 1))

    vehicles = tuple(map(changed, made.fleet.vehicles))
    sorties = tuple(replace(sortie, vehicle=changed(sortie.vehicle)) for sortie in made.sorties)
    return replace(made, fleet=replace(made.fleet, vehicles=vehicles), sorties=sorties)


def end_of(made):
    """Where the first leg of the patrol of the last sortie ends, metres east."""
    end = made.sorties[-1].legs[first(made, PATROL, -1)].end
    return metres((end.lon_deg, end.lat_deg))[0]


def faster(made, kind, times):
    k = first(made, kind)
    return with_leg(made, 0, k, duration_s=made.sorties[0].legs[k].duration_s / times)


def with_camera(made, **fields):
    return replace(made, fleet=replace(made.fleet, camera=replace(made.fleet.camera, **fields)))


def hurried(made):
    """The second flight of the aircraft that flies the first sortie, half a flight after its first."""
    own = [k for k, f in enumerate(made.flights) if f.sysid == made.flights[flights_of(made, 0)[0]].sysid]
    start_s = made.flights[own[0]].start_s + made.sorties[0].duration_s / 2
    return with_flight(made, own[1], start_s=start_s)


def dipped(made):
    """The end of the way out 15 m outside what a way keeps from the border, with a corner there."""
    k = first(made, TRANSIT)
    end = made.sorties[0].legs[k].end
    away_m = shapely.LineString(WAVES).distance(shapely.Point(metres((end.lon_deg, end.lat_deg))))
    return moved(made, 0, k, north=made.border.stand_off_m + 25.0 - away_m)


def other_base(made):
    base = made.sorties[0].vehicle.base
    return next(v.sysid for v in made.fleet.vehicles if v.base != base)


def beside_flight(made, later_s):
    """Another flight of the first sortie so much later than its first."""
    one, other = flights_of(made, 0)[:2]
    return with_flight(made, other, start_s=made.flights[one].start_s + later_s)


def without_flight(made):
    own = flights_of(made, 0)
    return replace(made, flights=tuple(f for k, f in enumerate(made.flights) if k != own[len(own) // 2]))


PATROL, TRANSIT, TAKEOFF = LegKind.PATROL, LegKind.TRANSIT, LegKind.TAKEOFF

BROKEN = {
    # Where.
    "20 m nearer to the border": (PLACE, 0, lambda p: moved(p, 0, first(p, PATROL), north=-20)),
    "over the border": (SIDE, 0, lambda p: moved(p, 0, first(p, PATROL), north=-250)),
    "across the border": (ACROSS, 0, lambda p: moved(p, 0, first(p, PATROL), north=-250)),
    "into the lake": (ZONES, -1, lambda p: moved(p, -1, first(p, PATROL, -1), east=7000 - end_of(p), north=300 - 75)),
    "a leg left out": (JOIN, 0, lambda p: with_sortie(p, 0, legs=p.sorties[0].legs[:3] + p.sorties[0].legs[4:])),
    "begins beside its base": (JOIN, 0, lambda p: with_leg(p, 0, 0, start=p.sorties[0].legs[1].end)),
    "lands elsewhere": (JOIN, 0, lambda p: with_sortie(p, 0, legs=p.sorties[0].legs[:-1])),
    # How high.
    "below the floor": (HEIGHT, 0, lambda p: moved(p, 0, first(p, TRANSIT), up=-65)),
    "above the ceiling": (HEIGHT, 0, lambda p: moved(p, 0, first(p, TRANSIT), up=25)),
    "a patrol lower than planned": (HEIGHT, 0, lambda p: moved(p, 0, first(p, PATROL), up=-10)),
    "too low over the park": (LIMITS, -1, lambda p: moved(p, -1, first(p, PATROL, -1, east=8600), up=-35)),
    # How fast, and on what.
    "climbs in half the time": (SPEED, 0, lambda p: faster(p, TAKEOFF, 2.0)),
    "flies out at three times its speed": (SPEED, 0, lambda p: faster(p, TRANSIT, 3.0)),
    "a speed that is not the leg's": (FIGURES, 0, lambda p: with_leg(p, 0, first(p, TRANSIT), speed_m_s=3.0)),
    "a leg that is said to be shorter": (FIGURES, 0, lambda p: with_leg(p, 0, first(p, TRANSIT), distance_m=200.0)),
    "a figure that is no number": (FIGURES, 0, lambda p: with_leg(p, 0, first(p, TRANSIT), duration_s=float("nan"))),
    "a smaller battery": (ENERGY, 0, lambda p: with_craft(p, 0, battery_wh=p.sorties[0].energy_wh * 1.1)),
    "a greater reserve": (ENERGY, 0, lambda p: with_craft(p, 0, reserve_fraction=p.sorties[0].reserve_left + 0.05)),
    "energy that is said to be less": (ENERGY, 0, lambda p: with_leg(p, 0, first(p, PATROL), energy_wh=0.0)),
    # What is seen.
    "looks to the other side": (
        LOOK, 0, lambda p: with_leg(p, 0, first(p, PATROL), look=p.sorties[0].legs[first(p, PATROL)].look.other),
    ),
    "a gimbal that cannot": (CAMERA, 0, lambda p: with_camera(p, pitch_max_deg=-60.0)),
    "a pitch past the band": (CAMERA, 0, lambda p: with_look(p, gimbal_pitch_deg=-89.0)),
    "a finer GSD asked for": (CAMERA, 0, lambda p: replace(p, options=replace(p.options, gsd_m=0.05))),
    "a finer GSD said": (CAMERA, 0, lambda p: with_look(p, gsd_far_m=p.observation.gsd_far_m / 2)),
    "a patrol too fast to see": (CAMERA, 0, lambda p: faster(p, PATROL, 1.5)),
    "a dwell that is not kept": (CAMERA, 0, lambda p: with_look(p, speed_m_s=p.observation.speed_m_s * 1.5)),
    "more seen than is": (SHARE, None, lambda p: seen(p, 1.0)),
    "gaps that do not add up": (SHARE, None, lambda p: replace(p, coverage=replace(p.coverage, uncovered=()))),
    # When.
    "takes off before it is back": (ROTATION, 0, hurried),
    "never flown": (ROTATION, 0, lambda p: replace(p, flights=tuple(f for f in p.flights if f.sortie != 0))),
    "flown by nobody of the fleet": (ROTATION, 0, lambda p: with_flight(p, flights_of(p, 0)[0], sysid=99)),
    "flown from another base": (ROTATION, 0, lambda p: with_flight(p, flights_of(p, 0)[0], sysid=other_base(p))),
    "two launched at once": (LAUNCH, 0, lambda p: beside_flight(p, 5.0)),
    "one right behind another": (SEPARATION, 0, lambda p: beside_flight(p, 2.0)),
    "too few batteries": (BATTERIES, 0, lambda p: poorer(p, p.sorties[0].vehicle.base.name)),
    "said to come sooner": (INTERVAL, None, lambda p: replace(p, revisit_s=p.revisit_s * 0.9, bounds=())),
    "a flight left out": (INTERVAL, None, without_flight),
    "a bound above the figure": (
        INTERVAL, None, lambda p: replace(p, bounds=(replace(p.bound, seconds=p.revisit_s + 1.0),)),
    ),
    # Wings.
    "wings round a corner": (TURN, 0, lambda p: moved(p, 0, first(p, PATROL), north=3000), "wings"),
    "wings wide at a corner": (CORNERS, 0, dipped, "wings"),
    "wings too slow": (SPEED, 0, lambda p: faster(p, PATROL, 0.3), "wings"),
    "wings above the ceiling of patrols": (HEIGHT, 0, lambda p: moved(p, 0, first(p, PATROL), up=20), "wings"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_named_with_the_sortie(good, what):
    name, number, change, *which = BROKEN[what]
    made = good[which[0] if which else "rotors"]
    (rule,) = [rule for rule in validate(change(made)).rules if rule.name == name]
    assert rule.broken, what
    if number is not None:
        assert any(made.sorties[number].name in sentence for sentence in rule.broken), rule.broken


def test_every_rule_of_a_plan_was_broken_once(good):
    names = {rule.name for rule in validate(good["rotors"]).rules}
    assert names == {name for name, *_ in BROKEN.values()}


def cornered(made, radius_m):
    """The way out round a place far from the border, its first leg longest; and the leg that comes to the corner."""
    made = with_craft(made, 0, turn_radius_m=radius_m)
    k = first(made, TRANSIT)
    legs = made.sorties[0].legs
    corner = replace(legs[k].end, lat_deg=LAT + 3500 / M_LAT, lon_deg=LON + 3000 / M_LON)
    halves = replace(legs[k], end=corner, distance_m=3500.0), replace(legs[k], start=corner, distance_m=4500.0)
    return with_sortie(made, 0, legs=(*legs[:k], *halves, *legs[k + 1 :])), k


def turned_by(made, by_deg):
    """The same flights and lines further round the earth."""

    def lon(one):
        return (one + by_deg + 180.0) % 360.0 - 180.0

    def there(at):
        return replace(at, lon_deg=lon(at.lon_deg))

    line = tuple((lon(x), y) for x, y in made.border.coordinates)
    sorties = tuple(
        replace(one, legs=tuple(replace(leg, start=there(leg.start), end=there(leg.end)) for leg in one.legs))
        for one in made.sorties
    )
    return replace(made, border=replace(made.border, coordinates=line), sorties=sorties)


@pytest.mark.parametrize("over", ["here", "over the antimeridian"])
@pytest.mark.parametrize(("share", "radius_m"), [(0.19, 60.0), (0.25, 600.0), (0.8, 60.0)])
def test_wings_that_turn_into_a_zone_are_found_by_what_they_fly_though_their_legs_are_clear(
    good, over, share, radius_m
):
    """By the geodesic from the corner: a zone whose tip is a hand wide within the turn, or within the way back."""
    made, k = cornered(good["wings"], radius_m)
    before, leg = made.sorties[0].legs[k : k + 2]
    geod, corner = Geod(ellps="WGS84"), (leg.start.lon_deg, leg.start.lat_deg)
    came = geod.inv(before.start.lon_deg, before.start.lat_deg, *corner)[1] + 180.0
    goes = geod.inv(*corner, leg.end.lon_deg, leg.end.lat_deg)[0]
    left = np.radians((came - goes + 180.0) % 360.0 - 180.0)
    assert 1.2 < left < 1.6
    wind, craft = made.options.wind, made.sorties[0].vehicle.aircraft
    true = (1 - 2.25577e-5 * max(p.amsl_m for one in (before, leg) for p in (one.start, one.end))) ** (-4.25588 / 2)
    x, y = flown_wide(left, radius_m * (true + wind.speed_m_s / craft.cruise_m_s) ** 2)
    n = int(share * len(x))
    outward = np.array([y[n - 1] - y[n + 1], x[n + 1] - x[n - 1]]) / np.hypot(x[n + 1] - x[n - 1], y[n + 1] - y[n - 1])

    def zoned(deep_m):
        tip = np.array([x[n], y[n]]) - deep_m * outward
        sides = tip + 20 * outward + np.array([[0.0, 0.0], 5 * outward[::-1] * (1, -1), -5 * outward[::-1] * (1, -1)])
        ring = [
            geod.fwd(*corner, goes + np.degrees(np.arctan2(right, along)), np.hypot(along, right))[:2]
            for along, right in (tip, sides[1], sides[2])
        ]
        by_deg = 180.0 - ring[0][0] if over != "here" else 0.0
        whole = turned_by(made, by_deg)
        ring = tuple(((lon + by_deg + 180.0) % 360.0 - 180.0, lat) for lon, lat in ring)
        (rule,) = [
            rule
            for rule in validate(replace(whole, airspace=Airspace((Zone("pond", (ring,)),)))).rules
            if rule.name == CORNERS
        ]
        return [sentence for sentence in rule.broken if "pond" in sentence]

    name = made.sorties[0].name
    assert zoned(0.1) == [f"{name} leg {k + 1}: its turn into it enters no-fly zone 'pond'"]
    assert zoned(-0.5) == []


@settings(max_examples=asked(30), deadline=None)
@given(
    number=st.integers(0, 99), which=st.integers(0, 9999), north=st.floats(-400, 400), east=st.floats(-400, 400),
    up=st.just(0.0) | st.floats(-90, 60),
)  # fmt: skip
def test_whatever_plain_geometry_calls_a_violation_is_found(good, number, which, north, east, up):
    made = good["rotors"]
    sortie = made.sorties[number % len(made.sorties)]
    number = made.sorties.index(sortie)
    k = which % (len(sortie.legs) - 1)
    spoilt = moved(made, number, k, north=north, east=east, up=up)
    broken = {rule.name: [s for s in rule.broken if sortie.name in s] for rule in validate(spoilt).rules}
    for i in (k, k + 1):
        leg = spoilt.sorties[number].legs[i]
        way = shapely.LineString([*metres([(p.lon_deg, p.lat_deg) for p in (leg.start, leg.end)])])
        line, aloft = shapely.LineString(FINGER), leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}
        least, most = sorted((leg.start.agl_m, leg.end.agl_m))
        # Half a per cent for the plain projection.
        wrong = {
            PLACE: way.distance(line) < made.border.stand_off_m * 0.995,
            ACROSS: way.crosses(line),
            ZONES: area(LAKE).buffer(-1).intersects(way),
            HEIGHT: most > 120.1 or (aloft and least < 39.9),
            LIMITS: aloft and least < 59.9 and area(PARK).buffer(-1).intersects(way),
            SPEED: abs(leg.end.amsl_m - leg.start.amsl_m) > 10.0 * leg.duration_s + 1,
            FIGURES: abs(leg.distance_m - way.length) > 0.01 * way.length + 3.0,
        }
        for name, is_wrong in wrong.items():
            assert not is_wrong or any(f"leg {i}:" in sentence for sentence in broken[name]), (name, leg)


@settings(max_examples=asked(30), deadline=None)
@given(which=st.integers(0, 9999), start_s=st.floats(0, 6000))
def test_two_that_come_too_near_at_any_moment_are_found(good, which, start_s):
    made = good["rotors"]
    k = which % len(made.flights)
    spoilt = with_flight(made, k, start_s=start_s)
    (rule,) = [rule for rule in validate(spoilt).rules if rule.name == SEPARATION]
    for other in range(len(made.flights)):
        if other == k or not _too_near(spoilt, k, other):
            continue
        names = [made.sorties[made.flights[n].sortie].name for n in (k, other)]
        assert any(all(name in sentence for name in names) for sentence in rule.broken), names


@pytest.mark.parametrize("drones", [0, 5])
def test_no_two_of_a_plan_come_nearer_than_is_said_at_any_moment(good, drones):
    """By the same arithmetic; two bases, and one with many."""
    border = straight(16_000.0)
    made = plan(border, fleet_for(border, drones), None, PlanOptions(shift_s=7200.0)) if drones else good["rotors"]
    assert (made.options.separation_m, made.options.separation_up_m) == (50.0, 5.0)
    together = list(combinations(range(len(made.flights)), 2))
    assert len(together) > 20
    assert not any(_too_near(made, one, other) for one, other in together)


def _too_near(made, one, other):
    """Whether two flights come within 45 m across and 4 m in height, both 70 m from their bases, each half second."""
    tracks = []
    for flight in (made.flights[one], made.flights[other]):
        sortie = made.sorties[flight.sortie]
        at = flight.start_s + np.cumsum([0.0, *(leg.duration_s for leg in sortie.legs)])
        xy = metres([(p.lon_deg, p.lat_deg) for p in sortie.way])
        home = metres((sortie.vehicle.base.lon_deg, sortie.vehicle.base.lat_deg))
        tracks.append((at, xy, [p.amsl_m for p in sortie.way], home))
    moments = np.arange(max(t[0][0] for t in tracks), min(t[0][-1] for t in tracks), 0.5)
    place = [np.column_stack([np.interp(moments, at, xy[:, k]) for k in (0, 1)]) for at, xy, _, _ in tracks]
    height = [np.interp(moments, at, amsl) for at, _, amsl, _ in tracks]
    near = np.hypot(*(place[0] - place[1]).T) < 45
    near &= np.abs(height[0] - height[1]) < 4
    for own, (_, _, _, home) in zip(place, tracks, strict=True):
        near &= np.hypot(*(own - home).T) > 70
    return bool(near.any())


def test_a_noisy_track_is_planned_and_a_lie_about_what_is_seen_of_it_is_found():
    """Vertices 10 m apart, each 40 m off: most of its band lies beside corners, where validation draws no places."""
    rng = np.random.default_rng(1)
    north = rng.normal(0.0, 40.0, 1200)
    track = border_from_metres([(10.0 * k, float(y)) for k, y in enumerate(north)], stand_off_m=60)
    # Until they were told apart, its plan was refused by its own validation.
    found = plan(track, fleet_for(track, 2))
    assert 0.3 < found.coverage.share < 0.7
    lie = seen(found, found.coverage.share + 0.15)
    assert any("of the band are seen, its patrols show" in sentence for sentence in validate(lie).violations)
