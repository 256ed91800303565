"""What the panels of a picture share: a plan in its plane, its colours, the ground below it, a scale bar and north."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon as Outline
from numpy.typing import NDArray
from shapely import GeometryCollection, LineString, Polygon

from missions.fence import Fences
from missions.network import LineKind
from missions.patrol import PatrolPlan
from missions.plane import Plane
from missions.sortie import LegKind, Sortie

__all__ = [
    "BORDER",
    "DASHES",
    "INK",
    "KINDS",
    "OWN",
    "ZONE",
    "Run",
    "Sheet",
    "draw_frame",
    "draw_ground",
    "handle",
    "midway",
    "sheet_of",
    "titled",
]

Floats = NDArray[np.float64]

BORDER, OWN, INK, ZONE = "#c01818", "#e8f1e4", "#22303c", "#c96a6a"
KINDS = {LineKind.RIVER: "#6fa8d6", LineKind.ROAD: "#8d7b68", LineKind.FENCE: "#444444"}
DASHES = (0, (4, 3))
"""How a geofence is drawn."""

_VEHICLES = ("#0b6fb8", "#d9730d", "#2b8a3e", "#8a4fbf", "#8c564b", "#c2448e", "#5f6b76", "#8a8a12")
_DEEP_M = 200_000.0
_CORNERS = ((0.02, 0.06), (0.81, 0.06), (0.02, 0.88))
"""Where a scale bar may begin, shares of a panel."""

_NORTH, _NORTH_PT = (0.97, 0.94), 34.0
"""Where the arrow to the north ends, shares of a panel, and how far below that its letter is."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a sortie flies of one kind without a break: shape (n, 2), and the sign of the side it looks to, or 0."""

    kind: LegKind
    xy: Floats
    look: int

    @property
    def length_m(self) -> float:
        """Its length, metres."""
        return float(np.hypot(*np.diff(self.xy, axis=0).T).sum())


@dataclass(frozen=True, slots=True)
class Sheet:
    """A plan in its plane: east and north of the middle of its border, metres.

    Parameters
    ----------
    plan, plane
        What is drawn, and where.
    borders, branches
        The lines, each of shape (n, 2).
    fences, exclusions
        Outlines of what to stay in, one for each sortie, empty for one without; and of all that is to keep out of.
    zones
        Outlines of the zones that the plan keeps out of.
    runs
        Of each sortie.
    colours
        Of each vehicle, by system id.
    """

    plan: PatrolPlan
    plane: Plane
    borders: tuple[Floats, ...]
    branches: tuple[Floats, ...]
    fences: tuple[Floats, ...]
    exclusions: tuple[Floats, ...]
    zones: tuple[Floats, ...]
    runs: tuple[tuple[Run, ...], ...]
    colours: dict[int, str]

    @property
    def has_own_side(self) -> bool:
        """Whether one side of one line is the own: not where several borders bound it, nor inside a ring."""
        return len(self.borders) == 1 and not self.plan.border.is_ring

    def longest_patrol(self, number: int) -> Run | None:
        """The longest run of a sortie on which the camera watches; None of one that only flies home."""
        watching = (run for run in self.runs[number] if run.kind is LegKind.PATROL)
        return max(watching, key=lambda run: run.length_m, default=None)


def sheet_of(plan: PatrolPlan, fences: Fences) -> Sheet:
    """A plan with the fence of each of its sorties, brought to its plane."""
    plane = Plane(plan.border)
    shapes = [[(shape.inclusion, plane.xy(*np.array(shape.vertices).T)) for shape in fence] for fence in fences]
    return Sheet(
        plan,
        plane,
        tuple(border.local_line(plane.frame) for border in plan.borders),
        tuple(branch.local_line(plane.frame) for branch in plan.branches),
        tuple(next((xy for inclusion, xy in fence if inclusion), np.zeros((0, 2))) for fence in shapes),
        tuple(xy for fence in shapes for inclusion, xy in fence if not inclusion),
        tuple(np.array(zone.polygon(plane).exterior.coords) for zone in plan.blocking_zones()),
        tuple(_runs(sortie, plane) for sortie in plan.sorties),
        {v.sysid: _VEHICLES[n % len(_VEHICLES)] for n, v in enumerate(plan.fleet.vehicles)},
    )


def _runs(sortie: Sortie, plane: Plane) -> tuple[Run, ...]:
    found = []
    for (kind, look), legs in groupby(sortie.legs, key=lambda leg: (leg.kind, leg.look)):
        run = list(legs)
        points = [run[0].start, *(leg.end for leg in run)]
        xy = plane.xy([p.lat_deg for p in points], [p.lon_deg for p in points])
        found.append(Run(kind, xy, 0 if look is None else look.sign))
    return tuple(found)


