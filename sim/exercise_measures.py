"""How each measure of an exercise is taken from its record; `sim.exercise_terms` says what they mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import geodesic_distance_m
from sim.exercise import Objective, RecallInject
from sim.exercise_record import ExerciseRecord, border_distance_m
from sim.times import microseconds
from sim.truth_record import VehicleTruth

__all__ = ["MEASURES", "Measured"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Measured = tuple[float | None, str]
"""A value, None where the record holds nothing to measure it by, and what shows it, in words."""

_BORDER_STEP_M = 25.0
_AT_PAD_M = 20.0
# A record is of a true crossing that is no farther than this in time and place.
_SAME_S, _SAME_M = 5.0, 60.0


def _nearest_border(record: ExerciseRecord, one: Objective) -> Measured:
    best: tuple[float, str] | None = None
    for truth in _vehicles(record, one.vehicle):
        if truth.airborne.any():
            away = np.where(truth.airborne, border_distance_m(record.exercise, truth.lat_deg, truth.lon_deg), np.inf)
            at = int(np.argmin(away))
            if best is None or away[at] < best[0]:
                best = float(away[at]), f"vehicle {truth.sysid} at {_clock(truth.time_s[at])}, mode {truth.mode[at]}"
    return best or (None, "nothing flew")


def _inside_stand_off(record: ExerciseRecord, _: Objective) -> Measured:
    if not any(truth.airborne.any() for truth in record.truth.values()):
        return None, "nothing flew"
    total, told = 0.0, []
    for truth in record.truth.values():
        away = border_distance_m(record.exercise, truth.lat_deg, truth.lon_deg)
        inside = truth.airborne & (away < record.exercise.border.stand_off_m)
        total += _time(truth, inside)
        if inside.any():
            told.append(f"vehicle {truth.sysid} first at {_clock(truth.time_s[np.argmax(inside)])}")
    return total, "; ".join(told) or "never"


def _border_seen(record: ExerciseRecord) -> tuple[Floats, dict[int, Bools]]:
    """Points along the border, and for each vehicle at each moment which of them it sees, shape (n, k)."""
    line = record.exercise.border_m
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, along[-1], max(2, math.ceil(along[-1] / _BORDER_STEP_M) + 1))
    points = np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=-1)
    return at, {sysid: record.view(sysid, points) for sysid in record.truth}


def _longest_gap(record: ExerciseRecord, one: Objective) -> Measured:
    low, high = one.from_s or 0.0, min(one.to_s or math.inf, record.end_s)
    at, seen = _border_seen(record)
    worst, where = -1.0, 0.0
    for k, along in enumerate(at.tolist()):
        looks = np.concatenate([record.truth[s].time_s[view[:, k]] for s, view in seen.items()])
        looks = np.sort(np.concatenate([[low], looks[(looks >= low) & (looks <= high)], [high]]))
        gap = float(np.diff(looks).max())
        if gap > worst:
            worst, where = gap, float(along)
    return worst, f"{where:.0f} m along the border, between {_clock(low)} and {_clock(high)}"


def _seen_share(record: ExerciseRecord, one: Objective) -> Measured:
    at, seen = _border_seen(record)
    ever = np.zeros(at.size, dtype=bool)
    for sysid, view in seen.items():
        time = record.truth[sysid].time_s
        ever |= view[(time >= (one.from_s or 0.0)) & (time <= (one.to_s or math.inf))].any(axis=0)
    return float(ever.mean()), f"{ever.sum()} of {ever.size} points, one every {_BORDER_STEP_M:.0f} m"


def _answers(record: ExerciseRecord, one: Objective) -> list[tuple[dict[str, Any], float | None]]:
    """Every report that counts, and after how many seconds what it was about came into view."""
    found = []
    named: set[int] = set()
    for event in record.control("cue"):
        actor = event.get("actor")
        if one.actors is not None and actor not in one.actors:
            continue
        if not (one.from_s or 0.0) <= event["t_s"] <= (one.to_s or math.inf):
            continue
        if actor in named:  # later reports of somebody who was reported already ask for nothing new
            continue
        if actor is not None:
            named.add(actor)
        place = np.array([[event["east_m"], event["north_m"]]])
        looks = [
            float(truth.time_s[hits][0])
            for truth in record.truth.values()
            for hits in [
                record.view(truth.sysid, place if actor is None else _way(record, truth, actor))[:, 0]
                & (truth.time_s >= event["t_s"])
            ]
            if hits.any()
        ]
        found.append((event, min(looks) - event["t_s"] if looks else None))
    return found


def _answered_share(record: ExerciseRecord, one: Objective) -> Measured:
    answers = _answers(record, one)
    if not answers:
        return None, "there was no report"
    within = one.within_s or 0.0
    good = [took is not None and took <= within for _, took in answers]
    told = "; ".join(f"{_clock(event['t_s'])} {event['source']}: {_took(took)}" for event, took in answers)
    return sum(good) / len(good), f"{sum(good)} of {len(good)} within {within:.0f} s ({told})"


def _longest_answer(record: ExerciseRecord, one: Objective) -> Measured:
    answers = _answers(record, one)
    if not answers:
        return None, "there was no report"
    event, took = max(answers, key=lambda answer: math.inf if answer[1] is None else answer[1])
    return took, f"{_clock(event['t_s'])} {event['source']}: {_took(took)}"


def _watched(record: ExerciseRecord, one: Objective) -> Measured:
    low, high = one.from_s or 0.0, one.to_s or math.inf
    times = {}
    for actor in one.actors or ():
        # All vehicles are written at the same moments: seen by two at once is seen once.
        seen = np.any([record.view(t.sysid, _way(record, t, actor))[:, 0] for t in record.truth.values()], axis=0)
        clock = next(iter(record.truth.values()))
        times[actor] = _time(clock, seen & (clock.time_s >= low) & (clock.time_s <= high))
    least = min(times, key=lambda actor: times[actor])
    return times[least], "; ".join(f"actor {actor}: {time:.0f} s" for actor, time in times.items())


def _home_share(record: ExerciseRecord, _: Objective) -> Measured:
    told, home = [], 0
    for truth in record.truth.values():
        away = float(geodesic_distance_m(truth.lat_deg[0], truth.lon_deg[0], truth.lat_deg[-1], truth.lon_deg[-1]))
        state = "in the air" if truth.airborne[-1] else "wrecked" if truth.wrecked[-1] else "on the ground"
        home += state == "on the ground" and away <= _AT_PAD_M
        told.append(f"vehicle {truth.sysid}: {state}, {away:.0f} m from its pad")
    return home / len(record.truth), "; ".join(told)


def _lowest_battery(record: ExerciseRecord, one: Objective) -> Measured:
    flown = [truth for truth in _vehicles(record, one.vehicle) if truth.airborne.any()]
    if not flown:
        return None, "nothing flew"
    lows = {t.sysid: float(t.battery_pct[t.airborne].min()) for t in flown}
    return min(lows.values()), "; ".join(f"vehicle {sysid}: {low:.0f} %" for sysid, low in lows.items())


def _take_offs(record: ExerciseRecord, one: Objective) -> Measured:
    counts = {}
    low = _begin(record, one)
    if low is None:
        return None, f"{one.after} never began"
    for truth in _vehicles(record, one.vehicle):
        begun = truth.time_s[np.flatnonzero(truth.airborne[1:] & ~truth.airborne[:-1]) + 1]
        counts[truth.sysid] = int(((begun >= low) & (begun <= (one.to_s or math.inf))).sum())
    return float(sum(counts.values())), "; ".join(f"vehicle {sysid}: {count}" for sysid, count in counts.items())


def _in_zone(record: ExerciseRecord, _: Objective) -> Measured:
    total, told = 0.0, []
    if not record.zones():
        return None, "there was no zone"
    for begin_s, zone in record.zones():
        ring = shapely.Polygon(record.exercise.ring_m(zone))
        for truth in record.truth.values():
            frame = record.exercise.frame
            east, north = frame.to_enu(truth.lat_deg, truth.lon_deg, frame.height_m)[:2]
            inside = truth.airborne & (truth.time_s >= begin_s) & shapely.intersects_xy(ring, east, north)
            total += _time(truth, inside)
            if inside.any():
                first = _clock(truth.time_s[np.argmax(inside)])
                told.append(f"vehicle {truth.sysid} in {zone.name} first at {first}")
    return total, "; ".join(told) or "never"


def _down_by(record: ExerciseRecord, one: Objective) -> Measured:
    assert one.vehicle is not None
    truth = record.truth[one.vehicle]
    begin = _begin(record, one)
    if begin is None:
        return None, f"{one.after} of vehicle {one.vehicle} never began"
    down = (truth.time_s >= begin) & ~truth.airborne
    flew = (truth.time_s <= begin) & truth.airborne
    if not flew.any() or not truth.airborne[np.searchsorted(truth.time_s, begin) - 1]:
        return None, f"vehicle {one.vehicle} was not in the air at {_clock(begin)}"
    if not down.any():
        return None, f"vehicle {one.vehicle} was in the air to the end"
    at = float(truth.time_s[down][0])
    return at - begin, f"vehicle {one.vehicle} on the ground at {_clock(at)}, mode {truth.mode[int(np.argmax(down))]}"


# What partners received. Each event holds all that a partner could read from then on.


def _held(record: ExerciseRecord, partner: str | None) -> list[dict[str, Any]]:
    return [event for event in record.control("partner_read") if event["partner"] == partner]


def _reported_in(record: ExerciseRecord, one: Objective) -> Measured:
    worst, told = 0.0, []
    for actor in one.actors or ():
        crossed = [(time_s, crossing) for time_s, crossing in record.crossings if crossing.id == actor]
        if not crossed:
            return None, f"actor {actor} crossed nothing"
        for time_s, crossing in crossed:
            read = [
                event["t_s"]
                for event in _held(record, one.partner)
                for feature in event["records"]
                if _is_of(record, feature, time_s, crossing.lat_deg, crossing.lon_deg)
            ]
            if not read:
                return None, f"actor {actor} crossed at {_clock(time_s)}, and {one.partner} could never read of it"
            worst = max(worst, min(read) - time_s)
            told.append(f"actor {actor} crossed at {_clock(time_s)}, readable at {_clock(min(read))}")
    return worst, "; ".join(told)


def _is_of(record: ExerciseRecord, feature: dict[str, Any], time_s: float, lat: float, lon: float) -> bool:
    when = microseconds(datetime.fromisoformat(feature["properties"]["time"]))
    told_s = (when - int(record.run["service_zero_us"])) / 1e6
    if abs(told_s - time_s) > _SAME_S:
        return False
    if feature["geometry"] is None:
        return True
    told_lon, told_lat = feature["geometry"]["coordinates"]
    return float(geodesic_distance_m(lat, lon, told_lat, told_lon)) <= _SAME_M


def _features(record: ExerciseRecord, partner: str | None) -> dict[str, dict[str, Any]]:
    return {feature["id"]: feature for event in _held(record, partner) for feature in event["records"]}


def _false_reports(record: ExerciseRecord, one: Objective) -> Measured:
    wrong = [
        name
        for name, feature in _features(record, one.partner).items()
        if not any(_is_of(record, feature, t, c.lat_deg, c.lon_deg) for t, c in record.crossings)
    ]
    return float(len(wrong)), ", ".join(wrong) or "none"


def _extra_fields(record: ExerciseRecord, one: Objective) -> Measured:
    features = _features(record, one.partner).values()
    got = {key for feature in features for key, value in feature["properties"].items() if value is not None}
    got |= {"position" for feature in features if feature["geometry"] is not None}
    extra = got - set(one.fields or ())
    return float(len(extra)), f"received {', '.join(sorted(got)) or 'nothing'}"


def _records_read(record: ExerciseRecord, one: Objective) -> Measured:
    names = _features(record, one.partner)
    return float(len(names)), f"{one.partner} could read {len(names)}"


def _recalled_in(record: ExerciseRecord, one: Objective) -> Measured:
    orders = [i.at_s for i in record.exercise.injects if isinstance(i, RecallInject) and i.partner == one.partner]
    held = _held(record, one.partner)
    worst, told = 0.0, []
    for order_s in orders:
        before = [event for event in held if event["t_s"] <= order_s]
        if not before or not before[-1]["records"]:
            return None, f"{one.partner} held nothing when the recall was ordered at {_clock(order_s)}"
        ids = {feature["id"] for feature in before[-1]["records"]}
        gone = [e["t_s"] for e in held if e["t_s"] > order_s and not ids & {f["id"] for f in e["records"]}]
        if not gone:
            return None, f"ordered at {_clock(order_s)}, and {one.partner} could read it to the end"
        worst = max(worst, gone[0] - order_s)
        told.append(f"ordered at {_clock(order_s)}, gone at {_clock(gone[0])}")
    return (worst, "; ".join(told)) if told else (None, "no recall was ordered")


# Helpers.


def _begin(record: ExerciseRecord, one: Objective) -> float | None:
    """From when an objective counts, seconds; None where the fault that it counts from never began."""
    if one.after is not None and one.vehicle is not None:
        return record.began_s(one.after, one.vehicle)
    return one.from_s or 0.0


def _vehicles(record: ExerciseRecord, sysid: int | None) -> list[VehicleTruth]:
    return [truth for truth in record.truth.values() if sysid in (None, truth.sysid)]


def _way(record: ExerciseRecord, truth: VehicleTruth, actor: int) -> Floats:
    """Where an actor was at the moments of a vehicle's truth, metres, shape (n, 1, 2)."""
    path = next(one.path for one in record.exercise.played_world.actors if one.id == actor)
    return path.at(truth.time_s)[:, None, :]


