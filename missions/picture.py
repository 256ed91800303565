"""A picture of a plan: overview, close-up of the geometry, and timetable."""

from __future__ import annotations

import math
from itertools import groupby
from pathlib import Path

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patches import Polygon as Outline
from numpy.typing import NDArray

from geo import CameraPose, FlatTerrain, atomic_path
from missions.border import Side
from missions.errors import FormatError
from missions.fence import fence_polygon
from missions.network import LineKind
from missions.outline import band_polygon, view_quad
from missions.patrol import LegKind, PatrolPlan, Sortie
from missions.plane import Plane

__all__ = ["draw_map"]

Floats = NDArray[np.float64]

_VEHICLES = ("#0b6fb8", "#d9730d", "#2b8a3e", "#8a4fbf", "#8c564b", "#c2448e", "#5f6b76", "#8a8a12")
_BORDER, _BAND, _OWN, _INK = "#c01818", "#f0b429", "#e8f1e4", "#22303c"
_ZONE = "#c96a6a"
_KINDS = {LineKind.RIVER: "#6fa8d6", LineKind.ROAD: "#8d7b68", LineKind.FENCE: "#444444"}
_PAPER = "#ffffff"


def draw_map(plan: PatrolPlan, path: Path) -> None:
    """Draw a plan into a picture; the ending of the path (png, svg, pdf) says which kind.

    Raises
    ------
    FormatError
        When the ending names no kind of picture.
    FileWriteError
        When the file cannot be written.
    """
    sheet = _Sheet(plan)
    figure = sheet.draw()
    target = Path(path)
    kind = target.suffix.lstrip(".").lower()
    if kind not in figure.canvas.get_supported_filetypes():
        raise FormatError(f"{path}: no kind of picture ends in {target.suffix!r}: use .png, .svg or .pdf")
    with atomic_path(target) as temporary:
        figure.savefig(temporary, format=kind, dpi=150, facecolor=_PAPER)


