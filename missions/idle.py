"""Why an aircraft patrols nothing: what it lacks, by object and field, and what would help."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from missions.building import no_room_for
from missions.effort import steep_for
from missions.estimate import reach_m
from missions.fleet import Aircraft, Base
from missions.narrowness import narrow_reason, too_narrow
from missions.options import Objective
from missions.setting import Crew, Setting
from missions.sortie import Sortie
from missions.steepness import TooSteep, steep_reason, too_steep
from missions.unknown_ground import lacking, unknown_ground

__all__ = ["idle_notes", "out_of_reach"]

_WHOLE = 1e-9


def out_of_reach(setting: Setting) -> str:
    """Why nothing can be patrolled: of what its nearest base lacks, for the aircraft there that comes farthest."""
    nearest = min(setting.access_of(crew).nearest_m for crew in setting.crews)
    there = [crew for crew in setting.crews if setting.access_of(crew).nearest_m == nearest]
    crew = max(there, key=lambda crew: reach_m(crew.aircraft, setting.options))
    unknown, narrow, steep = unknown_ground(setting), too_narrow(setting), too_steep(setting)
    if setting.options.wind.speed_m_s >= crew.aircraft.cruise_m_s:
        steep[:] = TooSteep.NOTHING
    # The cause of most pieces, of as many the one that `unwatched` names first.
    why = np.select([unknown, narrow, steep > 0], [0, 1, 2], 3)[setting.needed]
    cause = int(np.argmax(np.bincount(why, minlength=4)))
    if cause == 0:
        return f"nothing can be patrolled: {lacking(setting, int(np.argmax(unknown & setting.needed)))}"
    if cause == 1:
        piece = int(np.argmax(narrow & ~unknown & setting.needed))
        lat, lon = (float(v[piece]) for v in setting.at)
        return (
            f"nothing can be patrolled: at {lat:.5f}, {lon:.5f} {narrow_reason(setting, piece)}; send rotors or an "
            "aircraft that turns tighter, or move the base"
        )
    if cause == 2:
        # The piece that is nearest to being of use says why.
        worst = int(np.argmax(steep == (TooSteep.WAYS if (steep == TooSteep.WAYS).any() else TooSteep.PIECE)))
        lat, lon = (float(v[worst] + v[worst + 1]) / 2 for v in setting.at)
        return (
            f"nothing can be patrolled: at {lat:.5f}, {lon:.5f} {steep_reason(setting, TooSteep(int(steep[worst])))}; "
            "raise the ceiling, lower the floor, send rotors or an aircraft that climbs better"
        )
    return _why_idle(setting, crew, alone=True)


def idle_notes(setting: Setting, flying: frozenset[int], sorties: Sequence[Sortie]) -> list[str]:
    """A note for each crew of which nobody flies, given the system ids of those who do, and what they fly."""
    notes = []
    for crew in setting.crews:
        idle = [vehicle.name for vehicle in crew.vehicles if vehicle.sysid not in flying]
        if not idle:
            continue
        alone = len(idle) == len(crew.vehicles)
        why = _why_idle(setting, crew) if alone else ""
        if not why:
            in_turns = " or in turns with the others" if setting.options.objective is Objective.REVISIT else ""
            no_better = f"with it, on a stretch of its own{in_turns}, the plan is no better"
            why = no_better if alone else "the others fly all that its team has"
            why += _short_of_batteries(setting, crew.base, sorties)
        notes.append(f"{', '.join(idle)} {'flies' if len(idle) == 1 else 'fly'} nothing: {why}")
    return notes


def _short_of_batteries(setting: Setting, base: Base, sorties: Sequence[Sortie]) -> str:
    """What all aircraft of a base would wait for, those too that fly nothing; empty where there are enough of it."""
    if base.batteries is None or setting.options.objective is Objective.ONCE:
        return ""
    air_s = float(np.mean([s.duration_s for s in sorties if s.vehicle.base == base] or [s.duration_s for s in sorties]))
    # Each aircraft holds one for the flight and its charging, once in each of its turns.
    turns_s = [air_s + v.aircraft.turn_round_s for crew in setting.crews if crew.base == base for v in crew.vehicles]
    needed = math.ceil(sum((air_s + base.charge_s) / turn_s for turn_s in turns_s) - _WHOLE)
    if needed <= base.batteries:
        return ""
    return (
        f"; base {base.name!r} has batteries {base.batteries}, and for all of its aircraft to fly without waiting it "
        f"would take {needed}: give it more, or charge them sooner (charge_s {base.charge_s:g})"
    )


def _why_idle(setting: Setting, crew: Crew, *, alone: bool = False) -> str:
    """What keeps the aircraft of a crew from patrolling anything, beside others or `alone`; empty for nothing."""
    craft, base, access, wind = crew.aircraft, crew.base, setting.access_of(crew), setting.options.wind
    if wind.speed_m_s >= craft.cruise_m_s:
        return (
            f"wind of {wind.speed_m_s:g} m/s is as fast as {craft.kind!r} flies (cruise_m_s {craft.cruise_m_s:g}, "
            f"max_m_s {craft.max_m_s:g}): wait for less wind, or take a faster aircraft"
        )
    far_km, reach = access.nearest_m / 1000, reach_m(craft, setting.options)
    if access.nearest_m >= reach:
        return (
            f"base {base.name!r} is out of reach: {far_km:.1f} km from the flight line, and {craft.kind!r} comes "
            f"{reach / 1000:.1f} km and back at best ({_energy(craft)}): move the base nearer, or take an aircraft "
            "with more endurance"
        )
    if not len(access.reached):
        return (
            f"from base {base.name!r} no lawful way leads to the flight line: every one comes within the "
            "stand-off, over the far side or into a no-fly zone; move the base"
        )
    return _why_not_there_and_back(setting, crew, alone=alone)


def _why_not_there_and_back(setting: Setting, crew: Crew, *, alone: bool) -> str:
    """What keeps the aircraft of a crew from a flight line to which lawful ways lead; empty for nothing."""
    craft, base, wind = crew.aircraft, crew.base, setting.options.wind
    far_km = setting.access_of(crew).nearest_m / 1000
    team = setting.team(crew, 1.0, setting.terrain)
    least = float(np.min(team.out_wh + team.home_wh))
    if not np.isfinite(least):
        return _why_no_way(setting, crew)
    if least >= team.usable_wh:
        return (
            f"base {base.name!r} is out of reach of {craft.kind!r}: the least way there and back over {far_km:.1f} km "
            f"takes {least:.1f} Wh, and it has {team.usable_wh:.1f} ({_energy(craft)}), which leaves none to patrol: "
            "move the base nearer, or take an aircraft with more endurance"
        )
    if alone:
        blown = f" in a wind of {wind.speed_m_s:g} m/s" if wind.speed_m_s else ""
        return (
            f"{craft.kind!r} can watch nothing from base {base.name!r}: the least way there and back over {far_km:.1f} "
            f"km takes {least:.1f} Wh{blown}, and what is left of {team.usable_wh:.1f} ({_energy(craft)}) is not "
            f"enough for any piece of the flight line: move the base nearer, {'wait for less wind, ' if blown else ''}"
            "or take an aircraft with more endurance"
        )
    return ""


def _why_no_way(setting: Setting, crew: Crew) -> str:
    """What keeps the aircraft of a crew from flying any of the lawful ways, however much energy it has."""
    craft, wind, shut = crew.aircraft, setting.options.wind, setting.shut[crew]
    blank, steep = (
        int((ends | np.append(pieces, False) | np.append(False, pieces)).sum())
        for pieces, ends in ((shut.blank, shut.blank_ends), (shut.steep, shut.far))
    )
    tight = int(shut.tight.sum())
    most = max(blank, tight, steep)
    if most and most == blank:
        return "it, or the ways there, lie over ground that is not known"
    if most and most == tight:
        where = "from the runway" if (shut.tight == shut.off_runway).all() else "into the patrol, or out of it"
        where = "at corners of the ways there" if (shut.tight == shut.cornered).all() else where
        return f"there is no room to turn {where} for {no_room_for(craft, wind)}"
    if most:
        return f"the ground, or the ways there, are too steep for {steep_for(craft)}"
    return (
        f"the wind of {wind.speed_m_s:g} m/s from {wind.from_deg:.0f} degrees lets {craft.kind!r} (max_m_s "
        f"{craft.max_m_s:g}) fly no way between base {crew.base.name!r} and the flight line: wait for less wind, or "
        "take a faster aircraft"
    )


def _energy(craft: Aircraft) -> str:
    return f"battery_wh {craft.battery_wh:g}, of which reserve_fraction {craft.reserve_fraction:g} stays"
