"""What a flight report leaves of a plan: which sorties are done, and how far each got that broke off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autopilot.watch import places
from missions import Dialect, FormatError, PatrolPlan, Progress, ProgressError, Sortie, compile_mission

__all__ = ["unfinished"]


def unfinished(
    plan: PatrolPlan, path: Path, dialect: Dialect = "ardupilot"
) -> tuple[tuple[Progress, ...], tuple[str, ...]]:
    """How far sorties got that broke off, and the names of those that are done.

    Only places count whose arrival the vehicle reported, up to the first that it did not, and beyond them where it left
    its mission on the way to the next: what may not have been seen is flown again. Those that broke off are on the
    ground, and go on with fresh batteries.

    Parameters
    ----------
    plan
        What was flown.
    path
        The flight report.
    dialect
        For which it was compiled.

    Raises
    ------
    FormatError
        When the file is no flight report.
    ProgressError
        When it is one of another plan, or a vehicle was lost in the air.
    """
    try:
        vehicles = json.loads(path.read_text(encoding="utf-8"))["vehicles"]
        flown = [(int(v["sysid"]), int(s["number"]), s) for v in vehicles for s in v["sorties"]]
        return _sorted_out(plan, flown, dialect)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: is not a report of vedette fly: {error!r}") from None


def _sorted_out(
    plan: PatrolPlan, flown: list[tuple[int, int, dict[str, Any]]], dialect: Dialect
) -> tuple[tuple[Progress, ...], tuple[str, ...]]:
    broken, done = [], []
    for sysid, number, told in flown:
        own = sorted((s for s in plan.sorties if s.vehicle.sysid == sysid), key=lambda s: s.turn)
        if not 1 <= number <= len(own):
            raise ProgressError(f"the report has sortie {number} of vehicle {sysid}, the plan has none: give its plan")
        sortie = own[number - 1]
        item = _last(plan, sortie, {r["seq"] for r in told["reached"] if r["reported"]}, dialect)
        left_at = told["left_at"]
        if told["completed"]:
            done.append(sortie.name)
        elif item is not None and told["landing"] is None:
            raise ProgressError(f"{sortie.name}: was lost in the air: find it, then resume with its name and place")
        elif item is not None:
            # Beyond a place that was passed without a report, or skipped, where it is proves nothing.
            known = left_at is not None and all(r["seq"] <= item for r in told["reached"])
            broken.append(Progress(sortie.name, item=item, at=(left_at[0], left_at[1]) if known else None))
    return tuple(broken), tuple(done)


def _last(plan: PatrolPlan, sortie: Sortie, reported: set[int], dialect: Dialect) -> int | None:
    """The last place before the first whose arrival was not reported; None where it is the first."""
    last = None
    for place in places(compile_mission(plan, sortie, dialect)):
        if place.seq not in reported:
            break
        last = place.seq
    return last