class _Sheet:
    """The plan in its plane, and the figure it is drawn on. Kilometres on the overview, metres in the close-up."""

    def __init__(self, plan: PatrolPlan) -> None:
        self.plan = plan
        self.plane = Plane(plan.border)
        self.borders = [border.local_line(self.plane.frame) for border in plan.borders]
        self.branches = [(branch, branch.local_line(self.plane.frame)) for branch in plan.branches]
        self.bands = [
            band_polygon(self.plane.xy(line.lat_deg, line.lon_deg), Side.LEFT, line.left_m, line.right_m)
            for line in plan.watched_lines()
        ]
        self.colour = {v.sysid: _VEHICLES[n % len(_VEHICLES)] for n, v in enumerate(plan.fleet.vehicles)}
        self.zones = [np.array(zone.polygon(self.plane).exterior.coords) for zone in plan.blocking_zones()]
        self.fences = [self.plane.xy(*np.array(fence_polygon(plan, s)).T) for s in plan.sorties]

    def draw(self) -> Figure:
        extent = self._extent()
        width, height = np.ptp(extent, axis=0)
        # The overview keeps its proportions: its height on the sheet follows from the ground.
        tall = float(np.clip(11.6 * height / width * 1.15, 2.0, 7.5))
        figure = Figure(figsize=(13, tall + 6.4), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(2, 2, height_ratios=[tall + 0.5, 4.6], width_ratios=[1.15, 1.0])
        self._overview(figure.add_subplot(grid[0, :]))
        self._closeup(figure.add_subplot(grid[1, 0]))
        self._timetable(figure.add_subplot(grid[1, 1]))
        plan = self.plan
        figure.suptitle(
            f"{plan.name}    {len(plan.fleet.vehicles)} aircraft, {len(plan.sorties)} sorties, "
            f"coverage {plan.coverage.share:.1%}, every point again within {plan.revisit_s / 60:.0f} min",
            fontsize=13,
            color=_INK,
            x=0.012,
            ha="left",
            weight="bold",
        )
        return figure

    def _extent(self) -> Floats:
        return np.concatenate([*self.borders, *(line for _, line in self.branches), *self.fences])

    def _overview(self, axes: Axes) -> None:
        plan = self.plan
        self._ground(axes, 1e-3)
        for area in self.zones:
            axes.add_patch(Outline(area / 1e3, fc=_ZONE, ec=_BORDER, lw=0.8, alpha=0.35, hatch="///", zorder=2))
        for fence in self.fences:
            axes.add_patch(Outline(fence / 1e3, fill=False, ec=_INK, lw=0.7, ls=(0, (4, 3)), alpha=0.55))
        for sortie in plan.sorties:
            for kind, style in ((LegKind.TRANSIT, ":"), (LegKind.RETURN, ":"), (LegKind.PATROL, "-")):
                width = 2.6 if kind is LegKind.PATROL else 1.0
                for track, _ in self._tracks(sortie, kind):
                    axes.plot(*(track / 1e3).T, style, color=self.colour[sortie.vehicle.sysid], lw=width)
            patrol, look = max(self._tracks(sortie, LegKind.PATROL), key=_length)
            track = patrol / 1e3
            axes.plot(*track[0], "|", color=self.colour[sortie.vehicle.sysid], ms=11, mew=2)
            line = shapely.linestrings(track)
            middle = shapely.get_coordinates(shapely.line_interpolate_point(line, 0.5, normalized=True))[0]
            ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, 0.52, normalized=True))[0]
            course = ahead - middle
            # Away from what is watched.
            normal = np.array([course[1], -course[0]]) / max(float(np.hypot(*course)), 1e-9) * look
            axes.annotate(
                str(sortie.turn),
                middle,
                xytext=tuple(14 * normal),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=9,
                weight="bold",
                color="white",
                bbox={"boxstyle": "circle,pad=0.22", "fc": self.colour[sortie.vehicle.sysid], "ec": "none"},
            )
        for base in dict.fromkeys(v.base for v in plan.fleet.vehicles):
            at = self.plane.xy(base.lat_deg, base.lon_deg) / 1e3
            axes.plot(*at, "^", color=_INK, ms=11, mec="white", zorder=5)
            axes.annotate(
                base.name,
                (float(at[0]), float(at[1])),
                xytext=(9, 4),
                textcoords="offset points",
                fontsize=9,
                color=_INK,
                weight="bold",
            )
        for gap in plan.coverage.uncovered:
            axes.plot(*(self.plane.xy(gap.lat_deg, gap.lon_deg) / 1e3), "x", color=_BORDER, ms=6, mew=1.6, zorder=6)
        extent = self._extent() / 1e3
        low, high = extent.min(axis=0), extent.max(axis=0)
        pad = 0.02 * float((high - low).max())
        axes.set_xlim(low[0] - pad, high[0] + pad)
        axes.set_ylim(low[1] - 1.2 * pad, high[1] + 1.2 * pad)
        self._frame(axes, "km")
        handles = [
            Line2D(
                [],
                [],
                color=_BORDER,
                lw=2,
                label=f"border, {plan.border.own or 'own'} / {plan.border.neighbour or 'other'}",
            ),
            *(
                Line2D([], [], color=_KINDS[kind], lw=1.6, label=str(kind))
                for kind in dict.fromkeys(branch.kind for branch, _ in self.branches)
            ),
            *([Patch(fc=_OWN, ec="none", label="own side")] if len(self.borders) == 1 else []),
            *(
                Line2D([], [], color=self.colour[v.sysid], lw=2.6, label=f"{v.name}, patrol (numbers: sorties)")
                for v in plan.fleet.vehicles[:6]
            ),
            Line2D([], [], color=_INK, lw=1, ls=":", label="transit"),
            Line2D([], [], color=_INK, lw=0.8, ls=(0, (4, 3)), label="geofence"),
            Line2D([], [], color=_INK, marker="^", ls="", ms=9, label="base"),
        ]
        if self.zones:
            handles.append(Patch(fc=_ZONE, ec=_BORDER, alpha=0.35, hatch="///", label="no-fly zone"))
        if plan.coverage.uncovered:
            handles.append(Line2D([], [], color=_BORDER, marker="x", ls="", ms=6, mew=1.6, label="not seen"))
        axes.legend(
            handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=5, fontsize=9, frameon=False
        )

    def _closeup(self, axes: Axes) -> None:
        """The geometry of observation at the middle of the first sortie."""
        plan, look = self.plan, self.plan.observation
        self._ground(axes, 1.0)
        for part in shapely.get_parts(self.bands):
            axes.add_patch(Outline(np.array(part.exterior.coords), fc=_BAND, ec="none", alpha=0.45))
        sortie = plan.sorties[0]
        patrol, side = max(self._tracks(sortie, LegKind.PATROL), key=_length)
        line = shapely.linestrings(patrol)
        at, ahead = (
            shapely.get_coordinates(shapely.line_interpolate_point(line, 0.5 + d, normalized=True))[0]
            for d in (0, 1e-3)
        )
        course = math.degrees(math.atan2(*(ahead - at)))
        yaw = course - 90.0 * side
        leg = sortie.patrol[0]
        pose = CameraPose(leg.start.lat_deg, leg.start.lon_deg, leg.start.altitude, yaw, look.gimbal_pitch_deg)
        limit = plan.fleet.camera.max_gsd_m if plan.options.gsd_m is None else plan.options.gsd_m
        view = at + view_quad(plan.fleet.camera, pose, FlatTerrain(leg.start.ground_amsl_m), limit)
        colour = self.colour[sortie.vehicle.sysid]
        axes.add_patch(Outline(view, fc=colour, ec=colour, alpha=0.25, lw=1.5))
        axes.plot(*patrol.T, color=colour, lw=2)
        fence = self.fences[0]
        axes.add_patch(Outline(fence, fill=False, ec=_INK, lw=1.0, ls=(0, (4, 3))))
        axes.plot(*at, "o", color=colour, ms=8, mec="white", zorder=5)
        step = (ahead - at) / np.hypot(*(ahead - at))
        axes.annotate("", at + 55 * step, at, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2})
        half = 2.1 * look.lateral_m
        middle = at + np.array([-step[1], step[0]]) * side * 0.45 * look.lateral_m
        axes.set_xlim(middle[0] - 1.35 * half, middle[0] + 1.35 * half)
        axes.set_ylim(middle[1] - half, middle[1] + half)
        self._frame(axes, "m")
        axes.set_title("The view of one aircraft", loc="left", fontsize=11, color=_INK, weight="bold")
        handles = [
            Line2D([], [], color=_BORDER, lw=2, label="border"),
            Patch(fc=_BAND, alpha=0.45, label=f"band {plan.border.band_own_m:.0f} + {plan.border.band_far_m:.0f} m"),
            Patch(fc=colour, alpha=0.25, label=f"view, {look.footprint_line_m:.0f} m wide on the border"),
            Line2D(
                [],
                [],
                color=colour,
                lw=2,
                label=f"course at {look.height_agl_m:.0f} m above ground, {look.speed_m_s:.1f} m/s",
            ),
            Line2D([], [], color=_INK, lw=1, ls=(0, (4, 3)), label="geofence"),
        ]
        axes.legend(
            handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2, fontsize=9, frameon=False
        )

    def _timetable(self, axes: Axes) -> None:
        plan = self.plan
        names = [v.name for v in plan.fleet.vehicles]
        row_of = {v.sysid: row for row, v in enumerate(plan.fleet.vehicles)}
        # Two rounds show who relieves whom.
        shown = [f for f in plan.flights if f.start_s < 2 * plan.revisit_s]
        for flight in shown:
            sortie = plan.sorties[flight.sortie]
            row = row_of[flight.sysid]
            at = flight.start_s / 60
            for leg in sortie.legs:
                patrol = leg.kind is LegKind.PATROL
                axes.barh(
                    row,
                    leg.duration_s / 60,
                    left=at,
                    height=0.46,
                    color=self.colour[flight.sysid],
                    alpha=1.0 if patrol else 0.35,
                    lw=0,
                )
                at += leg.duration_s / 60
            axes.text(
                (flight.start_s + sortie.duration_s / 2) / 60,
                row - 0.36,
                f"{sortie.distance_m / 1000:.0f} km\n{sortie.reserve_left:.0%} left",
                ha="center",
                va="bottom",
                fontsize=8 if len(shown) <= 24 else 5,
                color=_INK,
            )
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.8)
        axes.set_xlim(left=0)
        axes.set_xlabel("minutes after the start; full colour: patrol, pale: transit", fontsize=9, color=_INK)
        axes.set_title("Timetable of the first two rounds", loc="left", fontsize=11, color=_INK, weight="bold")
        axes.tick_params(labelsize=9, colors=_INK, length=0)
        axes.grid(axis="x", color="#d9dee3", lw=0.8)
        axes.set_axisbelow(True)
        axes.spines[:].set_visible(False)

    def _ground(self, axes: Axes, scale: float) -> None:
        """Own side tinted, unless several borders bound it, and all lines."""
        line = self.borders[0] * scale
        deep = 200_000.0 * scale
        step = line[-1] - line[0]
        if not self.plan.border.is_ring and len(self.borders) == 1:
            normal = np.array([-step[1], step[0]]) / np.hypot(*step) * self.plan.border.own_side.sign
            along = step / np.hypot(*step) * deep
            far = [line[-1] + along, line[-1] + along + deep * normal, line[0] - along + deep * normal, line[0] - along]
            axes.add_patch(Outline(np.concatenate([line, far]), fc=_OWN, ec="none", zorder=0))
        for branch, points in self.branches:
            axes.plot(*(points * scale).T, color=_KINDS[branch.kind], lw=1.4, solid_capstyle="round", zorder=2.5)
        for points in self.borders:
            axes.plot(*(points * scale).T, color=_BORDER, lw=1.8, solid_capstyle="round", zorder=3)

    def _frame(self, axes: Axes, unit: str) -> None:
        """Equal scales, no ticks, a scale bar and north."""
        axes.set_aspect("equal", adjustable="box")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_facecolor("#f6f3f0")
        for spine in axes.spines.values():
            spine.set_color("#b8c0c8")
        (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
        length = _round_length((x1 - x0) / 6)
        x, y = x0 + 0.02 * (x1 - x0), y0 + 0.06 * (y1 - y0)
        axes.plot([x, x + length], [y, y], color=_INK, lw=3, solid_capstyle="butt", zorder=7)
        axes.annotate(
            f"{length:g} {unit}",
            (x + length / 2, y),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=_INK,
        )
        # An arrow of one length on paper, whatever the panel.
        axes.annotate(
            "N",
            xy=(0.97, 0.94),
            xytext=(0, -34),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=10,
            color=_INK,
            arrowprops={"arrowstyle": "-|>", "color": _INK},
        )

    def _tracks(self, sortie: Sortie, kind: LegKind) -> list[tuple[Floats, int]]:
        """What a sortie flies of one kind, in pieces without a break, each with the sign of the side it looks to."""
        out = []
        for (own, look), legs in groupby(sortie.legs, key=lambda leg: (leg.kind, leg.look)):
            if own is kind:
                run = list(legs)
                points = [run[0].start, *(leg.end for leg in run)]
                track = self.plane.xy([p.lat_deg for p in points], [p.lon_deg for p in points])
                out.append((track, 0 if look is None else look.sign))
        return out


def _length(track: tuple[Floats, int]) -> float:
    return float(np.hypot(*np.diff(track[0], axis=0).T).sum())


def _round_length(about: float) -> float:
    """1, 2 or 5 times a power of ten, at most `about`."""
    power: float = 10.0 ** math.floor(math.log10(about))
    return next(m * power for m in (5, 2, 1) if m * power <= about)
