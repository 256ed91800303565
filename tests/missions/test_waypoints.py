"""QGC WPL 110 there and back, beside pymavlink's own reader, and files that are none."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymavlink import mavutil, mavwp
from pymavlink.dialects.v20 import ardupilotmega

from geo import FlatTerrain
from missions import (
    FormatError,
    MissionItem,
    compile_mission,
    plan,
    read_waypoints,
    write_plan_folder,
    write_waypoints,
)
from tests.asked import few
from tests.missions.helpers import fleet_for, straight
from tests.missions.mission_strategies import missions

IN_FILES = {0: 0, 2: 2, 3: 3, 5: 0, 6: 3, 10: 10, 11: 10}
"""Of each MAV_FRAME the one that files have."""


@settings(max_examples=few(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mission=missions(frames=(0, 6, 10)))
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


@pytest.fixture
def mavlink_2(monkeypatch):
    """Whoever reads a log of MAVLink 1 with pymavlink leaves all of it with the messages of that."""
    monkeypatch.setattr(mavutil, "mavlink", ardupilotmega)


@pytest.mark.usefixtures("mavlink_2")
def test_pymavlink_reads_the_same_mission(tmp_path):
    border = straight(8000)
    made = plan(border, fleet_for(border, 1))
    mission = compile_mission(made, made.sorties[0])
    write_waypoints(mission.items, tmp_path / "a.waypoints")
    loader = mavwp.MAVWPLoader()
    assert loader.load(str(tmp_path / "a.waypoints")) == len(mission.items)
    for item, theirs in zip(mission.items, loader.wpoints, strict=True):
        assert (theirs.seq, theirs.frame, theirs.command) == (item.seq, IN_FILES[item.frame], item.command)
        assert theirs.z == pytest.approx(item.z)
        if item.frame != 2:
            assert (theirs.x, theirs.y) == pytest.approx((item.x / 1e7, item.y / 1e7), abs=1e-9)


@given(frame=st.sampled_from(sorted(IN_FILES.keys() - {2})), up=st.floats(-500, 9000))
def test_heights_are_above_what_they_were_for_mission_planner_too(tmp_path_factory, frame, up):
    """Its reader takes 3 for above home, 10 for above terrain, and any other frame for above the sea."""
    path = tmp_path_factory.mktemp("wpl") / "a.waypoints"
    write_waypoints((MissionItem(0, 0, 16), MissionItem(1, frame, 16, x=460000000, y=80000000, z=up)), path)
    cells = path.read_text().splitlines()[2].split("\t")
    assert int(cells[2]) == IN_FILES[frame]
    _, item = read_waypoints(path)
    assert (IN_FILES[item.frame], item.z) == (IN_FILES[frame], up)


@pytest.mark.parametrize("frame", [1, 4, 7, 8, 12, 99])
def test_a_frame_without_latitude_and_longitude_is_refused(tmp_path, frame):
    path = tmp_path / "a.waypoints"
    path.write_text(f"QGC WPL 110\n0 1 {frame} 16 0 0 0 0 46 8 1 1\n")
    with pytest.raises(FormatError, match=f"line 2: frame {frame} has no latitude"):
        read_waypoints(path)
    with pytest.raises(FormatError, match=f"item 0: frame {frame} has no latitude"):
        write_waypoints((MissionItem(0, frame, 16, x=1, y=1),), tmp_path / "b.waypoints")


def test_a_part_of_a_parameter_is_not_dropped(tmp_path):
    path = tmp_path / "a.waypoints"
    path.write_text("QGC WPL 110\n0 1 0 16 0 0 0 0 46 8 1 1\n1 0 2 205 0 0 0 0 46.5 8 4 1\n")
    with pytest.raises(FormatError, match=r"line 3: parameter 5 is 46\.5"):
        read_waypoints(path)


@pytest.mark.usefixtures("mavlink_2")
def test_the_list_of_a_px4_mission_begins_with_home_as_every_reader_takes_it(tmp_path):
    """QGroundControl and Mission Planner take the first line for home: without one it would be the take-off."""
    border = straight(8000)
    made = plan(border, fleet_for(border, 1), FlatTerrain(1180.0))
    write_plan_folder(made, tmp_path, "px4")
    sortie = made.sorties[0]
    mission = compile_mission(made, sortie, "px4")
    path = tmp_path / f"{mission.name}.waypoints"
    loader = mavwp.MAVWPLoader()
    assert loader.load(str(path)) == len(mission.items) + 1
    home, takeoff = loader.wpoints[:2]
    assert (home.frame, home.command, home.current, home.z) == (0, 16, 1, 1180.0)
    assert (home.x, home.y) == pytest.approx((sortie.home.lat_deg, sortie.home.lon_deg), abs=1e-7)
    assert (takeoff.seq, takeoff.command) == (1, 22)
    assert repr(read_waypoints(path, "px4")) == repr(mission.items)


@pytest.mark.usefixtures("mavlink_2")
def test_a_jump_of_px4_leads_to_the_same_item_past_home(tmp_path):
    items = (MissionItem(0, 6, 22), MissionItem(1, 6, 16, x=1, y=1), MissionItem(2, 2, 177, p1=1.0, p2=3.0))
    path = tmp_path / "a.waypoints"
    write_waypoints(items, path, home=(46.0, 8.0, 500.0))
    loader = mavwp.MAVWPLoader()
    loader.load(str(path))
    assert loader.wp(int(loader.wp(3).param1)).command == 16
    assert read_waypoints(path, "px4") == items


def test_a_jump_of_px4_to_home_is_told(tmp_path):
    """Of a list for ArduPilot it is item 0; PX4 has none, and the jump would lead to the one before its first."""
    place = "0\t0\t0\t0\t46.1\t8.1\t50\t1"
    jump = "3\t177\t0\t2\t0\t0\t0\t0\t0\t1"
    home = "0\t1\t0\t16\t0\t0\t0\t0\t0\t0\t0\t1"
    path = tmp_path / "theirs.waypoints"
    path.write_text(f"QGC WPL 110\n{home}\n1\t0\t3\t16\t{place}\n2\t0\t{jump}\n")
    assert read_waypoints(path)[2].p1 == 0
    with pytest.raises(FormatError, match="item 2 jumps to home"):
        read_waypoints(path, "px4")


def test_a_px4_list_without_home_is_told(tmp_path):
    path = tmp_path / "a.waypoints"
    write_waypoints((MissionItem(0, 6, 22, z=30.0),), path)
    with pytest.raises(FormatError, match="does not begin with home"):
        read_waypoints(path, "px4")


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
        ("QGC WPL 110\n0 1 0 70000 0 0 0 0 46 8 1 1\n", "line 2: command is 70000"),
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
