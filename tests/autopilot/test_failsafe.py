"""What a vehicle does when it hears nobody is known before it takes off, and one that would fall is not flown."""

import re
import struct
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightTask, NotReadyError, TransferError, Vehicle, check_vehicle, fly
from autopilot.failsafe import check_link_loss, check_low_battery
from autopilot.termination import check_termination
from missions import MissionItem
from tests.autopilot.scripted import FAST, HOME, Script, line_mission, linked, vehicle_at

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


@pytest.mark.parametrize(
    ("script", "words", "returns"),
    [
        # As they come: both do nothing, and ArduPilot's acts at no level that is not set.
        (holding(PX4, COM_LOW_BAT_ACT=0), "it goes on with its mission (COM_LOW_BAT_ACT 0)", False),
        (
            holding(COPTER, BATT_FS_LOW_ACT=0, BATT_LOW_VOLT=10),
            "it goes on with its mission (BATT_FS_LOW_ACT 0)",
            False,
        ),
        (holding(COPTER, BATT_FS_LOW_ACT=2, BATT_LOW_VOLT=0, BATT_LOW_MAH=0), "it goes on...no level in BATT", False),
        (holding(COPTER, BATT_FS_LOW_ACT=2, BATT_LOW_MAH=300), "it returns (BATT_FS_LOW_ACT 2)", True),
        (holding(COPTER, BATT_FS_LOW_ACT=1, BATT_LOW_VOLT=10), "it lands where it is", False),
        (holding(PLANE, BATT_FS_LOW_ACT=1, BATT_LOW_VOLT=10), "it returns", True),
        (
            holding(PLANE, BATT_FS_LOW_ACT=2, BATT_LOW_VOLT=10),
            "it goes to the landing of its mission, or returns",
            True,
        ),
        (holding(PLANE, BATT_FS_LOW_ACT=7, BATT_LOW_VOLT=10), "it lands in mode AUTOLAND, or returns", True),
        (holding(COPTER, BATT_FS_LOW_ACT=99, BATT_LOW_VOLT=10), "it does what this program does not know", False),
        (holding(COPTER, OTHER=1), "is not known: it has no BATT_FS_LOW_ACT", False),
        # Flown on PX4 main of May 2026: at 7 % it held for 5 s and returned, at 5 % it landed.
        (holding(PX4, COM_LOW_BAT_ACT=3), "it returns, and lands where it is when it is nearly empty", True),
        (holding(PX4, COM_LOW_BAT_ACT=2), "it lands where it is", False),
    ],
)
async def test_what_it_does_with_a_low_battery_is_told_in_words(script, words, returns):
    async with linked(script) as (_, link), await Vehicle.connect(link, timing=FAST) as vehicle:
        found = await check_low_battery(vehicle)
    pattern = ".*".join(re.escape(part) for part in f"when its battery is low {words}".split("..."))
    assert re.search(pattern, found.words)
    assert found.returns is returns


@pytest.mark.parametrize("lost", ["BATT_FS_LOW_ACT", "BATT_LOW_MAH"])
async def test_a_level_that_it_does_not_answer_for_is_not_taken_for_none(lost):
    script = holding(COPTER, BATT_FS_LOW_ACT=2, BATT_LOW_VOLT=0, BATT_LOW_MAH=300)
    async with linked(script) as (vehicle, link), await Vehicle.connect(link, timing=FAST) as seen:
        answer = vehicle.on_param_request_read
        answered = {"BATT_FS_LOW_ACT", "BATT_LOW_VOLT", "BATT_LOW_MAH"} - {lost}
        vehicle.on_param_request_read = lambda m: answer(m) if m.param_id in answered else None
        battery = await check_low_battery(seen)
    assert not battery.returns
    assert battery.words.endswith(f"it gives no value for {lost}")


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
    script.params |= {"FS_GCS_ENABLE": (0.0, 2), "BATT_FS_LOW_ACT": (0.0, 2)}
    async with vehicle_at(script) as (_, url):
        task = FlightTask(1, url, (line_mission(4), line_mission(4)))
        report = await fly([task], timing=FAST, progress=shown.append)
    assert report.completed, report.vehicles[0].failure
    stages = [one.stage for one in shown]
    (told,) = [one.text for one in shown if one.stage == "check" and one.text]
    assert told == (
        "when it hears nobody it goes on with its mission (FS_GCS_ENABLE 0); "
        "without its radio control it goes on with its mission (FS_THR_ENABLE 0); "
        "when its battery is low it goes on with its mission (BATT_FS_LOW_ACT 0)"
    )
    assert stages.index("check") < stages.index("start")
    ground, _, battery = told.split("; ")
    assert report.notes == tuple(f"vehicle 1 sortie 1: {words}" for words in (ground, battery))
    for sortie in report.vehicles[0].sorties:
        assert [event.text for event in sortie.events if event.kind == "check"] == told.split("; ")


