"""Orders of a pilot to a patrol: carried out once, never late, and only where nobody else flies."""

import asyncio
import json
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import autopilot
import missions
import sim
from autopilot.cue import Errand, Visit
from autopilot.errors import FlightError, NotReadyError
from autopilot.journal import Journal
from autopilot.patrol_crew import Crew
from autopilot.patrol_cues import CueDesk
from autopilot.patrol_guard import PauseGuard
from autopilot.patrol_orders import OrderDesk
from autopilot.patrol_piloted import PilotedConduct
from autopilot.patrol_states import Duty, State
from autopilot.shift import Shift
from autopilot.station import now_us
from autopilot.timetable import Timetable, Turn
from autopilot.watch import FlightWatch
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


def desk_at(journal):
    begun = []
    shift = SimpleNamespace(journal=journal, stopped=False, duties={1: Duty(1)}, now_s=lambda: 1.0)
    return OrderDesk(shift, {}, None, begun.append), begun


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


def crew(sysid, *, state=State.ON_TASK, armed=True, up_m=50.0, lat=46.0, north_m_s=0.0, down_m_s=0.0, age_s=0.0):
    seen = autopilot.Telemetry(
        lat_deg=lat,
        lon_deg=9.0,
        altitude=Altitude(up_m, Datum.AMSL),
        velocity_ned_m_s=(north_m_s, 0.0, down_m_s),
        armed=armed,
    )
    vehicle = SimpleNamespace(telemetry=seen, position_age_s=age_s, timing=autopilot.Timing())
    planned = SimpleNamespace(aircraft=SimpleNamespace(max_m_s=15.0))
    return SimpleNamespace(sysid=sysid, state=state, vehicle=vehicle, planned=planned, conduct=None, failure=None)


def guard_of(*crews, wait=None):
    plans = [SimpleNamespace(options=missions.PlanOptions(shift_s=3600.0))]
    return PauseGuard(SimpleNamespace(plans=plans, wait=wait), {one.sysid: one for one in crews})


@pytest.mark.parametrize(
    ("other", "near"),
    [
        (crew(2, lat=46.0003), True),  # 33 m
        (crew(2, lat=46.001), False),  # 111 m, and stands
        (crew(2, lat=46.001, north_m_s=-10.0), True),  # there in 11 s
        (crew(2, lat=46.0003, up_m=80.0), False),
        (crew(2, lat=46.0003, up_m=80.0, down_m_s=3.0), True),  # there in 10 s
        (crew(2, lat=46.0003, state=State.FAULT), True),  # it flies home
        (crew(2, lat=46.0003, state=State.FAULT, armed=False), False),
        (crew(2, lat=46.0003, state=State.SWAPPING, armed=False), False),
        (crew(2, lat=46.01, age_s=60.0), False),  # 1.1 km: not within reach in 70 s at 15 m/s
        (crew(2, lat=46.01, age_s=120.0), True),  # may be anywhere by now
        (crew(2, lat=46.0003, up_m=80.0, age_s=60.0), True),  # and at any height
        (crew(2, lat=None), True),  # nobody knows where
    ],
)
def test_who_stands_in_the_air_is_not_flown_into(other, near):
    one = crew(1, state=State.PAUSED)
    guard = guard_of(one, other)
    assert guard.comes_near(one, other) is near
    assert guard.comes_near(one, one) is False
    other.vehicle = SimpleNamespace(
        **vars(other.vehicle) | {"telemetry": replace(other.vehicle.telemetry, altitude=None)}
    )
    if near:
        assert guard.comes_near(one, other) is True


@pytest.mark.parametrize("blind", [False, True])
async def test_it_is_brought_home_before_another_is_near_however_often_that_has_to_be_asked(blind):
    """It is silent at first; and a fault of ours in looking out for it ends no watch over it."""
    other = crew(2, lat=46.01)
    one = crew(1, state=State.PAUSED)
    asked, looks = [], []

    async def obey(kind, words, until_s):
        asked.append((kind, words))
        if len(asked) < 3:
            raise FlightError("it ran out before it could be carried out")
        one.state = State.RETURNING

    async def wait():
        looks.append(len(asked))
        if len(looks) == 2:  # far away until now
            if blind:
                other.vehicle.telemetry = None
            else:
                other.vehicle.telemetry = replace(other.vehicle.telemetry, lat_deg=46.0003)
        assert len(looks) < 10

    one.conduct = SimpleNamespace(obey=obey)
    async with asyncio.timeout(10):
        await guard_of(one, other, wait=wait).watch(one, one.conduct)
    assert looks[:2] == [0, 0]
    assert [kind for kind, _ in asked] == ["return"] * 3
    assert ("report it" if blind else "vehicle 2 comes near") in asked[0][1]


