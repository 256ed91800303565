"""List transfers against scripted vehicles."""

import asyncio
from dataclasses import replace

import pytest
from fastcrc.crc16 import mcrf4xx
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import (
    ARDUCOPTER,
    PX4,
    MismatchError,
    MissionKind,
    RejectedError,
    TransferError,
    TransferTimeoutError,
    VehicleState,
    clear,
    download,
    upload,
    upload_verified,
)
from missions import MissionItem
from tests.autopilot.scripted import FAST, Script, line_mission, linked

ITEMS = line_mission().items
OF_OLD = {"MISSION_REQUEST": 4, "MISSION_REQUEST_INT": 4, "MISSION_ACK": 3, "MISSION_COUNT": 4}
"""Bytes of messages of MAVLink 1."""
OLD = line_mission(3).items


async def send(link, items=ITEMS, kind=MissionKind.MISSION, **more):
    return await upload_verified(link, 1, items, kind, dialect=more.pop("dialect", ARDUCOPTER), timing=FAST, **more)


@pytest.mark.parametrize("ask_int", [True, False], ids=["MISSION_REQUEST_INT", "MISSION_REQUEST"])
async def test_both_requests_are_answered_with_item_int(ask_int):
    async with linked(Script(ask_int=ask_int)) as (vehicle, link):
        seen = []
        proof = await send(link, progress=lambda *step: seen.append(step))
        assert proof.items == len(ITEMS)
        assert proof.attempts == 1
        assert proof.acknowledged
        assert [item.command for item in vehicle.lists[0]] == [item.command for item in ITEMS]
        assert not any(message.get_type() == "MISSION_ITEM" for message in vehicle.heard)
        assert seen[len(ITEMS) - 1] == ("upload mission", len(ITEMS), len(ITEMS))
        assert seen[-1] == ("read back mission", len(ITEMS), len(ITEMS))


async def test_all_three_lists_live_side_by_side():
    mission = line_mission()
    async with linked() as (vehicle, link):
        await send(link, mission.fence, MissionKind.FENCE)
        await send(link, mission.rally, MissionKind.RALLY)
        await send(link, mission.items)
        assert [len(vehicle.lists[kind]) for kind in MissionKind] == [len(mission.items), 4, 1]
        # Item 0 of a fence is a vertex, not home.
        assert vehicle.lists[1][0].x == mission.fence[0].x
        read = await download(link, 1, MissionKind.FENCE, timing=FAST, window=5)
        assert [item.x for item in read] == [item.x for item in mission.fence]


@pytest.mark.parametrize(
    "name", ["MISSION_COUNT", "MISSION_REQUEST_INT", "MISSION_ITEM_INT", "MISSION_ACK", "MISSION_REQUEST_LIST"]
)
async def test_one_loss_of_each_message_is_survived(name):
    async with linked(Script(lose=lambda kind, nth: kind == name and nth == 2 - (name == "MISSION_COUNT"))) as (
        vehicle,
        link,
    ):
        await send(link)
        assert len(vehicle.lists[0]) == len(ITEMS)


async def test_loss_of_every_fourth_message_is_survived():
    async with linked(Script(lose=lambda kind, nth: kind.startswith("MISSION") and nth % 4 == 3)) as (vehicle, link):
        await send(link, attempts=3)
        assert len(vehicle.lists[0]) == len(ITEMS)


async def test_a_lost_final_acknowledgement_is_proved_by_read_back():
    async with linked(Script(lose=lambda kind, nth: kind == "MISSION_ACK" and nth == 1)) as (_, link):
        proof = await send(link)
        assert not proof.acknowledged
        assert proof.items == len(ITEMS)


