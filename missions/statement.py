"""What a planner states of its plan: lower bounds, coverage, what the reader must know, and why there is no plan."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from geo import FlatTerrain, geodesic_distance_m
from missions.bound_sorties import Crew, sortie_bound
from missions.bound_stretches import Batteries, stretch_bound
from missions.coverage import Lost, cover
from missions.estimate import reach_m
from missions.fleet import Aircraft, Base
from missions.flying import steep_for
from missions.network_lines import band_of, joined_branches
from missions.options import Objective
from missions.patrol import Bound, Coverage, Sortie
from missions.setting import Setting
from missions.watching import Watch

__all__ = ["TooSteep", "bounds_of", "coverage_of", "notes_of", "out_of_reach", "steep_reason", "too_steep"]

_ROUNDING = 1 - 1e-4
"""What bounds are lowered by: lengths of legs in planes and on the ellipsoid differ by less."""


def bounds_of(
    setting: Setting, flown: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
) -> tuple[Bound, ...]:
    """Lower bounds for plans that watch what this one watches.

    With the mean `weights` of the pieces over the shift, shape (n - 1,), for the revisit interval times risk of plans
    that are flown day after day.
    """
    once = setting.options.objective is Objective.ONCE
    lat, lon = setting.course.at(((setting.stations[:-1] + setting.stations[1:]) / 2)[flown])
    crews = [
        Crew(
            crew.aircraft,
            len(crew.vehicles),
            geodesic_distance_m(crew.base.lat_deg, crew.base.lon_deg, lat, lon),
            setting.looks[crew.aircraft, crew.camera].speed_m_s,
            setting.looks[crew.aircraft, crew.camera].height_agl_m,
        )
        for crew in setting.crews
    ]
    weight = None if weights is None else weights[flown]
    any_s = sortie_bound(crews, np.diff(setting.stations)[flown], wind=setting.options.wind, once=once, weight=weight)
    any_sorties = Bound("any sorties", any_s * _ROUNDING, "whatever its sorties")
    if weight is not None and np.ptp(weight) > 0:
        return (any_sorties,)
    # Level ground: no climb that a real one would cost is counted.
    level = FlatTerrain()
    teams = [setting.team(crew, 1.0, level) for crew in setting.crews]
    pools = [
        Batteries(tuple(k for k, c in enumerate(setting.crews) if c.base == base), base.batteries, base.charge_s)
        for base in dict.fromkeys(crew.base for crew in setting.crews)
        if base.batteries is not None
    ]
    one_s = stretch_bound(teams, flown, passable=setting.passable, batteries=pools, once=once)
    return (
        any_sorties,
        Bound(
            "unbroken stretches",
            one_s * _ROUNDING * (1.0 if weight is None else float(weight[0])),
            "whose sorties each watch one unbroken stretch, in the same layers of transit",
        ),
    )


def coverage_of(setting: Setting, sorties: Sequence[Sortie], unwatched: Sequence[tuple[float, float, str]]) -> Coverage:
    """What is seen of the band."""
    kinds = list(setting.looks)
    watches = []
    for sortie in sorties:
        craft, camera = kinds[sortie.observation]
        watches.append(
            Watch(
                sortie.patrol,
                [float((leg.look or sortie.look).sign) for leg in sortie.patrol],
                camera,
                setting.looks[craft, camera].gimbal_pitch_deg,
                min(setting.options.gsd_m or np.inf, camera.max_gsd_m),
            )
        )
    lost = [Lost(*setting.course.between(a, b), reason) for a, b, reason in unwatched]
    lost += [Lost(np.array(gap.lat_deg), np.array(gap.lon_deg), gap.reason) for gap in setting.course.gaps]
    network = setting.task.network
    lines = [band_of(border) for border in setting.task.borders]
    lines += [band_of(branch) for branch in (() if network is None else joined_branches(network))]
    return cover(lines, watches, lost, setting.terrain)


def notes_of(
    setting: Setting, changes_s: Sequence[float], reasons: Sequence[tuple[float, float, str]], *, averaged: bool
) -> list[str]:
    """What the reader of the plan must know.

    Parameters
    ----------
    setting
        What was planned with.
    changes_s
        When the risk changes, seconds after the start of the shift.
    reasons
        Stretches of the course that nobody watches, and why.
    averaged
        Whether the risk was taken for its mean.
    """
    notes = [setting.border.note] if setting.border.note else []
    notes += setting.heeded
    if changes_s:
        how = "planned for its mean, which is no worse" if averaged else "from then on the aircraft are divided anew"
        notes.append(f"the risk changes at {_clock(setting, changes_s)}: {how}")
    craft = list(dict.fromkeys(v.aircraft.kind for v in setting.fleet.vehicles))
    if setting.options.wind.speed_m_s > 0:
        wind = setting.options.wind
        notes.append(
            f"planned for wind of {wind.speed_m_s:g} m/s from {wind.from_deg:.0f} degrees: fly it in no stronger"
        )
    else:
        notes.append(f"planned for calm air with {', '.join(craft)}: the reserve has to carry the wind")
    lost = [(b - a, reason) for a, b, reason in reasons] + [(gap.length_m, gap.reason) for gap in setting.course.gaps]
    for what in dict.fromkeys(reason for _, reason in lost):
        length = sum(m for m, reason in lost if reason == what)
        size = f"{length / 1000:.1f} km" if length >= 1000 else f"{length:.0f} m"
        line = "lines" if setting.task.network else "flight line"
        notes.append(f"{size} of the {line} are not watched ({what}): listed as uncovered")
    shut = int((~setting.course.passable).sum())
    if shut:
        notes.append(f"{shut} gaps of the flight line have no lawful way round: no sortie passes them")
    return notes


def _clock(setting: Setting, after_s: Sequence[float]) -> str:
    minutes = [round(60 * setting.options.shift_hour + s / 60) % 1440 for s in after_s]
    return ", ".join(f"{m // 60:02d}:{m % 60:02d}" for m in dict.fromkeys(minutes))


class TooSteep(IntEnum):
    """What of a piece of the course is too steep for every crew: nothing, the ground below it, or the ways there."""

    NOTHING = 0
    PIECE = 1
    WAYS = 2


def too_steep(setting: Setting) -> NDArray[np.int64]:
    """What of each piece between two stations is too steep, shape (n - 1,), as values of `TooSteep`."""
    shut = [setting.shut[crew] for crew in setting.crews]
    pieces = np.all([one.steep for one in shut], axis=0)
    ways = np.all([one.steep | one.far[:-1] | one.far[1:] for one in shut], axis=0)
    return np.where(pieces, TooSteep.PIECE, np.where(ways, TooSteep.WAYS, TooSteep.NOTHING)).astype(np.int64)


def steep_reason(setting: Setting, what: TooSteep) -> str:
    """Why crews do not fly there: names aircraft and the fields that bound them; empty where it is not too steep."""
    if what is TooSteep.NOTHING:
        return ""
    options = setting.options
    crafts = ", ".join(steep_for(craft) for craft in dict.fromkeys(crew.aircraft for crew in setting.crews))
    where, limit = "the ground is", f"patrol_ceiling_agl_m {options.patrol_ceiling_agl_m:g}"
    if what is TooSteep.WAYS:
        where, limit = "the ways there are", f"ceiling_agl_m {options.ceiling_agl_m:g}"
    return (
        f"{where} too steep for {crafts}: at no speed do they stay between floor_agl_m {options.floor_agl_m:g} and "
        f"{limit} above it"
    )


def out_of_reach(setting: Setting) -> str:
    """Why nothing can be patrolled."""
    steep = too_steep(setting)
    if steep.any():
        # The piece that is nearest to being of use says why.
        worst = int(np.argmax(steep == (TooSteep.WAYS if (steep == TooSteep.WAYS).any() else TooSteep.PIECE)))
        lat, lon = (float(v[worst] + v[worst + 1]) / 2 for v in setting.at)
        return (
            f"nothing can be patrolled: at {lat:.5f}, {lon:.5f} {steep_reason(setting, TooSteep(int(steep[worst])))}; "
            "raise the ceiling, lower the floor, send rotors or an aircraft that climbs better"
        )
    access = min(setting.access.values(), key=lambda one: one.nearest_m)
    base = access.base
    if access.nearest_m < reach_m(_craft_at(setting, base), setting.options) and not len(access.reached):
        return (
            f"from base {base.name!r} no lawful way leads to the flight line: every one comes within the "
            "stand-off or into a no-fly zone; move the base"
        )
    return (
        f"base {base.name!r} is out of reach: {access.nearest_m / 1000:.1f} km to the flight line and back leave "
        "no energy to patrol; move it nearer or take an aircraft with more endurance"
    )


def _craft_at(setting: Setting, base: Base) -> Aircraft:
    return max(
        (v.aircraft for v in setting.fleet.vehicles if v.base == base),
        key=lambda craft: reach_m(craft, setting.options),
    )
