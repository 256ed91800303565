"""Opening links, silence, several vehicles, heartbeats, recording."""

import asyncio
import socket
import time

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import CommandError, LinkError, MissionKind, Signing, TransferTimeoutError, Vehicle, download, open_link
from tests.autopilot.scripted import FAST, Script, ScriptedVehicle, linked, vehicle_at
from tests.ports import free_port


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "not understood"),
        ("udp:host", "not understood"),
        ("udp:127.0.0.1:99999", "not understood"),
        ("serial:ttyUSB0:57600", "not understood"),
        ("serial:/dev/no-such-port:57600", "cannot be opened: No such file"),
        ("serial:/dev/null", "it is no serial port"),
        ("serial:/dev/null:57601", "57601 is no baud rate"),
        ("udp:127.0.0.1:14550,udp:127.0.0.1:14550", "in it twice"),
        ("udp:127.0.0.1:14550,nonsense", "not understood"),
        ("tcp:127.0.0.1:1", "cannot be opened"),
        ("udpin:192.0.2.1:14550", "cannot be opened"),
    ],
)
async def test_links_that_cannot_be_opened_name_their_url(url, words):
    with pytest.raises(LinkError, match=words) as caught:
        await open_link(url)
    assert url in str(caught.value)


async def test_a_silent_link_is_an_error_in_time():
    url = f"udpin:127.0.0.1:{free_port()}"
    async with await open_link(url) as link:
        started = time.monotonic()
        with pytest.raises(
            LinkError, match=r"no vehicle within 0.1 s; the link is silent: check the address"
        ) as caught:
            await link.wait_vehicle(timeout_s=0.1)
        assert url in str(caught.value)
        assert time.monotonic() - started < 25


async def test_an_absent_vehicle_is_told_from_a_silent_one():
    async with await open_link(f"udp:127.0.0.1:{free_port()}") as link:
        with pytest.raises(LinkError, match="nobody listens there"):
            await link.wait_vehicle(timeout_s=0.2)


async def test_the_wrong_system_id_is_named():
    async with linked(Script(sysid=3)) as (_, link):
        with pytest.raises(LinkError, match=r"vehicle 8 within 0.1 s; only systems 3 are heard"):
            await link.wait_vehicle(8, timeout_s=0.1)


async def test_bytes_that_are_not_mavlink_are_named():
    port = free_port()
    async with await open_link(f"udpin:127.0.0.1:{port}") as link:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port)
        )
        transport.sendto(b"GET / HTTP/1.1")
        with pytest.raises(LinkError, match="14 bytes came that are not MAVLink"):
            await link.wait_vehicle(timeout_s=0.1)
        transport.close()


async def test_an_unsigned_vehicle_on_a_signed_link_is_named():
    async with vehicle_at(Script()) as (_, url), await open_link(url, signing=Signing("border")) as link:
        with pytest.raises(LinkError, match="failed the signature check"):
            await link.wait_vehicle(timeout_s=0.3)


async def test_waits_on_a_tcp_link_whose_peer_dies_end_as_in_a_silence():
    async def greet(_, writer):
        codec = mav.MAVLink(None, srcSystem=1, srcComponent=1)
        writer.write(mav.MAVLink_heartbeat_message(2, 3, 0, 0, 4, 3).pack(codec))
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with await open_link(f"tcp:127.0.0.1:{port}") as link:
        vehicle = await Vehicle.connect(link, 1, timing=FAST, streams=False)
        waits = [
            vehicle.wait_until(lambda t: t.armed is True, 1.0),
            download(link, 1, timing=FAST),
            vehicle.command(mav.MAV_CMD_MISSION_START),
        ]
        started = time.monotonic()
        server.close()
        nothing, transfer, command = await asyncio.gather(*waits, return_exceptions=True)
        assert nothing is None
        assert isinstance(transfer, TransferTimeoutError)
        assert isinstance(command, CommandError)
        assert time.monotonic() - started < 20
        assert link.alive
        # A TCP end that closes with something unread says so by a reset.
        with pytest.raises(LinkError, match=r"connection lost: (the other end closed it|.*reset by peer)"):
            await link.wait_vehicle(8, timeout_s=0.1)
        link.send(mav.MAVLink_timesync_message(0, 1))
    await server.wait_closed()