@pytest.mark.parametrize(
    "trouble",
    [
        Script(twice=True),
        Script(wrong_kind=True),
        Script(bad_requests=True),
        Script(noise=b"\xfd\x09\x00\x00garbage\xfe\xff"),
        Script(noise=b"\xfe\x00"),
    ],
    ids=["duplicates", "another list's messages", "out of range and early acceptance", "noise", "short noise"],
)
async def test_trouble_on_the_wire_changes_nothing(trouble):
    async with linked(trouble) as (vehicle, link):
        proof = await send(link)
        assert proof.items == len(vehicle.lists[0]) == len(ITEMS)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (14, "another ground station"), (10, "latitude"), (3, "unsupported command"), (6, "parameter 1"),
        (1, "general error"),
    ],
)  # fmt: skip
async def test_a_refusal_half_way_is_told_in_words_and_leaves_no_hybrid(result, words):
    async with linked(Script(refuse=(4, result, "Mission: bad item"))) as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        with pytest.raises(RejectedError, match=words) as caught:
            await send(link)
        assert caught.value.result == result
        assert caught.value.state is VehicleState.CLEARED
        assert "Mission: bad item" in str(caught.value)
        assert "after item 3" in str(caught.value)
        assert vehicle.lists[0] == []


async def test_a_refusal_at_once_keeps_the_old_mission():
    async with linked(Script(refuse=(-1, mav.MAV_MISSION_NO_SPACE, "Only 5 items are supported"))) as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        with pytest.raises(RejectedError, match=r"no space.*Only 5 items.*keeps its old list") as caught:
            await send(link, attempts=1)
        assert caught.value.state is VehicleState.KEPT
        assert vehicle.lists[0] == list(OLD)


async def test_no_space_soon_after_boot_is_tried_again():
    async with linked(Script(refuse=(-1, mav.MAV_MISSION_NO_SPACE, "Only 0 items are supported"))) as (vehicle, link):
        asyncio.get_running_loop().call_later(0.1, setattr, vehicle.script, "refuse", None)
        assert (await send(link)).attempts == 2


async def test_silence_half_way_is_an_error_and_leaves_no_hybrid():
    async with linked(Script(silent_at=4)) as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        with pytest.raises(TransferTimeoutError, match=r"vehicle 1 mission: it stopped asking after item 3") as caught:
            await send(link, attempts=1)
        assert caught.value.state is VehicleState.CLEARED
        assert vehicle.lists[0] == []


async def test_one_that_speaks_mavlink_1_is_told_from_a_link_that_is_dead():
    async with linked() as (vehicle, link):

        def send_as_of_old(message):
            packet = message.pack(vehicle.mav, force_mavlink1=True)
            # pymavlink leaves in what came with MAVLink 2, the list's kind among it.
            payload = packet[6:-2][: OF_OLD.get(message.get_type())]
            body = bytes([len(payload)]) + packet[2:6] + payload
            checksum = mcrf4xx(body + bytes([message.crc_extra]))
            vehicle.transport.sendto(b"\xfe" + body + checksum.to_bytes(2, "little"), vehicle.peer)
            vehicle.mav.seq = (vehicle.mav.seq + 1) % 256

        vehicle.send = send_as_of_old
        # What it answers names no list, which is a mission to whoever asks for its fence.
        vehicle.heartbeat()
        fence = tuple(MissionItem(n, 0, 5001, p1=3.0, x=x, y=y) for n, (x, y) in enumerate([(1, 1), (1, 9), (9, 9)]))
        with pytest.raises(TransferTimeoutError, match=r"never asked .* \(it speaks MAVLink 1, .*set it to MAVLink 2"):
            await send(link, fence, MissionKind.FENCE, attempts=1)
        with pytest.raises(TransferTimeoutError, match=r"no answer when asked for the list .*MAVLink 1"):
            await download(link, 1, MissionKind.RALLY, timing=FAST)
        await upload(link, 1, ITEMS, timing=FAST)
        assert len(vehicle.lists[0]) == len(ITEMS)


async def test_a_vehicle_that_is_gone_leaves_an_unknown_state():
    async with linked() as (vehicle, link):
        vehicle.dead = True
        with pytest.raises(TransferTimeoutError, match="not known: do not fly") as caught:
            await send(link, attempts=1)
        assert caught.value.state is VehicleState.UNKNOWN


async def test_read_back_that_means_something_else_is_found_and_cleared():
    def lower(item):
        if item.seq == 3:
            item.z = 20.0
        return item

    async with linked(Script(change=lower)) as (vehicle, link):
        with pytest.raises(MismatchError, match="item 3 z: sent 90, read 20") as caught:
            await send(link)
        assert [(d.seq, d.field) for d in caught.value.differences] == [(3, "z")]
        assert caught.value.state is VehicleState.CLEARED
        assert vehicle.lists[0] == []