async def test_what_came_of_an_order_is_told_once_and_a_fault_in_the_air_is_not_said_to_be_on_the_ground(made):
    desk, begun = desk_at(Journal.begin(None, 0, "ardupilot"))
    came, broken = Ordered(), crew(1, state=State.FAULT)
    broken.failure = "it does not turn"
    desk._crews = {1: broken}
    desk.give(1, order("home", "return"), came.of("home"))
    await begun.pop()
    state, words = await came.end("home")
    assert (state, "brought home after a fault" in words, "does not turn" in words) == ("refused", True, True)

    async def obey(*_):
        return "stands"

    async def watch(*_):
        raise FlightError("its flight ended in the middle of the order")

    broken.state, broken.conduct, desk._guard = State.PAUSED, SimpleNamespace(obey=obey), SimpleNamespace(watch=watch)
    desk.give(1, order("hold"), came.of("hold"))
    await begun.pop()
    assert [one for one in came.told if one[0] == "hold"] == [("hold", "done", "stands")]
    assert desk.carried["hold"] == "done"


@pytest.mark.parametrize(
    ("armed", "end"), [(False, ("done", "is down")), (True, ("failed", "nobody heard that it is down: look for it"))]
)
async def test_only_one_that_says_so_is_said_to_be_down(armed, end):
    """A patrol that is stopped ends its flights, also where one was not seen to land."""
    desk, begun = desk_at(Journal.begin(None, 0, "ardupilot"))
    came, flown = Ordered(), crew(1, armed=armed)
    desk._crews = {1: flown}

    async def obey(*_):
        flown.state = State.SWAPPING  # as its flight ends
        return "comes home"

    flown.conduct = SimpleNamespace(obey=obey)
    desk.give(1, order("home", "return"), came.of("home"))
    await begun.pop()
    assert await came.end("home") == end


class Aircraft:
    """A vehicle that does at once what it is told."""

    def __init__(self, place):
        self.sysid, self.silent_s, self.timing = 1, 0.0, autopilot.Timing()
        self.dialect = SimpleNamespace(mission_mode="AUTO", return_mode="RTL", land_mode="LAND", pause_mode="LOITER")
        self.telemetry = autopilot.Telemetry(
            lat_deg=place[0], lon_deg=place[1], above_home_m=60.0, battery_percent=80.0, mode="AUTO", armed=True
        )
        self.told = []

    def __str__(self):
        return "vehicle 1"

    def now(self, **more):
        self.telemetry = replace(self.telemetry, **more)

    async def _turn(self, mode):
        self.told.append(mode)
        self.now(mode=mode)

    async def pause(self):
        await self._turn("LOITER")

    async def return_home(self):
        await self._turn("RTL")

    async def land(self):
        await self._turn("LAND")