async def test_two_vehicles_on_one_link_are_kept_apart():
    port = free_port()
    loop = asyncio.get_running_loop()
    async with await open_link(f"udpin:127.0.0.1:{port}") as link:
        vehicles = []
        for sysid, places in ((1, 3), (2, 5)):
            _, vehicle = await loop.create_datagram_endpoint(
                lambda sysid=sysid: ScriptedVehicle(Script(sysid=sysid)), remote_addr=("127.0.0.1", port)
            )
            vehicle.peer = ("127.0.0.1", port)
            vehicle.transport.sendto = lambda data, _, send=vehicle.transport.sendto: send(data)
            vehicle.lists[1] = [
                mav.MAVLink_mission_item_int_message(255, 190, n, 0, 5001, 0, 1, 3, 0, 0, 0, sysid, n, 0, 1)
                for n in range(places)
            ]
            vehicle.heartbeat()
            vehicles.append(vehicle)
        await link.wait_vehicle(1, timeout_s=20)
        await link.wait_vehicle(2, timeout_s=20)
        one, two = await asyncio.gather(
            *(download(link, sysid, MissionKind.FENCE, timing=FAST, window=3) for sysid in (1, 2))
        )
        assert [item.x for item in one] == [1] * 3
        assert [item.x for item in two] == [2] * 5
        assert link.statistics(1).received == 1 + 1 + 3
        assert link.statistics(2).received == 1 + 1 + 5
        assert {m.target_system for m in vehicles[0].heard} == {1}
        for vehicle in vehicles:
            await vehicle.end()


async def test_heartbeats_are_sent_only_when_chosen():
    async with vehicle_at(Script()) as (vehicle, url):
        async with await open_link(url) as link:
            await link.wait_vehicle(timeout_s=20)
            await asyncio.sleep(0.1)
            assert "HEARTBEAT" not in {m.get_type() for m in vehicle.heard}
        async with await open_link(url, heartbeat=True, time_scale=50.0) as link:
            await link.wait_vehicle(timeout_s=20)
            for _ in range(1000):
                if sum(m.get_type() == "HEARTBEAT" for m in vehicle.heard) >= 3:
                    break
                await asyncio.sleep(0.02)
    beats = [m for m in vehicle.heard if m.get_type() == "HEARTBEAT"]
    assert len(beats) >= 3
    assert {(m.type, m.autopilot, m.get_srcSystem()) for m in beats} == {
        (mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 255)
    }


async def test_losses_show_in_the_statistics():
    async with linked(Script()) as (vehicle, link):
        vehicle.heartbeat()
        vehicle.mav.seq = (vehicle.mav.seq + 4) % 256
        vehicle.heartbeat()
        await asyncio.sleep(0.05)
        assert link.statistics(1).lost == 4


async def test_a_recorded_link_holds_both_directions(tmp_path):
    async with vehicle_at(Script()) as (_, url), await open_link(url, record=tmp_path / "link.tlog") as link:
        await link.wait_vehicle(timeout_s=20)
        assert await download(link, 1, MissionKind.RALLY, timing=FAST) == ()
    log = mavutil.mavlink_connection(str(tmp_path / "link.tlog"))
    seen = {}
    while (message := log.recv_match()) is not None:
        seen[message.get_type()] = message.get_srcSystem()
    log.close()
    assert seen["MISSION_REQUEST_LIST"] == 255
    assert seen["MISSION_COUNT"] == 1


async def test_a_mailbox_that_nobody_empties_drops_the_oldest():
    async with linked() as (vehicle, link):
        with link.mailbox(1, ("HEARTBEAT",)) as box:
            for mode in range(4100):
                vehicle.mode = mode
                beat = mav.MAVLink_heartbeat_message(2, 3, 0, mode, 4, 3).pack(vehicle.mav)
                link.channels[0].received(beat, None, datagram=True)
            assert box.dropped == 4
            first = await box.get(1.0)
            assert first.custom_mode == 4


async def test_what_waits_in_a_socket_is_taken_at_once_and_in_order():
    """A burst of a fleet does not wait for the event loop datagram by datagram, nor hold up everybody else."""
    port = free_port()
    async with await open_link(f"udpin:127.0.0.1:{port}") as link:
        heard, rounds = [], []
        link.listen(lambda m: heard.append((m.get_seq(), len(rounds))))
        codec = mav.MAVLink(None, srcSystem=1, srcComponent=1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.connect(("127.0.0.1", port))
            for seq in range(200):
                codec.seq = seq
                udp.send(mav.MAVLink_mission_current_message(seq).pack(codec))
            while len(heard) < 200 and len(rounds) < 1000:
                rounds.append(None)
                await asyncio.sleep(0)
        assert [seq for seq, _ in heard] == list(range(200))
        a_round = [sum(1 for _, when in heard if when == each) for each in {when for _, when in heard}]
        assert 60 <= max(a_round) <= 70
