"""The close-up of a picture: the geometry of observation at the middle of the first sortie."""

from __future__ import annotations

import math

import numpy as np
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.patches import Polygon as Outline
from numpy.typing import NDArray
from shapely import Geometry

from geo import CameraPose, FlatTerrain
from missions.border import BorderSegment, Side
from missions.network import Branch
from missions.outline import band_polygon, view_quad
from missions.patrol import PatrolPlan
from missions.picture_sheet import (
    BORDER,
    DASHES,
    INK,
    KINDS,
    Run,
    Sheet,
    draw_frame,
    draw_ground,
    handle,
    midway,
    titled,
)
from missions.sortie import Sortie

__all__ = ["draw_closeup"]

Floats = NDArray[np.float64]

_BAND = "#f0b429"


def draw_closeup(axes: Axes, sheet: Sheet) -> None:
    """Band, course, fence and view of one aircraft, metres."""
    plan = sheet.plan
    patrols = ((number, sheet.longest_patrol(number)) for number in range(len(plan.sorties)))
    number, patrol = next(((k, run) for k, run in patrols if run is not None), (0, None))
    if patrol is None:
        # Everybody only flies home.
        axes.set_axis_off()
        return
    sortie = plan.sorties[number]
    look = plan.observation_of(sortie)
    at, ahead = midway(patrol.xy, 1e-3)
    half = 2.1 * look.lateral_m
    middle = at + np.array([-ahead[1], ahead[0]]) * patrol.look * 0.45 * look.lateral_m
    reach = np.array([1.35, 1.0]) * half
    box = shapely.box(*(middle - reach), *(middle + reach))
    draw_ground(axes, sheet)
    lines = plan.watched_lines()
    shapes = [sheet.plane.xy(line.lat_deg, line.lon_deg) for line in lines]
    for xy, line in zip(shapes, lines, strict=True):
        if not shapely.intersects(box.buffer(max(line.left_m, line.right_m)), shapely.linestrings(xy)):
            continue
        for part in shapely.get_parts(band_polygon(xy, Side.LEFT, line.left_m, line.right_m)):
            axes.add_artist(Outline(np.array(part.exterior.coords), fc=_BAND, ec="none", alpha=0.45))
    colour = sheet.colours[sortie.vehicle.sysid]
    axes.add_patch(Outline(at + _view(plan, sortie, patrol, ahead), fc=colour, ec=colour, alpha=0.25, lw=1.5))
    axes.plot(*patrol.xy.T, color=colour, lw=2)
    if len(sheet.fences[number]):
        axes.add_patch(Outline(sheet.fences[number], fill=False, ec=INK, lw=1.0, ls=DASHES))
    axes.plot(*at, "o", color=colour, ms=8, mec="white", zorder=5)
    axes.annotate("", tuple(at + 55 * ahead), tuple(at), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2})
    west, south, east, north = box.bounds
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    draw_frame(axes, [], 1.0)
    titled(axes, "The view of one aircraft")
    nearest = int(np.argmin([shapely.distance(shapely.linestrings(xy), shapely.points(at)) for xy in shapes]))
    watched_of: list[BorderSegment | Branch] = [*plan.borders, *plan.branches]
    watched = watched_of[nearest]
    what = "the border" if isinstance(watched, BorderSegment) else f"the {watched.kind}"
    handles: list[Artist] = [
        *_line_handles(sheet, box),
        Patch(fc=_BAND, alpha=0.45, label=f"band {_depths(watched)}"),
        Patch(fc=colour, alpha=0.25, label=f"view, {look.footprint_line_m:.0f} m wide on {what}"),
        handle(f"course at {look.height_agl_m:.0f} m above ground, {look.speed_m_s:.1f} m/s", colour, lw=2),
    ]
    if len(sheet.fences[number]) and shapely.intersects(box, shapely.linearrings(sheet.fences[number])):
        handles.append(handle("geofence", INK, lw=1, ls=DASHES))
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2, fontsize=9, frameon=False)


def _view(plan: PatrolPlan, sortie: Sortie, patrol: Run, ahead: Floats) -> Floats:
    """What one picture takes in, east and north of the aircraft, metres, shape (4, 2)."""
    camera = plan.fleet.camera_of(sortie.vehicle)
    yaw_deg = math.degrees(math.atan2(*ahead)) - 90.0 * patrol.look
    start = sortie.patrol[0].start
    pitch_deg = plan.observation_of(sortie).gimbal_pitch_deg
    pose = CameraPose(start.lat_deg, start.lon_deg, start.altitude, yaw_deg, pitch_deg)
    limit_m = camera.max_gsd_m if plan.options.gsd_m is None else plan.options.gsd_m
    return view_quad(camera, pose, FlatTerrain(start.ground_amsl_m), limit_m)


def _line_handles(sheet: Sheet, box: Geometry) -> list[Artist]:
    """The lines that the panel shows, each kind once."""
    kinds = {("border", BORDER, 2.0): list(sheet.borders)}
    for branch, xy in zip(sheet.plan.branches, sheet.branches, strict=True):
        kinds.setdefault((str(branch.kind), KINDS[branch.kind], 1.6), []).append(xy)
    return [
        handle(label, colour, lw=width)
        for (label, colour, width), lines in kinds.items()
        if any(shapely.intersects(box, shapely.linestrings(xy)) for xy in lines)
    ]


def _depths(line: BorderSegment | Branch) -> str:
    """Depths of the band beside a line: of a border the own side first, of another line the left."""
    if isinstance(line, BorderSegment):
        return f"{line.band_own_m:.0f} + {line.band_far_m:.0f} m"
    return f"{line.band_left_m:.0f} + {line.band_right_m:.0f} m"
