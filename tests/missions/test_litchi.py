"""Litchi's CSV there and back, read beside by the csv module alone, and what a plan hands on to pilots' apps."""

import csv
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missions import (
    FormatError,
    LitchiAction,
    LitchiWaypoint,
    MissionError,
    compile_litchi,
    plan,
    read_litchi,
    read_wpml,
    save_litchi,
    write_litchi,
    write_plan_folder,
)
from tests.asked import asked, few
from tests.missions.app_helpers import GEOD, Hills, Line, along, app_fleet, check_way, turned
from tests.missions.helpers import border_from_metres, fleet_for, straight, wiggly_borders

# As the Mission Hub exports it, with points of interest and photo intervals.
HEAD = (
    "latitude,longitude,altitude(m),heading(deg),curvesize(m),rotationdir,gimbalmode,gimbalpitchangle,"
    + ",".join(f"actiontype{n},actionparam{n}" for n in range(1, 16))
    + ",altitudemode,speed(m/s),poi_latitude,poi_longitude,poi_altitude(m),poi_altitudemode,"
    "photo_timeinterval,photo_distinterval"
)


def numbers(low, high):
    return st.floats(low, high, allow_nan=False)


missions_of = st.lists(
    st.builds(
        LitchiWaypoint,
        numbers(-90, 90),
        numbers(-180, 180),
        numbers(-200, 500),
        numbers(0, 360),
        numbers(0.1, 15),
        st.integers(0, 2),
        numbers(-90, 30),
        st.booleans(),
        numbers(0, 1000),
        st.lists(st.builds(LitchiAction, st.integers(0, 5), numbers(-1e6, 1e6)), max_size=15).map(tuple),
    ),
    min_size=1,
    max_size=6,
).map(tuple)


@settings(max_examples=few(100), deadline=None)
@given(mission=missions_of)
def test_every_figure_comes_back(tmp_path_factory, mission):
    path = tmp_path_factory.mktemp("litchi") / "a.csv"
    save_litchi(mission, path)
    assert read_litchi(path) == mission


def rows(path):
    text = path.read_text()
    assert text.splitlines()[0] == HEAD
    return list(csv.DictReader(text.splitlines()))


def does(row):
    """Kinds of action of a line, in order; none follows an empty place."""
    kinds = [int(row[f"actiontype{n}"]) for n in range(1, 16)]
    done = [kind for kind in kinds if kind != -1]
    assert kinds == done + [-1] * (15 - len(done))
    return done


def recording(lines):
    on, out = False, []
    for row in lines:
        for kind in does(row):
            if kind in {2, 3}:
                assert on is (kind == 3)
                on = kind == 2
        out.append(on)
    assert not on
    return out


def way_of(lines):
    return (
        [(float(r["longitude"]), float(r["latitude"])) for r in lines],
        [float(r["altitude(m)"]) for r in lines],
        [float(r["speed(m/s)"]) for r in lines],
        [float(r["heading(deg)"]) for r in lines],
        recording(lines),
    )


