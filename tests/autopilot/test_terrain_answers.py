"""Heights for vehicles that ask: in ArduPilot's published layout, read by pymavlink and by the simulated autopilot."""

import asyncio
import math
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import NotReadyError, Timing, Vehicle, open_link
from autopilot.terrain_answers import TerrainAnswers
from autopilot.terrain_grid import BLOCKS, Grid, heights_of
from autopilot.terrain_wait import await_ground
from geo import TerrainError
from missions import Mission, MissionItem
from sim.flight_terrain import TerrainMap
from tests.autopilot.scripted import FAST, HOME, Script, ScriptedVehicle
from tests.ports import free_port

FULL = (1 << BLOCKS) - 1
A_1E7_M = 0.011131884502145034
LAT_E7, LON_E7 = 313_000_000, -1_109_000_000
corners = st.builds(
    Grid, st.integers(-840_000_000, 840_000_000), st.integers(-1_799_000_000, 1_799_000_000), st.integers(5, 300)
)


class Ground:
    """Heights by a rule, and none where a rule says so."""

    resolution_m = 30.0

    def __init__(self, height, known=lambda *_: True):
        self.height, self.known, self.asked = height, known, 0

    def elevation_m(self, lat, lon):
        self.asked += 1
        lat, lon = np.broadcast_arrays(lat, lon)
        for one, other in zip(lat.ravel(), lon.ravel(), strict=True):
            if not self.known(one, other):
                raise TerrainError(f"no elevation at {one:.5f}, {other:.5f}: add the tile that covers it")
        return self.height(lat, lon)


# --- the layout ----------------------------------------------------------------------------------------------------


