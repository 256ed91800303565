"""What is told of a vehicle in flight as tampering, and what looks like it and is none."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.ardupilot import ARDUCOPTER, ARDUPLANE
from autopilot.errors import FlightError
from autopilot.px4 import PX4
from autopilot.tampering import Tampering
from autopilot.telemetry import Telemetry
from autopilot.timing import Timing
from autopilot.watch import FlightWatch
from autopilot.words import MissionKind
from missions import Mission, MissionItem

ON = mav.MAV_SYS_STATUS_GEOFENCE


class Link:
    """Keeps what is sent."""

    system_id, component_id = 255, 190

    def __init__(self):
        self.sent = []
        self.lock = asyncio.Lock()

    def send(self, message, _sysid):
        self.sent.append(message)

    def transfer_lock(self, _sysid):
        return self.lock


def items(*commands):
    return tuple(
        MissionItem(k, 6, command, x=460_000_000 + k, y=80_000_000, z=50.0) for k, command in enumerate(commands)
    )


COPTER = items(16, 22, 16, 16, 16, 20)
PLANE = items(16, 22, 16, 189, 16, 21)
FENCE = tuple(MissionItem(k, 0, 5001, p1=5, x=460_000_000 + k, y=80_000_000 - k) for k in range(5))


class Flown:
    """A vehicle in the air that flies a mission, and the watch over it."""

    def __init__(self, dialect=ARDUCOPTER, mission=COPTER, *, fenced=True, set_up=True):
        self.link, self.dialect, self.doubted = Link(), dialect, list[str]()
        vehicle = SimpleNamespace(
            link=self.link,
            sysid=1,
            component=1,
            dialect=dialect,
            timing=Timing(time_scale=1e6),
            held=lambda kind: {MissionKind.MISSION: mission, MissionKind.FENCE: FENCE}.get(kind, ()),
            parameter_in=lambda message: (message.param_id, message.param_value),
            ask_parameter=self.doubted.append,
        )
        self.watch = FlightWatch(Mission("m", dialect.name, mission, (), ()), dialect.mission_mode, None)
        self.tampering = Tampering(vehicle, self.watch, fenced=fenced, set_up=set_up)
        self.watch.take(mav.MAVLink_heartbeat_message(2, 3, 128, 0, 4, 3), Telemetry(armed=True, mode="AUTO"))
        self.at(2)

    def hear(self, message, mode=None):
        now = Telemetry(armed=True, mode=mode or self.dialect.mission_mode)
        self.watch.take(message, now)
        self.tampering.take(message, now)

    def at(self, seq):
        self.hear(packed(mav.MAVLink_mission_current_message(seq)))

    def status(self, enabled, *, times=1, mode=None):
        for _ in range(times):
            self.hear(mav.MAVLink_sys_status_message(ON, enabled, ON, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0), mode)

    def parameter(self, name, value):
        self.hear(SimpleNamespace(get_type=lambda: "PARAM_VALUE", param_id=name, param_value=value))

    def ids(self, *three, v1=False):
        packet = (
            bytes([0xFE if v1 else 0xFD, 18, *bytes(8)]) + bytes(6) + b"".join(n.to_bytes(4, "little") for n in three)
        )
        message = mav.MAVLink_mission_current_message(2)
        message._msgbuf = packet
        self.hear(message)

    def count(self, kind, count, to=(255, 190)):
        self.hear(mav.MAVLink_mission_count_message(*to, count, kind))

    def item(self, kind, item, to=(255, 190)):
        params = item.p1, item.p2, item.p3, item.p4
        place = item.x, item.y, item.z
        self.hear(
            mav.MAVLink_mission_item_int_message(*to, item.seq, item.frame, item.command, 0, 1, *params, *place, kind)
        )

    def asked(self, kind):
        """Items of a list that are asked for once it was counted, from now on."""
        self.tampering._asked_s -= 100
        self.tampering.look()
        self.link.sent.clear()
        self.count(kind, len(FENCE) if kind is MissionKind.FENCE else len(LONG))
        return [message.seq for message in self.link.sent if message.get_type() == "MISSION_REQUEST_INT"]

    @property
    def found(self):
        return self.tampering.found


LONG = items(16, 22, *[16] * 20, 20)


def packed(message):
    message._msgbuf = message.pack(mav.MAVLink(None, srcSystem=1, srcComponent=1))
    return message


@pytest.mark.parametrize("mode", ["AUTO", "BRAKE", "GUIDED"])
async def test_a_fence_that_is_switched_off_is_told_once_it_is_sure(mode):
    one = Flown()
    one.status(ON, times=3, mode=mode)
    one.status(0, mode=mode)
    assert one.found is None
    one.status(0, mode=mode)
    assert "fence was switched off" in one.found
    with pytest.raises(FlightError, match="not by us"):
        one.tampering.look()


async def test_a_fence_that_never_acted_by_its_bit_is_not_told_by_it():
    one = Flown()
    one.status(0, times=5)
    assert one.found is None


@pytest.mark.parametrize(
    ("dialect", "mission", "seq", "mode"),
    [(ARDUCOPTER, COPTER, 5, "AUTO"), (ARDUPLANE, PLANE, 4, "AUTO"), (ARDUCOPTER, COPTER, 2, "RTL")],
    ids=["a return of the mission", "a landing sequence", "on its way home"],
)
async def test_one_that_switches_its_fence_off_to_land_is_no_case(dialect, mission, seq, mode):
    """ArduPilot does so where FENCE_AUTOENABLE is 1 or 2."""
    one = Flown(dialect, mission)
    one.status(ON, times=3)
    one.at(seq)
    one.status(0, times=5, mode=mode)
    if mode == "AUTO":
        one.parameter("FENCE_ENABLE", 0.0)
    assert one.found is None


async def test_settings_are_looked_at_where_they_were_proved(monkeypatch):
    for name, value, told in (("FENCE_ENABLE", 0.0, True), ("FENCE_ENABLE", 1.0, False), ("WP_SPD", 3.0, False)):
        one = Flown()
        one.parameter(name, value)
        one.parameter(name, value)  # the same word twice is one
        assert one.found is None
        assert set(one.doubted) == ({name} if told else set())
        monkeypatch.setattr("autopilot.tampering._ECHO_WALL_S", 0.0)
        one.parameter(name, value)
        assert (one.found is not None) == told
        monkeypatch.undo()
    late = Flown()
    late.parameter("FENCE_ENABLE", 0.0)
    late.parameter("FENCE_ENABLE", 1.0)  # what it says to the question: the other was an old word
    late.tampering.look()
    assert late.found is None
    mute = Flown()
    mute.parameter("FENCE_ENABLE", 0.0)
    mute.tampering.look()
    assert mute.doubted == ["FENCE_ENABLE", "FENCE_ENABLE"]
    # On its way down it need not answer for a fence that means nothing any more.
    landing = Flown()
    monkeypatch.setattr("autopilot.tampering._DOUBT_S", 0.0)
    landing.tampering._vehicle.timing = Timing(time_scale=1e6, floor_s=1e-9)
    landing.parameter("FENCE_ENABLE", 0.0)
    landing.at(5)
    landing.tampering.look()
    assert landing.found is None
    mute.tampering._vehicle.timing = landing.tampering._vehicle.timing
    mute.tampering.look()
    with pytest.raises(FlightError, match="may have been made void"):
        mute.tampering.look()
    for how in ({"fenced": False}, {"set_up": False}):
        one = Flown(**how)
        one.parameter("FENCE_ENABLE", 0.0)
        assert one.found is None


async def test_lists_are_told_apart_by_the_vehicles_own_numbers():
    one = Flown(PX4)
    one.ids(7, 8, 0)
    one.ids(7, 8, 0)
    one.ids(0, 0, 0, v1=True)
    assert one.found is None
    one.ids(7, 9, 0)
    assert one.found == "its fence was replaced"
    other = Flown(PX4)
    other.ids(7, 8, 0)
    other.ids(7, 0, 0)
    assert other.found == "its fence was cleared"


async def test_what_has_no_number_is_counted_and_only_what_we_asked_for_is_acknowledged():
    one = Flown()
    one.tampering._asked_s -= 100
    one.tampering.look()
    assert [message.mission_type for message in one.link.sent] == [MissionKind.MISSION, MissionKind.FENCE]
    one.count(MissionKind.FENCE, 5)
    one.count(MissionKind.FENCE, 5)
    assert [message.get_type() for message in one.link.sent[2:]] == ["MISSION_REQUEST_INT"] * 5 + ["MISSION_ACK"]
    one.count(MissionKind.MISSION, 0, to=(250, 190))  # somebody else reads
    async with one.link.lock:
        one.count(MissionKind.MISSION, 3)  # of a transfer of our own
    assert one.found is None
    one.count(MissionKind.MISSION, 0)
    assert one.found.startswith("its mission was cleared")


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (replace(COPTER[3], x=COPTER[3].x + 1000), "item 3 x"),
        (replace(COPTER[5], command=21), "item 5 command"),
        (replace(COPTER[0], x=0, z=1180.0), None),  # its home
        (replace(COPTER[3], frame=3), None),
        (replace(COPTER[3], seq=60), None),
    ],
    ids=["another place", "another command", "home", "the same as ArduPilot keeps it", "none of the list"],
)
async def test_a_list_of_as_many_items_that_mean_something_else_is_told(item, told):
    one = Flown()
    one.item(MissionKind.MISSION, item, to=(250, 190))
    async with one.link.lock:
        one.item(MissionKind.MISSION, item)
    assert one.found is None
    one.item(MissionKind.MISSION, item)
    assert (one.found or "").startswith(f"its mission was replaced ({told}" if told else "")
    assert (one.found is None) == (told is None)


async def test_what_is_flown_next_is_read_each_time_and_the_rest_in_turn():
    one = Flown(mission=LONG)
    one.at(9)
    read = [set(one.asked(MissionKind.MISSION)) for _ in range(5)]
    assert all({9, 10, 11, 12, 13} <= each and len(each) <= 10 for each in read)
    assert set.union(*read) == set(range(len(LONG)))
    assert set(one.asked(MissionKind.FENCE)) == set(range(5))


async def test_a_px4_is_asked_for_one_list_at_a_time():
    """It has one transfer for all of them, and complains of more (seen on main of May 2026)."""
    one = Flown(PX4, LONG)
    one.tampering._asked_s -= 100
    one.tampering.look()
    asked = [message for message in one.link.sent if message.get_type() == "MISSION_REQUEST_LIST"]
    assert [message.mission_type for message in asked] == [MissionKind.MISSION]
    one.count(MissionKind.MISSION, len(LONG))
    sent = [(message.get_type(), message.mission_type) for message in one.link.sent[1:]]
    assert sent == [("MISSION_ACK", MissionKind.MISSION), ("MISSION_REQUEST_LIST", MissionKind.FENCE)]
    one.count(MissionKind.FENCE, 0)
    assert one.found.startswith("its fence was cleared")


async def test_a_px4_that_gives_no_numbers_is_counted_alone():
    """It hands items out in their order, to one at a time."""
    one = Flown(PX4, LONG)
    assert one.asked(MissionKind.MISSION) == []
    assert [message.get_type() for message in one.link.sent] == ["MISSION_ACK", "MISSION_REQUEST_LIST"]


async def test_a_mission_that_it_says_to_have_received_is_looked_at_at_once():
    one = Flown()
    one.tampering._asked_s = asyncio.get_running_loop().time() + 1000.0
    one.tampering.look()
    assert one.link.sent == []
    one.hear(mav.MAVLink_statustext_message(6, b"Flight plan received"))
    one.tampering.look()
    assert one.link.sent


async def test_one_whose_landing_was_replaced_is_told_to_come_home_and_a_person_why_that_is_not_enough():
    one = Flown(ARDUPLANE, PLANE)
    one.at(4)
    assert one.watch.landing_by_mission
    one.count(MissionKind.MISSION, 60)
    assert "take it over by hand" in one.found
    # No item of the list that it flies now lands it as planned.
    assert not one.watch.landing_by_mission
    assert not one.watch.lands
