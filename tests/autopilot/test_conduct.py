"""A sortie asks at its steps, in their order; what a step raises keeps it on the ground or brings it home."""

import asyncio
import re

import pytest

from autopilot import FlightError, FlightLimits, Vehicle, open_link
from autopilot.conduct import Conduct
from autopilot.sortie import Flight, Sortie
from tests.autopilot.scripted import FAST, Script, line_mission, vehicle_at

ARM = 400


class Asked(Conduct):
    """Writes down what it is asked, and raises at one step."""

    def __init__(self, raises=None, patience=0.0):
        self.steps = []
        self._raises, self._patience = raises, patience

    def _step(self, name):
        if not self.steps or self.steps[-1] != name:
            self.steps.append(name)
        if name == self._raises:
            raise FlightError(f"not {name}")

    async def turn(self, watch):
        assert not watch.was_armed
        self._step("turn")

    async def clear(self, watch):
        assert not watch.was_armed
        self._step("clear")

    async def look(self, watch):
        assert watch.was_armed
        self._step("look")

    def bears(self, silent_wall_s):
        return silent_wall_s < self._patience

    def off(self, cause):
        assert cause
        self._step("off")


async def flown(conduct, script=None, places=6):
    async with vehicle_at(script or Script()) as (scripted, url), await open_link(url) as link:
        async with await Vehicle.connect(link, timing=FAST) as vehicle:
            flight = Flight(FAST, FlightLimits(home_s=20.0, lost_s=20.0), None, lambda _: None, asyncio.Event())
            report = await Sortie(vehicle, line_mission(places), 1, 1, flight, conduct=conduct).fly()
        armed = [m for m in scripted.heard if m.get_type() == "COMMAND_LONG" and m.command == ARM and m.param1 == 1.0]
        return report, armed


async def test_the_steps_of_a_flight_come_in_their_order():
    conduct = Asked()
    report, armed = await flown(conduct)
    assert report.completed
    assert conduct.steps == ["turn", "clear", "look"]
    assert len(armed) == 1


@pytest.mark.parametrize("step", ["turn", "clear"])
async def test_what_is_not_allowed_on_the_ground_is_never_armed(step):
    conduct = Asked(raises=step)
    report, armed = await flown(conduct)
    assert armed == []
    assert report.failure == f"not {step}"
    assert conduct.steps[-1] == "off"


async def test_what_is_called_off_in_the_air_is_brought_home():
    conduct = Asked(raises="look")
    report, armed = await flown(conduct, places=60)
    assert len(armed) == 1
    assert report.failure.startswith("not look; it obeyed RTL and is down")
    assert conduct.steps[-1] == "off"


@pytest.mark.parametrize(("patience", "words"), [(0.0, "silent for [0-9.]+ s in flight"), (3.0, "silent for [3-9]")])
async def test_a_silence_is_borne_for_as_long_as_is_said(patience, words):
    conduct = Asked(patience=patience)
    report, _ = await flown(conduct, Script(flight="silent"))
    assert not report.completed
    assert re.search(words, report.failure)
