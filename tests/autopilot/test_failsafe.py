"""What a vehicle does when it hears nobody is known before it takes off, and one that would fall is not flown."""

import struct

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightTask, NotReadyError, Vehicle, fly
from autopilot.failsafe import check_link_loss
from tests.autopilot.scripted import FAST, Script, line_mission, linked, vehicle_at

COPTER = {"autopilot": mav.MAV_AUTOPILOT_ARDUPILOTMEGA}
PLANE = {**COPTER, "kind": mav.MAV_TYPE_FIXED_WING}
PX4 = {"autopilot": mav.MAV_AUTOPILOT_PX4}


def holding(who, **values):
    """A vehicle with these parameters alone; integers of PX4 travel as their bytes."""
    if who is PX4:
        values = {name: struct.unpack("<f", struct.pack("<i", value))[0] for name, value in values.items()}
    return Script(**who, params={name: (float(value), mav.MAV_PARAM_TYPE_INT32) for name, value in values.items()})


async def said(script):
    async with linked(script) as (_, link), await Vehicle.connect(link, timing=FAST) as vehicle:
        return await check_link_loss(vehicle)


@pytest.mark.parametrize(
    ("script", "ground", "returns", "radio"),
    [
        (holding(COPTER, FS_GCS_ENABLE=0, FS_THR_ENABLE=1, FS_OPTIONS=0), "nobody it goes on", False, "it returns"),
        (holding(COPTER, FS_GCS_ENABLE=1, FS_THR_ENABLE=3, FS_OPTIONS=16), "it returns", True, "lands where it is"),
        # FS_OPTIONS: 1 is for the radio control, 2 for the ground station.
        (holding(COPTER, FS_GCS_ENABLE=1, FS_THR_ENABLE=1, FS_OPTIONS=1), "it returns", True, "it goes on"),
        (holding(COPTER, FS_GCS_ENABLE=1, FS_THR_ENABLE=1, FS_OPTIONS=2), "FS_OPTIONS bit 1", False, "it returns"),
        (holding(COPTER, FS_GCS_ENABLE=99, FS_THR_ENABLE=0), "does not know", False, "it goes on"),
        (holding(COPTER, OTHER=1), "is not known: it has no FS_GCS_ENABLE", False, "no FS_THR_ENABLE"),
        (holding(PLANE, FS_GCS_ENABL=0, THR_FAILSAFE=2, FS_LONG_ACTN=2), "it goes on", False, "it goes on"),
        (holding(PLANE, FS_GCS_ENABL=3, THR_FAILSAFE=1, FS_LONG_ACTN=1), "FS_LONG_ACTN 1", True, "it returns"),
        (holding(PLANE, FS_GCS_ENABL=1, THR_FAILSAFE=0), "it has no FS_LONG_ACTN", False, "it goes on"),
        (holding(PX4, NAV_DLL_ACT=2, NAV_RCL_ACT=1, COM_RCL_EXCEPT=4), "it returns", True, "stays where it is"),
        (holding(PX4, NAV_DLL_ACT=3, COM_DLL_EXCEPT=1, NAV_RCL_ACT=2, COM_RCL_EXCEPT=1), "goes on", False, "goes on"),
    ],
)
async def test_it_is_told_in_words(script, ground, returns, radio):
    found = await said(script)
    assert ground in found[0].words
    assert found[0].returns is returns
    assert radio in found[1].words


DEADLY = [
    holding(PX4, NAV_DLL_ACT=5, NAV_RCL_ACT=2, COM_RCL_EXCEPT=0),
    holding(PX4, NAV_DLL_ACT=6, NAV_RCL_ACT=2, COM_RCL_EXCEPT=0, COM_DLL_EXCEPT=1),
    holding(PX4, NAV_DLL_ACT=0, NAV_RCL_ACT=6),
    holding(PLANE, FS_GCS_ENABL=1, THR_FAILSAFE=0, FS_LONG_ACTN=2),
    holding(PLANE, FS_GCS_ENABL=0, THR_FAILSAFE=1, FS_LONG_ACTN=3),
]


@pytest.mark.parametrize("script", DEADLY)
async def test_one_that_would_end_its_flight_where_it_is_is_refused(script):
    with pytest.raises(NotReadyError, match=r"set it to return, or to go on"):
        await said(script)


@pytest.mark.parametrize("heartbeat", [True, False])
async def test_it_is_not_flown_whoever_its_ground_station_is_and_nothing_is_sent(heartbeat):
    script = holding(PLANE, FS_GCS_ENABL=1, THR_FAILSAFE=0, FS_LONG_ACTN=2, MAV_GCS_SYSID=255, Q_ENABLE=1)
    async with vehicle_at(script) as (vehicle, url):
        report = await fly([FlightTask(1, url, (line_mission(3),))], timing=FAST, heartbeat=heartbeat)
    assert "glides down where it is when it hears nobody (FS_GCS_ENABL 1, FS_LONG_ACTN 2)" in report.vehicles[0].failure
    assert not any(message.get_type() == "MISSION_COUNT" for message in vehicle.heard)


async def test_it_is_said_before_take_off_and_noted_where_it_does_not_come_home():
    shown = []
    script = Script()
    script.params["FS_GCS_ENABLE"] = (0.0, 2)
    async with vehicle_at(script) as (_, url):
        task = FlightTask(1, url, (line_mission(4), line_mission(4)))
        report = await fly([task], timing=FAST, progress=shown.append)
    assert report.completed, report.vehicles[0].failure
    stages = [one.stage for one in shown]
    (told,) = [one.text for one in shown if one.stage == "check" and one.text]
    assert told == (
        "when it hears nobody it goes on with its mission (FS_GCS_ENABLE 0); "
        "without its radio control it goes on with its mission (FS_THR_ENABLE 0)"
    )
    assert stages.index("check") < stages.index("start")
    assert report.notes == (f"vehicle 1 sortie 1: {told.split(';')[0]}",)
    for sortie in report.vehicles[0].sorties:
        assert [event.text for event in sortie.events if event.kind == "check"] == told.split("; ")
