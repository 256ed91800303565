"""Uploads over bad links: each is verified or fails with a reason, and what is said to be held is held."""

import asyncio
import time

from pymavlink.dialects.v20 import ardupilotmega as mav

import autopilot
import sim
from autopilot import MissionKind, VehicleState
from missions import MissionItem
from tests.sim.mav_client import HOME, Client

SPEEDUP = 50.0
VEHICLES = 6
BAD = (
    sim.PacketLoss(probability=0.2),
    sim.Delay(delay_s=1.0, jitter_s=0.5),
    sim.Duplication(probability=0.1),
    sim.Reordering(probability=0.1, by=2),
)


def mission(count, sysid):
    """A mission that no other vehicle has."""
    lat, lon = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
    items = [MissionItem(0, 0, 16, x=lat, y=lon), MissionItem(1, 3, 22, z=30.0)]
    return items + [MissionItem(seq, 3, 16, x=lat + 100 * seq, y=lon + 1000 * sysid, z=30.0) for seq in range(2, count)]


def fleet_with(*faults, vehicles=VEHICLES, seed=11):
    boot = sim.Boot(0.0, 0.0, 0.0)
    listed = sim.Faults(listed=faults)
    return sim.start_fleet(
        sim.FleetConfig(home=HOME, vehicles=vehicles, speedup=SPEEDUP, boot=boot, faults=listed, seed=seed)
    )


def held(endpoint, kind=0):
    """What a vehicle holds, asked by another client that asks until it is told."""
    with Client(endpoint, timeout_s=0.1) as client:

        def asked(message, *kinds, where=lambda _: True):
            end = time.monotonic() + 20.0
            while time.monotonic() < end:
                client.send(message)
                try:
                    return client.wait(*kinds, where=where)
                except AssertionError:
                    continue
            raise AssertionError(f"vehicle {endpoint.sysid} told nothing of its list")

        of_list = mav.MAVLink_mission_request_list_message(client.target, 1, kind)
        count = asked(of_list, "MISSION_COUNT", where=lambda m: m.mission_type == kind).count
        return [
            asked(
                mav.MAVLink_mission_request_int_message(client.target, 1, seq, kind),
                "MISSION_ITEM_INT",
                where=lambda m, s=seq: m.seq == s,
            )
            for seq in range(count)
        ]


async def upload(endpoint, items):
    """What an upload came to: a proof or an error."""
    timing = autopilot.Timing(time_scale=SPEEDUP, retry_floor_s=0.15)
    async with await autopilot.open_link(endpoint.url) as link:
        try:
            vehicle = await autopilot.Vehicle.connect(link, endpoint.sysid, timing=timing, streams=False, wait_s=20.0)
            return await autopilot.upload_verified(
                link, endpoint.sysid, items, MissionKind.MISSION, dialect=vehicle.dialect, timing=timing
            )
        except autopilot.AutopilotError as error:
            return error


def uploads(endpoints, count):
    async def all_of_them():
        return await asyncio.gather(*(upload(e, mission(count, e.sysid)) for e in endpoints))

    return asyncio.run(all_of_them())


def test_uploads_over_a_bad_link_are_verified_or_fail_with_a_reason():
    with fleet_with(*BAD) as running:
        results = uploads(running.endpoints, 20)
        for endpoint, result in zip(running.endpoints, results, strict=True):
            if isinstance(result, autopilot.Verified):
                got = [(m.command, m.x, m.y) for m in held(endpoint)]
                assert got[1:] == [(i.command, i.x, i.y) for i in mission(20, endpoint.sysid)][1:]
            else:
                assert isinstance(result, autopilot.TransferError)
                assert f"vehicle {endpoint.sysid}" in str(result)
                assert result.state in {VehicleState.CLEARED, VehicleState.UNKNOWN}
                if result.state is VehicleState.CLEARED:
                    assert held(endpoint) == []
    assert sum(isinstance(result, autopilot.Verified) for result in results) >= VEHICLES // 2


def test_an_upload_into_a_link_that_is_cut_fails_with_a_reason():
    """Half-way nothing comes from the vehicle any more, for good."""
    cut = sim.LinkCut(direction="down", from_s=60.0)
    with fleet_with(sim.Delay(delay_s=3.0), cut, vehicles=1) as running:
        (result,) = uploads(running.endpoints, 200)
    assert isinstance(result, autopilot.TransferError)
    assert result.state is VehicleState.UNKNOWN
    assert "do not fly it" in str(result)


def test_a_second_station_that_clears_is_found_by_the_read_back():
    """It clears what was uploaded, over and over: no proof is given of a list that is not there."""
    clears = sim.SecondStation(does="clear", every_s=0.1)
    with fleet_with(clears, vehicles=1) as running:
        (result,) = uploads(running.endpoints, 600)  # a reading takes longer than it leaves between two
        assert isinstance(result, autopilot.TransferError)
        assert held(running.endpoints[0]) == []
