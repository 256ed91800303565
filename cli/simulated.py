"""Simulated vehicles that fly like the ones of a plan: the one place where figures go from ``missions`` to ``sim``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import groupby
from math import atan2, cos, degrees, radians
from pathlib import Path
from types import MappingProxyType
from typing import Any

import missions
import sim
from geo import geodesic_destination

__all__ = ["simulated_fleet", "simulated_teams"]

# Room for the height fence above the highest transit, and the battery level of the failsafe below the planned reserve:
# both are nets under the plan, not parts of it.
_FENCE_ABOVE_M = 10.0
_FAILSAFE_PCT = 15.0

_FRAMES: Mapping[missions.AircraftForm, str] = MappingProxyType(
    {
        missions.AircraftForm.MULTIROTOR: "quad",
        missions.AircraftForm.FIXED_WING: "plane",
        missions.AircraftForm.VTOL: "vtol",
    }
)
_Figures = Mapping[str, Callable[[missions.Aircraft], float]]
_ARDUPLANE: _Figures = {
    "AIRSPEED_CRUISE": lambda craft: craft.cruise_m_s,
    "AIRSPEED_MIN": lambda craft: craft.min_m_s,
    "AIRSPEED_MAX": lambda craft: craft.max_m_s,
    "TECS_CLMB_MAX": lambda craft: craft.climb_m_s,
    "TECS_SINK_MAX": lambda craft: craft.descent_m_s,
    "WP_LOITER_RAD": lambda craft: craft.turn_radius_m,
}
_PX4_ROTOR: _Figures = {
    "MPC_XY_CRUISE": lambda craft: craft.cruise_m_s,
    "MPC_XY_VEL_MAX": lambda craft: craft.max_m_s,
    "MPC_Z_V_AUTO_UP": lambda craft: craft.climb_m_s,
    "MPC_Z_V_AUTO_DN": lambda craft: craft.descent_m_s,
}
# Rotors that only lift it off are not made to go as fast as its wings.
_PX4_LIFT: _Figures = {"MPC_XY_CRUISE": lambda _: 10.0, "MPC_XY_VEL_MAX": lambda _: 12.0}
_PX4_WING: _Figures = {
    "FW_AIRSPD_TRIM": lambda craft: craft.cruise_m_s,
    "FW_AIRSPD_MIN": lambda craft: craft.min_m_s,
    "FW_AIRSPD_MAX": lambda craft: craft.max_m_s,
    "FW_T_CLMB_MAX": lambda craft: craft.climb_m_s,
    "FW_T_SINK_MAX": lambda craft: craft.descent_m_s,
    # How fast it changes its height in missions, beside what it can do (FW_T_*_MAX).
    "FW_T_CLMB_R_SP": lambda craft: craft.climb_m_s,
    "FW_T_SINK_R_SP": lambda craft: craft.descent_m_s,
    "NAV_LOITER_RAD": lambda craft: craft.turn_radius_m,
    # It lands where it comes back to, as plans have it.
    "RTL_LAND_DELAY": lambda _: 0.0,
}
# Figures of an aircraft as parameters, and the parameter of the ceiling.
_PARAMS: Mapping[tuple[str, str], _Figures] = MappingProxyType(
    {
        ("ardupilot", "quad"): {
            "RTL_SPEED_MS": lambda craft: craft.cruise_m_s,
            "WP_SPD_UP": lambda craft: craft.climb_m_s,
            "WP_SPD_DN": lambda craft: craft.descent_m_s,
        },
        ("ardupilot", "plane"): _ARDUPLANE,
        ("ardupilot", "vtol"): {
            **_ARDUPLANE,
            "Q_WP_SPD_UP": lambda craft: craft.climb_m_s,
            "Q_WP_SPD_DN": lambda craft: craft.descent_m_s,
            "Q_RTL_MODE": lambda _: 1.0,
        },
        ("px4", "quad"): _PX4_ROTOR,
        ("px4", "plane"): _PX4_WING,
        ("px4", "vtol"): {**_PX4_ROTOR, **_PX4_WING, **_PX4_LIFT},
    }
)
_CEILINGS = MappingProxyType({"ardupilot": "FENCE_ALT_MAX", "px4": "GF_MAX_VER_DIST"})


def simulated_fleet(
    plan: missions.PatrolPlan,
    *,
    speedup: float,
    seed: int,
    port: int = 0,
    record: Path | None = None,
    autopilot: str = "ardupilot",
    wind: sim.Wind | None = None,
) -> sim.FleetConfig:
    """Vehicles with the form, power, speeds and home of a plan's fleet, which is of one type at one base.

    Parameters
    ----------
    plan
        Its first vehicle's type and base stand for all.
    speedup
        Simulated seconds a second.
    seed
        Of gusts and faults.
    port
        UDP port of the first vehicle; 0 takes free ones.
    record
        Folder of the flight records.
    autopilot
        ``ardupilot`` or ``px4``.
    wind
        Wind to fly in; calm by default.

    Raises
    ------
    ConfigError
        When the figures cannot be simulated, or the autopilot is none of those.
    """
    vehicles = sorted(plan.fleet.vehicles, key=lambda vehicle: vehicle.sysid)
    craft, base = vehicles[0].aircraft, vehicles[0].base
    of_type = [sortie for sortie in plan.sorties if sortie.vehicle.aircraft == craft and sortie.vehicle.base == base]
    sorties = of_type or plan.sorties
    ground_amsl_m = sorties[0].home.ground_amsl_m
    frame = _FRAMES[craft.form]
    figures = _PARAMS.get((autopilot, frame), {})
    params = {name: figure(craft) for name, figure in figures.items()}
    if not craft.has_wings and "MPC_XY_VEL_MAX" in params:
        # It is a speed over ground, and missions use the wind behind.
        params["MPC_XY_VEL_MAX"] += plan.options.wind.speed_m_s
    if autopilot in _CEILINGS:
        # A height fence is above home, a plan above the ground.
        highest_m = max(leg.end.amsl_m for sortie in plan.sorties for leg in sortie.legs) - ground_amsl_m
        params[_CEILINGS[autopilot]] = max(plan.options.ceiling_agl_m, highest_m) + _FENCE_ABOVE_M
    return sim.FleetConfig(
        home=(base.lat_deg, base.lon_deg, ground_amsl_m),
        vehicles=len(vehicles),
        start_sysid=vehicles[0].sysid,
        base_port=port,
        speedup=speedup,
        seed=seed,
        autopilot=autopilot,
        frame=frame,
        wind=wind or sim.Wind(),
        heading_deg=_runway_deg(sorties[0]) if frame == "plane" else 0.0,
        power=sim.PowerModel(
            capacity_wh=craft.battery_wh,
            hover_w=craft.hover_power_w,
            cruise_w=craft.cruise_power_w,
            cruise_mps=craft.cruise_m_s,
            climb_w_per_mps=craft.climb_more_w(level=False) / craft.climb_m_s,
            wing_climb_w_per_mps=craft.climb_more_w() / craft.climb_m_s,
            low_pct=_FAILSAFE_PCT,
        ),
        turnaround_s=craft.turn_round_s,
        params=params,
        record_dir=record,
    )


def simulated_teams(
    plan: missions.PatrolPlan, faults: sim.Faults, *, port: int, **given: Any
) -> tuple[sim.FleetConfig, ...]:
    """The fleet of a plan whose vehicles may stand at several bases and be of several types: a part for each of those.

    Parameters
    ----------
    plan
        The plan.
    faults
        What goes wrong; each part is given what happens to its vehicles.
    port
        UDP port of the vehicle with the lowest system id, the next 10 apart; 0 takes free ones.
    given
        As for `simulated_fleet`.

    Raises
    ------
    ConfigError
        As `simulated_fleet` does, and when a fault names a vehicle that the plan does not have.
    """
    vehicles = sorted(plan.fleet.vehicles, key=lambda vehicle: vehicle.sysid)
    sysids = [vehicle.sysid for vehicle in vehicles]
    for fault in faults.listed:
        for sysid in fault.vehicles:
            if sysid not in sysids:
                raise sim.ConfigError(f"{fault.KIND}: vehicle {sysid} is not in the fleet: it has {sysids}")
    # A part has system ids in a row, as its endpoints have ports.
    parts = groupby(enumerate(vehicles), key=lambda one: (one[1].sysid - one[0], one[1].aircraft, one[1].base))
    found = []
    stand = Counter[missions.Base]()
    for (_, _, base), members in parts:
        (first, _), *_ = part = list(members)
        own = tuple(vehicle for _, vehicle in part)
        config = simulated_fleet(replace(plan, fleet=replace(plan.fleet, vehicles=own)), **given)
        at = port and port + first * config.port_step
        found.append(
            replace(
                config,
                home=(
                    *geodesic_destination(*config.home[:2], 90.0, stand[base] * config.pad_spacing_m),
                    config.home[2],
                ),
                base_port=at,
                faults=_of(faults, {vehicle.sysid for vehicle in own}),
            )
        )
        stand[base] += len(own)
    return tuple(found)


def _of(faults: sim.Faults, sysids: set[int]) -> sim.Faults:
    """What of them happens to some vehicles."""
    listed = [
        replace(fault, vehicles=tuple(sysid for sysid in fault.vehicles if sysid in sysids))
        for fault in faults.listed
        if not fault.vehicles or sysids.intersection(fault.vehicles)
    ]
    return replace(faults, listed=tuple(listed))


def _runway_deg(sortie: missions.Sortie) -> float:
    """Along the first way that a wing flies, degrees from north."""
    leg = next(leg for leg in sortie.legs if leg.distance_m > 0)
    north = leg.end.lat_deg - leg.start.lat_deg
    east = (leg.end.lon_deg - leg.start.lon_deg) * cos(radians(leg.start.lat_deg))
    return degrees(atan2(east, north))