@pytest.mark.parametrize("lost", ["FS_GCS_ENABLE", "FS_OPTIONS"])
async def test_what_it_does_not_answer_for_is_not_taken_for_absent(lost):
    """One that may be set to go on is not said to return."""
    script = holding(COPTER, FS_GCS_ENABLE=1, FS_OPTIONS=2, FS_THR_ENABLE=0)
    async with linked(script) as (vehicle, link), await Vehicle.connect(link, timing=FAST) as seen:
        answer = vehicle.on_param_request_read
        answered = {"FS_GCS_ENABLE", "FS_OPTIONS", "FS_THR_ENABLE"} - {lost}
        vehicle.on_param_request_read = lambda m: answer(m) if m.param_id in answered else None
        ground, _ = await check_link_loss(seen)
    assert not ground.returns
    assert ground.words.endswith(f"it gives no value for {lost}")


AFS = {"AFS_ENABLE": 1, "AFS_TERM_ACTION": 42, "AFS_TERM_PIN": -1, "AFS_GEOFENCE": 0, "AFS_RC": 1, "AFS_DUAL_LOSS": 0}
PINNED = {**AFS, "AFS_TERM_ACTION": 0, "AFS_TERM_PIN": 54}


async def ends(script, mission=None):
    async with linked(script) as (vehicle, link), await Vehicle.connect(link, timing=FAST) as seen:
        vehicle.report()
        home = (round(HOME[0] * 1e7), round(HOME[1] * 1e7), round(HOME[2] * 1000))
        vehicle.send(mav.MAVLink_home_position_message(*home, 0, 0, 0, [1, 0, 0, 0], 0, 0, 0))
        assert await seen.wait_until(lambda t: t.lat_deg is not None and t.home is not None, 5.0) is not None
        return await check_termination(seen, mission or line_mission(4))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (holding(COPTER, OTHER=1), ()),
        (holding(COPTER, AFS_ENABLE=0, AFS_TERM_ACTION=42, AFS_GEOFENCE=1, BATT_FS_LOW_ACT=2), ()),
        (holding(COPTER, **{**AFS, "AFS_TERM_ACTION": 0}), ()),
        # Of Copter 43 lands, of Plane it does so only with rotors.
        (holding(COPTER, **{**AFS, "AFS_TERM_ACTION": 43, "AFS_GEOFENCE": 1}), ()),
        (holding(COPTER, **AFS, AFS_RC_FAIL_TIME=5, AFS_RC_MAN_ONLY=1), ()),
        (
            holding(COPTER, **{**AFS, "AFS_DUAL_LOSS": 1}),
            (
                (
                    "when it hears nobody and has no GPS it ends its flight where it is "
                    "(AFS_ENABLE 1, AFS_TERM_ACTION 42, AFS_DUAL_LOSS 1)"
                ),
            ),
        ),
        (
            holding(PLANE, **AFS, AFS_MAX_RANGE=30, AFS_WP_COMMS=4),
            (
                (
                    "when it is farther from where it armed than 30000 m it ends its flight where it is "
                    "(AFS_ENABLE 1, AFS_TERM_ACTION 42, AFS_MAX_RANGE 30)"
                ),
                (
                    "when it hears nobody it goes on at the item of its mission that AFS_WP_COMMS names "
                    "(AFS_ENABLE 1, AFS_WP_COMMS 4)"
                ),
            ),
        ),
        (
            holding(PLANE, **AFS, AFS_QNH_PRESSURE=1013, AFS_AMSL_LIMIT=2000),
            (
                (
                    "when it is higher above sea level than 2000 m it ends its flight where it is "
                    "(AFS_ENABLE 1, AFS_TERM_ACTION 42, AFS_QNH_PRESSURE 1013, AFS_AMSL_LIMIT 2000)"
                ),
            ),
        ),
        (holding(PLANE, BATT_FS_LOW_ACT=2, BATT_FS_CRT_ACT=4, BATT2_FS_LOW_ACT=1, BATT2_FS_CRT_ACT=4), ()),
        (holding(PX4, CBRK_FLIGHTTERM=121212, FD_FAIL_P=60), ()),
        (
            holding(PX4, CBRK_FLIGHTTERM=0, FD_FAIL_P=60, FD_FAIL_R=0, COM_ACT_FAIL_ACT=4, COM_WIND_MAX_ACT=3),
            (
                "when a motor fails it ends its flight where it is (COM_ACT_FAIL_ACT 4)",
                "when it is tipped over it ends its flight where it is (CBRK_FLIGHTTERM 0, FD_FAIL_P 60)",
            ),
        ),
        # The fence's action comes with the fence of the mission (`enable_fence`).
        (holding(PX4, GF_ACTION=4), ()),
    ],
)
async def test_at_what_it_would_end_its_flight_is_told(script, said):
    assert await ends(script) == said


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (holding(COPTER, **{**AFS, "AFS_GEOFENCE": 1}), r"ends its flight where it is when it leaves its fence \(AFS_"),
        (holding(PLANE, **{**AFS, "AFS_TERM_ACTION": 43, "AFS_GEOFENCE": 1}), r"when it leaves its fence"),
        (holding(COPTER, **{**PINNED, "AFS_GEOFENCE": 1}), r"has the board at AFS_TERM_PIN end .* \(.*AFS_TERM_PIN 54"),
        (holding(COPTER, **AFS, AFS_RC_FAIL_TIME=5, AFS_RC_MAN_ONLY=0), r"without its radio control"),
        (
            holding(COPTER, **AFS, AFS_MAX_RANGE=1),
            r"farther from where it armed than 1000 m .* the mission goes 19\d\d m",
        ),
        (
            holding(COPTER, **AFS, AFS_QNH_PRESSURE=1013, AFS_AMSL_LIMIT=1260),
            r"higher above sea level than 1260 m .* the mission climbs to 1270 m: raise AFS_AMSL_LIMIT",
        ),
        (holding(COPTER, BATT_FS_LOW_ACT=5), r"when its battery is low \(BATT_FS_LOW_ACT 5\): set it to return"),
        (holding(PLANE, BATT_FS_CRT_ACT=3), r"when its battery is nearly empty"),
        (holding(COPTER, BATT_FS_LOW_ACT=2, BATT2_FS_CRT_ACT=5), r"when its second battery is nearly empty"),
        (holding(PX4, COM_WIND_MAX_ACT=4, COM_WIND_MAX=1), r"in strong wind"),
        (holding(PX4, COM_POS_LOW_ACT=4), r"when it is not sure of its position"),
        (holding(PX4, COM_GNSSLOSS_ACT=3), r"when it loses one of its GPS"),
        (holding(PX4, COM_ARM_ODID=5), r"when its remote identification fails"),
    ],
)
async def test_one_that_would_end_it_where_it_could_come_home_is_refused(script, why):
    with pytest.raises(NotReadyError, match=why):
        await ends(script)


