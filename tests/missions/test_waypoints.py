"""QGC WPL 110 there and back, beside pymavlink's own reader, and files that are none."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from pymavlink import mavwp

from missions import FormatError, MissionItem, compile_mission, plan, read_waypoints, write_waypoints
from tests.missions.helpers import fleet_for, straight
from tests.missions.mission_strategies import missions


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mission=missions(frames=(0, 3, 5, 6, 10, 11)))
def test_every_figure_comes_back(tmp_path_factory, mission):
    path = tmp_path_factory.mktemp("wpl") / "a.waypoints"
    write_waypoints(mission.items, path)
    # NaN is not equal to itself; its text is.
    assert repr(read_waypoints(path)) == repr(mission.items)


def test_leave_as_it_is_comes_back(tmp_path):
    write_waypoints((MissionItem(0, 6, 16, p4=math.nan, x=460000000, y=80000000),), tmp_path / "a.waypoints")
    (item,) = read_waypoints(tmp_path / "a.waypoints")
    assert math.isnan(item.p4)
    assert item.x == 460000000


def test_pymavlink_reads_the_same_mission(tmp_path):
    border = straight(8000)
    made = plan(border, fleet_for(border, 1))
    mission = compile_mission(made, made.sorties[0])
    write_waypoints(mission.items, tmp_path / "a.waypoints")
    loader = mavwp.MAVWPLoader()
    assert loader.load(str(tmp_path / "a.waypoints")) == len(mission.items)
    for item, theirs in zip(mission.items, loader.wpoints, strict=True):
        assert (theirs.seq, theirs.frame, theirs.command) == (item.seq, item.frame, item.command)
        assert theirs.z == pytest.approx(item.z)
        if item.frame != 2:
            assert (theirs.x, theirs.y) == pytest.approx((item.x / 1e7, item.y / 1e7), abs=1e-9)


def test_other_programs_line_ends_and_spaces_are_read(tmp_path):
    path = tmp_path / "a.waypoints"
    path.write_bytes(
        b"QGC WPL 110\r\n0 1 0 16 0 0 0 0 46.5 8.25 500 1\r\n\r\n#\ta note\r\n1\t0\t3\t22\t0\t0\t0\t0\t0\t0\t30\t1\r\n"
    )
    home, start = read_waypoints(path)
    assert (home.x, home.y, home.z) == (465000000, 82500000, 500.0)
    assert (start.command, start.z) == (22, 30.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "QGC WPL 110"),
        ("QGC WPL 120\n", "QGC WPL 110"),
        ("QGC WPL 110\n0 1 0 16 0 0 0 0 46 8 1\n", "line 2: has 11 fields"),
        ("QGC WPL 110\n0 1 0 16 0 0 x 0 46 8 1 1\n", "line 2: p3"),
        ("QGC WPL 110\n0 1 0 16 0 0 0 0 96 8 1 1\n", "line 2: x"),
        ("QGC WPL 110\n0 1 0 16 0 0 0 0 46 nan 1 1\n", "line 2: y"),
        ("QGC WPL 110\n0 1 0 16.5 0 0 0 0 46 8 1 1\n", "line 2: command"),
        ("QGC WPL 110\n1 1 0 16 0 0 0 0 46 8 1 1\n", "line 2: seq"),
    ],
)
def test_a_bad_file_names_line_and_field(tmp_path, text, words):
    path = tmp_path / "a.waypoints"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        read_waypoints(path)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (MissionItem(1, 6, 16, x=1, y=1), "item 0: seq is 1"),
        (MissionItem(0, 6, 16, p2=math.inf, x=1, y=1), "item 0: p2 is inf"),
        (MissionItem(0, 6, 16, x=1, y=1, z=math.nan), "item 0: z is nan"),
        (MissionItem(0, 6, 16, x=910_000_000), "item 0: x is 91"),
    ],
)
def test_what_would_not_be_read_is_not_written(tmp_path, item, words):
    with pytest.raises(FormatError, match=words):
        write_waypoints((item,), tmp_path / "a.waypoints")
    assert not list(tmp_path.iterdir())