def midway(track: Floats, step: float) -> tuple[Floats, Floats]:
    """The middle of a track, shape (2,), and the direction there, of length 1, taken over a share of the track."""
    line = shapely.linestrings(track)
    at, ahead = shapely.get_coordinates(
        shapely.line_interpolate_point(line, np.array([0.5, 0.5 + step]), normalized=True)
    )
    return at, (ahead - at) / max(float(np.hypot(*(ahead - at))), 1e-9)


def draw_ground(axes: Axes, sheet: Sheet) -> None:
    """The own side tinted, where there is one, and all lines."""
    line = sheet.borders[0]
    if sheet.has_own_side:
        step = line[-1] - line[0]
        # Of the whole border of a country the panel is higher than that of a stretch.
        deep = max(_DEEP_M, float(np.ptp(line, axis=0).max()))
        along = step / np.hypot(*step) * deep
        inward = np.array([-along[1], along[0]]) * sheet.plan.border.own_side.sign
        far = [line[-1] + along, line[-1] + along + inward, line[0] - along + inward, line[0] - along]
        # Not as a patch: its limits, which nobody asks for, take seconds of a line of many vertices.
        axes.add_artist(Outline(np.concatenate([line, far]), fc=OWN, ec="none", zorder=0))
    if sheet.branches:
        colours = [KINDS[branch.kind] for branch in sheet.plan.branches]
        axes.add_collection(
            LineCollection(sheet.branches, colors=colours, linewidths=1.4, capstyle="round", zorder=2.5), autolim=False
        )
    axes.add_collection(
        LineCollection(sheet.borders, colors=BORDER, linewidths=1.8, capstyle="round", zorder=3), autolim=False
    )


def draw_frame(axes: Axes, lines: Sequence[Floats], points_per_m: float) -> list[Polygon]:
    """Equal scales, no ticks, a scale bar in a corner without lines, and north; the limits must be set.

    Gives the room that bar and north take up: boxes of the plane times `points_per_m`, about the scale on paper.
    """
    axes.set_aspect("equal", adjustable="box")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor("#f6f3f0")
    for spine in axes.spines.values():
        spine.set_color("#b8c0c8")
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    length = _round_length(float(high[0] - low[0]) / 6)
    x, y = low + _free_corner(lines, low, high) * (high - low)
    axes.plot([x, x + length], [y, y], color=INK, lw=3, solid_capstyle="butt", zorder=7)
    axes.annotate(
        f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m",
        (x + length / 2, y),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        fontsize=9,
        color=INK,
    )
    # An arrow of one length on paper, whatever the panel.
    axes.annotate(
        "N",
        xy=_NORTH,
        xytext=(0, -_NORTH_PT),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=10,
        color=INK,
        arrowprops={"arrowstyle": "-|>", "color": INK},
    )
    start, end = (points_per_m * np.array([at, y]) for at in (x, x + length))
    tip = (low + np.array(_NORTH) * (high - low)) * points_per_m
    return [
        shapely.box(start[0] - 3.0, start[1] - 3.0, end[0] + 3.0, end[1] + 16.0),
        shapely.box(tip[0] - 8.0, tip[1] - _NORTH_PT - 8.0, tip[0] + 8.0, tip[1]),
    ]


def _free_corner(lines: Sequence[Floats], low: Floats, high: Floats) -> Floats:
    """Where a scale bar begins, as a share of the panel: in the first corner that no line enters, or the first."""
    drawn = GeometryCollection([LineString((xy - low) / (high - low)) for xy in lines])
    for x, y in _CORNERS:
        if not shapely.intersects(drawn, shapely.box(x - 0.01, y - 0.03, x + 0.18, y + 0.1)):
            return np.array([x, y])
    return np.array(_CORNERS[0])


def titled(axes: Axes, title: str) -> None:
    """Put a title above a panel."""
    axes.set_title(title, loc="left", fontsize=11, color=INK, weight="bold")


def handle(label: str, colour: str, **style: Any) -> Line2D:
    """An entry of a legend that is a line or a mark."""
    return Line2D([], [], color=colour, label=label, **style)


def _round_length(about: float) -> float:
    """1, 2 or 5 times a power of ten, at most `about`."""
    power: float = 10.0 ** math.floor(math.log10(about))
    return next(m * power for m in (5, 2, 1) if m * power <= about)
