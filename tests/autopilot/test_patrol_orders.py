"""Orders of a pilot to a patrol: carried out once, never late, and only where nobody else flies."""

import asyncio
import json
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

import autopilot
import missions
import sim
from autopilot.journal import Journal
from autopilot.patrol_orders import OrderDesk
from autopilot.patrol_states import Duty, State
from geo import Altitude, Datum
from tests.system.test_patrol import SPEEDUP, Told, links, made, states, vehicles

__all__ = ["made"]  # the fixture


def order(name, kind="pause", until_s=None):
    until_s = time.monotonic() + 30 if until_s is None else until_s
    return autopilot.PilotOrder(name, kind, until_s, f"ordered by Pat: {name}")


class Ordered:
    """What came of each order."""

    def __init__(self):
        self.told = []
        self._came = asyncio.Event()

    def of(self, name):
        def tell(state, words):
            self.told.append((name, state, words))
            self._came.set()

        return tell

    async def end(self, name):
        async with asyncio.timeout(60):
            while True:
                found = [one for one in self.told if one[0] == name and one[1] != "accepted"]
                if found:
                    return found[0][1:]
                self._came.clear()
                await self._came.wait()


async def flown(made, pilot, rules=None):
    """The first flight of the first vehicle, with a pilot who gives orders once it is on task."""
    told, patrols = Told(), []
    with sim.start_fleet(vehicles(made)) as fleet:

        async def give():
            await told.wait(1, "on task", False)
            await pilot(patrols[0])

        giving = asyncio.create_task(give())
        report = await autopilot.fly_patrol(
            made, links(fleet), time_scale=SPEEDUP, hours=0.05, told=told, begun=patrols.append, rules=rules
        )
        await giving
    return report


async def test_a_pause_that_nobody_ends_brings_it_home_and_one_that_comes_late_is_none(made):
    came = Ordered()

    async def pilot(patrol):
        patrol.order(1, order("late", until_s=time.monotonic() - 1), came.of("late"))
        assert await came.end("late") == (
            "refused",
            f"{patrol.crews[1].vehicle}: it ran out before it could be carried out",
        )
        assert patrol.shift.duties[1].state is State.ON_TASK
        for _ in range(2):  # as a stream that is heard anew gives it
            patrol.order(1, order("hold"), came.of("hold"))
        assert (await came.end("hold"))[0] == "done"
        patrol.order(1, order("look", "dispatch"), came.of("look"))
        assert (await came.end("look"))[0] == "refused"

    report = await flown(made, pilot, rules=autopilot.PatrolRules(pause_s=20.0))
    course = states(report, 1)
    assert course[course.index("paused") :][:3] == ["paused", "returning", "swapping"]
    (flight,) = report.flights
    assert flight.early == "nobody let it go on within 20 s"
    assert report.vehicles[0].failure is None
    assert [name for name, _, _ in came.told] == ["late", "hold", "look"]


async def test_it_lands_where_it_is_told_to_and_waits_there_to_be_fetched(made):
    came = Ordered()

    async def pilot(patrol):
        patrol.order(1, order("down", "land"), came.of("down"))
        state, words = await came.end("down")
        assert (state, "fetch it" in words) == ("done", True)

    report = await flown(made, pilot)
    assert states(report, 1)[-3:] == ["on task", "returning", "fault"]
    (flight,) = report.flights
    assert flight.early == "ordered by Pat: down"
    assert flight.flown.landing.from_home_m > 30
    assert flight.flown.nearest_border_m >= made.border.stand_off_m - 3


class Shift(SimpleNamespace):
    def now_s(self):
        return 1.0


def desk_at(journal, crews=None):
    begun = []
    shift = Shift(journal=journal, stopped=False, duties={1: Duty(1)})
    shift.plans = [SimpleNamespace(options=missions.PlanOptions(shift_s=3600.0))]
    return OrderDesk(shift, crews or {}, None, begun.append), begun


async def test_a_station_that_starts_anew_does_nothing_that_was_begun_before(made, tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal.begin(path, 0, "ardupilot")
    journal.plan(made, 0.0)
    desk, begun = desk_at(journal)
    came = Ordered()
    desk.give(1, order("first"), came.of("first"))
    # It is on the disk before anything is done.
    assert json.loads(path.read_text().splitlines()[-1])["state"] == "taken"
    desk.give(1, order("second"), came.of("second"))
    await begun.pop()
    assert await came.end("second") == ("refused", "the patrol has no vehicle 1")
    begun.pop().close()  # the station dies in the middle of it
    journal.close()
    again, past = Journal.go_on(path, made)
    assert past.orders == {"first": "taken", "second": "refused"}
    later, begun = desk_at(again)
    later.carried.update(past.orders)
    for name in past.orders:
        later.give(1, order(name), came.of(name))
    assert begun == []
    again.close()


def crew(sysid, *, state=State.ON_TASK, up_m=50.0, lat=46.0, north_m_s=0.0):
    seen = autopilot.Telemetry(
        lat_deg=lat, lon_deg=9.0, altitude=Altitude(up_m, Datum.AMSL), velocity_ned_m_s=(north_m_s, 0.0, 0.0)
    )
    return SimpleNamespace(sysid=sysid, state=state, vehicle=SimpleNamespace(telemetry=seen))


@pytest.mark.parametrize(
    ("other", "near"),
    [
        (crew(2, lat=46.0003), True),  # 33 m
        (crew(2, lat=46.001), False),  # 111 m, and stands
        (crew(2, lat=46.001, north_m_s=-10.0), True),  # there in 11 s
        (crew(2, lat=46.0003, up_m=80.0), False),
        (crew(2, lat=46.0003, state=State.SWAPPING), False),
        (crew(2, lat=None), True),  # nobody knows where
    ],
)
def test_who_stands_in_the_air_is_not_flown_into(other, near):
    desk, _ = desk_at(None)
    one = crew(1, state=State.PAUSED)
    assert desk._comes_near(one, other) is near
    assert desk._comes_near(one, one) is False
    unknown = replace(other.vehicle.telemetry, altitude=None)
    other.vehicle = SimpleNamespace(telemetry=unknown)
    if near:
        assert desk._comes_near(one, other) is True
