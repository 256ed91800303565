"""Serial ports, over pseudo terminals: pieces of packets, ports that go away and come back, ports that are in use."""

import asyncio
import os
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import LinkError, MissionKind, Vehicle, download, open_link
from autopilot.link_open import _parse, _split
from tests.autopilot.scripted import FAST, Script, ScriptedVehicle


class Wire:
    """The transport of a scripted vehicle at the other end of a pseudo terminal."""

    def __init__(self, path, script, piece=5):
        self.path = path
        self.vehicle = ScriptedVehicle(script)
        self.vehicle.connection_made(self)
        self.vehicle.on_timesync = lambda _: self.vehicle.heartbeat()
        self.vehicle.peer = "wire"
        self.piece = piece
        self.master = None

    def plug(self):
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        if self.path.is_symlink():
            self.path.unlink()
        self.path.symlink_to(os.ttyname(self.slave))
        asyncio.get_running_loop().add_reader(self.master, self.read)

    def unplug(self):
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.slave)
        os.close(self.master)
        self.path.unlink()
        self.master = None

    def read(self):
        self.vehicle.datagram_received(os.read(self.master, 4096), "wire")

    def sendto(self, data, _):
        for begin in range(0, len(data), self.piece):
            if self.master is not None:
                os.write(self.master, data[begin : begin + self.piece])

    def close(self):
        """The vehicle has ended."""


@pytest.fixture
def wire(tmp_path):
    made = Wire(tmp_path / "usb-FTDI:if00", Script())
    yield made
    if made.master is not None:
        os.close(made.slave)
        os.close(made.master)


async def heard(wire, link):
    for _ in range(200):
        wire.vehicle.heartbeat()
        await asyncio.sleep(0.01)
        if link.vehicles:
            return
    raise AssertionError("no heartbeat came through")


@pytest.mark.parametrize("rate", ["", ":115200", ":921600"])
async def test_lists_travel_in_pieces_over_a_port(wire, rate):
    wire.plug()
    async with await open_link(f"serial:{wire.path}{rate}") as link:
        modes = termios.tcgetattr(wire.slave)
        assert modes[4] == modes[5] == getattr(termios, f"B{rate[1:] or 57600}")
        assert modes[2] & termios.CSIZE == termios.CS8
        assert not modes[2] & (termios.PARENB | termios.CSTOPB | termios.CRTSCTS)
        assert not modes[3] & (termios.ICANON | termios.ECHO)
        await heard(wire, link)
        wire.vehicle.lists[1] = [
            # Every byte value is in it, those too that a terminal would change or act upon.
            mav.MAVLink_mission_item_int_message(255, 190, n, 0, 5001, 0, 1, 3, 0, 0, 0, 0x0A0D0311 + n, n << 8, 0, 1)
            for n in range(20)
        ]
        items = await download(link, 1, MissionKind.FENCE, timing=FAST, window=3)
        assert [item.x for item in items] == [0x0A0D0311 + n for n in range(20)]
        assert link.channels[0].codec.bad_bytes == 0
        assert link.statistics(1).lost == 0
    await wire.vehicle.end()


async def test_a_port_that_is_unplugged_is_opened_again_when_it_is_back(wire):
    wire.plug()
    async with (
        await open_link(f"serial:{wire.path}", time_scale=20.0) as link,
    ):
        await heard(wire, link)
        async with await Vehicle.connect(link, 1, timing=FAST, streams=False) as vehicle:
            os.write(wire.master, mav.MAVLink_heartbeat_message(2, 3, 0, 0, 4, 3).pack(wire.vehicle.mav)[:9])
            await asyncio.sleep(0.05)
            wire.unplug()
            assert await vehicle.wait_until(lambda _: not link.channels[0].up, 0.0, wall_s=0.1) is None
            for _ in range(200):
                await asyncio.sleep(0.01)
                if "in vain" in (link.trouble or ""):
                    break
            assert "the device was unplugged; opened again" in link.trouble
            assert "No such file" in link.trouble
            link.send(mav.MAVLink_timesync_message(0, 1), 1)  # is lost, as on a radio
            wire.plug()
            for _ in range(500):
                await asyncio.sleep(0.01)
                if link.channels[0].up:
                    break
            before = link.channels[0].codec.bad_bytes
            await vehicle.command(mav.MAV_CMD_MISSION_START)
            assert link.channels[0].codec.bad_bytes == before  # half a packet from before is forgotten
            assert [event.up for event in link.events] == [False, True]
            assert link.trouble is None
    await wire.vehicle.end()


async def test_a_port_belongs_to_one_program(wire):
    wire.plug()
    async with await open_link(f"serial:{wire.path}"):
        with pytest.raises(LinkError, match=r"another program has the port open|busy"):
            await open_link(f"serial:{wire.path}:115200")
    async with await open_link(f"serial:{wire.path}"):
        pass


async def test_what_a_port_does_not_take_is_lost_whole_and_the_rest_arrives_in_order(wire):
    wire.plug()
    asyncio.get_running_loop().remove_reader(wire.master)
    async with await open_link(f"serial:{wire.path}") as link:
        for number in range(5000):
            link.send(mav.MAVLink_statustext_message(6, b"%048d." % number))
        codec = mav.MAVLink(None)
        got = []
        for _ in range(2000):
            try:
                got += codec.parse_buffer(os.read(wire.master, 4096)) or []
            except BlockingIOError:
                if got and int(got[-1].text[:-1]) > 4000:
                    break
                link.send(mav.MAVLink_statustext_message(6, b"%048d." % 4999))
            await asyncio.sleep(0.001)
        numbers = [int(message.text[:-1]) for message in got]
        assert numbers == sorted(numbers)
        assert 500 < len(numbers) < 4000


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("serial:/dev/ttyUSB0:57600", ("serial", "/dev/ttyUSB0", 57600)),
        ("serial:/dev/ttyUSB0", ("serial", "/dev/ttyUSB0", 57600)),
        ("serial:///dev/ttyACM0:115200", ("serial", "/dev/ttyACM0", 115200)),
        (
            "serial:/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0:921600",
            ("serial", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", 921600),
        ),
        ("serial:/dev/serial/by-path/pci-0:1.0-port0", ("serial", "/dev/serial/by-path/pci-0:1.0-port0", 57600)),
        ("tcpin::5760", ("tcpin", "", 5760)),
        ("udp:[::1]:14550", ("udp", "::1", 14550)),
    ],
)
def test_urls(url, parts):
    assert _parse(url) == parts


@given(st.lists(st.sampled_from(["udp:a:1", "tcp:b:2", "serial:/dev/x,y:z", "udpin::3"]), min_size=1, unique=True))
def test_ways_are_divided_where_a_new_one_begins(ways):
    assert _split(",".join(ways)) == ways
    assert _split(", ".join(ways)) == ways
