"""What a planner states of its plan: lower bounds, coverage, what the reader must know, and why there is no plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo import FlatTerrain, geodesic_distance_m, wrap_longitudes
from missions.bound_shift import shift_bound
from missions.bound_sorties import Crew, sortie_bound
from missions.bound_stretches import Batteries, stretch_bound
from missions.bound_weighted import weighted_bound
from missions.coverage import Lost, cover
from missions.figures import length_told
from missions.fleet import Aircraft
from missions.network_lines import band_of, joined_branches
from missions.options import Objective
from missions.patrol import Bound, Coverage
from missions.setting import Setting
from missions.sortie import Sortie
from missions.thin_air import thickest_air
from missions.views import Watch

__all__ = ["bounds_of", "coverage_of", "notes_of"]

_ROUNDING = 1 - 3e-4
"""What bounds are lowered by: times of legs in planes and on the ellipsoid differ by less, in strong wind at 70 degrees
north by nearly half of that."""

_REPEATED = ", flown day after day without a break"


def bounds_of(
    setting: Setting,
    flown: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
    *,
    batteries: bool = True,
) -> tuple[Bound, ...]:
    """Lower bounds for plans that watch what this one watches.

    But for one coverage they are for plans that are flown day after day without a break: they bound how often
    aircraft come in the long run, and in a single shift, which begins with everybody ready, it may be a little oftener.
    With all batteries charged at its beginning it may be much oftener: without `batteries` they do not count in these,
    and one of such a shift is there besides. With the mean `weights` of the pieces over the shift, shape (n - 1,), for
    the revisit interval times risk; that of unbroken stretches is not looked for then where it would take long.
    """
    once = setting.options.objective is Objective.ONCE
    repeated = "" if once else _REPEATED
    lat, lon = setting.course.at(((setting.stations[:-1] + setting.stations[1:]) / 2)[flown])
    # Over slopes wings come down to the floor, and need not climb higher.
    lowest_m = setting.options.floor_agl_m if np.isfinite(setting.terrain.resolution_m) else np.inf
    in_air = thickest_air(setting.terrain, setting.fleet, setting.at)
    # By whether they have wings: rotors take no less below the sea than on it.
    thickest = {True: in_air, False: max(in_air, 1.0)}
    crews = [
        Crew(
            crew.aircraft,
            len(crew.vehicles),
            geodesic_distance_m(crew.base.lat_deg, crew.base.lon_deg, lat, lon),
            setting.looks[crew.aircraft, crew.camera].speed_m_s,
            min(
                setting.looks[crew.aircraft, crew.camera].height_agl_m, lowest_m if crew.aircraft.has_wings else np.inf
            ),
            thickest[crew.aircraft.has_wings],
        )
        for crew in setting.crews
    ]
    weight = None if weights is None else weights[flown]
    any_s = sortie_bound(crews, np.diff(setting.stations)[flown], wind=setting.options.wind, once=once, weight=weight)
    any_sorties = Bound("any sorties", any_s * _ROUNDING, f"of any sorties{repeated}")
    # Level ground: no climb that a real one would cost is counted. Wings are as fast as in the thinnest air, and nobody
    # needs more than in the thickest.
    level, thin = FlatTerrain(), setting.options.wind.true_per_equivalent
    teams = [
        setting.team(crew, crew.aircraft.most_more(thin / thickest[crew.aircraft.has_wings]), level)
        for crew in setting.crews
    ]
    pools = [
        Batteries(tuple(k for k, c in enumerate(setting.crews) if c.base == base), base.batteries, base.charge_s)
        for base in dict.fromkeys(crew.base for crew in setting.crews)
        if base.batteries is not None
    ]
    counted = pools if batteries else []
    if weights is not None and np.ptp(weights[flown]) > 0:
        one_s = weighted_bound(teams, np.where(flown, weights, 0.0), passable=setting.passable, batteries=counted)
    else:
        one_s = stretch_bound(teams, flown, passable=setting.passable, batteries=counted, once=once)
        one_s *= 1.0 if weight is None else float(weight[0])
    if not 0 < one_s < np.inf:
        # It takes something for out of reach that is flown, as from level ground it may: then it says nothing.
        return (any_sorties,)
    which = f"of sorties that each watch one unbroken stretch{_opened(setting)}, in the same layers of transit"
    with_these = " with these batteries" if counted else ""
    found = (any_sorties, Bound("unbroken stretches", one_s * _ROUNDING, f"{which}{repeated}{with_these}"))
    if batteries or not pools or weights is not None:
        return found
    shift_s = setting.options.shift_s
    in_shift_s = shift_bound(
        teams,
        flown,
        passable=setting.passable,
        batteries=pools,
        shift_s=shift_s,
        longest_s=max(_longest_s(crew.aircraft, in_air) for crew in setting.crews),
    )
    in_shift = f", in a shift of {shift_s / 3600:.4g} h with these batteries"
    return (*found, Bound("one shift", in_shift_s * _ROUNDING, which + in_shift)) if in_shift_s > 0 else found


def _longest_s(aircraft: Aircraft, thickest: float) -> float:
    """How long a sortie takes at most, seconds: no way to fly takes less power than hovering, or cruising."""
    return 3600 * aircraft.usable_wh / (thickest * min(aircraft.hover_power_w, aircraft.cruise_power_w))


def _opened(setting: Setting) -> str:
    """That no stretch of a ring goes on past where its course was opened."""
    if setting.task.network is not None or not setting.border.is_ring:
        return ""
    lat, lon = (float(value[0]) for value in setting.at)
    return f" of the ring, opened at {lat:.5f} {float(wrap_longitudes(lon)):.5f}"


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
    network = setting.task.network
    if network is not None:
        # No line of the plan has them any more.
        notes += [*network.notes, *(f"{cut.name}: {length_told(cut.length_m)} {cut.reason}" for cut in network.cut_off)]
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
    notes += _of_layers(setting)
    lost = [(b - a, reason) for a, b, reason in reasons] + [(gap.length_m, gap.reason) for gap in setting.course.gaps]
    for what in dict.fromkeys(reason for _, reason in lost):
        length = sum(m for m, reason in lost if reason == what)
        line = "lines" if network else "flight line"
        notes.append(f"{length_told(length)} of the {line} are not watched ({what}): listed as uncovered")
    shut = int((~setting.course.passable).sum())
    if shut:
        notes.append(f"{shut} gaps of the flight line have no lawful way round: no sortie passes them")
    return notes


def _of_layers(setting: Setting) -> list[str]:
    """That layers of transit are nearer to each other than the separation, where several aircraft fly in them."""
    options = setting.options
    if len(setting.fleet.vehicles) < 2 or options.layer_m >= options.separation_up_m:
        return []
    told = (
        f"option layer_m is {options.layer_m:g} m, separation_up_m {options.separation_up_m:g} m: layers of transit so "
        "near to each other keep nobody apart, and who flies out waits for who comes home: give layer_m "
        f"{options.separation_up_m:g} or more"
    )
    return [told]


def _clock(setting: Setting, after_s: Sequence[float]) -> str:
    minutes = [round(60 * setting.clock.hour(s)) % 1440 for s in after_s]
    return ", ".join(f"{m // 60:02d}:{m % 60:02d}" for m in dict.fromkeys(minutes))
