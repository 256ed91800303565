"""A log that fails costs the log, never the flight."""

from pathlib import Path

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightTask, flight_log, fly, open_link
from autopilot.wire import Recorder
from tests.autopilot.scripted import FAST, Script, line_mission, vehicle_at

FULL = Path("/dev/full")  # a disk that is always full


@pytest.fixture
def full_disk(monkeypatch):
    """The logs of vehicle 1 can be opened and never written."""

    class Full(Recorder):
        def __init__(self, path):
            if "vehicle-1-" in path.name:
                path.symlink_to(FULL)
            super().__init__(path)

    monkeypatch.setattr(flight_log, "Recorder", Full)


async def test_a_full_disk_does_not_end_a_flight(tmp_path, full_disk):
    async with vehicle_at(Script()) as (_, one), vehicle_at(Script(sysid=2)) as (_, two):
        tasks = [FlightTask(1, one, (line_mission(200),)), FlightTask(2, two, (line_mission(200),))]
        report = await fly(tasks, timing=FAST, log_dir=tmp_path)
    assert report.completed, [vehicle.failure for vehicle in report.vehicles]
    (note,) = report.notes
    assert "vehicle-1-sortie-1-" in note
    assert "the log breaks off: No space left on device" in note
    assert note in report.to_json()
    (log,) = tmp_path.glob("vehicle-2-*.tlog")
    assert log.stat().st_size > 10_000


def test_a_log_that_fails_is_told_and_written_no_more():
    log = Recorder(FULL)
    log.write(b"\xfd")
    assert "No space left" in log.failure
    log.write(b"\xfd")
    log.close()


async def test_messages_are_heard_that_cannot_be_logged():
    async with vehicle_at(Script()) as (vehicle, url), await open_link(url, record=FULL) as link:
        await link.wait_vehicle(timeout_s=20.0)
        heard = []
        link.listen(heard.append, types=("STATUSTEXT",))
        data = mav.MAVLink_statustext_message(4, b"hello").pack(vehicle.mav)
        for _ in range(400):
            link.channels[0].received(data, None, datagram=True)
            link.send(mav.MAVLink_timesync_message(0, 1))
        assert len(heard) == 400
        assert link.log_failure is not None


async def test_progress_that_cannot_be_shown_does_not_end_a_flight():
    shown = []

    def broken(step):
        shown.append(step)
        if step.stage == "fly":
            raise BrokenPipeError("the terminal is gone")

    async with vehicle_at(Script()) as (_, url):
        report = await fly([FlightTask(1, url, (line_mission(),))], timing=FAST, progress=broken)
    assert report.completed, report.vehicles[0].failure
    assert report.notes == ("progress was shown no further: BrokenPipeError('the terminal is gone')",)
    assert [step.stage for step in shown].count("fly") == 1