class Flying:
    """The first flight of a plan, on task, by a vehicle of ours: looked at when a test says so."""

    def __init__(self, made):
        sortie = made.sorties[0]
        leg = next(leg for leg in sortie.legs if leg.kind is missions.LegKind.PATROL)
        self.begins = leg.start.lat_deg, leg.start.lon_deg
        self.vehicle = Aircraft(self.begins)
        flight = SimpleNamespace(timing=autopilot.Timing(), stop=asyncio.Event())
        book = Journal.begin(None, 0, "ardupilot")
        self.shift = Shift(
            made, "ardupilot", now_us(), flight=flight, rules=autopilot.PatrolRules(), journal=book,
            timetable=Timetable(made.options, 3600.0), told=lambda *_: None,
        )  # fmt: skip
        mission = missions.compile_mission(made, sortie, "ardupilot")
        self.circles_m = 0.0
        self.watch, self.failed = FlightWatch(mission, "AUTO", None), []
        self.turn = Turn(0, 0, sortie, sortie.vehicle, 0.0)
        self.conduct = PilotedConduct(
            self.shift, self.turn, self.vehicle, mission, failed=self.failed.append, orders=self, took_off_s=0.0
        )
        self.shift.put(Duty(1, State.ON_TASK, sortie.name), "as the test has it")
        self.shift.busy.add(1)

    # What gives it orders within its fence: the fence is no matter here.

    def here(self):
        now = self.vehicle.telemetry
        return autopilot.Place(now.lat_deg, now.lon_deg, now.above_home_m)

    async def area(self):
        return SimpleNamespace(check_diversion=lambda *_, **_how: None)

    async def turn_m(self, _radius_m=None, _place=None):
        return self.circles_m

    async def go_unchecked(self, _place, _turn_m=0.0):
        await self.vehicle._turn("GUIDED")

    async def resume(self):
        await self.vehicle._turn("AUTO")

    async def obey(self, kind):
        """What comes of an order at the next look."""
        asking = asyncio.create_task(self.conduct.obey(kind, f"ordered by Pat: {kind}", time.monotonic() + 30))
        await asyncio.sleep(0)
        try:
            await self.conduct.look(self.watch)
        except FlightError as error:
            pytest.fail(f"its flight is off: {error}")
        return await asking

    @property
    def state(self):
        return self.shift.duties[1].state


@pytest.fixture
def flying(made, monkeypatch):
    async def turned(*_):
        """No camera is turned here."""

    monkeypatch.setattr("autopilot.patrol_errand.look_at", turned)
    monkeypatch.setattr("autopilot.patrol_errand.look_ahead", turned)

    async def make():
        return Flying(made)

    return make


async def test_who_was_told_to_land_can_be_called_home_and_is_where_its_battery_allows(flying):
    one = await flying()
    assert await one.obey("land") == "lands where it is"
    one.vehicle.now(battery_percent=1.0)
    with pytest.raises(FlightError, match="it lands where it is"):
        await one.obey("return")
    assert one.vehicle.told == ["LAND"]
    one.vehicle.now(battery_percent=80.0)
    assert await one.obey("return") == "comes home"
    assert await one.obey("return") == "comes home already"
    assert one.vehicle.told == ["LAND", "RTL"]
    assert (one.state, one.conduct.early, one.failed) == (State.RETURNING, "ordered by Pat: return", [])


async def test_an_order_that_is_refused_is_no_fault_of_a_vehicle_on_its_way_home(flying):
    """Once it is called home by its battery instead of going on, once it comes home by its plan."""
    short = await flying()
    assert (await short.obey("pause")).startswith("stands in the air")
    craft = replace(short.turn.vehicle.aircraft, reserve_fraction=0.9)
    short.conduct._turn = replace(short.turn, vehicle=replace(short.turn.vehicle, aircraft=craft))
    with pytest.raises(FlightError, match="its battery does not take it over the rest of its patrol: it comes home"):
        await short.obey("resume")
    planned = await flying()
    planned.shift.put(Duty(1, State.RETURNING, "s"), "as the test has it")
    with pytest.raises(FlightError, match="it stops on its patrol alone"):
        await planned.obey("pause")
    assert (short.vehicle.told, planned.vehicle.told) == (["LOITER", "RTL"], [])
    assert (short.state, planned.state) == (State.RETURNING, State.RETURNING)


async def test_an_order_that_its_flight_did_not_live_to_see_is_refused_at_once(flying):
    """Not only when it has run out: until then the patrol would wait for it."""
    one = await flying()
    asking = asyncio.create_task(one.conduct.obey("pause", "ordered by Pat", time.monotonic() + 300))
    await asyncio.sleep(0)
    one.conduct.close()
    with pytest.raises(FlightError, match="its flight ended before the order"):
        await asking
    assert one.vehicle.told == []


def errand_at(here, visit, missed, station_s=0.0):
    place = autopilot.Place(here[0], here[1], 60.0)
    return Errand(place, missions.Spot(*here), station_s, "a light", missed.append, visit)


