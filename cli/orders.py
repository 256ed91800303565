"""Orders to a patrol on the way: a file that is followed as it grows, one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import autopilot
from geo import VedetteError

__all__ = ["follow_orders"]

_LOOK_S = 0.5


async def follow_orders(path: Path, patrol: autopilot.Patrol, tell: Callable[[str], None]) -> None:
    """Carry out each line that is added to a file, for ever; what was in it before is past.

    ``{"lat": 46.02, "lon": 9.01, "uncertainty_m": 20, "station_s": 120, "words": "radar track"}`` is a cue, of which
    only the place is needed, its uncertainty one standard deviation of a coordinate; ``{"may_fly": 3}`` says that a
    vehicle which failed may fly again. A line that is neither, or cannot be carried out, is told and changes nothing.
    """
    done = len(_whole_lines(path, 0))
    while True:
        await asyncio.sleep(_LOOK_S)
        whole = _whole_lines(path, done)
        done += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            try:
                await _carry_out(line, patrol, tell)
            except (VedetteError, ValueError, KeyError, TypeError, AttributeError) as error:
                tell(f"order {line!r} is not carried out: {error!r}")


def _whole_lines(path: Path, begin: int) -> bytes:
    """What a file has from a byte on, up to the end of its last whole line; nothing where there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(begin)
            text = file.read()
    except OSError:
        return b""
    return text[: text.rfind(b"\n") + 1]


async def _carry_out(line: str, patrol: autopilot.Patrol, tell: Callable[[str], None]) -> None:
    order = json.loads(line)
    if "may_fly" in order:
        patrol.may_fly(int(order["may_fly"]))
        return
    where = float(order["lat"]), float(order["lon"]), float(order.get("uncertainty_m", 0.0))
    stay = {"station_s": float(order["station_s"])} if "station_s" in order else {}
    cue = autopilot.Cue.about(*where, time.time_ns() // 1000, words=str(order.get("words", "cue")), **stay)
    tell((await patrol.cue(cue)).words())
