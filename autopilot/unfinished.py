"""What a flight report leaves of a plan: which sorties are done, and how far each got that broke off."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from autopilot.watch import places
from missions import Dialect, FormatError, PatrolPlan, Progress, ProgressError, Sortie, compile_mission

__all__ = ["unfinished"]


def unfinished(
    plan: PatrolPlan, path: Path, dialect: Dialect = "ardupilot"
) -> tuple[tuple[Progress, ...], tuple[str, ...]]:
    """How far sorties got that broke off, and the names of those that are done.

    Of a patrol, which flies each sortie again and again, the last flight of each counts.

    Only places count whose arrival the vehicle reported, itself or by what it does there, up to the first that it did
    not, and beyond them where it left its mission on the way to the next: what may not have been seen is flown again.
    Those that broke off are on the ground, and go on with fresh batteries.

    Parameters
    ----------
    plan
        What was flown.
    path
        The report of a flight or of a patrol.
    dialect
        For which it was compiled.

    Raises
    ------
    FormatError
        When the file is no such report.
    ProgressError
        When it is one of another plan, the patrol was planned anew, or a vehicle was lost in the air.
    """
    try:
        vehicles = json.loads(path.read_text(encoding="utf-8"))["vehicles"]
        patrols = any("flights" in v for v in vehicles)
        flown = _last_flights(plan, vehicles) if patrols else _flights(plan, vehicles)
        return _sorted_out(plan, flown, dialect)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FormatError(
            f"{path}: is not a report of vedette fly or patrol, or not a whole one: give the file that they write "
            "(--json)"
        ) from None


_Flown = list[tuple[Sortie, dict[str, Any]]]


def _flights(plan: PatrolPlan, vehicles: list[dict[str, Any]]) -> _Flown:
    """What `vedette fly` flew: the sorties of each vehicle in turn."""
    out = []
    for sysid, number, told in ((int(v["sysid"]), int(s["number"]), s) for v in vehicles for s in v["sorties"]):
        own = sorted((s for s in plan.sorties if s.vehicle.sysid == sysid), key=lambda s: s.turn)
        if not 1 <= number <= len(own):
            raise ProgressError(f"the report has sortie {number} of vehicle {sysid}, the plan has none: give its plan")
        out.append((own[number - 1], told))
    return out


def _last_flights(plan: PatrolPlan, vehicles: list[dict[str, Any]]) -> _Flown:
    """The last flight of each sortie of a patrol; those to cues belong to none."""
    known = {sortie.name: sortie for sortie in plan.sorties}
    last: dict[str, tuple[float, dict[str, Any]]] = {}
    for flight in (flight for vehicle in vehicles for flight in vehicle["flights"]):
        if flight["number"] < 0 or flight["took_off_s"] is None:
            continue
        name = flight["sortie"]
        if flight["plan"] != 0:
            raise ProgressError(
                f"{name}: the patrol was planned anew on its way, and this was flown by a later plan than the first: "
                "fly the patrol on with its journal"
            )
        if name not in known:
            raise ProgressError(f"the report has sortie {name!r}, the plan has none: give its plan")
        if name not in last or flight["took_off_s"] > last[name][0]:
            last[name] = flight["took_off_s"], flight["flown"]
    return [(known[name], told) for name, (_, told) in last.items()]


def _sorted_out(plan: PatrolPlan, flown: _Flown, dialect: Dialect) -> tuple[tuple[Progress, ...], tuple[str, ...]]:
    broken, done = [], []
    for sortie, told in flown:
        flown_to = [place.seq for place in places(compile_mission(plan, sortie, dialect))]
        reported = {r["seq"] for r in told["reached"] if r["reported"]}
        passed = {r["seq"] for r in told["reached"]}.intersection(flown_to)
        item = _last(flown_to, reported | _told_by_actions(flown_to, passed, reported))
        left_at = told["left_at"]
        if told["completed"]:
            done.append(sortie.name)
        elif item is not None and told["landing"] is None:
            raise ProgressError(f"{sortie.name}: was lost in the air: find it, then resume with its name and place")
        elif item is not None:
            # Beyond a place that was passed without a report, or skipped, where it is proves nothing. Actions, which
            # autopilots tell of too, come as soon as it sets out for the next place.
            known = left_at is not None and max(passed) == item
            broken.append(Progress(sortie.name, item=item, at=(left_at[0], left_at[1]) if known else None))
    return tuple(broken), tuple(done)


def _told_by_actions(flown_to: list[int], passed: set[int], reported: set[int]) -> set[int]:
    """Places that were passed, and of whose actions one was reported.

    Of items that are done at once ArduPilot reports the last alone (4.7-dev), PX4 skips some (main of May 2026): an
    action in place of the place that it begins at.
    """
    begun = pairwise(flown_to)
    return {seq for seq, following in begun if seq in passed and any(seq < one < following for one in reported)}


def _last(flown_to: list[int], reported: set[int]) -> int | None:
    """The last place before the first whose arrival was not reported; None where it is the first."""
    last = None
    for seq in flown_to:
        if seq not in reported:
            break
        last = seq
    return last