async def test_how_high_a_mission_above_terrain_climbs_is_not_known_and_the_limit_is_told():
    mission = line_mission(4)
    above = tuple(replace(item, frame=10) if item.frame == 6 else item for item in mission.items)
    (told,) = await ends(
        holding(COPTER, **AFS, AFS_QNH_PRESSURE=1013, AFS_AMSL_LIMIT=1260), replace(mission, items=above)
    )
    assert told.startswith("when it is higher above sea level than 1260 m it ends its flight")


async def test_a_fence_of_its_own_that_ends_its_flight_is_refused():
    with pytest.raises(NotReadyError, match="when it leaves its fence"):
        await ends(holding(PX4, GF_ACTION=4), replace(line_mission(4, dialect="px4"), fence=()))


async def test_what_is_not_answered_is_not_taken_for_harmless():
    script = holding(COPTER, **{**AFS, "AFS_GEOFENCE": 1})
    script.by_index = False
    script.lose = lambda name, _: name == "PARAM_VALUE"
    said = await ends(script)
    (enabled,) = (one for one in said if "AFS_ENABLE" in one)  # that all its causes hang on is said once
    assert enabled.startswith("what it does when it leaves its fence, ")
    assert enabled.endswith("is not known: it gives no value for AFS_ENABLE")
    assert any("BATT_FS_LOW_ACT" in one for one in said)


async def test_it_is_refused_and_told_as_a_flight_goes():
    script = Script()
    script.params |= {"BATT_FS_LOW_ACT": (5.0, 2)}
    async with vehicle_at(script) as (vehicle, url):
        report = await fly([FlightTask(1, url, (line_mission(3),))], timing=FAST)
    assert "ends its flight where it is when its battery is low" in report.vehicles[0].failure
    assert not any(message.get_type() == "MISSION_COUNT" for message in vehicle.heard)

    script.params |= {
        name: (float(value), 9) for name, value in {**AFS, "AFS_DUAL_LOSS": 1, "BATT_FS_LOW_ACT": 2}.items()
    }
    async with vehicle_at(script) as (_, url):
        report = await fly([FlightTask(1, url, (line_mission(4),))], timing=FAST)
    assert report.completed, report.vehicles[0].failure
    (note,) = [note for note in report.notes if "no GPS" in note]
    assert "when it hears nobody and has no GPS it ends its flight where it is" in note
    events = report.vehicles[0].sorties[0].events
    assert any(event.kind == "check" and "no GPS" in event.text for event in events)


async def test_a_mission_that_ends_the_flight_is_not_taken():
    mission = line_mission(3)
    ending = MissionItem(len(mission.items), 2, mav.MAV_CMD_DO_FLIGHTTERMINATION, 1.0)
    async with linked() as (_vehicle, link), await Vehicle.connect(link, timing=FAST) as seen:
        with pytest.raises(TransferError, match="ends the flight where it is: take it out"):
            await check_vehicle(seen, replace(mission, items=(*mission.items, ending)))