@settings(max_examples=asked(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(border=wiggly_borders())
def test_the_way_keeps_clear_and_the_nose_is_at_the_border(tmp_path_factory, border):
    """With room for every waypoint; that of the thinned way is tested below."""
    made = plan(border, app_fleet(border, 2), Hills())
    path = tmp_path_factory.mktemp("way") / "a.csv"
    for sortie in made.sorties:
        route = write_litchi(made, sortie, path, most=1000)
        assert route.thinned_m == 0
        lines = rows(path)
        places, heights, speeds, headings, on = way_of(lines)
        check_way(border, sortie, places, heights, speeds, headings, on)
        assert max(GEOD.inv(*a, *b)[2] for a, b in pairwise(places)) <= 2000
        pitch = made.observation_of(sortie).gimbal_pitch_deg
        assert {(r["altitudemode"], r["gimbalmode"], r["curvesize(m)"]) for r in lines} == {("0", "2", "0.0")}
        assert all(float(r["gimbalpitchangle"]) == pytest.approx(pitch, abs=0.01) for r in lines)
        starts = [r for r in lines if 2 in does(r)]
        assert [does(r) for r in starts] == [[5, 2]] * len(starts)
        # The controller takes whole degrees of a tilt.
        assert all(r["actionparam1"] == f"{int(r['actionparam1'])}" for r in starts)
        assert all(abs(int(r["actionparam1"]) - pitch) <= 0.51 for r in starts)
        assert starts
        # The nose turns the shorter way round.
        for row, (a, b) in zip(lines, pairwise(headings), strict=False):
            if 0.1 < abs(turned(a, b)) < 179.9:
                assert (row["rotationdir"] == "1") is (turned(a, b) < 0)


def wandering():
    """A border of so many bends that the way along it has more than 99 waypoints."""
    north = np.random.default_rng(3).uniform(-300, 300, 40)
    border = border_from_metres([(300.0 * i, y) for i, y in enumerate(north)])
    return border, plan(border, app_fleet(border, 2), Hills())


def test_more_than_99_waypoints_are_thinned_within_what_is_said(tmp_path):
    border, made = wandering()
    line = Line(border)
    for sortie in made.sorties:
        whole, _ = compile_litchi(made, sortie, most=1000)
        route = write_litchi(made, sortie, tmp_path / "a.csv")
        assert len(whole) > 99
        lines = rows(tmp_path / "a.csv")
        assert len(lines) <= 99
        places, *_ = way_of(lines)
        flown = np.concatenate([along(a, b, 2.0) for a, b in pairwise(places)])
        assert line.nearest(flown)[0].min() >= border.stand_off_m - 0.1
        # No place of the planned way is farther from the flown one than is said, 0.5 m of it for joined waypoints.
        away = [
            GEOD.inv(*np.tile(place, (len(flown), 1)).T, *flown.T)[2].min()
            for a, b in pairwise([(p.lon_deg, p.lat_deg) for p in whole])
            for place in along(a, b, 100.0)
        ]
        assert 0 < route.thinned_m <= 5
        assert max(away) <= route.thinned_m + 1.1
        assert any(note.startswith("thinned: leaves the planned way by up to") for note in route.notes)


def test_what_cannot_be_thinned_enough_is_refused(tmp_path):
    _, made = wandering()
    with pytest.raises(
        MissionError, match="waypoints even when thinned by 5 m, Litchi takes 20: plan more and shorter"
    ):
        write_litchi(made, made.sorties[0], tmp_path / "a.csv", most=20)
    with pytest.raises(MissionError, match="most is 1: give"):
        write_litchi(made, made.sorties[0], tmp_path / "a.csv", most=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda b: plan(b, fleet_for(b, 1)), "flies at 18.0 m/s, Litchi takes 15 m/s at most"),
        (lambda b: plan(b, app_fleet(b), Cliff()), "flies between -?[0-9]+ and [0-9]+ m over its base.*another height"),
    ],
)
def test_what_litchi_does_not_fly_is_refused(tmp_path, made, words):
    made = made(straight(3000))
    with pytest.raises(MissionError, match=words):
        write_litchi(made, made.sorties[0], tmp_path / "a.csv")


class Cliff(Hills):
    """The border 500 m above the base."""

    def elevation_m(self, lat_deg, _lon_deg):
        return 500.0 - 500.0 * np.clip((np.asarray(lat_deg, dtype=float) - 46.002) * 111_132.0 / 1200.0, 0.0, 1.0)


GOOD = ["46.0", "8.0", "50", "90", "0", "0", "2", "-45", *["-1", "0"] * 15, "0", "5", "0", "0", "0", "0", "-1", "-1"]
COLUMNS = HEAD.split(",")


def line(**cells):
    return ",".join({**dict(zip(COLUMNS, GOOD, strict=True)), **cells}.values())


