"""The overview of a picture: border, sorties, fences, bases and zones on the ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from shapely import Geometry, Polygon

from missions.fleet import Base
from missions.picture_sheet import (
    BORDER,
    DASHES,
    INK,
    KINDS,
    OWN,
    ZONE,
    Sheet,
    draw_frame,
    draw_ground,
    handle,
    midway,
)
from missions.sortie import LegKind

__all__ = ["draw_overview", "overview_extent"]

Floats = NDArray[np.float64]
_Entry = Artist | tuple[Artist, ...]
"""An entry of the legend, or several that share one."""
_Style = dict[str, Any]

_MOST_NUMBERS = 24
"""Above so many sorties, they carry no numbers."""

_MOST_MARKS = 60
"""Above so many places that are not seen, their crosses are small."""

_LEAST_TALL = 0.1
"""Least height of what is shown, as a share of its width."""

_MOST_VEHICLES = 6
"""Above so many vehicles on the map, the legend does not name each."""

_NAME_PLACES = (
    (9.0, 4.0, "left"),
    (9.0, -11.0, "left"),
    (-9.0, 4.0, "right"),
    (-9.0, -11.0, "right"),
    (0.0, 9.0, "center"),
    (0.0, -17.0, "center"),
)
_BACK = {"left": 0.0, "center": 0.5, "right": 1.0}
"""Where the name of a base may stand beside it, points, the best first."""

_APART_PT = 0.5
_SITE = "#2b6e4f"
_LETTER_PT, _LINE_PT, _MARK_PT = 6.2, 10.0, 6.0
_ASIDE_PT, _BUBBLE_PT = 14.0, 9.0
_WATCHING, _MOVING = (LegKind.PATROL,), tuple(kind for kind in LegKind if kind is not LegKind.PATROL)


def overview_extent(sheet: Sheet) -> Floats:
    """South-west and north-east corner of what is to be on the overview, metres, shape (2, 2)."""
    points = np.concatenate([*sheet.borders, *sheet.branches, *sheet.fences])
    low, high = points.min(axis=0), points.max(axis=0)
    wide, tall = high - low
    # A straight border would be a thread with no room for a name.
    room = np.array([0.0, max(0.0, _LEAST_TALL * wide - tall) / 2])
    low, high = low - room, high + room
    pad = np.array([0.02, 0.024]) * float((high - low).max())
    return np.stack([low - pad, high + pad])


def draw_overview(axes: Axes, sheet: Sheet, points_per_m: float) -> None:
    """All of a plan, metres; `points_per_m` is about the scale on paper, by which names are placed."""
    low, high = overview_extent(sheet)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    box = shapely.box(*low, *high)
    draw_ground(axes, sheet)
    entries: list[_Entry] = [
        *_lines(sheet),
        *_tracks(axes, sheet, points_per_m),
        *_fences(axes, sheet),
        *_bases(axes, sheet),
        *_zones(axes, sheet, box),
        *_unseen(axes, sheet),
        *_landing_sites(axes, sheet, box),
    ]
    lines = [*sheet.borders, *sheet.branches, *(run.xy for runs in sheet.runs for run in runs)]
    taken = draw_frame(axes, lines, points_per_m)
    taken += [shapely.box(*(p - _MARK_PT), *(p + _MARK_PT)) for p in _base_places(sheet) * points_per_m]
    if len(sheet.plan.sorties) <= _MOST_NUMBERS:
        taken += _number_sorties(axes, sheet, points_per_m, taken)
    _name_bases(axes, sheet, points_per_m, taken)
    axes.legend(
        entries,
        [str((entry[0] if isinstance(entry, tuple) else entry).get_label()) for entry in entries],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        borderaxespad=2.2,
        ncols=5,
        fontsize=9,
        frameon=False,
    )


def _lines(sheet: Sheet) -> list[_Entry]:
    border = sheet.plan.border
    kinds = dict.fromkeys(branch.kind for branch in sheet.plan.branches)
    return [
        handle(f"border, {border.own or 'own'} / {border.neighbour or 'other'}", BORDER, lw=2),
        *(handle(str(kind), KINDS[kind], lw=1.6) for kind in kinds),
        *([Patch(fc=OWN, ec="none", label="own side")] if sheet.has_own_side else []),
    ]


def _tracks(axes: Axes, sheet: Sheet, points_per_m: float) -> list[_Entry]:
    """What is flown, one collection a kind."""
    sorties = sheet.plan.sorties
    flown = [
        (run, sheet.colours[sortie.vehicle.sysid])
        for sortie, runs in zip(sorties, sheet.runs, strict=True)
        for run in runs
        if run.length_m > 0
    ]
    # Where they lie under the border, tracks are to show on both sides of it.
    apart_pt = sheet.plan.observation.lateral_m * points_per_m
    for kinds, width, style in ((_MOVING, 1.0, ":"), (_WATCHING, 2.6 if apart_pt > _APART_PT else 5.5, "-")):
        own = [(run.xy, colour) for run, colour in flown if run.kind in kinds]
        axes.add_collection(
            LineCollection(
                [xy for xy, _ in own],
                colors=[colour for _, colour in own],
                linewidths=width,
                linestyles=style,
                zorder=2,
            ),
            autolim=False,
        )
    flying = {sortie.vehicle.sysid for sortie in sorties}
    vehicles = [vehicle for vehicle in sheet.plan.fleet.vehicles if vehicle.sysid in flying]
    numbered = " (numbers: sorties)" if len(sorties) <= _MOST_NUMBERS else ""
    entries: list[_Entry] = [
        handle(f"{v.name}, patrol{numbered}", sheet.colours[v.sysid], lw=2.6) for v in vehicles[:_MOST_VEHICLES]
    ]
    if len(vehicles) > _MOST_VEHICLES:
        label = f"patrol, {len(vehicles)} aircraft{numbered}"
        entries = [tuple(handle(label, sheet.colours[v.sysid], lw=2.6) for v in vehicles[:3])]
    if any(run.kind in _MOVING for run, _ in flown):
        entries.append(handle("transit", INK, lw=1, ls=":"))
    return entries


def _fences(axes: Axes, sheet: Sheet) -> list[_Entry]:
    entries: list[_Entry] = []
    held = [outline for outline in sheet.fences if len(outline)]
    for outlines, colour, label in ((held, INK, "geofence"), (sheet.exclusions, BORDER, "geofence, keep out")):
        if outlines:
            style: _Style = {"facecolors": "none", "edgecolors": colour, "linewidths": 0.7, "linestyles": [DASHES]}
            axes.add_collection(PolyCollection(outlines, alpha=0.55, **style), autolim=False)
            entries.append(handle(label, colour, lw=0.8, ls=DASHES))
    return entries


def _bases(axes: Axes, sheet: Sheet) -> list[_Entry]:
    axes.plot(*_base_places(sheet).T, "^", color=INK, ms=11, mec="white", zorder=5)
    return [handle("base", INK, marker="^", ls="", ms=9)]


def _zones(axes: Axes, sheet: Sheet, box: Geometry) -> list[_Entry]:
    seen = [xy for xy in sheet.zones if shapely.intersects(box, shapely.polygons(xy))]
    if not seen:
        return []
    style: _Style = {"fc": ZONE, "ec": BORDER, "alpha": 0.35, "hatch": "///"}
    axes.add_collection(PolyCollection(seen, lw=0.8, zorder=2, **style), autolim=False)
    return [Patch(label="no-fly zone", **style)]


def _unseen(axes: Axes, sheet: Sheet) -> list[_Entry]:
    gaps = sheet.plan.coverage.uncovered
    if not gaps:
        return []
    size, width = (6, 1.6) if len(gaps) <= _MOST_MARKS else (3.5, 0.8)
    at = sheet.plane.xy([gap.lat_deg for gap in gaps], [gap.lon_deg for gap in gaps])
    axes.plot(*at.T, "x", color=BORDER, ms=size, mew=width, zorder=4)
    return [handle("not seen", BORDER, marker="x", ls="", ms=size, mew=width)]


def _landing_sites(axes: Axes, sheet: Sheet, box: Geometry) -> list[_Entry]:
    sites = sheet.plan.airspace.landing_sites
    at = sheet.plane.xy([site.lat_deg for site in sites], [site.lon_deg for site in sites]).reshape(-1, 2)
    at = at[shapely.contains_xy(box, at)]
    if not len(at):
        return []
    style: _Style = {"marker": "o", "ls": "", "ms": 5, "mfc": "white", "mew": 1.4}
    axes.plot(*at.T, color=_SITE, zorder=4.5, **style)
    return [handle("landing site", _SITE, **style)]


def _number_sorties(axes: Axes, sheet: Sheet, points_per_m: float, taken: Sequence[Polygon]) -> list[Polygon]:
    """Where each sortie begins to watch, and its number away from what is watched, where nothing is taken.

    Gives the room that the numbers take up.
    """
    own: list[Polygon] = []
    for number, sortie in enumerate(sheet.plan.sorties):
        run, colour = sheet.longest_patrol(number), sheet.colours[sortie.vehicle.sysid]
        if run is None:
            continue
        axes.plot(*run.xy[0], "|", color=colour, ms=11, mew=2)
        middle, ahead = midway(run.xy, 0.02)
        aside = _ASIDE_PT * run.look * np.array([ahead[1], -ahead[0]])
        place = middle * points_per_m + aside
        bubble = shapely.box(*(place - _BUBBLE_PT), *(place + _BUBBLE_PT))
        if shapely.intersects([*taken, *own], bubble).any():
            continue
        own.append(bubble)
        axes.annotate(
            str(sortie.turn),
            (float(middle[0]), float(middle[1])),
            xytext=(float(aside[0]), float(aside[1])),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=9,
            weight="bold",
            color="white",
            bbox={"boxstyle": "circle,pad=0.22", "fc": colour, "ec": "none"},
        )

    return own


def _name_bases(axes: Axes, sheet: Sheet, points_per_m: float, taken: Sequence[Polygon]) -> None:
    """Write the name of each base beside it, where it hides nothing that is taken and stays on the panel."""
    own: list[Polygon] = []
    panel = shapely.box(*(overview_extent(sheet) * points_per_m).ravel())
    for base, place in zip(_bases_of(sheet), _base_places(sheet), strict=True):
        wide = len(base.name) * _LETTER_PT
        for right, up, align in _NAME_PLACES:
            x, y = place * points_per_m + [right - _BACK[align] * wide, up]
            name = shapely.box(x, y, x + wide, y + _LINE_PT)
            if panel.contains(name) and not shapely.intersects([*taken, *own], name).any():
                own.append(name)
                axes.annotate(
                    base.name,
                    (float(place[0]), float(place[1])),
                    xytext=(right, up),
                    textcoords="offset points",
                    ha=align,
                    fontsize=9,
                    color=INK,
                    weight="bold",
                    zorder=6,
                    path_effects=[withStroke(linewidth=2, foreground=OWN)],
                )
                break


def _bases_of(sheet: Sheet) -> list[Base]:
    return list(dict.fromkeys(vehicle.base for vehicle in sheet.plan.fleet.vehicles))


def _base_places(sheet: Sheet) -> Floats:
    """Places of the bases, metres, shape (n, 2)."""
    bases = _bases_of(sheet)
    return sheet.plane.xy([base.lat_deg for base in bases], [base.lon_deg for base in bases])
