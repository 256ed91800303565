"""Where to fly and how to look, so that the whole band is seen well enough from behind the stand-off.

The camera looks square across the line. In the vertical plane through it: the aircraft at height h above ground and at
distance d from the line on the own side, the band from d - own to d + far away on the ground. A ground point at
horizontal distance x lies at the depression atan(h / x) and, along the optical axis, at the depth

    z(x) = (x cos p + h sin p),   p the depression of the axis,

where one pixel spans z / f across the line of sight (f in pixels): the GSD used here. It decides how many pixels an
upright person gets; on flat ground the sample is longer along the line of sight by 1 / sin(depression).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.border import BorderSegment
from missions.errors import ObservationError
from missions.fleet import Camera

__all__ = ["Observation", "observe"]

Floats = NDArray[np.float64]

_FINE_M = 0.5
"""How finely heights are tried, metres."""

_AT_ONCE = 64
"""Offsets from the border that are looked at together."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The geometry of observation of a plan.

    Parameters
    ----------
    height_agl_m
        Height of the patrol above ground, metres.
    lateral_m
        Distance of the flight line from the border, metres, on the own side.
    gimbal_pitch_deg
        Pitch of the camera, degrees: -90 straight down. It looks at the border, square to the course.
    speed_m_s
        Patrol speed, metres a second.
    dwell_s
        Least time for which a point of the band stays in view, seconds, at that speed.
    footprint_near_m, footprint_line_m
        Width of the view along the course at the near edge of the band and at the line, metres.
    view_from_m, view_to_m
        Ground distances from the aircraft at which the view begins and ends, metres; one to the horizon ends where its
        GSD no longer counts.
    gsd_near_m, gsd_far_m
        GSD at the near and far edge of the band, metres a pixel, across the line of sight.
    reasons
        Why each figure is what it is, one sentence each.
    """

    height_agl_m: float
    lateral_m: float
    gimbal_pitch_deg: float
    speed_m_s: float
    dwell_s: float
    footprint_near_m: float
    footprint_line_m: float
    view_from_m: float
    view_to_m: float
    gsd_near_m: float
    gsd_far_m: float
    reasons: tuple[str, ...]


def observe(
    camera: Camera,
    border: BorderSegment,
    *,
    max_speed_m_s: float,
    dwell_s: float = 8.0,
    gsd_m: float | None = None,
    floor_agl_m: float = 40.0,
    ceiling_agl_m: float = 90.0,
    below_m: float = 0.0,
    margin_m: float = 3.0,
    lateral_m: float | None = None,
    min_speed_m_s: float = 0.0,
    turn_radius_m: float = 0.0,
    clear_m: float = 0.0,
    overlap: float = 0.0,
    picture_s: float = 0.0,
) -> Observation:
    """Choose height, offset, pitch and speed.

    The fastest patrol wins: the highest height that resolution and ceiling allow, at the least offset.

    Parameters
    ----------
    camera
        The camera.
    border
        Gives stand-off and band.
    max_speed_m_s
        Highest patrol speed of the aircraft, metres a second.
    dwell_s
        How long each point of the band must stay in view, seconds.
    gsd_m
        Coarsest GSD over the band, metres a pixel; the camera's own limit by default.
    floor_agl_m, ceiling_agl_m
        Heights above ground between which to patrol, metres.
    below_m
        How far below that ceiling to stay where anything can be seen from there, metres.
    margin_m
        By how much the flight line may be straightened, and what the view keeps beyond the band, metres.
    lateral_m
        Distance from the border, where it is not to be chosen: aircraft of one plan share a flight line.
    min_speed_m_s
        Lowest ground speed of the patrol, metres a second; where the dwell asks for less, a wider view is looked for.
    turn_radius_m
        Least radius of a bend of the flight line, metres: the line is at least this far off.
    clear_m
        What the flight line keeps beyond the stand-off, metres: margin and bend of the `Clearance` of who flies, and
        the room of its fence.
    overlap, picture_s
        Share of the view along the course that one picture has in common with the next, and the time between two
        pictures, seconds; 0 for video, where it is the dwell alone that decides.

    Raises
    ------
    ObservationError
        When nothing satisfies all; the message says which constraint failed and by how much.
    """
    limit = camera.max_gsd_m if gsd_m is None else min(gsd_m, camera.max_gsd_m)
    whose = "gsd_m of the plan" if limit < camera.max_gsd_m else f"max_gsd_m of camera {camera.name!r}"
    _refuse((dwell_s, limit, max_speed_m_s), overlap, picture_s, (floor_agl_m, ceiling_agl_m))
    # As long as it takes a point to cross what is new in a picture, it stays in view for the whole of it.
    spaced = picture_s / (1 - overlap) > dwell_s
    dwell_s = max(dwell_s, picture_s / (1 - overlap))
    # The near edge of the band must lie before the aircraft, never behind its back.
    least = max(border.stand_off_m + clear_m, border.band_own_m, turn_radius_m) + margin_m
    if lateral_m is not None:
        if lateral_m < least - 1e-6:
            raise ObservationError(f"lateral_m is {lateral_m:.1f}: at least {least:.1f} m keeps the stand-off")
        least = lateral_m
    # Offsets down the rows, heights along the columns; the least offset that works, then the greatest height.
    farthest = 4 * least + 100.0 if lateral_m is None else least + 0.5
    every = np.arange(least, farthest, 1.0)[:, None]
    heights = np.arange(ceiling_agl_m, floor_agl_m - 1e-9, -_FINE_M)[None, :]
    # The least that works is among the first as a rule: all are looked at together to say why none does.
    for offsets in (*np.split(every, range(_AT_ONCE, len(every), _AT_ONCE)), every):
        tried = _tried(camera, border, offsets, heights, margin_m)
        good = np.argwhere(tried.in_reach & (tried.gsd_far <= limit))
        dwells = tried.near_width_m / max(min_speed_m_s, 1e-9)
        slow_enough = good[dwells[good[:, 0], good[:, 1]] >= dwell_s - 1e-9]
        if len(slow_enough):
            break
    if not len(good):
        required = f"{limit:.4f} m is required ({whose})"
        raise ObservationError(_why_not(tried, limit=required, least_m=least, camera=camera))
    if not len(slow_enough):
        longest = float(dwells[good[:, 0], good[:, 1]].max())
        raise ObservationError(
            f"dwell: at its lowest speed of {min_speed_m_s:.1f} m/s the aircraft keeps a point in view for "
            f"{longest:.1f} s at most, dwell_s asks for {dwell_s:.1f}: accept a shorter dwell or a coarser GSD, or "
            "take a wider lens or a slower aircraft"
        )
    under = (slow_enough[:, 0] == slow_enough[0, 0]) & (heights[0, slow_enough[:, 1]] <= ceiling_agl_m - below_m + 1e-9)
    row, column = slow_enough[int(np.argmax(under))]
    height, pitch, lateral = float(heights[0, column]), float(tried.depression[row, column]), float(offsets[row, 0])
    speed = min(float(tried.near_width_m[row, column]) / dwell_s, max_speed_m_s)
    reasons = (
        f"height {height:.1f} m above ground: "
        + (
            _ceiling(below_m if height < ceiling_agl_m else 0.0)
            if height > ceiling_agl_m - below_m - _FINE_M + 1e-9
            else f"the highest that keeps the GSD within {limit:.3f} m"
            if column > 0 and float(tried.gsd_far[row, column - 1]) > limit
            else "the highest from which the camera takes in the whole band"
        ),
        f"offset {lateral:.1f} m from the border: "
        + (
            f"stand-off {border.stand_off_m:.0f} m, {clear_m:.1f} m for what the aircraft may be off its way and "
            f"for its fence, and {margin_m:g} m by which the line is straightened"
            if lateral == border.stand_off_m + clear_m + margin_m
            else "the least from which the camera takes in the whole band"
        ),
        (
            f"pitch {-math.degrees(pitch):.1f} degrees: "
            + ("centres" if pitch == tried.centred[row, column] else "as far as the gimbal reaches, with")
            + f" the band of {border.band_own_m:.0f} m on the own and {border.band_far_m:.0f} m on the far side in "
            "the picture"
        ),
        f"speed {speed:.2f} m/s: "
        + (
            f"the narrowest view over the band, {tried.near_width_m[row, column]:.1f} m, passes a point in "
            f"{dwell_s:.0f} s" + (f", the overlap of {overlap:.0%} with a picture every {picture_s:g} s" * spaced)
            if speed < max_speed_m_s
            else "the aircraft's highest"
        ),
    )
    return _seen_so(camera, border, height, lateral, pitch, speed_m_s=speed, limit_m=limit, reasons=reasons)


@dataclass(frozen=True)
class _Tried:
    """What a camera sees from each of some offsets, down the rows, and heights, along the columns.

    Parameters
    ----------
    needed_rad, view_rad
        The angle that the band spans in the plane across the line, and what the camera sees of it, radians.
    centred, depression
        Depression of the axis that centres the band, and that within the gimbal's reach, radians.
    in_reach
        Whether the band is then in the picture.
    gsd_far, near_width_m
        GSD at the far edge of the band, metres a pixel, and the width of the view at its near edge, metres.
    """

    needed_rad: Floats
    view_rad: float
    centred: Floats
    depression: Floats
    in_reach: NDArray[np.bool_]
    gsd_far: Floats
    near_width_m: Floats


def _tried(camera: Camera, border: BorderSegment, offsets: Floats, heights: Floats, margin_m: float) -> _Tried:
    half_view = math.radians(camera.model.vertical_fov_deg) / 2
    steepest = np.arctan2(heights, np.maximum(offsets - border.band_own_m - margin_m, 1e-6))
    shallowest = np.arctan2(heights, offsets + border.band_far_m + margin_m)
    # Centre the band in the picture, then stay within the gimbal's reach.
    centred = (steepest + shallowest) / 2
    depression = np.clip(centred, math.radians(-camera.pitch_max_deg), math.radians(-camera.pitch_min_deg))

    def depth(x: Floats) -> Floats:
        return np.asarray(x * np.cos(depression) + heights * np.sin(depression))

    return _Tried(
        needed_rad=steepest - shallowest,
        view_rad=2 * half_view,
        centred=centred,
        depression=depression,
        in_reach=(steepest - depression <= half_view + 1e-9) & (depression - shallowest <= half_view + 1e-9),
        gsd_far=depth(offsets + border.band_far_m) / camera.model.focal_px,
        near_width_m=camera.model.width_px * depth(offsets - border.band_own_m) / camera.model.focal_px,
    )


def _seen_so(
    camera: Camera,
    border: BorderSegment,
    height_m: float,
    lateral_m: float,
    pitch: float,
    *,
    speed_m_s: float,
    limit_m: float,
    reasons: tuple[str, ...],
) -> Observation:
    """The geometry from one height and offset, with the axis at a depression, radians; beyond a limit no GSD counts."""
    focal, width = camera.model.focal_px, camera.model.width_px
    half_view = math.radians(camera.model.vertical_fov_deg) / 2

    def depth(x: float) -> float:
        return x * math.cos(pitch) + height_m * math.sin(pitch)

    width_near = width * depth(lateral_m - border.band_own_m) / focal
    first, last = pitch + half_view, pitch - half_view
    return Observation(
        height_agl_m=height_m,
        lateral_m=lateral_m,
        gimbal_pitch_deg=-math.degrees(pitch),
        speed_m_s=speed_m_s,
        dwell_s=width_near / speed_m_s,
        footprint_near_m=width_near,
        footprint_line_m=width * depth(lateral_m) / focal,
        # Past the vertical the view begins behind the aircraft.
        view_from_m=height_m / math.tan(first),
        view_to_m=height_m / math.tan(last)
        if last > 0
        else (limit_m * focal - height_m * math.sin(pitch)) / math.cos(pitch),
        gsd_near_m=depth(lateral_m - border.band_own_m) / focal,
        gsd_far_m=depth(lateral_m + border.band_far_m) / focal,
        reasons=reasons,
    )


def _ceiling(below_m: float) -> str:
    """What bounds a height, in words."""
    return "the ceiling for patrols" + (f", less {below_m:g} m for straight pieces over hollows" if below_m else "")


def _refuse(
    above_0: tuple[float, float, float], overlap: float, picture_s: float, heights_agl_m: tuple[float, float]
) -> None:
    """Raise ObservationError for figures that nothing can be worked out from: those of `observe`."""
    for name, value in zip(("dwell_s", "gsd_m", "max_speed_m_s"), above_0, strict=True):
        if not (math.isfinite(value) and value > 0):
            raise ObservationError(f"{name} is {value}: give a positive number")
    if not (0 <= overlap < 1 and math.isfinite(picture_s) and picture_s >= 0):
        raise ObservationError(
            f"overlap {overlap}, a picture every {picture_s} s: give a share below 1 and seconds of 0 or more"
        )
    floor_agl_m, ceiling_agl_m = heights_agl_m
    if not 0 < floor_agl_m <= ceiling_agl_m:
        raise ObservationError(
            f"patrol between {floor_agl_m} and {ceiling_agl_m} m above ground: give a floor below a ceiling"
        )


def _why_not(tried: _Tried, *, limit: str, least_m: float, camera: Camera) -> str:
    """Say which constraint fails, with the figure that would satisfy it."""
    if tried.in_reach.any():
        best = float(tried.gsd_far[tried.in_reach].min())
        return (
            f"resolution: from {least_m:.0f} m beside the border {best:.4f} m a pixel at best at the far edge of the "
            f"band, {limit}: accept a coarser GSD there, or take a longer lens, a smaller stand-off, a shallower band "
            "or an aircraft that holds its way more closely"
        )
    if (tried.needed_rad > tried.view_rad).all():
        needed, view = math.degrees(float(tried.needed_rad.min())), math.degrees(tried.view_rad)
        return (
            f"field of view: from {least_m:.0f} m or more beside the border the band spans at least {needed:.1f} "
            f"degrees, {camera.name} sees {view:.1f}: take a wider lens or a shallower band"
        )
    return (
        f"gimbal: {camera.name} pitches between {camera.pitch_min_deg:.0f} and {camera.pitch_max_deg:.0f} degrees and "
        "cannot be pointed at the band: take another mount or change the stand-off"
    )
