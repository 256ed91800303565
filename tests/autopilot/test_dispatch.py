"""Who is sent to a cue: the soonest who can, never into its reserve, never out of its fence, never near others."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autopilot import Cue, Place, Standing, dispatch
from autopilot.diversion import _inside
from geo import FlatTerrain, LocalFrame
from missions import (
    Aircraft,
    Fleet,
    LegKind,
    PlanOptions,
    Spot,
    Viewing,
    base_beside,
    compile_mission,
    cut,
    default_fleet,
    land_border,
    plan,
)
from tests.asked import asked
from tests.thin_air import thin as thinner

SLOW = settings(max_examples=asked(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def made():
    segment = cut(land_border("ITA", "CHE"), 8000)
    fleet = default_fleet(base_beside(segment), 3)
    return plan(segment, fleet, FlatTerrain(900.0), PlanOptions(shift_s=3600.0))


@cache
def fence():
    return compile_mission(made(), made().sorties[0]).fence


def frame():
    return LocalFrame(*made().border.centre())


def xy(lat, lon):
    return np.column_stack(frame().to_enu(np.atleast_1d(lat), np.atleast_1d(lon))[:2])


def on_patrol(number, share, battery, **more):
    """A vehicle somewhere along the legs of its sortie."""
    sortie = made().sorties[0]
    leg = sortie.patrol[min(int(share * len(sortie.patrol)), len(sortie.patrol) - 1)]
    part = share * len(sortie.patrol) % 1
    here = tuple(
        a + part * (b - a) for a, b in ((leg.start.lat_deg, leg.end.lat_deg), (leg.start.lon_deg, leg.end.lon_deg))
    )
    up = leg.start.amsl_m - sortie.home.amsl_m
    return Standing(
        made().fleet.vehicles[number],
        airborne=True,
        here=here,
        above_base_m=up,
        battery=battery,
        fence=fence(),
        sortie=sortie,
        **more,
    )


def standings():
    """Three vehicles, each in the air, on the ground or out of order, with any battery."""

    def one(number):
        return st.one_of(
            st.builds(on_patrol, st.just(number), st.floats(0, 0.999), st.floats(0.05, 1.0)),
            st.builds(
                lambda battery, ready_s: Standing(made().fleet.vehicles[number], battery=battery, ready_s=ready_s),
                st.floats(0.05, 1.0),
                st.floats(0, 600),
            ),
            st.just(Standing(made().fleet.vehicles[number], unfit="is fault")),
        )

    return st.tuples(one(0), one(1), one(2))


def cues():
    """Spots along the border, some beyond it, some far behind."""

    def at(share, across):
        lon, lat = np.array(made().border.coordinates).T
        k = share * (len(lon) - 1)
        return Spot(
            float(np.interp(k, np.arange(len(lat)), lat)) + across / 111_000,
            float(np.interp(k, np.arange(len(lon)), lon)),
            5.0,
        )

    return st.builds(
        lambda share, across, station: Cue(at(share, across), 0, station),
        st.floats(0, 1),
        st.floats(-100, 100),
        st.floats(30, 600),
    )


@SLOW
@given(cues(), standings())
def test_the_chosen_is_the_soonest_of_those_who_can_and_may(cue, all_three):
    answer = dispatch(cue, made(), all_three)
    alone = {
        one.vehicle.sysid: dispatch(cue, made(), [one, *(unfit(other) for other in all_three if other is not one)])
        for one in all_three
    }
    able = {sysid: each.chosen for sysid, each in alone.items() if each.chosen is not None}
    assert (answer.chosen is None) == (not able)
    # Everybody is answered for, once.
    assert {*answer.others, *([answer.chosen.sysid] if answer.chosen else [])} == {1, 2, 3}
    if answer.chosen is None:
        return
    assert answer.chosen.arrival_s == min(offer.arrival_s for offer in able.values())
    assert answer.chosen == able[answer.chosen.sysid] or answer.chosen.flown is not None
    one = next(s for s in all_three if s.vehicle.sysid == answer.chosen.sysid)
    assert answer.chosen.reserve_left >= one.vehicle.aircraft.reserve_fraction - 1e-9
    assert one.unfit is None
    line = shapely.LineString(xy(*np.array(made().border.coordinates).T[::-1]))
    place = shapely.Point(*xy(answer.chosen.lat_deg, answer.chosen.lon_deg)[0])
    # Stand-off, and twice the root of 3.5² and 1.5².
    assert line.distance(place) >= made().border.stand_off_m + 7.6 - 0.5
    if one.airborne:
        start, home = xy(*one.here)[0], xy(one.vehicle.base.lat_deg, one.vehicle.base.lon_deg)[0]
        inside = shapely.Polygon(xy([v.x / 1e7 for v in fence()], [v.y / 1e7 for v in fence()]))
        for way in (shapely.LineString([start, place]), shapely.LineString([place, home])):
            # What a multirotor flies off its way for 95 % of the time; the fence lies 3.5 m beyond the stand-off.
            assert inside.buffer(-1.45).covers(way)
            assert line.distance(way) >= made().border.stand_off_m + 3.5 - 0.5
        assert inside.buffer(-2.95).covers(place)


def unfit(one):
    """Where it is, as before, but not to be sent."""
    return replace(one, unfit="stays where it is")


@SLOW
@given(cues(), st.floats(0, 0.999), st.floats(0, 0.999))
def test_one_in_the_air_keeps_its_distance_from_all_that_is_flown(cue, share, other):
    answer = dispatch(cue, made(), [on_patrol(0, share, 0.9), unfit(on_patrol(1, other, 0.9))])
    if answer.chosen is None:
        return
    options, sortie = made().options, made().sorties[0]
    height = sortie.home.amsl_m + answer.chosen.above_base_m
    place = shapely.Point(*xy(answer.chosen.lat_deg, answer.chosen.lon_deg)[0])
    for leg in sortie.legs:
        low, high = sorted((leg.start.amsl_m, leg.end.amsl_m))
        line = shapely.LineString(xy([leg.start.lat_deg, leg.end.lat_deg], [leg.start.lon_deg, leg.end.lon_deg]))
        gap = max(low - height, height - high)
        assert line.distance(place) >= options.separation_m - 0.5 or gap >= options.separation_up_m - 1e-6


def place_of(offer):
    return Place(offer.lat_deg, offer.lon_deg, offer.above_base_m)


def apart(offer, place, room_m, options):
    """Whether who goes there stays clear of a place with room about it."""
    east, north, _ = LocalFrame(place.lat_deg, place.lon_deg).to_enu(offer.lat_deg, offer.lon_deg)
    up = abs(offer.above_base_m - place.above_home_m) >= options.separation_up_m - 1e-6
    return up or np.hypot(east, north) >= room_m + offer.circle_m + options.separation_m - 0.5


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_nobody_is_sent_from_the_air_to_where_another_is_on_its_way(share):
    """It is over its base still, far from the way of the second."""
    cue, one, base = Cue(spot_behind(share), 0), on_patrol(0, share, 0.9), made().fleet.vehicles[1].base
    alone = dispatch(cue, made(), [one]).chosen
    other = replace(unfit(on_patrol(1, 0.0, 0.9)), here=(base.lat_deg, base.lon_deg), above_base_m=0.0)
    assert dispatch(cue, made(), [one, other]).chosen == alone
    sent = dispatch(cue, made(), [one, replace(other, stays=place_of(alone))]).chosen
    assert sent is None or apart(sent, place_of(alone), 0.0, made().options)


@pytest.mark.parametrize("aside_m", [0.0, 120.0, 190.0])
def test_wings_are_not_sent_into_a_circle_that_another_was_sent_to(aside_m):
    one, cue = winged_on_patrol(0.02), Cue(on_border(0.3), 0, 60.0)
    alone = dispatch(cue, winged(), [one]).chosen
    lat, lon, _ = LocalFrame(alone.lat_deg, alone.lon_deg).to_geodetic(aside_m, 0.0, 0.0)
    at = Place(float(lat), float(lon), alone.above_base_m)
    away = replace(one, vehicle=winged().fleet.vehicles[1], unfit="is on cue", here=None, stays=at, stays_m=75.0)
    sent = dispatch(cue, winged(), [one, away]).chosen
    assert sent is None or apart(sent, at, 75.0, winged().options)


def rally(*places):
    return tuple(replace(fence()[0], seq=k, x=round(a * 1e7), y=round(o * 1e7)) for k, (a, o) in enumerate(places))


def test_nobody_is_sent_from_where_the_way_to_the_nearest_rally_point_leaves_its_fence():
    cue, one = Cue(spot_behind(), 0), on_patrol(0, 0.5, 0.9)
    chosen = dispatch(cue, made(), [one]).chosen
    base = one.vehicle.base.lat_deg, one.vehicle.base.lon_deg
    line = shapely.LineString(xy(*np.array(made().border.coordinates).T[::-1]))
    here = shapely.Point(*xy(chosen.lat_deg, chosen.lon_deg)[0])
    beside, at = shapely.get_coordinates(shapely.shortest_line(line, here))
    beyond, far = frame().to_geodetic(*(2 * beside - at), 0.0)[:2], (base[0] + 1.0, base[1])
    assert dispatch(cue, made(), [replace(one, rally=rally(base, far))]).chosen == chosen
    answer = dispatch(cue, made(), [replace(one, rally=rally(beyond))])
    assert answer.chosen is None
    assert "inside its fence" in answer.others[1]


def test_edges_of_a_fence_are_straight_in_degrees():
    """The middle of 40 km along a parallel at 60 degrees lies 54 m south of the chord."""
    corners = ((59.9, 9.64), (60.0, 9.64), (60.0, 10.36), (59.9, 10.36))
    ring = tuple(
        replace(fence()[0], seq=k, p1=4.0, x=round(a * 1e7), y=round(o * 1e7)) for k, (a, o) in enumerate(corners)
    )
    plane = LocalFrame(59.95, 10.0)
    inside = _inside(ring, plane)
    for lat, held in ((59.9997, True), (60.0003, False)):
        assert inside.covers(shapely.Point(*plane.to_enu(lat, 10.0)[:2])) is held


def spot_behind(share=0.5):
    leg = made().sorties[0].patrol[int(share * len(made().sorties[0].patrol))]
    return Spot(leg.start.lat_deg, leg.start.lon_deg, 5.0)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({"fence": ()}, "holds no fence"),
        ({"battery": None}, "does not say what is left of its battery"),
        ({"battery": 0.22}, "its reserve is 20%"),
        ({"here": None}, "does not say where it is"),
        ({"unfit": "is not heard"}, "is not heard"),
    ],
)
def test_what_cannot_be_shown_to_be_lawful_is_not_flown(spoil, words):
    answer = dispatch(Cue(spot_behind(), 0), made(), [replace(on_patrol(0, 0.3, 0.9), **spoil)])
    assert answer.chosen is None
    assert words in answer.others[1]
    assert "nobody goes" in answer.words()


def test_a_place_outside_the_fence_is_not_flown_to_from_the_air():
    sortie = made().sorties[0]
    away = replace(on_patrol(0, 0.1, 0.9), sortie=sortie)
    # A fence about the beginning of the patrol only.
    lat, lon = away.here
    corners = [
        (lat - 0.001, lon - 0.001),
        (lat - 0.001, lon + 0.001),
        (lat + 0.001, lon + 0.001),
        (lat + 0.001, lon - 0.001),
    ]
    small = [replace(fence()[0], seq=k, p1=4.0, x=round(a * 1e7), y=round(o * 1e7)) for k, (a, o) in enumerate(corners)]
    answer = dispatch(Cue(spot_behind(0.25), 0), made(), [replace(away, fence=tuple(small))])
    assert answer.chosen is None
    assert "inside its fence" in answer.others[1]


class Hill:
    """The ground of the plan, with a hill about a place on it."""

    resolution_m = 30.0

    def __init__(self, at, rise_m):
        self._at, self._rise_m = at, rise_m

    def known_elevation_m(self, lat_deg, lon_deg):
        east, north, _ = frame().to_enu(lat_deg, lon_deg)
        near = np.hypot(np.asarray(east) - self._at[0], np.asarray(north) - self._at[1]) < 100.0
        return 900.0 + np.where(near, self._rise_m, 0.0)

    elevation_m = known_elevation_m


def test_nobody_in_the_air_is_sent_straight_over_ground_that_rises_too_high():
    """Until it was so, only the ground at the end of the way was looked at."""
    one = on_patrol(0, 0.5, 0.9)
    cues = [Cue(spot_behind(share), 0) for share in np.arange(0.05, 1.0, 0.05)]
    sent = [(cue, dispatch(cue, made(), [one]).chosen) for cue in cues]

    def ends(offer):
        return xy([one.here[0], offer.lat_deg], [one.here[1], offer.lon_deg])

    cue, offer = max(((c, o) for c, o in sent if o), key=lambda pair: np.hypot(*np.diff(ends(pair[1]), axis=0)[0]))
    assert np.hypot(*np.diff(ends(offer), axis=0)[0]) > 400.0
    middle = ends(offer).mean(axis=0)
    low, high = (dispatch(cue, made(), [one], Viewing(made(), Hill(middle, rise_m))) for rise_m in (2.0, 300.0))
    assert (low.chosen.lat_deg, low.chosen.lon_deg) == pytest.approx((offer.lat_deg, offer.lon_deg), abs=1e-6)
    if high.chosen is None:
        assert "rises too high" in high.others[1] or "straight there" in high.others[1]
    else:
        assert shapely.LineString(ends(high.chosen)).distance(shapely.Point(middle)) > 70.0


@pytest.mark.parametrize("rise_m", [300.0, float("nan")])
def test_nobody_in_the_air_is_sent_to_where_the_way_home_leads_over_ground_that_rises_too_high(rise_m):
    """Or over ground that is not known: the way there alone was looked at."""
    one = on_patrol(0, 0.5, 0.9)
    home = xy(made().fleet.vehicles[0].base.lat_deg, made().fleet.vehicles[0].base.lon_deg)[0]

    def there(offer):
        return xy(offer.lat_deg, offer.lon_deg)[0]

    def hill(offer):
        """Half-way home, where it is not on the way there."""
        middle = (there(offer) + home) / 2
        way = shapely.LineString([xy(*one.here)[0], there(offer)])
        return middle if way.distance(shapely.Point(middle)) > 250.0 else None

    cues = [Cue(spot_behind(share), 0) for share in np.arange(0.1, 1.0, 0.2)]
    sent = [(cue, dispatch(cue, made(), [one]).chosen) for cue in cues]
    looked = [(cue, offer, hill(offer)) for cue, offer in sent if offer and hill(offer) is not None]
    assert looked
    refused = 0
    for cue, offer, at in looked[:2]:
        flat, high = (dispatch(cue, made(), [one], Viewing(made(), Hill(at, rise))) for rise in (2.0, rise_m))
        assert there(flat.chosen) == pytest.approx(there(offer), abs=0.1)
        if high.chosen is None:
            refused += "below the straight way home from there" in high.others[1]
        else:
            back = shapely.LineString([there(high.chosen), home])
            assert back.distance(shapely.Point(at)) > 70.0
    assert refused


def test_the_answer_says_who_goes_and_by_how_much_the_others_are_later():
    near, ground = on_patrol(0, 0.5, 0.9), Standing(made().fleet.vehicles[1], battery=1.0, ready_s=500.0)
    answer = dispatch(Cue(spot_behind(0.5), 0, words="radar track"), made(), [near, ground])
    assert answer.chosen.sysid == 1
    assert "s later" in answer.others[2]
    assert answer.words().startswith("radar track at ")


@cache
def winged():
    segment = cut(land_border("ITA", "CHE"), 2500)
    craft = Aircraft(
        "fixed_wing", 20, 28, 3, 3, 300, 300, 1200, 700, form="fixed_wing",
        min_m_s=14, turn_radius_m=52, takeoff_s=15, landing_s=20,
    )  # fmt: skip
    fleet = default_fleet(base_beside(segment), 2)
    crew = tuple(replace(vehicle, aircraft=craft) for vehicle in fleet.vehicles)
    fleet = Fleet(replace(fleet.camera, max_gsd_m=0.25), crew)
    return plan(segment, fleet, FlatTerrain(900.0), PlanOptions(shift_s=3600.0, dwell_s=2.0))


def on_border(share):
    lon, lat = np.array(winged().border.coordinates).T
    k = share * (len(lon) - 1)
    places = np.arange(len(lat))
    return Spot(float(np.interp(k, places, lat)), float(np.interp(k, places, lon)), 5.0)


@pytest.mark.parametrize("airborne", [True, False])
def test_two_wings_do_not_circle_at_one_height_at_the_same_place(airborne):
    first, second = (Standing(vehicle, battery=1.0) for vehicle in winged().fleet.vehicles)
    cue = Cue(on_border(0.3), 0)
    sent = dispatch(cue, winged(), [first]).chosen.flown
    busy = replace(first, unfit="is on cue", airborne=airborne, sortie=sent.sortie, here=(46.0, 8.0))
    near = dispatch(cue, winged(), [busy, second])
    assert near.chosen is None
    assert "vehicle 1 is sent to a place 0 m from where it would stay, at its height; 50 m are kept" in near.others[2]
    # Elsewhere along the border there is room, and so there is for one whose neighbour flies a patrol.
    far = dispatch(Cue(on_border(0.8), 0), winged(), [busy, second]).chosen.flown
    rings = [stays(one) for one in (sent, far)]
    assert shapely.distance(*rings) >= 50.0
    assert dispatch(cue, winged(), [replace(busy, sortie=winged().sorties[0]), second]).chosen.sysid == 2
    # One that was sent aside stays there.
    at = Place(sent.place.lat_deg, sent.place.lon_deg, sent.place.amsl_m - sent.sortie.home.amsl_m)
    aside = replace(busy, sortie=winged().sorties[0], airborne=True, stays=at)
    assert dispatch(cue, winged(), [aside, second]).chosen is None
    east, north = max(shapely.get_coordinates(stays(sent)), key=lambda point: point[1])
    lat, lon, _ = LocalFrame(*winged().border.centre()).to_geodetic(east, north + 110.0, 0.0)
    wide = replace(aside, stays=replace(at, lat_deg=float(lat), lon_deg=float(lon)), stays_m=75.0)
    assert dispatch(cue, winged(), [wide, second]).chosen is None
    assert dispatch(cue, winged(), [replace(wide, stays_m=0.0), second]).chosen.sysid == 2
    higher = replace(aside, stays=replace(at, above_home_m=at.above_home_m + 5.0))
    assert dispatch(cue, winged(), [higher, second]).chosen.sysid == 2


def test_wings_circle_at_the_power_of_their_true_airspeed():
    """Ten minutes more there cost the cruise power of the sea by the root of the density (standard atmosphere)."""
    one = winged_on_patrol(0.02)
    short, long = (dispatch(Cue(on_border(0.3), 0, stay_s), winged(), [one]).chosen for stay_s in (60.0, 660.0))
    assert (short.lat_deg, short.above_base_m) == (long.lat_deg, long.above_base_m)
    craft = one.vehicle.aircraft
    watts = (short.reserve_left - long.reserve_left) * craft.battery_wh * 3600 / 600
    thin = (1 - 0.0065 * (900.0 + short.above_base_m) / 288.15) ** -2.12794
    assert watts == pytest.approx(craft.cruise_power_w * thin, rel=1e-4)


@pytest.mark.parametrize("airborne", [True, False])
def test_rotors_stay_at_the_power_of_the_air_where_they_do(airborne):
    """Ten minutes more there cost the hover power of the sea by the root of the density: 5 % more."""
    one = on_patrol(0, 0.3, 0.9) if airborne else Standing(made().fleet.vehicles[0], battery=0.9)
    short, long = (dispatch(Cue(spot_behind(), 0, stay_s), made(), [one]).chosen for stay_s in (60.0, 660.0))
    assert (short.lat_deg, short.above_base_m) == (long.lat_deg, long.above_base_m)
    craft = one.vehicle.aircraft
    watts = (short.reserve_left - long.reserve_left) * craft.battery_wh * 3600 / 600
    lowest, highest = (thinner(amsl_m) for amsl_m in (900.0 + short.above_base_m, made().options.wind.air_amsl_m))
    assert craft.hover_power_w * lowest * (1 - 1e-6) <= watts <= craft.hover_power_w * highest * (1 + 1e-6)


def winged_on_patrol(share):
    """One with wings somewhere along its patrol, flying along it."""
    sortie = winged().sorties[0]
    leg = sortie.patrol[int(share * len(sortie.patrol))]
    part = share * len(sortie.patrol) % 1
    here = (
        leg.start.lat_deg + part * (leg.end.lat_deg - leg.start.lat_deg),
        leg.start.lon_deg + part * (leg.end.lon_deg - leg.start.lon_deg),
    )
    along = np.array(LocalFrame(leg.start.lat_deg, leg.start.lon_deg).to_enu(leg.end.lat_deg, leg.end.lon_deg)[:2])
    return Standing(
        sortie.vehicle,
        airborne=True,
        here=here,
        above_base_m=leg.start.amsl_m - sortie.home.amsl_m,
        battery=0.9,
        fence=compile_mission(winged(), sortie).fence,
        sortie=sortie,
        velocity_m_s=tuple(20.0 * along / np.hypot(*along)),
    )


def test_wings_in_the_air_circle_where_the_fence_holds_turn_circle_and_way_home():
    plane = LocalFrame(*winged().border.centre())

    def metres(lat, lon):
        return np.column_stack(plane.to_enu(np.atleast_1d(lat), np.atleast_1d(lon))[:2])

    border = shapely.LineString(metres(*np.array(winged().border.coordinates).T[::-1]))
    went = 0
    for share in (0.02, 0.1, 0.3, 0.6):
        one = winged_on_patrol(share)
        inside = shapely.Polygon(metres([v.x / 1e7 for v in one.fence], [v.y / 1e7 for v in one.fence]))
        for place in (0.25, 0.3, 0.7):
            offer = dispatch(Cue(on_border(place), 0, 60.0), winged(), [one]).chosen
            if offer is None:
                continue
            went += 1
            assert offer.flown is None
            # 1.25 turn radii, wider as the air is thinner: by the density of the ICAO atmosphere.
            thinness = (1.0 - 2.25577e-5 * winged().options.wind.air_amsl_m) ** -4.25588
            assert offer.circle_m == pytest.approx(1.25 * 52.0 * thinness, rel=1e-4)
            at = shapely.Point(*metres(offer.lat_deg, offer.lon_deg)[0])
            assert inside.buffer(-5.9).covers(at.buffer(offer.circle_m))
            assert border.distance(at) >= winged().border.stand_off_m + offer.circle_m
            ends = [metres(*one.here)[0], metres(one.vehicle.base.lat_deg, one.vehicle.base.lon_deg)[0]]
            assert all(inside.covers(shapely.LineString([at.coords[0], end])) for end in ends)
            # Up where no leg of a patrol passes.
            leg = winged().sorties[0].patrol[0]
            up_m = offer.above_base_m - (leg.start.amsl_m - winged().sorties[0].home.amsl_m)
            assert up_m >= winged().options.separation_up_m
            assert offer.reserve_left >= one.vehicle.aircraft.reserve_fraction
    assert went >= 2


@pytest.mark.parametrize(
    "spoil", [{"velocity_m_s": (0.0, 0.0)}, {"velocity_m_s": "back"}, {"fence": "tight"}, {"battery": 0.21}]
)
def test_wings_whose_turn_or_circle_leaves_the_fence_are_not_sent_from_the_air(spoil):
    one, cue = winged_on_patrol(0.02), Cue(on_border(0.3), 0, 60.0)
    assert dispatch(cue, winged(), [one]).chosen is not None
    if spoil.get("velocity_m_s") == "back":
        spoil = {"velocity_m_s": tuple(-speed for speed in one.velocity_m_s)}
    if "fence" in spoil:
        # It holds the straight ways and no circle.
        at = dispatch(cue, winged(), [one]).chosen
        points = [one.here, (at.lat_deg, at.lon_deg), (one.vehicle.base.lat_deg, one.vehicle.base.lon_deg)]
        frame = LocalFrame(*one.here)
        line = shapely.LineString([[float(v) for v in frame.to_enu(*point)[:2]] for point in points])
        east, north = shapely.get_coordinates(line.buffer(60.0).exterior).T
        lat, lon, _ = frame.to_geodetic(east[:-1], north[:-1], np.zeros(len(east) - 1))
        spoil = {
            "fence": tuple(
                replace(one.fence[0], seq=k, p1=float(len(lat)), x=round(a * 1e7), y=round(o * 1e7))
                for k, (a, o) in enumerate(zip(lat, lon, strict=True))
            )
        }
    answer = dispatch(cue, winged(), [replace(one, **spoil)])
    assert answer.chosen is None
    assert "inside its fence" in answer.others[1] or "its reserve is" in answer.others[1]


def stays(flown):
    """The ground below what is flown on station, metres."""
    legs = [leg for leg in flown.sortie.legs if leg.kind is LegKind.STATION]
    east, north, _ = LocalFrame(*winged().border.centre()).to_enu(
        [leg.end.lat_deg for leg in legs], [leg.end.lon_deg for leg in legs]
    )
    return shapely.MultiPoint(np.column_stack([east, north])).convex_hull