def test_a_file_of_the_hub_with_other_line_ends_and_mark_is_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(("\ufeff" + HEAD + "\r\n" + line(actiontype1="2") + "\r\n\r\n").encode())
    (point,) = read_litchi(path)
    assert point == LitchiWaypoint(46.0, 8.0, 50.0, 90.0, 5.0, 2, -45.0, actions=(LitchiAction(2, 0.0),))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not begin with Litchi's columns"),
        ("a,b\n1,2\n", "does not begin with Litchi's columns"),
        (HEAD, "has no waypoint"),
        (HEAD.replace("altitude(m)", "altitude(ft)", 1) + "\n", "has no column 'altitude[(]m[)]'"),
        (HEAD.replace(",speed(m/s)", "") + "\n", "has no column 'speed[(]m/s[)]'"),
        (HEAD + "\n46,8\n", "line 2: has 2 cells"),
        (HEAD + "\n" + line() + "\n" + line(latitude="north"), "line 3: latitude is 'north'"),
        (HEAD + "\n" + line(latitude="nan"), "line 2: latitude is nan: give a number between -90 and 90"),
        (HEAD + "\n" + line(latitude="91"), "line 2: latitude is 91"),
        (HEAD + "\n" + line(**{"altitude(m)": "inf"}), "altitude[(]m[)] is inf"),
        (HEAD + "\n" + line(**{"altitude(m)": "700"}), "altitude[(]m[)] is 700: give a number between -200 and 500"),
        (HEAD + "\n" + line(**{"speed(m/s)": "0"}), "speed[(]m/s[)] is 0: give a number between 0.1 and 15"),
        (HEAD + "\n" + line(actiontype3="2.5"), "actiontype3 is 2.5: give a whole number"),
        (HEAD + "\n" + line(actiontype3="9"), "actiontype3 is 9: give a whole number from -1 to 5"),
        (HEAD + "\n" + line(gimbalmode="3"), "gimbalmode is 3"),
        (HEAD + "\n" + line(altitudemode="1"), "altitudemode is 1: this program reads heights over the take-off"),
        (HEAD + "\n" + line(poi_latitude="46.1"), "poi_latitude is 46.1"),
        (HEAD + "\n" + "x" * 200_000, "is not CSV"),
    ],
)
def test_a_bad_file_names_line_and_column(tmp_path, text, words):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match=words) as error:
        read_litchi(path)
    assert "a.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_too_many_actions_are_refused(tmp_path):
    point = LitchiWaypoint(46.0, 8.0, 50.0, 90.0, 5.0, actions=(LitchiAction(1),) * 16)
    with pytest.raises(FormatError, match="waypoint 0 has 16 actions, Litchi takes 15"):
        save_litchi((point,), tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


def test_a_plan_folder_has_both_formats_of_every_sortie_that_fits(tmp_path):
    border = straight(5000)
    made = plan(border, app_fleet(border))
    written = write_plan_folder(made, tmp_path)
    assert all(path.is_file() for path in written)
    for sortie in made.sorties:
        flown, listed = read_wpml(tmp_path / f"{sortie.name}.kmz"), read_litchi(tmp_path / f"{sortie.name}.csv")
        ends = [{(p.lat_deg, p.lon_deg) for p in (way[0], way[-1])} for way in (flown.waypoints, listed)]
        assert ends[0] == ends[1]
        assert [pytest.approx((sortie.vehicle.base.lat_deg, sortie.vehicle.base.lon_deg), abs=1e-7)] == list(ends[0])
        assert {tmp_path / f"{sortie.name}.kmz", tmp_path / f"{sortie.name}.csv"} <= set(written)
    said = (tmp_path / "apps.txt").read_text()
    assert "Path Mode: Straight Lines" in said
    assert "not written" not in said


def test_a_plan_that_no_app_takes_is_written_all_the_same_and_says_why(tmp_path):
    border = straight(5000)
    slow, fast = plan(border, app_fleet(border)), plan(border, fleet_for(border, 1))
    write_plan_folder(slow, tmp_path)
    written = write_plan_folder(fast, tmp_path)
    # What the earlier plan left under the same name would be flown for this one.
    assert not [path for path in tmp_path.iterdir() if path.suffix in {".kmz", ".csv"}]
    assert (tmp_path / "plan.json") in written
    said = (tmp_path / "apps.txt").read_text()
    name = fast.sorties[0].name
    assert f"{name}.kmz: not written: {name}: flies at 18.0 m/s" in said
    assert f"{name}.csv: not written: {name}: flies at 18.0 m/s" in said


def test_a_long_piece_is_split_where_litchi_needs_it():
    border = straight(11_000)
    made = plan(border, app_fleet(border, 1))
    waypoints, _ = compile_litchi(made, made.sorties[0])
    steps = [GEOD.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[2] for a, b in pairwise(waypoints)]
    assert max(leg.distance_m for leg in made.sorties[0].legs) > 4000
    assert max(steps) <= 2000
    assert sum(steps) == pytest.approx(made.sorties[0].distance_m, rel=1e-3)


def test_a_sortie_longer_than_litchi_takes_is_refused():
    border = straight(24_000)
    fleet = app_fleet(border, 1)
    craft = replace(fleet.vehicles[0].aircraft, battery_wh=5000.0)
    made = plan(border, replace(fleet, vehicles=(replace(fleet.vehicles[0], aircraft=craft),)))
    assert made.sorties[0].distance_m > 40_000
    with pytest.raises(MissionError, match="km long, Litchi takes 40 km: plan more and shorter sorties"):
        compile_litchi(made, made.sorties[0])


def test_an_export_from_before_photo_intervals_is_read(tmp_path):
    earlier = HEAD.removesuffix(",photo_timeinterval,photo_distinterval")
    actions = ",".join(["-1,0"] * 15)
    (tmp_path / "theirs.csv").write_text(f"{earlier}\n47,8,50,90,0.2,0,0,0,{actions},0,5,0,0,0,0\n")
    (point,) = read_litchi(tmp_path / "theirs.csv")
    assert (point.lat_deg, point.lon_deg, point.above_start_m, point.speed_m_s) == (47.0, 8.0, 50.0, 5.0)
