"""What PX4 says as EVENT: read by a definition of its own, said in words, and heard where texts are."""

import struct

import pyarrow.parquet as pq
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import CommandError, Vehicle, read_tlog, tlog_to_parquet
from autopilot.px4_events import event_in
from tests.autopilot.scripted import FAST, Script, linked
from tests.autopilot.test_channels import Ends


class MAVLink_event_message(mav.MAVLink_message):  # noqa: N801  as pymavlink names them
    """As pymavlink's generator makes it of common.xml: a parser of its own to hold ours against."""

    id, msgname, crc_extra = 410, "EVENT", 160

    def __init__(self, number, level, sequence=1, boot_ms=5000):
        super().__init__(self.id, self.msgname)
        self._fields = (number, boot_ms, sequence, 190, 255, level | 6 << 4, bytes(range(40)))

    def pack(self, sender):
        return self._pack(sender, self.crc_extra, struct.pack("<IIHBBB40s", *self._fields))


# Numbers of the metadata that PX4 builds (events/all_events.json of its releases), computed apart: FNV-1a, 24 bits.
def fnv(name):
    value = 2166136261
    for letter in name:
        value = ((value ^ ord(letter)) * 16777619) % 2**32
    return (1 << 24) + value % 2**24


def packet(*fields):
    return bytes(MAVLink_event_message(*fields).pack(mav.MAVLink(None, srcSystem=3, srcComponent=1)))


def test_fnv_is_that_of_its_authors():
    """Test vector of draft-eastlake-fnv: FNV-1a 32 of "foobar" is 0xbf9cf968."""
    assert fnv("foobar") == (1 << 24) + 0x9CF968


@pytest.mark.parametrize(
    ("number", "level", "words"),
    [
        (fnv("check_modes_mission"), 6, "event (info): modes mission"),
        (fnv("check_system_safety_button"), 3, "event (error): system safety button"),
        (fnv("check_modes_offboard_signal"), 3, "event (error): modes offboard signal"),
        (19865031, 3, "event (error): modes offboard signal"),  # as it came from PX4 main of May 2026
        (26266355, 6, None),  # it comes as "Armed by external command" too
        (12345, 2, "event (critical): number 12345"),
        (12345, 8, None),
        (12345, 9, None),
    ],
)
def test_it_is_said_in_words(number, level, words):
    event = event_in(packet(number, level, 77, 61_000))
    assert event.words() == words
    assert (event.system, event.component, event.sequence, event.time_boot_ms) == (3, 1, 77, 61_000)


def test_nothing_is_made_of_what_is_none():
    good = packet(1, 2)
    assert event_in(good) is not None
    for at in range(1, len(good)):
        assert event_in(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]) is None or at == 2
    assert event_in(mav.MAVLink_heartbeat_message(2, 12, 0, 0, 0, 3).pack(mav.MAVLink(None))) is None


async def test_over_several_channels_it_is_told_once_and_not_lost_with_one():
    ends = Ends(failover_s=1000.0)
    ends.beat(0)
    for number, event in ((0, (7, 3, 1)), (1, (7, 3, 1)), (1, (7, 3, 2)), (0, (7, 3, 3)), (1, (7, 3, 3))):
        ends.say(number, MAVLink_event_message(*event))
    told = [message.sequence for message in ends.heard if message.get_type() == "EVENT"]
    assert told == [1, 2, 3]


async def test_reasons_that_come_as_events_are_among_those_of_a_refusal_and_in_the_texts():
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4, commands={400: [mav.MAV_RESULT_TEMPORARILY_REJECTED]})
    async with linked(script) as (vehicle, link), await Vehicle.connect(link, timing=FAST, streams=False) as seen:
        answer = vehicle.on_command_long

        def ordered(m):
            if m.command == mav.MAV_CMD_RUN_PREARM_CHECKS:
                vehicle.send(MAVLink_event_message(fnv("check_modes_global_pos"), 3))
                vehicle.send(MAVLink_event_message(fnv("commander_rc_regained"), 6))
            answer(m)

        vehicle.on_command_long = ordered
        with pytest.raises(CommandError, match=r"asked why: event \(error\): modes global pos$"):
            await seen.arm()
        assert [text.text for text in seen.texts] == [
            "event (error): modes global pos",
            "event (info): commander rc regained",
        ]


def test_events_are_in_the_table_of_a_log(tmp_path):
    """Between a heartbeat and a text, in words; what is for programs makes no row."""
    beat = mav.MAVLink_heartbeat_message(2, 12, 0, 0, 0, 3).pack(mav.MAVLink(None, srcSystem=3, srcComponent=1))
    packets = [
        beat,
        packet(fnv("check_battery_low"), 4, 1, 61_000),
        packet(fnv("anything"), 8, 2, 61_500),
        packet(fnv("check_battery_low"), 4, 3, 62_000),
        beat,
    ]
    log = tmp_path / "flight.tlog"
    log.write_bytes(b"".join(struct.pack(">Q", 10**15 + at) + bytes(raw) for at, raw in enumerate(packets)))
    assert [message.get_type() for _, message in read_tlog(log)] == [
        "HEARTBEAT",
        "EVENT",
        "EVENT",
        "EVENT",
        "HEARTBEAT",
    ]
    rows = pq.read_table(tlog_to_parquet(log)).to_pylist()
    assert [(row["message"], row["text"]) for row in rows] == [
        ("HEARTBEAT", None),
        ("EVENT", "event (warning): battery low"),
        ("EVENT", "event (warning): battery low"),
        ("HEARTBEAT", None),
    ]
    assert {row["sysid"] for row in rows} == {3}