async def test_a_mismatch_that_goes_away_is_repaired_by_a_second_upload():
    spoilt = []

    def once(item):
        if item.seq == 3 and not spoilt:
            spoilt.append(item.seq)
            item.x += 1000
        return item

    async with linked(Script(change=once)) as (_, link):
        assert (await send(link)).attempts == 2


async def broken_off(vehicle, link, **more):
    """The task of an upload that stands at item 4, and what its repair says."""
    told = []
    task = asyncio.create_task(send(link, repaired=told.append, **more))
    while not any(m.get_type() == "MISSION_ITEM_INT" and m.seq == 3 for m in vehicle.heard):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return task, told


@pytest.mark.parametrize("cancels", [1, 3], ids=["once", "again and again"])
@pytest.mark.parametrize(
    "script",
    [Script(silent_at=4), Script(silent_at=4, restarts=False, give_up_s=0.3)],
    ids=["takes a new upload", "refuses until it gives up"],
)
async def test_cancelling_leaves_no_hybrid(script, cancels):
    async with linked(script) as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        task, told = await broken_off(vehicle, link)
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0.02)
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert vehicle.lists[0] == []
        assert told == [VehicleState.CLEARED]
        if cancels == 1:
            assert "was cleared" in caught.value.__notes__[0]


async def test_a_vehicle_that_cannot_be_cleared_is_known_by_what_was_proved_before():
    """It keeps its old list whole, refuses all else: what it holds is the list that was proved."""
    script = Script(silent_at=4, restarts=False, give_up_s=0.1)
    async with linked(script) as (vehicle, link):
        await vehicle_holds(vehicle, link, OLD)
        vehicle.on_mission_clear_all = lambda m: vehicle.ack(mav.MAV_MISSION_ERROR, m.mission_type)
        before = list(vehicle.lists[0])
        vehicle.stored = lambda m: before[m.seq]
        task, told = await broken_off(vehicle, link, held=OLD)
        script.restarts, script.refuse = True, (-1, mav.MAV_MISSION_ERROR, "")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert told == [VehicleState.KEPT]


async def vehicle_holds(vehicle, link, items):
    silent, vehicle.script.silent_at = vehicle.script.silent_at, None
    await send(link, items)
    vehicle.script.silent_at = silent
    vehicle.heard.clear()


async def test_an_acceptance_that_changed_nothing_is_not_believed():
    """Clearing is acknowledged and the hybrid stays: the state is not known, and the flight is off."""
    async with linked(Script(silent_at=4, give_up_s=0.1)) as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        vehicle.on_mission_clear_all = lambda m: vehicle.ack(0, m.mission_type)
        task, told = await broken_off(vehicle, link)
        vehicle.on_mission_count = lambda m: vehicle.ack(0, m.mission_type)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert told == [VehicleState.UNKNOWN]
        assert "do not fly" in caught.value.__notes__[0]


async def test_a_callback_that_raises_leaves_no_hybrid():
    def broken(_stage, done, _total):
        if done == 4:
            raise ZeroDivisionError

    async with linked() as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        with pytest.raises(ZeroDivisionError) as caught:
            await send(link, progress=broken)
        assert vehicle.lists[0] == []
        assert "was cleared" in caught.value.__notes__[0]


async def test_a_refusal_of_the_second_attempt_does_not_hide_what_the_first_wrote():
    async with linked(Script(silent_at=4, give_up_s=0.1)) as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        task, told = await broken_off(vehicle, link)
        vehicle.script.refuse = (-1, mav.MAV_MISSION_DENIED, "")
        with pytest.raises(RejectedError, match="was cleared") as caught:
            await task
        assert caught.value.state is VehicleState.CLEARED
        assert told == [VehicleState.CLEARED]
        assert vehicle.lists[0] == []


async def test_an_empty_list_clears():
    async with linked() as (vehicle, link):
        vehicle.lists[1] = list(line_mission().fence)
        proof = await send(link, (), MissionKind.FENCE)
        assert proof.items == 0
        assert vehicle.lists[1] == []


