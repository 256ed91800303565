"""Exercise control: tells and does what the exercise has in store at its times, and notes what truly happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import sim
from cli.exercise_events import EventLog
from cli.exercise_service import Desk

__all__ = ["Control", "Heard"]

_LOOK_S = 0.05
_PARTNERS_LOOK_S = 0.15
# A clock that stands still for so long has no fleet behind it any more.
_STILL_S = 30.0
# A detector has told of a crossing so long after it; it must have been in view so long before and after.
_DETECTOR_S = 8.0
_AROUND_S = 1.5


@dataclass(frozen=True, slots=True)
class Heard:
    """What those who train are told; never more than they would know.

    Parameters
    ----------
    t_s
        When, seconds of the exercise.
    kind
        ``message``, ``cue``, ``no_fly_zone``, ``camera_lost``, ``crossing``, ``request`` or ``recall``.
    words
        For people.
    what
        For the automatic crew: a place, an inject, an id.
    """

    t_s: float
    kind: str
    words: str
    what: Any = None


class Control:
    """Plays an exercise on the clock of the simulator.

    Parameters
    ----------
    exercise
        What is played.
    truth
        The simulator's record, as it grows: the only clock.
    log
        Where events are written.
    desk
        The service, if any.
    seed
        Of the sensors.
    hear
        Told what those who train are told.
    """

    def __init__(
        self,
        exercise: sim.Exercise,
        truth: sim.TruthFollower,
        log: EventLog,
        *,
        desk: Desk | None,
        seed: int,
        hear: Callable[[Heard], None],
    ) -> None:
        self._exercise, self._truth, self._log, self._desk, self._hear = exercise, truth, log, desk, hear
        world, network = exercise.played_world, exercise.network
        self._field = (
            None if network is None else sim.SensorField(world, network.sensors, seed, custody=network.custody)
        )
        self._injects = sorted(exercise.injects, key=lambda inject: inject.at_s)
        self._crossings = sim.true_crossings(exercise, exercise.duration_s)
        self.reports: list[sim.SensorReport] = []
        self._partners_due = 0.0

    @property
    def now_s(self) -> float:
        """Seconds of the exercise."""
        return self._truth.now_s

    async def run(self, over: Callable[[], bool]) -> None:
        """Play to the end of the exercise, or until `over` says so and nothing is left in store.

        Raises
        ------
        ExerciseError
            When the fleet ends by itself.
        """
        loop = asyncio.get_running_loop()
        last_s, moved = -1.0, loop.time()
        while True:
            now_s = self._truth.look()
            if now_s > last_s:
                last_s, moved = now_s, loop.time()
            elif loop.time() - moved > _STILL_S:
                raise sim.ExerciseError(f"the simulated fleet has ended by itself after {now_s:.0f} s of the exercise")
            self._play_injects(now_s)
            self._play_sensors(now_s)
            self._watch_border(now_s)
            await self._look_at_partners(now_s)
            idle = not any(self._due_s(inject) for inject in self._injects) and not self._crossings and self._all_down()
            if now_s >= self._exercise.duration_s or (over() and idle):
                return
            await asyncio.sleep(_LOOK_S)

    def _all_down(self) -> bool:
        return all(rows[-1]["landed"] == "1" for rows in self._truth.rows.values())

    def _play_injects(self, now_s: float) -> None:
        for inject in list(self._injects):
            begin_s = self._due_s(inject)
            if begin_s is None or begin_s > now_s:
                continue
            self._injects.remove(inject)
            words, more, told = _told(self._exercise, inject, begin_s)
            self._log.write(begin_s, "control", inject.kind, words, **more)
            if told is not None:
                self._hear(told)

    def _due_s(self, inject: sim.Inject) -> float | None:
        """When an inject happens; None while it waits for a take-off."""
        if not (isinstance(inject, sim.FaultInject) and inject.event == "take-off"):
            return inject.at_s
        rows = self._truth.rows.get(inject.fault.vehicles[0], [])
        up = next((float(row["time_s"]) for row in rows if row["landed"] == "0"), None)
        return None if up is None else up + inject.at_s

    def _play_sensors(self, now_s: float) -> None:
        if self._field is None:
            return
        world = self._exercise.played_world
        for report in self._field.advance(world.epoch_us + round(now_s * 1e6)):
            if not report.is_cue:
                continue
            self.reports.append(report)
            lon, lat = report.message["location"]["coordinates"]
            east, north, _ = self._exercise.frame.to_enu(lat, lon, world.ground_amsl_m)
            words = f"sensor {report.sensor}: {report.message['kind']}"
            t_s = world.seconds(report.time_us)
            self._log.write(
                t_s, "control", "cue", words, source=f"sensor {report.sensor}", actor=report.actor,
                lat=lat, lon=lon, east_m=round(float(east), 1), north_m=round(float(north), 1),
            )  # fmt: skip
            place = {"lat": lat, "lon": lon, "uncertainty_m": report.message["uncertainty_m"], "station_s": 45.0}
            self._hear(Heard(t_s, "cue", words, place))

    def _watch_border(self, now_s: float) -> None:
        """Note who truly crossed; what was in view is delivered, as a detector would."""
        while self._crossings and self._crossings[0][0] + _DETECTOR_S <= now_s:
            time_s, crossing = self._crossings.pop(0)
            seen_by = list(self._seen(time_s, crossing))
            words = f"{crossing.kind} {crossing.id} crosses, {crossing.direction}"
            words += f", in view of vehicle {', '.join(map(str, seen_by))}" if seen_by else ", in nobody's view"
            more = {"actor": crossing.id, "lat": crossing.lat_deg, "lon": crossing.lon_deg, "seen_by": seen_by}
            self._log.write(time_s, "control", "crossing", words, **more)
            if seen_by and self._desk is not None:
                name = self._desk.report(self._exercise, time_s, crossing)
                told = f"a {crossing.kind} crossed, {crossing.direction}: record {name} waits for review"
                self._log.write(now_s, "control", "delivered", told, record=name)
                self._hear(Heard(now_s, "crossing", told, name))

    def _seen(self, time_s: float, crossing: sim.TrueCrossing) -> Iterator[int]:
        east, north, _ = self._exercise.frame.to_enu(crossing.lat_deg, crossing.lon_deg, self._exercise.frame.height_m)
        truth = self._truth.all()
        record = sim.ExerciseRecord(self._exercise, {}, truth, [])
        for sysid, one in truth.items():
            near = np.abs(one.time_s - time_s) <= _AROUND_S
            view = record.view(sysid, np.array([[float(east), float(north)]]))[:, 0]
            if near.any() and view[near].all():
                yield sysid

    async def _look_at_partners(self, now_s: float) -> None:
        """Read as each partner, with its own key, what it can read now."""
        loop_s = asyncio.get_running_loop().time()
        if self._desk is None or loop_s < self._partners_due:
            return
        self._partners_due = loop_s + _PARTNERS_LOOK_S
        for name, held in await asyncio.to_thread(lambda: list(self._desk.changed_views())):  # type: ignore[union-attr]
            words = f"{name} can read {len(held)} record{'' if len(held) == 1 else 's'}"
            self._log.write(self._truth.now_s or now_s, "control", "partner_read", words, partner=name, records=held)


def _told(exercise: sim.Exercise, inject: sim.Inject, begin_s: float) -> tuple[str, dict[str, Any], Heard | None]:
    """An inject in words, what else is noted of it, and what those who train hear of it."""
    extra = f": {inject.words}" if inject.words else ""
    more: dict[str, Any] = {}
    what: Any = None
    match inject:
        case sim.Message():
            words = inject.words or ""
            more = {"to": inject.to, "legal": inject.legal}
        case sim.CueInject():
            lat, lon = exercise.place_deg(inject.place)
            east, north, _ = exercise.frame.to_enu(lat, lon, exercise.frame.height_m)
            metres = {"east_m": round(float(east), 1), "north_m": round(float(north), 1)}
            words = f"report of {inject.source}{extra}"
            more = {"source": inject.source, "actor": inject.actor, "lat": lat, "lon": lon, **metres}
            what = {"lat": lat, "lon": lon, "uncertainty_m": inject.uncertainty_m, "station_s": inject.station_s}
        case sim.ZoneInject():
            words = f"no-fly zone {inject.name}, in force in {inject.grace_s:.0f} s{extra}"
            more, what = {"name": inject.name}, inject
        case sim.CameraInject():
            words = f"camera of vehicle {', '.join(map(str, inject.vehicles))} shows nothing{extra}"
            more, what = {"vehicles": inject.vehicles}, inject.vehicles
        case sim.RequestInject():
            words = f"{inject.partner} asks for the latest record, for {inject.purpose}{extra}"
            more, what = {"partner": inject.partner}, inject.partner
        case sim.RecallInject():
            words = f"what {inject.partner} was given is to be taken back{extra}"
            more, what = {"partner": inject.partner}, inject.partner
        case sim.FaultInject():
            who = ", ".join(map(str, inject.fault.vehicles)) or "all"
            more = {} if inject.lasts_s is None else {"until_s": begin_s + inject.lasts_s}
            # Nobody is told: it shows, or it does not.
            return f"{inject.kind.replace('_', ' ')} of vehicle {who}{extra}", more, None
    return words, more, Heard(inject.at_s, inject.kind, words, what)
