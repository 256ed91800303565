"""Parts of lists, and the vehicle's own numbers of them: ground station and simulated vehicle."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import (
    ARDUCOPTER,
    PX4,
    MissionKind,
    RejectedError,
    TransferError,
    VehicleState,
    still_holds,
    upload_verified,
)
from autopilot.compare import prepared
from missions import MissionItem
from tests.system.rough import HOME, Channel, Joined, run

LAT, LON = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
COUNT, PART, ITEM = (
    mav.MAVLINK_MSG_ID_MISSION_COUNT,
    mav.MAVLINK_MSG_ID_MISSION_WRITE_PARTIAL_LIST,
    mav.MAVLINK_MSG_ID_MISSION_ITEM_INT,
)


def mission(count, *, raised=()):
    home = MissionItem(0, 0, 16, x=LAT, y=LON, z=HOME[2])
    places = (MissionItem(n, 3, 16, x=LAT, y=LON + 500 * n, z=90.0 if n in raised else 50.0) for n in range(1, count))
    return (home, *places)


async def send(joined, items, kind=MissionKind.MISSION, **more):
    dialect = PX4 if joined.config.autopilot == "px4" else ARDUCOPTER
    if "held" in more:
        more |= {"held": prepared(more["held"], kind, ARDUCOPTER), "in_part": True}
    return await upload_verified(joined.link, 1, items, kind, dialect=dialect, by_file=False, **more)


def test_only_what_differs_is_sent_and_the_whole_is_proved():
    async def go():
        async with Joined() as joined:
            await send(joined, mission(60))
            before = joined.carried(ITEM)
            seen = []
            proof = await send(
                joined, mission(60, raised=(20, 23)), held=mission(60), progress=lambda *step: seen.append(step)
            )
            assert joined.carried(ITEM) - before == 4
            assert joined.carried(COUNT) == 1
            assert proof.items == 60
            assert [item.z for item in joined.items(0)[19:25]] == [50.0, 90.0, 50.0, 50.0, 90.0, 50.0]
            assert seen[3] == ("upload mission", 4, 4)
            assert seen[-1] == ("read back mission", 60, 60)

    run(go())


def test_what_does_not_differ_is_only_proved():
    async def go():
        async with Joined() as joined:
            await send(joined, mission(20))
            before = joined.carried(ITEM)
            assert (await send(joined, mission(20), held=mission(20))).items == 20
            assert joined.carried(ITEM) == before
            assert joined.carried(PART) == 0

    run(go())


def test_a_vehicle_that_holds_something_else_is_found_out_and_given_the_whole():
    async def go():
        async with Joined() as joined:
            await send(joined, mission(20, raised=(5,)))
            proof = await send(joined, mission(20, raised=(9,)), held=mission(20))
            assert proof.attempts == 2
            assert [item.z for item in joined.items(0)].index(90.0) == 9

    run(go())


def test_a_vehicle_that_holds_less_refuses_the_part_and_is_given_the_whole():
    async def go():
        async with Joined() as joined:
            await send(joined, mission(3))
            proof = await send(joined, mission(20, raised=(9,)), held=mission(20))
            assert "general error" in proof.remark
            assert len(joined.items(0)) == 20

    run(go())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"items": mission(21)}, id="longer"),
        pytest.param({"dialect": PX4}, id="an autopilot that takes no parts"),
    ],
)
def test_what_cannot_go_in_part_goes_whole(change):
    async def go():
        async with Joined() as joined:
            await send(joined, mission(20))
            items = change.get("items", mission(20, raised=(3,)))
            joined.heard.clear()
            choose = {
                "dialect": change.get("dialect", ARDUCOPTER),
                "by_file": False,
                "held": mission(20),
                "in_part": True,
            }
            # Our vehicle is no PX4, what it stores of home differs: only what is sent is looked at.
            with suppress(TransferError):
                await upload_verified(joined.link, 1, items, **choose)
            assert joined.carried(PART) == 0
            assert joined.carried(COUNT) >= 1

    run(go())


def test_a_part_that_is_refused_half_way_leaves_no_hybrid():
    async def go():
        items = list(mission(20, raised=(4, 12)))
        items[8] = replace(items[8], command=4242)
        async with Joined() as joined:
            await send(joined, mission(20))
            with pytest.raises(RejectedError, match="unsupported command") as caught:
                await send(joined, items, held=mission(20))
            assert caught.value.state is VehicleState.CLEARED
            assert joined.items(0) == []

    run(go())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.floats(0.0, 0.2), st.sets(st.integers(1, 29), max_size=5))
def test_a_part_on_a_rough_link_is_proved(seed, loss, raised):
    async def go():
        async with Joined() as joined:
            await send(joined, mission(30))
            joined.channel = Channel(seed, loss=loss, delay_s=0.02, jitter_s=0.1, twice=0.1)
            wanted = mission(30, raised=raised)
            try:
                await send(joined, wanted, held=mission(30), attempts=4)
            except TransferError:
                assert loss > 0.05
            else:
                assert [item.z for item in joined.items(0)[1:]] == [item.z for item in wanted[1:]]

    run(go())


# Opaque ids.


def test_a_vehicle_with_numbers_shows_that_it_still_holds_what_was_proved():
    async def go():
        async with Joined(autopilot="px4") as joined:
            rally = (MissionItem(0, 3, 5100, x=LAT, y=LON, z=30.0),)
            proofs = [await send(joined, mission(20)), await send(joined, rally, MissionKind.RALLY)]
            assert all(proof.opaque_id for proof in proofs)
            assert [await still_holds(joined.link, proof) for proof in proofs] == [True, True]
            before = len(joined.heard)
            assert await still_holds(joined.link, proofs[0])
            assert len(joined.heard) == before + 1
            await send(joined, mission(20, raised=(7,)))
            assert [await still_holds(joined.link, proof) for proof in proofs] == [False, True]
            await send(joined, mission(20))
            assert await still_holds(joined.link, proofs[0])

    run(go())


def test_without_numbers_it_cannot_be_told():
    async def go():
        async with Joined() as joined:
            proof = await send(joined, mission(20))
            assert proof.opaque_id == 0
            assert await still_holds(joined.link, proof) is None

    run(go())


def test_a_cleared_list_and_a_silent_vehicle_prove_nothing():
    async def go():
        async with Joined(autopilot="px4") as joined:
            proof = await send(joined, mission(20))
            await send(joined, ())
            assert await still_holds(joined.link, proof) is None
            joined.channel.cut = True
            assert await still_holds(joined.link, proof) is None

    run(go())