async def test_clear_and_plain_upload():
    async with linked() as (vehicle, link):
        assert await upload(link, 1, ITEMS, timing=FAST)
        assert len(vehicle.lists[0]) == len(ITEMS)
        await clear(link, 1, timing=FAST)
        assert vehicle.lists[0] == []
        assert await download(link, 1, timing=FAST) == ()


async def test_two_uploads_to_one_vehicle_take_turns():
    async with linked() as (vehicle, link):
        await asyncio.gather(send(link, OLD), send(link, ITEMS))
        assert len(vehicle.lists[0]) == len(ITEMS)


async def test_px4_items_start_at_take_off_and_keep_nan():
    items = (
        MissionItem(0, 6, 22, p4=float("nan"), x=313450000, y=-1109400000, z=90.0),
        MissionItem(1, 6, 16, p4=float("nan"), x=313460000, y=-1109400000, z=90.0),
    )
    async with linked(Script(autopilot=mav.MAV_AUTOPILOT_PX4)) as (vehicle, link):
        await send(link, items, dialect=PX4)
        assert vehicle.lists[0][0].param4 != vehicle.lists[0][0].param4  # NaN


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seq": 9}, "sequence number is 9"),
        ({"x": 950_000_000}, "off the globe"),
        ({"p1": float("nan")}, "parameter 1 is not given"),
        ({"p2": float("inf")}, "parameter 2 is infinite"),
        ({"z": float("nan")}, "parameter 7"),
    ],
)
async def test_items_that_no_vehicle_takes_are_not_sent(change, words):
    items = [*ITEMS[:3], replace(ITEMS[3], **change), *ITEMS[4:]]
    async with linked() as (vehicle, link):
        with pytest.raises(TransferError, match=words) as caught:
            await send(link, items)
        assert caught.value.state is VehicleState.KEPT
        assert not any(message.get_type() == "MISSION_COUNT" for message in vehicle.heard)


async def test_download_asks_in_a_window_and_again_for_what_is_lost():
    async with linked(Script(lose=lambda kind, nth: kind == "MISSION_ITEM_INT" and nth in (2, 5))) as (vehicle, link):
        vehicle.lists[0] = [
            mav.MAVLink_mission_item_int_message(255, 190, n, 3, 16, 0, 1, 0, 0, 0, 0, n, -n, 10.0, 0)
            for n in range(12)
        ]
        read = await download(link, 1, timing=FAST, window=5)
        assert [item.x for item in read] == list(range(12))
        first = [m.seq for m in vehicle.heard if m.get_type() == "MISSION_REQUEST_INT"][:5]
        assert first == [0, 1, 2, 3, 4]


async def test_an_error_of_the_callers_own_reaches_the_caller():
    def broken(*_):
        raise ZeroDivisionError

    async with linked() as (_, link):
        with pytest.raises(ZeroDivisionError):
            await upload(link, 1, ITEMS, timing=FAST, progress=broken)


@pytest.mark.parametrize("name", ["MISSION_REQUEST_LIST", "MISSION_REQUEST_INT"])
async def test_a_refusal_of_something_earlier_does_not_end_a_download(name):
    async with linked() as (vehicle, link):
        await send(link)
        answer = getattr(vehicle, f"on_{name.lower()}")
        late = [mav.MAV_MISSION_ERROR, mav.MAV_MISSION_INVALID_SEQUENCE]

        def after_a_late_answer(message):
            if late:
                vehicle.ack(late.pop(), message.mission_type)
            else:
                answer(message)

        setattr(vehicle, f"on_{name.lower()}", after_a_late_answer)
        assert len(await download(link, 1, timing=FAST, window=5)) == len(ITEMS)


async def test_a_refusal_of_what_came_late_of_another_list_does_not_end_an_upload():
    """PX4 answers it in the name of the list that is under way, and goes on with that."""
    async with linked() as (vehicle, link):
        ask = vehicle.ask

        def after_a_late_answer():
            if sum(item is not None for item in vehicle._expect) == 3:
                vehicle.ack(mav.MAV_MISSION_ERROR)
            ask()

        vehicle.ask = after_a_late_answer
        proof = await send(link)
        assert proof.items == len(vehicle.lists[0]) == len(ITEMS)
        counts = [m for m in vehicle.heard if m.get_type() == "MISSION_COUNT"]
        assert len(counts) == 1