@given(corners, st.integers(0, BLOCKS - 1))
def test_blocks_lie_where_the_published_layout_says(grid, bit):
    """Bit by bit eastwards, eight to a row, rows northwards; heights eastwards, four to a row (AP_Terrain.h)."""
    lat, lon = grid.places(bit)
    for number in range(16):
        north_m = (4 * (bit // 8) + number // 4) * grid.spacing_m
        east_m = (4 * (bit % 8) + number % 4) * grid.spacing_m
        metres_a_degree = 2 * math.pi * 6_378_100.0 / 360.0
        assert (lat[number] - grid.lat_e7 / 1e7) * metres_a_degree == pytest.approx(north_m, rel=1e-4, abs=0.01)
        half_way = math.radians((grid.lat_e7 / 1e7 + lat[number]) / 2)
        east = (lon[number] - grid.lon_e7 / 1e7 + 180.0) % 360.0 - 180.0
        assert east * metres_a_degree * math.cos(half_way) == pytest.approx(east_m, rel=1e-4, abs=0.01)
        assert -180.0 <= lon[number] < 180.0


@given(
    st.floats(-60, 60), st.floats(-179, 178), st.sampled_from([30, 100]), st.floats(-0.05, 0.05), st.floats(-0.05, 0.05)
)
@settings(max_examples=40, deadline=None)
def test_the_simulated_autopilot_reads_a_slope_out_of_them(lat, lon, spacing, north, east):
    """On a plane of at most 7 in 100, the heights that it interpolates are those of the ground, within its layout."""
    metres = 111_319.5
    ground = Ground(
        lambda a, o: 500.0 + north * (a - lat) * metres + east * (o - lon) * metres * np.cos(np.radians(lat))
    )
    known = TerrainMap((lat, lon), {"TERRAIN_ENABLE": 1.0, "TERRAIN_SPACING": float(spacing)}, None)
    known.look_for([(lat, lon)])
    (corner, mask) = known.wanted(0.0)
    heights = heights_of(Grid(*corner, spacing), ground)
    assert (heights.mask, heights.missing) == (mask, None)
    for bit, block in heights.blocks.items():
        assert known.take(corner, spacing, bit, block)
    # It reckons east at the whole degree below, as older versions do, and cuts its corner at 1e-7 degrees.
    skew_m = 32 * spacing * (abs(math.cos(math.radians(math.floor(lat))) / math.cos(math.radians(lat)) - 1) + 1e-3)
    assert known.height_m(lat, lon) == pytest.approx(500.0, abs=0.6 + skew_m * abs(east) + 0.1)


@given(st.integers(1, 27), st.sampled_from(["north", "east"]))
@settings(max_examples=30, deadline=None)
def test_a_block_with_a_place_that_is_not_known_is_left_out_whole(steps, side):
    grid = Grid(LAT_E7, LON_E7, 100)
    edge_lat = (LAT_E7 + (steps - 0.5) * 100 / A_1E7_M) / 1e7
    edge_lon = (LON_E7 + (steps - 0.5) * 100 / A_1E7_M / math.cos(math.radians(LAT_E7 / 1e7))) / 1e7
    axis, edge = (0, edge_lat) if side == "north" else (1, edge_lon)
    ground = Ground(lambda lat, _: np.full(np.shape(lat), 1200.0), lambda *place: place[axis] < edge)
    heights = heights_of(grid, ground)
    whole = steps // 4
    expected = {bit for bit in range(BLOCKS) if (bit // 8 if side == "north" else bit % 8) < whole}
    assert set(heights.blocks) == expected
    assert "no elevation at" in heights.missing


@pytest.mark.parametrize("height", [40_000.0, -40_000.0, math.nan, math.inf])
def test_a_height_that_the_message_cannot_say_is_not_said(height):
    heights = heights_of(Grid(LAT_E7, LON_E7, 100), Ground(lambda lat, _: np.full(np.shape(lat), height)))
    assert heights.mask == 0
    assert "do not fit" in heights.missing


# --- answers over a link -------------------------------------------------------------------------------------------


@asynccontextmanager
async def asking(ground, *scripts, timing=FAST):
    """Vehicles on one link, who answers them, and what was told."""
    told, port = [], free_port()
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        link = await stack.enter_async_context(await open_link(f"udpin:127.0.0.1:{port}"))
        answers = TerrainAnswers(link, ground, timing, told.append)
        stack.callback(answers.close)
        vehicles = []
        for script in scripts:
            _, vehicle = await loop.create_datagram_endpoint(
                lambda script=script: ScriptedVehicle(script), remote_addr=("127.0.0.1", port)
            )
            stack.push_async_callback(vehicle.end)
            vehicle.peer = ("127.0.0.1", port)
            vehicle.transport.sendto = lambda data, _, send=vehicle.transport.sendto: send(data)
            vehicle.heartbeat()
            await link.wait_vehicle(script.sysid, timeout_s=20)
            vehicles.append(vehicle)
        yield link, answers, told, vehicles


def request(mask=FULL, lat=LAT_E7, lon=LON_E7, spacing=100):
    return mav.MAVLink_terrain_request_message(lat, lon, spacing, mask)


def blocks(vehicle):
    return [m for m in vehicle.heard if m.get_type() == "TERRAIN_DATA"]


async def until(what, wall_s=30.0):
    end = asyncio.get_running_loop().time() + wall_s
    while not what():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.01)


def slope(lat, lon):
    return 1000.0 + (np.asarray(lat) - LAT_E7 / 1e7) * 1e4 + (np.asarray(lon) - LON_E7 / 1e7) * 2e4


async def test_what_is_asked_for_comes_and_nothing_else():
    mask = 1 << 0 | 1 << 9 | 1 << 55
    async with asking(Ground(slope), Script()) as (_, answers, told, (vehicle,)):
        vehicle.send(request(mask))
        await until(lambda: len(blocks(vehicle)) == 3)
        await asyncio.sleep(0.1)
        assert [m.gridbit for m in blocks(vehicle)] == [0, 9, 55]
        for m in blocks(vehicle):
            assert (m.lat, m.lon, m.grid_spacing) == (LAT_E7, LON_E7, 100)
            lat, lon = Grid(LAT_E7, LON_E7, 100).places(m.gridbit)
            assert m.data == [round(value) for value in slope(lat, lon)]
        assert (answers.sent, told) == (3, [])


async def test_what_was_lost_on_the_way_is_asked_for_and_sent_again():
    async with asking(Ground(slope), Script(lose=lambda name, nth: name == "TERRAIN_DATA" and nth % 2)) as (
        _, _, _, (vehicle,),
    ):  # fmt: skip
        missing = FULL
        for _ in range(12):
            vehicle.send(request(missing))
            await asyncio.sleep(0.3)
            missing = FULL & ~sum({1 << m.gridbit for m in blocks(vehicle)})
            if not missing:
                break
        assert missing == 0


async def test_the_rate_is_bounded_and_all_have_their_turn():
    """Twelve blocks a vehicle and second, 48 in all: ten vehicles on one link wait for each other."""
    scripts = [Script(sysid=n) for n in range(1, 11)]
    async with asking(Ground(slope), *scripts, timing=Timing()) as (_, answers, _, vehicles):
        for vehicle in vehicles:
            vehicle.send(request())
        await until(lambda: answers.sent > 0)
        begun, before = asyncio.get_running_loop().time(), answers.sent
        await asyncio.sleep(1.5)
        took, sent = asyncio.get_running_loop().time() - begun, answers.sent - before
        assert sent <= 48 * took + 8
        assert sent >= 20
        counts = [len(blocks(vehicle)) for vehicle in vehicles]
        assert max(counts) - min(counts) <= 2


async def test_one_alone_gets_twelve_a_second():
    async with asking(Ground(slope), Script(), timing=Timing()) as (_, answers, _, (vehicle,)):
        vehicle.send(request())
        await until(lambda: answers.sent > 0)
        begun, before = asyncio.get_running_loop().time(), answers.sent
        await asyncio.sleep(1.0)
        assert answers.sent - before <= 12 * (asyncio.get_running_loop().time() - begun) + 2


async def test_a_place_without_data_is_not_answered_and_said_once():
    ground = Ground(slope, lambda _, lon: lon < LON_E7 / 1e7 + 0.006)
    async with asking(ground, Script(sysid=1), Script(sysid=2)) as (_, _, told, (one, two)):
        for _ in range(3):
            one.send(request())
            two.send(request())
            two.send(request(lat=LAT_E7 + 200_000))
            await asyncio.sleep(0.4)
        assert {m.gridbit % 8 for m in blocks(one)} == {0}
        assert {m.gridbit % 8 for m in blocks(two)} == {0}
        (said,) = told
        assert "vehicle 1 asks for heights that the terrain given does not have" in said
        assert "add the tile that covers it" in said


@pytest.mark.parametrize(
    "message",
    [
        request(0),
        request(0xFF << BLOCKS),
        request(lat=910_000_000),
        request(lon=1_810_000_000),
        request(spacing=0),
    ],
)
async def test_a_request_for_nothing_or_nowhere_is_passed_over(message):
    ground = Ground(slope)
    async with asking(ground, Script()) as (_, answers, told, (vehicle,)):
        vehicle.send(message)
        await asyncio.sleep(0.2)
        assert (answers.sent, ground.asked, told) == (0, 0, [])


async def test_who_is_no_autopilot_is_passed_over():
    ground = Ground(slope)
    async with asking(ground, Script()) as (_, answers, _, (vehicle,)):
        vehicle.mav.srcComponent = 191
        vehicle.send(request())
        await asyncio.sleep(0.2)
        assert (answers.sent, ground.asked) == (0, 0)


async def test_a_flood_of_requests_is_bounded():
    async with asking(Ground(slope), Script(), timing=Timing()) as (_, answers, _, (vehicle,)):
        for n in range(500):
            vehicle.send(request(lat=LAT_E7 + 1000 * n))
        await asyncio.sleep(0.5)
        assert answers.sent <= 15
        assert max(map(len, answers._asked.values())) <= 64


async def test_nothing_is_answered_once_it_is_closed():
    async with asking(Ground(slope), Script()) as (_, answers, _, (vehicle,)):
        answers.close()
        vehicle.send(request())
        await asyncio.sleep(0.2)
        assert answers.sent == 0


# --- waiting before arming -----------------------------------------------------------------------------------------


class Knowing(ScriptedVehicle):
    """A vehicle that comes to know the ground place by place, so many checks after it was asked first."""

    def __init__(self, script, *, after=0, never=lambda *_: False, pending=lambda _: 0):
        super().__init__(script)
        script.params["TERRAIN_ENABLE"] = (1.0, 2)
        self.after, self.never, self.pending, self.checks = after, never, pending, {}

    def on_terrain_check(self, m):
        nth = self.checks[m.lat, m.lon] = self.checks.get((m.lat, m.lon), 0) + 1
        known = nth > self.after and not self.never(m.lat / 1e7, m.lon / 1e7)
        pending = self.pending(sum(self.checks.values()))
        self.send(mav.MAVLink_terrain_report_message(m.lat, m.lon, 100 * known, 1200.0, 0.0, pending, 56))


@asynccontextmanager
async def knowing(**how):
    port = free_port()
    _, scripted = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Knowing(Script(), **how), local_addr=("127.0.0.1", port)
    )
    try:
        async with await open_link(f"udp:127.0.0.1:{port}") as link:
            beat = asyncio.create_task(_beat(scripted))
            async with await Vehicle.connect(link, 1, timing=FAST) as vehicle:
                yield vehicle, scripted
            beat.cancel()
    finally:
        await scripted.end()


async def _beat(scripted):
    while True:
        scripted.heartbeat()
        await asyncio.sleep(0.05)


def mission(frame, *north_m):
    lat, lon = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
    ways = [MissionItem(n, frame, 16, x=lat + round(90 * m), y=lon, z=60.0) for n, m in enumerate(north_m, 1)]
    return Mission("m", "ardupilot", (MissionItem(0, 0, 16, x=lat, y=lon, z=HOME[2]), *ways), (), ())


async def test_the_whole_way_above_terrain_is_asked_for():
    steps = []
    async with knowing(after=2) as (vehicle, scripted):
        await await_ground(vehicle, mission(10, 1800), 60.0, lambda *step: steps.append(step))
        asked = sorted(lat for lat, _ in scripted.checks)
    assert asked[0] == round(HOME[0] * 1e7)
    assert asked[-1] == round(HOME[0] * 1e7) + 90 * 1800
    assert max(np.diff(asked)) <= 90 * 510
    assert steps[-1] == (len(asked), len(asked))
    assert min(scripted.checks.values()) >= 3


async def test_a_mission_above_home_waits_for_nothing():
    async with knowing(never=lambda *_: True) as (vehicle, scripted):
        await await_ground(vehicle, mission(3, 1800), 60.0, lambda *_: None)
        assert scripted.checks == {}


async def test_what_is_pending_is_waited_for():
    async with knowing(pending=lambda nth: max(0, 40 - nth)) as (vehicle, scripted):
        await await_ground(vehicle, mission(10, 100), 60.0, lambda *_: None)
        assert sum(scripted.checks.values()) >= 40


async def test_ground_that_never_comes_is_named():
    edge = HOME[0] + 0.0081
    async with knowing(never=lambda lat, _: lat > edge) as (vehicle, _):
        with pytest.raises(
            NotReadyError, match=r"lacks the ground at 3 places of its way, the first on the way to item 2"
        ):
            await await_ground(vehicle, mission(10, 600, 1800), 10.0, lambda *_: None)


async def test_blocks_that_stay_pending_are_named():
    async with knowing(pending=lambda _: 7) as (vehicle, _):
        with pytest.raises(NotReadyError, match=r"lacks 7 blocks of heights around its way; nothing new came in 10 s"):
            await await_ground(vehicle, mission(10, 600), 10.0, lambda *_: None)


async def test_a_database_that_is_off_is_said_at_once():
    async with knowing() as (vehicle, scripted):
        scripted.script.params["TERRAIN_ENABLE"] = (0.0, 2)
        with pytest.raises(NotReadyError, match="set TERRAIN_ENABLE to 1"):
            await await_ground(vehicle, mission(10, 600), 10.0, lambda *_: None)
        assert scripted.checks == {}
