"""The automatic crew of an exercise: flies the patrol, answers reports, heeds zones, reviews and shares.

It knows what trainees would know, and uses what they would use: `autopilot.fly_patrol` and the client of the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import api
import autopilot
import missions
import sim
from cli.exercise_control import Heard
from cli.exercise_events import EventLog
from cli.exercise_service import Desk
from cli.exercise_setting import exercise_plan, shift_s, zone_of
from geo import VedetteError, geodesic_distance_m

__all__ = ["AutomaticCrew"]

_LOOK_S = 0.05
_TRIES, _AGAIN_S = 12, 25.0
# Reports of about the same place at about the same time are answered once; after the shift nobody is sent.
_SAME_S, _SAME_M = 150.0, 40.0
_AFTER_S = 120.0
# What an analyst takes to look at a clip, and a supervisor to sign.
_REVIEW_S = 20.0
_LEAST_SHIFT_S = 60.0
_PILOT_ID = 250  # the system id of a second ground station of ours


class AutomaticCrew:
    """Those who train, done by machine.

    Parameters
    ----------
    exercise
        What is played, and what of it the crew does (`crew`).
    plan
        The patrol.
    urls
        Links of the vehicles, in the order of their system ids.
    folder
        Of the run: logs and reports go there.
    speedup
        Simulated seconds a second.
    now_s
        The clock of the exercise, seconds.
    log
        Where it writes what it does.
    desk
        The service, if any.
    """

    def __init__(
        self,
        exercise: sim.Exercise,
        plan: missions.PatrolPlan,
        urls: list[str],
        *,
        folder: Path,
        speedup: float,
        now_s: Callable[[], float],
        log: EventLog,
        desk: Desk | None,
    ) -> None:
        self._exercise, self._plan, self._urls, self._folder = exercise, plan, urls, folder
        self._speedup, self._now_s, self._log, self._desk = speedup, now_s, log, desk
        self._zones: list[missions.Zone] = []
        self._next: missions.PatrolPlan | None = None
        self._stop = asyncio.Event()
        self._patrol: autopilot.Patrol | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._records: list[str] = []
        self._seen_to: list[tuple[float, float, float]] = []
        self._releases: dict[tuple[str, str], str] = {}
        self.reports: list[autopilot.PatrolReport] = []
        self.done = False

    def hear(self, heard: Heard) -> None:
        """Do something about what was told, beside everything else."""
        act = self._acts.get(heard.kind)
        if act is not None:
            task = asyncio.get_running_loop().create_task(self._guarded(act(self, heard)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Fly until the shift is over."""
        try:
            while self._exercise.crew.flies:
                left_s = shift_s(self._exercise) - self._now_s()
                if left_s < _LEAST_SHIFT_S:
                    break
                self._stop, self._next = asyncio.Event(), None
                report = await autopilot.fly_patrol(
                    self._plan,
                    self._urls,
                    dialect=self._exercise.fleet.autopilot,
                    hours=min(left_s, self._plan.options.shift_s) / 3600,
                    time_scale=self._speedup,
                    log_dir=self._folder / "logs",
                    told=self._told,
                    begun=self._begun,
                    stop=self._stop,
                )
                self._patrol = None
                self.reports.append(report)
                report.write(self._folder / f"patrol-{len(self.reports)}.json")
                if self._next is None:
                    break
                self._plan = self._next
            await asyncio.gather(*self._tasks)
        finally:
            self.done = True

    def _begun(self, patrol: autopilot.Patrol) -> None:
        self._patrol = patrol

    def _told(self, duty: autopilot.Duty, why: str) -> None:
        silent = ", not heard" if duty.silent else ""
        self._say("vehicle", f"vehicle {duty.sysid} {duty.state}{silent}: {why}", sysid=duty.sysid)

    def _say(self, kind: str, words: str, **more: object) -> None:
        self._log.write(self._now_s(), "crew", kind, words, **more)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except VedetteError as error:
            self._say("trouble", str(error))

    async def _wait(self, seconds: float) -> None:
        """Until so many seconds of the exercise have gone by."""
        until = self._now_s() + seconds
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._now_s() >= until:
                return

    # What it does about what it hears.

    async def _answer(self, heard: Heard) -> None:
        if not self._exercise.crew.answers_cues:
            return
        place = heard.what
        if self._now_s() > shift_s(self._exercise) + _AFTER_S:
            self._say("answer", f"{heard.words}: the shift is over, nobody is sent any more")
            return
        if self._is_seen_to(place):
            self._say("answer", f"{heard.words}: that is being looked at already")
            return
        seeing_to = (self._now_s(), place["lat"], place["lon"])
        self._seen_to.append(seeing_to)
        where = place["lat"], place["lon"], place["uncertainty_m"]
        for _ in range(_TRIES):
            patrol = self._patrol
            if patrol is not None and not self._stop.is_set():
                cue = autopilot.Cue.about(*where, 0, station_s=place["station_s"], words=heard.words)
                answer = await patrol.cue(cue)
                self._say("answer", answer.words())
                if answer.chosen is not None:
                    return
            if self.done:
                break
            await self._wait(_AGAIN_S)
        self._seen_to.remove(seeing_to)

    def _is_seen_to(self, place: dict[str, float]) -> bool:
        """Whether somebody was sent to about that place a little while ago, or is about to be."""
        return any(
            self._now_s() - since < _SAME_S and geodesic_distance_m(lat, lon, place["lat"], place["lon"]) < _SAME_M
            for since, lat, lon in self._seen_to
        )

    async def _heed(self, heard: Heard) -> None:
        """Plan around a zone, bring home what flies, and fly the new plan."""
        if not self._exercise.crew.heeds_zones:
            return
        self._zones.append(zone_of(self._exercise, heard.what))
        try:
            self._next = await asyncio.to_thread(exercise_plan, self._exercise, self._zones)
            self._say("plan", f"planned anew, clear of {heard.what.name}: all come home and go on with that")
        except missions.MissionsError as error:
            self._say("plan", f"no plan is clear of {heard.what.name}: all come home: {error}")
        self._stop.set()

    async def _judge(self, heard: Heard) -> None:
        if self._desk is None or not self._exercise.crew.reviews:
            return
        await self._wait(_REVIEW_S)
        name = str(heard.what)
        await asyncio.to_thread(self._desk.analyst.review, name, "confirm")
        self._say("review", f"record {name} is confirmed")
        self._records.append(name)
        for partner in self._exercise.crew.releases_to:
            await self._release(name, partner)

    async def _release(self, name: str, partner: str) -> None:
        assert self._desk is not None  # asked before
        try:
            given = await asyncio.to_thread(
                lambda: self._desk.supervisor.release(name, self._desk.partner_ids[partner], reason="joint exercise")  # type: ignore[union-attr]
            )
        except api.RefusedError as error:
            self._say("refused", f"record {name} is not released to {partner}: {error}", partner=partner)
            return
        self._releases[name, partner] = str(given["id"])
        self._say("release", f"record {name} is released to {partner}", partner=partner)

    async def _consider(self, heard: Heard) -> None:
        if self._desk is None or not self._records:
            self._say("refused", f"{heard.what}: there is no confirmed record to give", partner=heard.what)
            return
        await self._release(self._records[-1], str(heard.what))

    async def _recall(self, heard: Heard) -> None:
        if self._desk is None or not self._exercise.crew.recalls:
            return
        for (name, partner), release in list(self._releases.items()):
            if partner == heard.what:
                await asyncio.to_thread(self._desk.supervisor.recall, release, reason=heard.words)
                del self._releases[name, partner]
                self._say("recall", f"record {name} is taken back from {partner}", partner=partner)

    async def _bring_home(self, heard: Heard) -> None:
        """A vehicle whose camera is gone watches nothing: it comes home, and flies again with another."""
        patrol = self._patrol
        if patrol is None:
            return
        for sysid in heard.what:
            if patrol.shift.duties[sysid].state not in _ALOFT:
                continue
            url = self._urls[sysid - 1]
            timing = autopilot.Timing(time_scale=self._speedup)
            # Beside the patrol, as a pilot's own ground station would: the patrol takes it for a fault.
            async with (
                await autopilot.open_link(url, system_id=_PILOT_ID, time_scale=self._speedup) as link,
                await autopilot.Vehicle.connect(link, sysid, timing=timing) as vehicle,
            ):
                await vehicle.return_home()
            self._say("return", f"vehicle {sysid} is called home: its camera shows nothing", sysid=sysid)
            while patrol.shift.duties[sysid].state is not autopilot.State.FAULT or sysid in patrol.shift.busy:
                await self._wait(5.0)
                if self.done or self._patrol is not patrol:
                    return
            patrol.may_fly(sysid)
            self._say("return", f"vehicle {sysid} has another camera and may fly again", sysid=sysid)

    _acts = {  # noqa: RUF012  a table of the class's own
        "cue": _answer,
        "no_fly_zone": _heed,
        "camera_lost": _bring_home,
        "crossing": _judge,
        "request": _consider,
        "recall": _recall,
    }


_ALOFT = frozenset(
    {
        autopilot.State.OUTBOUND,
        autopilot.State.ON_TASK,
        autopilot.State.RELIEVED,
        autopilot.State.ON_CUE,
    }
)
