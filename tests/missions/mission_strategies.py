"""Lawful missions of any kind for the tests of mission files."""

import math

from hypothesis import strategies as st

from missions import Mission, MissionItem

PLACES = (16, 17, 18, 19, 21, 22, 31, 82, 84, 85, 195)
"""Commands with a place: waypoint, loiter, land, take-off, spline, transition, region of interest."""
COMMANDS = (20, 93, 112, 115, 178, 181, 183, 203, 205, 206, 211, 2000, 2001, 2500, 2501)
"""Commands without one: return, delay, conditions, speed, relay, servo, camera, mount, gripper, video."""

finite = st.floats(-1e6, 1e6)
parameter = finite | st.just(math.nan)
latitudes, longitudes = st.integers(-900_000_000, 900_000_000), st.integers(-1_800_000_000, 1_800_000_000)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\.￾￿"), min_size=1, max_size=12)


@st.composite
def places(draw, seq, frames=(0, 6)):
    p = [draw(parameter) for _ in range(4)]
    x, y, z = draw(latitudes), draw(longitudes), draw(st.floats(-500, 9000))
    frame, command = draw(st.sampled_from(frames)), draw(st.sampled_from(PLACES))
    return MissionItem(seq, frame, command, *p, x, y, z, draw(st.booleans()))


@st.composite
def commands(draw, seq):
    p = [draw(parameter) for _ in range(4)]
    x, y = (draw(st.integers(-(2**31), 2**31 - 1)) for _ in range(2))
    return MissionItem(seq, 2, draw(st.sampled_from(COMMANDS)), *p, x, y, draw(parameter), draw(st.booleans()))


@st.composite
def jumps(draw, seq, first=0):
    """To an item before it that is flown, a few times or for ever."""
    return MissionItem(seq, 2, 177, float(draw(st.integers(first, seq))), float(draw(st.integers(-1, 15))))


@st.composite
def polygon(draw, seq, command=5001):
    count = draw(st.integers(3, 9))
    corners = [(draw(latitudes), draw(longitudes)) for _ in range(count)]
    return [MissionItem(seq + k, 0, command, p1=float(count), x=x, y=y) for k, (x, y) in enumerate(corners)]


@st.composite
def missions(draw, frames=(0, 6), fences=(5001,), most_fences=1, rally_frames=(6,)):
    """Missions of both dialects: places and commands mixed, jumps, NaN parameters, a fence and rally points."""
    dialect = draw(st.sampled_from(["ardupilot", "px4"]))
    items = []
    if dialect == "ardupilot":
        home = draw(st.floats(-400, 8000))
        items.append(MissionItem(0, 0, 16, x=draw(latitudes), y=draw(longitudes), z=home))
    for _ in range(draw(st.integers(1, 10))):
        kind = draw(st.sampled_from([places, places, commands, jumps]))
        more = {places: {"frames": frames}, jumps: {"first": int(dialect == "ardupilot")}}.get(kind, {})
        items.append(draw(kind(len(items), **more)))
    fence = []
    for _ in range(draw(st.integers(0, most_fences))):
        fence += draw(polygon(len(fence), draw(st.sampled_from(fences))))
    rally = [
        MissionItem(n, draw(st.sampled_from(rally_frames)), 5100, x=draw(latitudes), y=draw(longitudes), z=draw(finite))
        for n in range(draw(st.integers(0, 3)))
    ]
    return Mission(draw(names), dialect, tuple(items), tuple(fence), tuple(rally))


def home_of(mission, otherwise=412.5):
    """Elevation of home, metres AMSL."""
    return mission.items[0].z if mission.dialect == "ardupilot" else otherwise
