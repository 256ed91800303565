"""Sensors in a world, as simulated time goes by.

Everything that happens is decided by the world, the sensors, the seed and the start: not by how often, or how far at a
time, the field is advanced, nor by which other sensors there are.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import shorter_turn
from sim.errors import ConfigError
from sim.sensors import SENSOR_MODELS, GroundSensor, excess, place
from sim.sensors_cue import Custody, SensorReport, cue, heartbeat
from sim.sun import is_day
from sim.world import Actor, World

__all__ = ["SensorField"]

Floats = NDArray[np.float64]
Ticks = NDArray[np.int64]

_TICK_US = 100_000
_MOST_TICKS = 600
_HOUR_US = 3_600_000_000
# Slower than this nothing moves, as far as a sensor is concerned.
_STILL_MPS = 0.2
# What a random draw is for.
_PASS, _ALARM, _EVENT, _BEAT = 0x9A55, 0xFA15E, 0xE7E7, 0xBEA7


@dataclass(slots=True)
class _Target:
    """What a sensor knows of one actor: whether it is passing, how many passes there were, the quality of this one."""

    passing: bool = False
    passes: int = 0
    quality: float = 0.0


@dataclass(slots=True)
class _State:
    """One sensor at work.

    `ready_us` is when it hears again, `dead_us` when its battery is empty, `alarms` the false alarms to come as (time,
    signal), `alarm_hour` the first hour since the Unix epoch whose alarms are not drawn yet.
    """

    sensor: GroundSensor
    key: int
    at_m: Floats
    ready_us: int
    dead_us: int
    beat_us: int | None
    alarm_hour: int
    events: int = 0
    alarms: list[tuple[int, float]] = field(default_factory=list)
    targets: dict[int, _Target] = field(default_factory=dict)


class SensorField:
    """Ground sensors in a world.

    Parameters
    ----------
    world
        What moves.
    sensors
        What listens; ids unique.
    seed
        Chooses who is noticed, false alarms, delays and errors.
    start_us
        When the sensors are switched on, UTC microseconds since the Unix epoch; the world's epoch by default.
    custody
        What their records carry.

    Raises
    ------
    ConfigError
        When two sensors share an id, or the start is before 1970.
    """

    def __init__(
        self,
        world: World,
        sensors: Iterable[GroundSensor],
        seed: int,
        *,
        start_us: int | None = None,
        custody: Custody | None = None,
    ) -> None:
        self._world, self._seed, self._custody = world, seed, custody
        self._start_us = world.epoch_us if start_us is None else start_us
        if self._start_us < 0:
            raise ConfigError("sensors start before 1970: give the world a later epoch")
        self._frame = world.frame
        self._walks_s = (
            np.array([actor.path.time_s[0] for actor in world.actors]),
            np.array([actor.path.time_s[-1] + 2 * _TICK_US / 1e6 for actor in world.actors]),
        )
        self._states = [self._state(sensor) for sensor in sensors]
        ids = [state.sensor.id for state in self._states]
        if len(set(ids)) != len(ids):
            twice = next(name for name in ids if ids.count(name) > 1)
            raise ConfigError(f"two sensors have the id {twice}: give each its own")
        self._pending: list[tuple[int, str, int, SensorReport]] = []
        self._made = itertools.count()
        self._ticks = 0

    def _state(self, sensor: GroundSensor) -> _State:
        key = int.from_bytes(hashlib.sha256(sensor.id.encode()).digest()[:8])
        east, north, _ = self._frame.to_enu(sensor.lat_deg, sensor.lon_deg, self._world.ground_amsl_m)
        beat_us = None
        if sensor.heartbeat_s > 0:
            # Sensors were not switched on all at once.
            share = np.random.default_rng([self._seed, key, _BEAT]).random()
            beat_us = self._start_us + round(share * sensor.heartbeat_s * 1e6)
        life_s = sensor.battery_h * 3600 * sensor.battery_pct / 100
        return _State(
            sensor,
            key,
            np.array([float(east), float(north)]),
            self._start_us,
            self._start_us + round(life_s * 1e6),
            beat_us,
            self._start_us // _HOUR_US,
        )

    def advance(self, until_us: int) -> list[SensorReport]:
        """What the sensors send up to `until_us`, to a tenth of a second, in order of the time of sending.

        Parameters
        ----------
        until_us
            UTC microseconds since the Unix epoch; nothing happens where it is not later than before.
        """
        last = (until_us - self._start_us) // _TICK_US
        while self._ticks <= last:
            stir = min(self._stir(self._ticks), last + 1)
            if stir > self._ticks:
                self._still(stir)
                self._ticks = stir
            else:
                end = min(self._ticks + _MOST_TICKS, last + 1)
                self._block(self._start_us + _TICK_US * np.arange(self._ticks, end, dtype=np.int64))
                self._ticks = end
        # What happens later is reported later: up to the last tick the order is final.
        done_us = self._start_us + _TICK_US * (self._ticks - 1)
        for state in self._states:
            self._beats(state, done_us)
        ripe = []
        while self._pending and self._pending[0][0] <= done_us:
            ripe.append(heapq.heappop(self._pending)[3])
        return ripe

    def _stir(self, tick: int) -> int:
        """The first tick from this one on at which somebody may move; beyond all ticks when nobody will."""
        now_s = (self._start_us + _TICK_US * tick - self._world.epoch_us) / 1e6
        begin_s, end_s = self._walks_s
        begins = begin_s[end_s >= now_s]
        if not begins.size:
            return sys.maxsize
        later_us = self._world.epoch_us - self._start_us + math.floor(float(begins.min()) * 1e6)
        return max(tick, later_us // _TICK_US)

    def _still(self, end: int) -> None:
        """A stretch up to a tick in which nobody moves, however long: there are false alarms."""
        nothing = np.empty(0)
        for state in self._states:
            for target in state.targets.values():
                target.passing = False
            self._listen(state, self._start_us + _TICK_US * (end - 1), nothing, nothing, [])

    def _block(self, ticks_us: Ticks) -> None:
        """One stretch of ticks, for every sensor."""
        world = self._world
        time_s = (ticks_us - world.epoch_us) / 1e6
        step_s = _TICK_US / 1e6
        paths = [(actor, actor.path.at(time_s), actor.path.at(time_s - step_s)) for actor in world.actors]
        moving = [
            (actor, here, before)
            for actor, here, before in paths
            if np.hypot(*(here - before).T).max() >= _STILL_MPS * step_s
        ]
        awake = {actor.id for actor, _, _ in moving}
        day = is_day(world.lat_deg, world.lon_deg, ticks_us)
        for state in self._states:
            signal, cause = np.full(ticks_us.size, -math.inf), np.full(ticks_us.size, -1)
            for name in state.targets.keys() - awake:
                state.targets[name].passing = False
            for index, (actor, here, before) in enumerate(moving):
                own = self._signal(state, actor, here, before, day)
                better = own > signal
                signal[better], cause[better] = own[better], index
            heard = np.flatnonzero(signal > 0)
            causes = [(moving[cause[i]][0], moving[cause[i]][1][i]) for i in heard]
            self._listen(state, int(ticks_us[-1]), ticks_us[heard], signal[heard], causes)

    def _signal(self, state: _State, actor: Actor, here: Floats, before: Floats, day: NDArray[np.bool_]) -> Floats:
        """Excess and quality of one actor at one sensor, shape (n,); minus infinity where it does not pass."""
        sensor = state.sensor
        off = here - state.at_m
        distance = np.hypot(off[:, 0], off[:, 1])
        moves = np.hypot(*(here - before).T) >= _STILL_MPS * _TICK_US / 1e6
        if SENSOR_MODELS[sensor.model].law == "beam":
            passing = moves & _breaks(state, before, here)
        else:
            bearing = np.degrees(np.arctan2(off[:, 0], off[:, 1]))
            aside = np.abs(shorter_turn(bearing - sensor.heading_deg))
            passing = moves & (distance <= sensor.range_m) & (aside <= sensor.field_deg / 2)
        target = state.targets.get(actor.id)
        if not passing.any():
            if target is not None:
                target.passing = False
            return np.full(passing.size, -math.inf)
        if target is None:
            target = state.targets[actor.id] = _Target()
        before_it = np.concatenate([[target.passing], passing[:-1]])
        quality = np.empty(passing.size)
        begins = np.flatnonzero(passing & ~before_it)
        edges = [0, *begins.tolist(), passing.size]
        for number, (low, high) in enumerate(itertools.pairwise(edges)):
            if number > 0:
                rng = np.random.default_rng([self._seed, state.key, actor.id % 2**32, target.passes, _PASS])
                target.passes += 1
                target.quality = float(rng.logistic())
            quality[low:high] = target.quality
        target.passing = bool(passing[-1])
        odds = excess(sensor.model, actor.kind, distance, day=day)
        return np.where(passing, odds + quality, -math.inf)

    def _listen(
        self,
        state: _State,
        end_us: int,
        heard_us: NDArray[Any],
        signal: Floats,
        causes: list[tuple[Actor, Floats]],
    ) -> None:
        """Events of one sensor up to a time: what is heard and what only seems so, as it comes, with hold-off.

        Of each moment at which something is heard: the time, the signal, and who was where.
        """
        self._draw_alarms(state, end_us)
        while True:
            while state.alarms and state.alarms[0][0] < state.ready_us:
                state.alarms.pop(0)  # deaf
            i = int(np.searchsorted(heard_us, state.ready_us))
            next_us = int(heard_us[i]) if i < heard_us.size else None
            false_us = state.alarms[0][0] if state.alarms and state.alarms[0][0] <= end_us else None
            if false_us is not None and (next_us is None or false_us < next_us):
                self._event(state, false_us, state.alarms.pop(0)[1], None, None)
            elif next_us is not None:
                self._event(state, next_us, float(signal[i]), *causes[i])
            else:
                return

    def _draw_alarms(self, state: _State, until_us: int) -> None:
        """False alarms up to the end of the hour of `until_us`, by thinning (Lewis and Shedler 1979)."""
        sensor = state.sensor
        most = max(sensor.false_day_per_h, sensor.false_night_per_h)
        while state.alarm_hour * _HOUR_US <= until_us:
            rng = np.random.default_rng([self._seed, state.key, state.alarm_hour, _ALARM])
            count = int(rng.poisson(most))
            times = state.alarm_hour * _HOUR_US + np.sort(rng.integers(0, _HOUR_US, count))
            day = is_day(sensor.lat_deg, sensor.lon_deg, times)
            rate = np.where(day, sensor.false_day_per_h, sensor.false_night_per_h)
            kept = rng.random(count) * most < rate
            # Beyond a high threshold the tail of the logistic distribution is exponential.
            signals = rng.exponential(size=count)
            state.alarms += [
                (int(time), float(signal))
                for time, signal, keep in zip(times, signals, kept, strict=True)
                if keep and time >= self._start_us
            ]
            state.alarm_hour += 1

    def _event(self, state: _State, event_us: int, signal: float, actor: Actor | None, at_m: Floats | None) -> None:
        """An event at one sensor, true when an actor caused it; the report of it is on its way."""
        sensor = state.sensor
        state.ready_us = event_us + round(sensor.hold_off_s * 1e6)
        if event_us > state.dead_us:
            return
        rng = np.random.default_rng([self._seed, state.key, state.events, _EVENT])
        state.events += 1
        delay_s = sensor.latency_s + sensor.jitter_s * float(rng.exponential())
        sigma = SENSOR_MODELS[sensor.model].bearing_sigma_deg
        bearing = None
        if sigma is not None:
            if at_m is None:
                true = sensor.heading_deg + sensor.field_deg * float(rng.uniform(-0.5, 0.5))
            else:
                true = math.degrees(math.atan2(*(at_m - state.at_m)))
            bearing = (true + sigma * float(rng.standard_normal()), sigma)
        distance_m, azimuth_deg, uncertainty_m = place(sensor, None if bearing is None else bearing[0])
        azimuth = math.radians(azimuth_deg)
        where = state.at_m + distance_m * np.array([math.sin(azimuth), math.cos(azimuth)])
        lat, lon, _ = self._frame.to_geodetic(*where)
        report_us = event_us + round(delay_s * 1e6)
        message = cue(
            sensor,
            seed=self._seed,
            event_us=event_us,
            report_us=report_us,
            lat_deg=float(lat),
            lon_deg=float(lon),
            uncertainty_m=uncertainty_m,
            confidence=1 / (1 + math.exp(-signal)),
            bearing=bearing,
            custody=self._custody,
        )
        self._send(SensorReport(report_us, sensor.id, message, None if actor is None else actor.id))

    def _beats(self, state: _State, until_us: int) -> None:
        """Heartbeats up to a time, until the battery is empty."""
        sensor = state.sensor
        while state.beat_us is not None and state.beat_us <= until_us:
            if state.beat_us > state.dead_us:
                state.beat_us = None
                return
            left = (state.dead_us - state.beat_us) / 3.6e9 / sensor.battery_h * 100
            self._send(SensorReport(state.beat_us, sensor.id, heartbeat(sensor, state.beat_us, left)))
            state.beat_us += round(sensor.heartbeat_s * 1e6)

    def _send(self, report: SensorReport) -> None:
        heapq.heappush(self._pending, (report.time_us, report.sensor, next(self._made), report))


def _breaks(state: _State, before: Floats, here: Floats) -> NDArray[np.bool_]:
    """Whether steps of the ground point, shape (n, 2) each, cross the beam; a step that ends on it has crossed."""
    heading = math.radians(state.sensor.heading_deg)
    along = np.array([math.sin(heading), math.cos(heading)])
    across = np.array([along[1], -along[0]])
    a, b = (before - state.at_m) @ across, (here - state.at_m) @ across
    crossed = (a < 0) != (b < 0)
    share = np.divide(a, a - b, out=np.zeros_like(a), where=crossed)
    where = ((before - state.at_m) + share[:, None] * (here - before)) @ along
    return np.asarray(crossed & (where >= 0) & (where <= state.sensor.range_m))
