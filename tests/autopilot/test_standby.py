"""Vehicles that stand by: what is in the way of a take-off, vehicles that come late, and one that is on two links."""

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from autopilot import ARDUCOPTER, PX4, FlightLimits, LinkError, Telemetry, Text, readiness, standing_by
from tests.autopilot.scripted import Script, vehicle_at
from tests.ports import free_port

READY = Telemetry(
    lat_deg=31.345,
    lon_deg=-110.94,
    gps_fix=3,
    estimator_flags=0x10,
    prearm_good=True,
    armed=False,
    battery_percent=97.0,
)
SITE = sim.FleetConfig(home=(31.345, -110.94, 1180.0), boot=sim.Boot(0, 0, 0))


def vehicle(now=READY, *, dialect=ARDUCOPTER, silent_s=0.2, age_s=0.2, rivals=(), texts=()):
    link = SimpleNamespace(url="udpin::14550", rivals=lambda _sysid: rivals)
    return SimpleNamespace(
        sysid=1, link=link, dialect=dialect, telemetry=now, silent_s=silent_s, position_age_s=age_s, texts=texts
    )


def look(one):
    return readiness(one, "ardupilot", FlightLimits())


def test_one_that_says_that_all_is_well_is_ready():
    found = look(vehicle())
    assert (found.ready, found.heard, found.why_not, found.autopilot) == (True, True, (), "ardupilot")
    assert (found.battery_percent, found.lat_deg, found.lon_deg) == (97.0, 31.345, -110.94)


def said(text, *, ago_s=5.0, severity=2):
    return Text(time.time_ns() // 1000 - round(ago_s * 1e6), severity, text)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (vehicle(dialect=PX4), ["flies px4"]),
        (vehicle(replace(READY, armed=True)), ["is armed"]),
        (vehicle(replace(READY, armed=None)), ["is armed"]),
        (vehicle(replace(READY, gps_fix=1)), ["GPS fix is 1"]),
        (vehicle(replace(READY, estimator_flags=0xA5)), ["no absolute position"]),
        (vehicle(replace(READY, battery_percent=79.0)), ["battery at 79 %"]),
        (vehicle(silent_s=9.0), ["not heard for 9 s"]),
        (vehicle(age_s=9.0), ["no new position for 9 s"]),
        (vehicle(rivals=("10.0.0.9:14550",)), ["10.0.0.9:14550 speaks with its system id"]),
    ],
)
def test_whatever_is_in_the_way_of_a_take_off_is_said(one, words):
    _is_said(one, words)


def test_what_it_warned_of_in_the_last_minute_is_said_where_its_checks_fail():
    texts = [said("PreArm: Compass", ago_s=90.0), said("PreArm: RC"), said("EKF3 ready", severity=6)]
    one = vehicle(replace(READY, prearm_good=False), texts=texts)
    _is_said(one, ["pre-arm checks fail", "it says: PreArm: RC"])


def _is_said(one, words):
    found = look(one)
    assert not found.ready
    assert len(found.why_not) == len(words)
    for reason, word in zip(found.why_not, words, strict=True):
        assert word in reason


def test_one_that_is_not_sure_where_it_is_is_nowhere():
    found = look(vehicle(replace(READY, gps_fix=1, lat_deg=0.0, lon_deg=0.0)))
    assert (found.lat_deg, found.lon_deg) == (None, None)


async def stands(standby, holds):
    async with asyncio.timeout(30):
        while not holds({one.sysid: one for one in standby.readiness()}):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_who_comes_late_is_met_and_who_is_on_two_links_is_not_flown(monkeypatch):
    monkeypatch.setattr("autopilot.standby._AGAIN_S", 0.1)
    monkeypatch.setattr("autopilot.standby._SILENT_S", 1.5)
    port, met = free_port(), []
    with sim.start_fleet(replace(SITE, vehicles=2)) as both:
        first, second = (end.url for end in both.endpoints)
        late = f"tcp:127.0.0.1:{port}"
        async with standing_by([first, second, late], met=met.append) as standby:
            await stands(standby, lambda all_: [one.ready for one in all_.values()] == [True, True])
            assert standby.troubles[first] is None
            assert "cannot be opened" in standby.troubles[late]
            with sim.start_fleet(replace(SITE, start_sysid=2, vehicles=1, transport="tcp", base_port=port)):
                await stands(standby, lambda all_: any("is heard on" in words for words in all_[2].why_not))
            assert [one.sysid for one in standby.readiness()] == [1, 2]
            assert sorted(vehicle.sysid for vehicle in met) == [1, 2, 2]
            # The other one of that name is gone: what is left of it is flown again.
            await stands(standby, lambda all_: all_[2].ready)


async def test_what_is_no_autopilot_that_is_known_is_told_with_the_reason():
    script = Script(autopilot=mav.MAV_AUTOPILOT_GENERIC)
    async with vehicle_at(script) as (_, url), standing_by([url]) as standby:
        await stands(standby, lambda all_: 1 in all_)
        (one,) = standby.readiness()
    assert (one.autopilot, one.heard, one.ready) == (None, True, False)
    assert "is not known" in one.why_not[0]


async def test_a_link_that_nobody_could_open_is_refused_at_once():
    with pytest.raises(LinkError, match="is not understood"):
        async with standing_by(["udp:nowhere"]):
            pass