async def test_whether_it_was_there_is_told_by_its_being_there(flying):
    """Stayed to the end and then called home; called home before; let go on by a pilot; switched back on the way."""

    async def sent(station_s=0.0, away=0.0):
        one, visit, missed = await flying(), Visit(), []
        one.conduct.send(errand_at((one.begins[0] + away, one.begins[1]), visit, missed, station_s))
        for _ in range(2 if away else 3):
            await one.conduct.look(one.watch)
        return one, visit, missed

    one, visit, missed = await sent()
    await one.conduct._recall("weather")
    assert (visit, missed) == (Visit(there=True, stayed=True), [])

    one, visit, missed = await sent(station_s=600.0)
    await one.conduct._recall("weather")
    assert (visit, missed) == (Visit(there=True, left="was there, and left before its time: weather"), [])

    one, visit, missed = await sent(station_s=600.0)
    await one.obey("resume")
    assert (visit, missed, one.state) == (Visit(there=True, stayed=True), [], State.OUTBOUND)

    one, visit, missed = await sent(away=0.01)
    one.vehicle.now(mode="AUTO")  # by another ground station
    await one.conduct.look(one.watch)
    assert visit == Visit()
    one.conduct.leave("its flight has ended")
    assert (visit, missed) == (Visit(left="its flight has ended"), ["its flight has ended"])


async def test_one_that_has_not_said_for_long_where_it_is_is_not_sent_off_its_patrol(flying, monkeypatch):
    one, visit, missed = await flying(), Visit(), []

    def old():
        raise NotReadyError("vehicle 1: said no new position for 8.0 s")

    monkeypatch.setattr(one, "here", old)
    one.conduct.send(errand_at(one.begins, visit, missed))
    await one.conduct.look(one.watch)
    assert missed == ["vehicle 1: said no new position for 8.0 s"]
    with pytest.raises(NotReadyError, match="no new position"):
        await one.obey("pause")
    assert (one.vehicle.told, one.state) == ([], State.ON_TASK)


async def test_wings_that_the_plan_takes_for_a_multirotor_are_not_sent_where_nobody_looked_at_a_circle(flying):
    one, missed = await flying(), []
    one.circles_m = 60.0
    one.conduct.send(errand_at(one.begins, Visit(), missed))
    await one.conduct.look(one.watch)
    assert missed == ["vehicle 1: circles on 60 m, and 0 m were looked at"]
    assert (one.vehicle.told, one.state) == ([], State.ON_TASK)


@pytest.mark.parametrize("state", [State.RETURNING, State.PAUSED])
async def test_one_that_did_something_else_before_it_set_out_to_a_cue_goes_on_with_that(flying, state):
    """It was sent as it flew the last of its patrol, or while a pilot's order to stop was on its way to it."""
    one, visit, missed = await flying(), Visit(), []
    one.conduct._paused_s = 0.0
    assert one.conduct.free_for_errand
    one.conduct.send(errand_at(one.begins, visit, missed))
    one.shift.put(Duty(1, state, one.turn.sortie.name), "as the test has it")
    one.vehicle.now(mode="LOITER" if state is State.PAUSED else "AUTO")
    for _ in range(2):
        await one.conduct.look(one.watch)
    assert (one.vehicle.told, one.state, one.conduct.early, one.failed) == ([], state, None, [])
    assert (visit.left, missed) == (f"is {state} by now", [f"is {state} by now"])


async def test_a_dispatch_is_done_when_the_stay_is_and_failed_with_why_it_was_left(flying):
    one, came = await flying(), Ordered()
    begun, given = [], asyncio.Queue()

    async def give(cue, others, *, missed, until_s, visit):
        given.put_nowait(visit)
        return SimpleNamespace(chosen=SimpleNamespace(arrival_s=5.0), others={})

    flies = SimpleNamespace(sysid=1, state=State.ON_CUE, conduct=one.conduct, failure=None, vehicle=one.vehicle)
    desk = OrderDesk(one.shift, {1: flies}, SimpleNamespace(give=give), begun.append)
    cue = autopilot.Cue(missions.Spot(*one.begins), 0)
    for name, end in (
        ("stays", lambda visit: setattr(visit, "stayed", True)),
        ("leaves", lambda v: v.leave("weather")),
    ):
        desk.give(1, replace(order(name, "dispatch"), cue=cue), came.of(name))
        carrying = asyncio.create_task(begun.pop())
        end(await given.get())
        one.conduct.early = "its battery at 30 % just takes it home"  # after the stay: no matter
        one.shift.pulse()
        await carrying
    assert await came.end("stays") == ("done", "was there")
    assert await came.end("leaves") == ("failed", "weather")


