"""The map of a run as SVG: the border with its stand-off, true tracks, zones, reports, and who moved on the ground."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

import numpy as np
from numpy.typing import NDArray

import sim

__all__ = ["exercise_map"]

Floats = NDArray[np.float64]

# Told apart by those who do not see colours too: each vehicle has a dash of its own (Okabe and Ito's colours).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DASHES = ("", "9 4", "3 4", "12 4 3 4", "6 3", "2 3")
_WIDTH = 1100.0
_EDGE_M = 150.0
_THIN_M = 4.0
_NAME_OFF_M, _NAME_IN_M = 110.0, 250.0


def exercise_map(record: sim.ExerciseRecord) -> str:
    """The map, one `svg` element; north is up.

    Parameters
    ----------
    record
        The run.
    """
    exercise = record.exercise
    tracks = {sysid: _xy(exercise, truth.lat_deg, truth.lon_deg) for sysid, truth in record.truth.items()}
    cues = record.control("cue")
    zones = [(zone.name, exercise.ring_m(zone)) for _, zone in record.zones()]
    everything = np.concatenate(
        [exercise.border_m, *tracks.values(), *(ring for _, ring in zones)]
        + [np.array([[cue["east_m"], cue["north_m"]]]) for cue in cues]
    )
    west, south = everything.min(axis=0) - _EDGE_M
    east, north = everything.max(axis=0) + _EDGE_M
    scale = _WIDTH / (east - west)
    height = (north - south) * scale

    def at(points: Floats) -> str:
        return " ".join(f"{(x - west) * scale:.1f},{(north - y) * scale:.1f}" for x, y in points)

    def dot(x: float, y: float) -> tuple[float, float]:
        return round((x - west) * scale, 1), round((north - y) * scale, 1)

    parts: list[str] = []
    side = float(exercise.own_sign)
    beside = _beside(exercise.border_m, side * exercise.border.stand_off_m)
    parts.append(f'<polygon points="{at(np.concatenate([exercise.border_m, beside[::-1]]))}" class="standoff"/>')
    parts += [
        f'<polygon points="{at(ring)}" class="zone"><title>{escape(name)}</title></polygon>' for name, ring in zones
    ]
    parts += [_text(*dot(*ring.mean(axis=0)), f"no-fly zone {name}", "middle") for name, ring in zones]
    parts.append(f'<polyline points="{at(exercise.border_m)}" class="border"/>')
    for actor, way in _ways(record):
        parts.append(
            f'<polyline points="{at(way)}" class="actor"><title>{escape(actor)}</title></polyline>'
            if len(way) > 1
            else ""
        )
        x, y = dot(*way[-1])
        parts.append(
            f'<rect x="{x - 3}" y="{y - 3}" width="6" height="6" class="person"><title>{escape(actor)}</title></rect>'
        )
    for number, (sysid, track) in enumerate(tracks.items()):
        for piece in _pieces(record.truth[sysid], track):
            colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
            parts.append(
                f'<polyline points="{at(piece)}" fill="none" stroke="{colour}" stroke-width="1.6" '
                f'stroke-dasharray="{dash}" stroke-opacity="0.75"><title>vehicle {sysid}</title></polyline>'
            )
    base = dot(*next(iter(tracks.values()))[0])
    parts.append(f'<path d="M{base[0]} {base[1] - 9} l8 14 h-16 z" class="base"/>')
    parts.append(_text(base[0] + 12, base[1] + 4, "base", "start"))
    for number, cue in enumerate(cues, start=1):
        x, y = dot(cue["east_m"], cue["north_m"])
        kind = "cue" if cue.get("actor") is not None else "cue false"
        parts.append(f'<circle cx="{x}" cy="{y}" r="7" class="{kind}"><title>{escape(cue["words"])}</title></circle>')
        parts.append(_text(x, y + 3.5, str(number), "middle", small=True))
    for crossing in record.control("crossing"):
        east_m, north_m, _ = exercise.frame.to_enu(crossing["lat"], crossing["lon"], exercise.frame.height_m)
        x, y = dot(float(east_m), float(north_m))
        parts.append(
            f'<path d="M{x - 6} {y - 6} l12 12 m0 -12 l-12 12" class="crossing">'
            f"<title>{escape(crossing['words'])}</title></path>"
        )
    parts += _legend(list(tracks), height, scale)
    own, other = exercise.border.own, exercise.border.neighbour
    for name, towards in ((own, side), (other, -side)):
        x, y = dot(*_name_place(exercise.border_m, towards * _NAME_OFF_M))
        parts.append(_text(x, y, name.upper(), "middle"))
    label = f"Map of {exercise.title}: border, true tracks of {len(tracks)} vehicles, {len(cues)} reports"
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def _xy(exercise: sim.Exercise, lat: Floats, lon: Floats) -> Floats:
    east, north, _ = exercise.frame.to_enu(lat, lon, exercise.frame.height_m)
    return np.stack([east, north], axis=-1)


def _ways(record: sim.ExerciseRecord) -> Iterator[tuple[str, Floats]]:
    """Who moved on the ground during the run, and how."""
    for actor in record.exercise.played_world.actors:
        inner = actor.path.time_s[(actor.path.time_s > 0) & (actor.path.time_s < record.end_s)]
        way = actor.path.at(np.concatenate([[0.0], inner, [record.end_s]]))
        keep = np.append(True, np.hypot(*np.diff(way, axis=0).T) > 1e-3)
        yield f"{actor.kind} {actor.id}", way[keep]


def _pieces(truth: sim.VehicleTruth, track: Floats) -> Iterator[Floats]:
    """The flights of a track, thinned to what can be seen."""
    for sortie in np.unique(truth.sortie[truth.airborne]):
        flown = track[truth.airborne & (truth.sortie == sortie)]
        kept = [flown[0]]
        for point in flown[1:]:
            if np.hypot(*(point - kept[-1])) >= _THIN_M:
                kept.append(point)
        if len(kept) > 1:
            yield np.array(kept)


def _beside(line: Floats, off_m: float) -> Floats:
    """A line beside another, metres to its left: good enough to shade a strip."""
    step = np.gradient(line, axis=0)
    unit = step / np.hypot(*step.T)[:, None]
    return line + off_m * np.stack([-unit[:, 1], unit[:, 0]], axis=-1)


def _name_place(line: Floats, off_m: float) -> tuple[float, float]:
    """Beside the line, in from its last vertex."""
    x, y = _beside(line, off_m)[-1]
    return float(x) - _NAME_IN_M, float(y)


def _legend(sysids: Iterable[int], height: float, scale: float) -> list[str]:
    parts = []
    for number, sysid in enumerate(sysids):
        y = 18.0 + 16.0 * number
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
        parts.append(
            f'<line x1="10" y1="{y}" x2="40" y2="{y}" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        parts.append(_text(46, y + 4, f"vehicle {sysid}", "start"))
    bar = 500 * scale
    y = height - 12
    parts.append(f'<path d="M10 {y} v-5 h{bar:.1f} v5" class="bar"/>')
    parts.append(_text(10 + bar / 2, y - 8, "500 m", "middle"))
    return parts


def _text(x: float, y: float, words: str, anchor: str, *, small: bool = False) -> str:
    size = ' class="small"' if small else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{size}>{escape(words)}</text>'