async def test_a_download_that_is_refused_says_why():
    async with linked() as (vehicle, link):
        vehicle.on_mission_request_list = lambda m: vehicle.ack(mav.MAV_MISSION_DENIED, m.mission_type)
        with pytest.raises(RejectedError, match="reading refused: denied") as caught:
            await download(link, 1, timing=FAST)
        assert caught.value.result == mav.MAV_MISSION_DENIED


async def test_a_vehicle_that_waits_for_the_end_of_another_transfer_is_told_it():
    """As PX4, whose last word of the fence was lost: it takes nothing else for 5 s, or until it is told."""
    async with linked() as (vehicle, link):
        count, over = vehicle.on_mission_count, []

        def busy(m):
            count(m) if over else vehicle.ack(mav.MAV_MISSION_ERROR, m.mission_type)

        def told(m):
            if (m.mission_type, m.type) == (MissionKind.FENCE, mav.MAV_MISSION_OPERATION_CANCELLED):
                over.append(m)

        vehicle.on_mission_count, vehicle.on_mission_ack = busy, told
        begun = asyncio.get_running_loop().time()
        assert (await send(link)).attempts == 1
        assert len([m for m in vehicle.heard if m.get_type() == "MISSION_COUNT"]) == 2
        assert asyncio.get_running_loop().time() - begun < 1.0  # not by waiting


async def test_a_general_error_that_stays_is_a_refusal():
    async with linked() as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        vehicle.on_mission_count = lambda m: m.count and vehicle.ack(mav.MAV_MISSION_ERROR, m.mission_type)
        with pytest.raises(RejectedError, match="refused before the first item: general error") as caught:
            await send(link)
        assert caught.value.state is VehicleState.CLEARED  # it was offered more than once: see below


async def test_a_refusal_of_a_second_offer_does_not_say_that_the_old_list_is_whole():
    """The first offer may have cut it short: its requests were lost."""
    lost = Script(refuse=(-1, mav.MAV_MISSION_NO_SPACE, ""), lose=lambda kind, nth: kind == "MISSION_ACK" and nth == 1)
    async with linked(lost) as (vehicle, link):
        vehicle.lists[0] = list(OLD)
        task = asyncio.create_task(send(link, attempts=1))
        await asyncio.sleep(0.03)
        vehicle.lists[0] = list(OLD)[:2]
        with pytest.raises(RejectedError) as caught:
            await task
        assert caught.value.state is not VehicleState.KEPT


@pytest.mark.parametrize("silent", [True, False], ids=["says nothing", "says an error"])
async def test_a_list_that_is_handed_out_no_more_is_asked_for_anew(silent):
    """As by PX4, which is out of step after a request that came late, or gave up: from the first item on."""
    async with linked() as (vehicle, link):
        await send(link)
        ask, listed = vehicle.on_mission_request_int, []

        def out_of_step(m):
            if len(listed) > 1 or m.seq < 4:
                ask(m)
            elif not silent:
                vehicle.ack(mav.MAV_MISSION_ERROR, m.mission_type)

        give = vehicle.on_mission_request_list
        vehicle.on_mission_request_list = lambda m: (listed.append(m), give(m))
        vehicle.on_mission_request_int = out_of_step
        assert len(await download(link, 1, timing=FAST)) == len(ITEMS)
        assert len(listed) == 2


async def test_a_reading_that_is_denied_for_a_while_is_waited_for():
    async with linked() as (vehicle, link):
        await send(link)
        give, denied = vehicle.on_mission_request_list, []

        def later(m):
            if len(denied) < 4:
                denied.append(m)
                vehicle.ack(mav.MAV_MISSION_DENIED, m.mission_type)
            else:
                give(m)

        vehicle.on_mission_request_list = later
        assert len(await download(link, 1, timing=FAST)) == len(ITEMS)


async def test_a_vehicle_that_gave_up_waiting_for_us_is_sent_it_once_more():
    async with linked() as (vehicle, link):
        ask, gone = vehicle.ask, []

        def gives_up():
            if vehicle._expect.count(None) == 3 and not gone:
                gone.append(True)
                vehicle.give_up(vehicle._expect)
            else:
                ask()

        vehicle.ask = gives_up
        assert (await send(link)).attempts == 2
        assert gone
