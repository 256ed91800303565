"""The timeline of a run as SVG: when each vehicle was in the air, and what happened when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

import sim

__all__ = ["clock", "exercise_timeline"]

_WIDTH, _LEFT, _ROW = 1100.0, 90.0, 26.0
_TICK_S = 300.0
# Kinds of events of the control, each with a row of its own, in this order.
_ROWS = {
    "cue": "reports", "crossing": "crossings", "message": "messages", "no_fly_zone": "zones", "camera_lost": "cameras",
    "request": "requests", "recall": "recalls", "partner_read": "partners",
}  # fmt: skip


def exercise_timeline(record: sim.ExerciseRecord) -> str:
    """The timeline, one `svg` element."""
    scale = (_WIDTH - _LEFT - 10) / record.end_s
    rows = [(f"vehicle {sysid}", list(_flights(truth))) for sysid, truth in record.truth.items()]
    kinds = {each.kind for each in record.exercise.injects if isinstance(each, sim.FaultInject)}
    faults = [_fault(event, record.end_s) for event in record.control(*kinds)]
    rows += [("faults", faults)] if faults else []
    rows += [(words, [_event(event) for event in record.control(kind)]) for kind, words in _ROWS.items()]
    parts: list[str] = []
    y = 16.0
    for name, marks in rows:
        if not marks:
            continue
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{escape(name)}</text>')
        parts += [mark.drawn(y, scale) for mark in marks]
        y += _ROW
    ticks = []
    for tick in np.arange(0.0, record.end_s + 1.0, _TICK_S).tolist():
        x = _LEFT + tick * scale
        ticks.append(f'<path d="M{x:.1f} 0 V{y:.1f}" class="tick"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 12:.1f}" text-anchor="middle" class="small">{clock(tick)}</text>')
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {y + 20:.0f}" role="img" aria-label="Timeline of the exercise, minutes" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join([*ticks, *parts])}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Mark:
    """Something in a row: from when to when, seconds (None for a moment), its class of style, and its words."""

    start_s: float
    end_s: float | None
    style: str
    words: str

    def drawn(self, y: float, scale: float) -> str:
        """As SVG, on the row of that height."""
        x = _LEFT + self.start_s * scale
        title = f"<title>{escape(self.words)}</title>"
        if self.end_s is None:
            return f'<path d="M{x:.1f} {y - 7:.1f} l6 7 l-6 7 l-6 -7 z" class="{self.style}">{title}</path>'
        width = max(2.0, (self.end_s - self.start_s) * scale)
        return f'<rect x="{x:.1f}" y="{y - 7:.1f}" width="{width:.1f}" height="14" class="{self.style}">{title}</rect>'


def _flights(truth: sim.VehicleTruth) -> Iterator[_Mark]:
    edges = np.flatnonzero(np.diff(truth.airborne.astype(int), prepend=0, append=0))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        start_s, end_s = float(truth.time_s[begin]), float(truth.time_s[min(end, truth.time_s.size - 1)])
        yield _Mark(start_s, end_s, "air", f"in the air {clock(start_s)} to {clock(end_s)}")


def _fault(event: dict[str, Any], end_s: float) -> _Mark:
    return _Mark(event["t_s"], min(end_s, event.get("until_s", end_s)), "fault", _event(event).words)


def _event(event: dict[str, Any]) -> _Mark:
    return _Mark(event["t_s"], None, "event", f"{clock(event['t_s'])} {event['words']}")


def clock(time_s: float) -> str:
    """Minutes and seconds of the exercise."""
    return f"{int(time_s) // 60}:{int(time_s) % 60:02d}"
