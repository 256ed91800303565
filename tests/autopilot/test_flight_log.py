"""Logs of sorties: what is in them, after a kill as well, and the table that is made of them."""

import signal
import struct
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightTask, LogError, fly, log_table, read_tlog, tlog_to_parquet
from autopilot.wire import Recorder
from tests.autopilot.scripted import FAST, HOME, Script, line_mission, linked, vehicle_at
from tests.programs import Program


def seen_by_pymavlink(path):
    """Times, senders and types, by mavutil's own reader."""
    log = mavutil.mavlink_connection(str(path))
    found = []
    while (message := log.recv_match()) is not None:
        if message.get_type() != "BAD_DATA":
            found.append((round(message._timestamp * 1e6), message.get_srcSystem(), message.get_type()))
    log.close()
    return found


def seen_by_us(path):
    return [(stamp, message.get_srcSystem(), message.get_type()) for stamp, message in read_tlog(path)]


async def test_each_sortie_has_a_log_of_its_own_vehicle_and_a_table(tmp_path):
    begun = time.time_ns() // 1000
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(vehicle_at(Script(sysid=n))) for n in (1, 2)]
        tasks = [FlightTask(n, url, (line_mission(5), line_mission(3))) for n, (_, url) in enumerate(pairs, 1)]
        report = await fly(tasks, timing=FAST, log_dir=tmp_path)
    assert report.completed
    assert report.notes == ()
    logs = sorted(tmp_path.glob("*.tlog"))
    assert len(logs) == 4
    for log in logs:
        sysid = int(log.name.split("-")[1])
        seen = seen_by_pymavlink(log)
        assert {system for _, system, _ in seen} == {sysid, 255}
        kinds = {kind for _, _, kind in seen}
        assert {"MISSION_COUNT", "MISSION_ITEM_INT", "COMMAND_LONG", "GLOBAL_POSITION_INT", "HEARTBEAT"} <= kinds
        assert all(begun <= stamp <= time.time_ns() // 1000 for stamp, _, _ in seen)
        assert [stamp for stamp, _, _ in seen] == sorted(stamp for stamp, _, _ in seen)
        table = pq.read_table(log.with_suffix(".parquet"))
        assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"
        assert set(table["sysid"].to_pylist()) == {sysid}
        flown = [row for row in table.to_pylist() if row["message"] == "GLOBAL_POSITION_INT" and row["armed"]]
        assert max(row["above_home_m"] for row in flown) == 90.0
        assert max(row["amsl_m"] for row in flown) == HOME[2] + 90.0
        assert {row["mode"] for row in flown} >= {"AUTO"}
        assert (flown[0]["lat_deg"], flown[0]["lon_deg"]) == pytest.approx(HOME[:2])
    # Five places and three, and the take-off.
    reached = [pq.read_table(log.with_suffix(".parquet")).to_pylist() for log in logs[:2]]
    assert [sum(row["message"] == "MISSION_ITEM_REACHED" for row in rows) for rows in reached] == [6, 4]


async def test_of_two_vehicles_on_one_link_each_log_holds_one(tmp_path):
    async with linked() as (_, link):
        logs = [Recorder(tmp_path / f"{sysid}.tlog") for sysid in (7, 8)]
        ends = [link.record(sysid, log) for sysid, log in zip((7, 8), logs, strict=True)]
        for sysid in (7, 8):
            link.channels[0].received(packet(position(1), sysid), None, datagram=True)
            link.send(mav.MAVLink_command_long_message(sysid, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0), sysid)
        link.send(mav.MAVLink_timesync_message(0, 1))
        ends[0]()
        link.send(mav.MAVLink_timesync_message(0, 1))
        for log in logs:
            log.close()
    own = ["GLOBAL_POSITION_INT", "COMMAND_LONG"]
    assert [kind for _, _, kind in seen_by_us(logs[0].path)] == [*own, "TIMESYNC"]
    assert [kind for _, _, kind in seen_by_us(logs[1].path)] == [*own, "TIMESYNC", "TIMESYNC"]
    told = [message.target_system for _, message in read_tlog(logs[1].path) if message.get_type() == "COMMAND_LONG"]
    assert told == [8]


def packet(message, sysid=1, compid=1, *, v1=False):
    codec = mav.MAVLink(None, srcSystem=sysid, srcComponent=compid)
    return message.pack(codec, force_mavlink1=v1)


def record(stamp_us, data):
    return struct.pack(">Q", stamp_us) + data


def beat(mode=4, autopilot=mav.MAV_AUTOPILOT_ARDUPILOTMEGA, kind=2):
    return mav.MAVLink_heartbeat_message(kind, autopilot, 81, mode, 4, 3)


def position(ms, up_m=20.0):
    return mav.MAVLink_global_position_int_message(
        ms, 313450000, -1109400000, 1200000, round(up_m * 1000), 300, -400, 10, 0
    )


T0 = 1_770_000_000_000_000


def test_the_log_of_another_ground_station_with_two_vehicles_a_camera_and_old_packets(tmp_path):
    """QGroundControl writes what it sends too; a PX4 and an ArduPilot on one link; MAVLink 1 among it."""
    px4 = beat(mode=4 << 16 | 4 << 24, autopilot=mav.MAV_AUTOPILOT_PX4)
    data = [
        record(T0, packet(position(1), 7)),  # before its heartbeat nobody knows what it is
        record(T0 + 1, packet(beat(autopilot=mav.MAV_AUTOPILOT_INVALID, kind=6), 255, 190)),
        record(T0 + 2, packet(beat())),
        record(T0 + 3, packet(px4, 7)),
        record(T0 + 4, packet(beat(autopilot=mav.MAV_AUTOPILOT_INVALID, kind=30), 1, 100)),
        record(T0 + 1_000_000, packet(position(5000), v1=True)),
        record(T0 + 1_000_001, packet(position(6000, 33.0), 7)),
        record(T0 + 1_000_002, packet(mav.MAVLink_statustext_message(4, b"A" * 50, 5, 0))),
        record(T0 + 1_000_003, packet(mav.MAVLink_statustext_message(4, b"tail", 5, 1))),
        record(T0 + 1_000_004, packet(mav.MAVLink_mission_item_reached_message(3), 7)),
    ]
    path = tmp_path / "qgc.tlog"
    path.write_bytes(b"".join(data))
    table = pq.read_table(tlog_to_parquet(path))
    rows = table.to_pylist()
    assert [(row["sysid"], row["message"]) for row in rows] == [
        (1, "HEARTBEAT"),
        (7, "HEARTBEAT"),
        (1, "GLOBAL_POSITION_INT"),
        (7, "GLOBAL_POSITION_INT"),
        (1, "STATUSTEXT"),
        (7, "MISSION_ITEM_REACHED"),
    ]
    assert [row["mode"] for row in rows] == ["GUIDED", "MISSION", "GUIDED", "MISSION", "GUIDED", "MISSION"]
    assert rows[4]["text"] == "A" * 50 + "tail"
    assert rows[3]["above_home_m"] == 33.0
    assert rows[5]["last_reached"] == 3
    assert (rows[2]["north_m_s"], rows[2]["east_m_s"], rows[2]["down_m_s"]) == (3.0, -4.0, 0.1)
    assert rows[2]["time"] == datetime.fromtimestamp((T0 + 1_000_000) / 1e6, UTC)
    units = {field.name: field.metadata[b"unit"].decode() for field in table.schema}
    assert units["lat_deg"] == "deg"
    assert units["amsl_m"] == "m"
    assert units["north_m_s"] == "m/s"
    assert all(field.metadata[b"meaning"] for field in table.schema)


def test_a_long_text_whose_end_is_lost_is_in_the_table_by_the_time_of_the_log(tmp_path):
    data = [
        record(T0, packet(beat())),
        record(T0 + 1, packet(mav.MAVLink_statustext_message(4, b"A" * 50, 5, 0))),
        record(T0 + 4_000_000, packet(beat())),
        record(T0 + 6_000_000, packet(beat())),
        record(T0 + 7_000_000, packet(beat())),
    ]
    path = tmp_path / "log.tlog"
    path.write_bytes(b"".join(data))
    rows = pq.read_table(tlog_to_parquet(path)).to_pylist()
    assert [row["text"] for row in rows] == [None, None, "A" * 50 + "...", None]


def test_a_log_that_breaks_off_or_is_soiled_is_read_as_far_as_it_goes(tmp_path):
    whole = [record(T0 + n, packet(position(n))) for n in range(50)]
    path = tmp_path / "log.tlog"
    path.write_bytes(b"".join(whole) + record(T0 + 99, packet(position(99)))[:-3])
    assert len(seen_by_us(path)) == 50
    path.write_bytes(b"".join(whole[:20]) + b"\x00noise\xfd\xfe\xfd" + b"".join(whole[20:]))
    assert [stamp for stamp, _, _ in seen_by_us(path)] == [T0 + n for n in range(50)]
    path.write_bytes(b"this is no log" * 40)
    with pytest.raises(LogError, match="holds no packet with its time"):
        seen_by_us(path)
    with pytest.raises(LogError, match="cannot be read: No such file"):
        tlog_to_parquet(tmp_path / "none.tlog")
    path.write_bytes(b"")
    assert pq.read_table(tlog_to_parquet(path)).num_rows == 0


@settings(deadline=None)
@given(cut=st.integers(0, 2600), many=st.lists(st.sampled_from("hpst"), max_size=50))
def test_what_pymavlink_reads_we_read(tmp_path_factory, cut, many):
    made = {
        "h": beat(),
        "p": position(5),
        "s": mav.MAVLink_statustext_message(4, b"hello"),
        "t": mav.MAVLink_sys_status_message(0, 0, 0, 0, 0, -1, 90, 0, 0, 0, 0, 0, 0),
    }
    whole = [record(T0 + n * 1000, packet(made[key], v1=n % 3 == 0)) for n, key in enumerate(many)]
    data = b"".join(whole)[:cut]
    path = tmp_path_factory.mktemp("log") / "a.tlog"
    path.write_bytes(data)
    ends = [sum(map(len, whole[: n + 1])) for n in range(len(whole))]
    kept = sum(end <= cut for end in ends)
    try:
        ours = seen_by_us(path)
    except LogError:
        ours = []
    assert len(ours) == kept
    if kept == len(whole) > 0:
        assert ours == seen_by_pymavlink(path)


_RECORDS = """
import asyncio, sys
from pathlib import Path
from autopilot.wire import Recorder
from tests.autopilot.scripted import Script, vehicle_at
from autopilot import open_link
async def main():
    async with vehicle_at(Script()) as (vehicle, url), await open_link(url, record=Path(sys.argv[1])) as link:
        await link.wait_vehicle(timeout_s=30.0)
        for _ in range(200):
            vehicle.report()
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.2)
        vehicle.say("the last word")
        await asyncio.sleep(0.2)
        print("said", flush=True)
        await asyncio.sleep(600.0)
asyncio.run(main())
"""


def test_a_killed_program_leaves_whole_packets(tmp_path):
    path = tmp_path / "killed.tlog"
    with Program([sys.executable, "-c", _RECORDS, path], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "said\n"
        program.send_signal(signal.SIGKILL)
    seen = seen_by_us(path)
    assert len(seen) > 1000
    assert "STATUSTEXT" in [kind for _, _, kind in seen[-20:]]
    assert seen == seen_by_pymavlink(path)
    assert pq.read_table(tlog_to_parquet(path)).num_rows > 200


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(log_table.importlib, "import_module", absent)
    with pytest.raises(LogError, match=r"pip install vedette\[logs\]"):
        tlog_to_parquet(tmp_path / "a.tlog")


async def test_a_log_that_cannot_be_opened_keeps_the_vehicle_on_the_ground(tmp_path):
    (tmp_path / "file").write_text("")
    async with vehicle_at(Script()) as (vehicle, url):
        report = await fly([FlightTask(1, url, (line_mission(),))], timing=FAST, log_dir=tmp_path / "file")
    assert "cannot record the link" in report.vehicles[0].failure
    assert not vehicle.armed
    assert not any(m.get_type() == "MISSION_COUNT" for m in vehicle.heard)


async def test_a_table_that_cannot_be_written_is_a_note(tmp_path, monkeypatch):
    def refused(_):
        raise LogError("no room for a table")

    monkeypatch.setattr("autopilot.flight_log.tlog_to_parquet", refused)
    async with vehicle_at(Script()) as (_, url):
        report = await fly([FlightTask(1, url, (line_mission(),))], timing=FAST, log_dir=tmp_path)
    assert report.completed
    assert report.notes == ("no room for a table",)