async def test_nobody_is_sent_anywhere_once_the_shift_is_over_and_while_a_cue_is_answered_it_is_not(made, monkeypatch):
    one = Flying(made)
    one.shift.busy.clear()
    desk = CueDesk(one.shift, {}, None, None)
    cue = autopilot.Cue(missions.Spot(*one.begins), 0)
    over = await desk.give(cue)
    assert (one.shift.over, over.chosen) == (True, None)
    seen, let = [], threading.Event()

    def answer(cue, *_):
        assert let.wait(30)
        seen.append(one.shift.over)
        return autopilot.Answer(cue, None, {})

    monkeypatch.setattr(desk, "_answer", answer)
    one.shift.busy.add(1)
    asking = asyncio.create_task(desk.give(cue))
    await asyncio.sleep(0)
    one.shift.busy.clear()  # it comes to rest while the cue is answered
    let.set()
    await asking
    assert (seen, one.shift.over) == ([False], True)


async def test_where_nobody_sees_all_of_where_it_may_be_its_middle_is_looked_at_and_that_is_said(made, monkeypatch):
    one = Flying(made)
    desk = CueDesk(one.shift, {}, None, None)

    def answer(cue, *_):
        return autopilot.Answer(cue, None, {1: f"no place shows {cue.spot.uncertainty_m:.1f} m"})

    monkeypatch.setattr(desk, "_answer", answer)
    one.shift.busy.add(1)
    exact = await desk.give(autopilot.Cue.about(*one.begins, 0.0, 0))
    assert (exact.cue.spot.uncertainty_m, exact.cue.middle) == (0.0, None)
    wide = await desk.give(autopilot.Cue.about(*one.begins, 20.0, 0, words="radar"))
    assert wide.cue.spot == missions.Spot(*one.begins, 20.0)  # 49.0 m was asked for first
    assert "only 20 m around its middle" in wide.words()
    late = await desk.give(autopilot.Cue.about(*one.begins, 20.0, 0), until_s=time.monotonic() - 1)
    assert late.cue.spot.uncertainty_m == pytest.approx(48.955, abs=0.001)


def test_a_spot_holds_nineteen_of_twenty_places_and_its_middle_four_of_ten():
    cue = autopilot.Cue.about(31.0, -110.0, 20.0, 0)
    north, east = np.random.default_rng(7).normal(0.0, 20.0, (2, 200_000))
    away_m = np.hypot(north, east)
    assert np.mean(away_m <= cue.spot.uncertainty_m) == pytest.approx(0.95, abs=0.002)
    assert np.mean(away_m <= cue.middle.uncertainty_m) == pytest.approx(1 - np.exp(-0.5), abs=0.004)


async def test_cues_are_answered_one_after_the_other_so_that_each_keeps_off_where_the_last_one_was_sent(
    made, monkeypatch
):
    one, told = Flying(made), []
    desk = CueDesk(one.shift, {}, None, None)

    def answer(cue, *_):
        told.append("begins")
        time.sleep(0.05)
        told.append("ends")
        return autopilot.Answer(cue, None, {})

    monkeypatch.setattr(desk, "_answer", answer)
    await asyncio.gather(*(desk.give(autopilot.Cue(missions.Spot(*one.begins), 0)) for _ in range(3)))
    assert told == ["begins", "ends"] * 3


@pytest.mark.parametrize(
    ("duty", "why", "stays"),
    [(Duty(1, State.FAULT), "is fault", False), (Duty(1, State.ON_CUE, "s", silent=True), "is not heard", True)],
)
async def test_others_keep_off_one_in_the_air_that_is_not_heard_or_has_a_fault(made, duty, why, stays):
    one = Flying(made)
    crew = Crew(one.shift, one.turn.vehicle, "", FlightError("no link"), lost=lambda *_: None)
    crew.vehicle, crew.conduct = one.vehicle, one.conduct
    one.conduct.send(errand_at(one.begins, Visit(), []))
    one.shift.put(duty, "as the test has it")
    seen = crew.standing()
    assert (seen.unfit, seen.airborne, seen.here, seen.above_base_m) == (why, True, one.begins, 60.0)
    assert (seen.stays is not None) == stays
    one.vehicle.now(armed=False)
    assert crew.standing().airborne == stays