def _time(truth: VehicleTruth, when: Bools) -> float:
    """For how long something held, seconds: each moment stands for the time up to the next."""
    lasting = np.diff(truth.time_s, append=truth.time_s[-1])
    return float(lasting[when].sum())


def _clock(time_s: float) -> str:
    """Minutes and seconds of the exercise."""
    return f"{int(time_s) // 60}:{int(time_s) % 60:02d}"


def _took(took: float | None) -> str:
    return "never seen" if took is None else f"seen after {took:.0f} s"


MEASURES: Mapping[str, Callable[[ExerciseRecord, Objective], Measured]] = MappingProxyType(
    {
        "nearest_border": _nearest_border,
        "inside_stand_off": _inside_stand_off,
        "longest_gap": _longest_gap,
        "seen_share": _seen_share,
        "answered_share": _answered_share,
        "longest_answer": _longest_answer,
        "watched": _watched,
        "home_share": _home_share,
        "lowest_battery": _lowest_battery,
        "take_offs": _take_offs,
        "in_zone": _in_zone,
        "down_by": _down_by,
        "reported_in": _reported_in,
        "false_reports": _false_reports,
        "extra_fields": _extra_fields,
        "records_read": _records_read,
        "recalled_in": _recalled_in,
    }
)
"""By name of the measure."""
