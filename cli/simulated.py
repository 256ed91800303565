"""Simulated vehicles that fly like the ones of a plan: the one place where figures go from ``missions`` to ``sim``."""

from __future__ import annotations

from pathlib import Path

import missions
import sim

__all__ = ["simulated_fleet"]

# Room for the height fence above the highest transit, and the battery level of the failsafe below the planned reserve:
# both are nets under the plan, not parts of it.
_FENCE_ABOVE_M = 10.0
_FAILSAFE_PCT = 15.0


def simulated_fleet(
    plan: missions.PatrolPlan, *, speedup: float, seed: int, port: int = 0, record: Path | None = None
) -> sim.FleetConfig:
    """Vehicles with the power, speeds and home of a plan's fleet.

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

    Raises
    ------
    ConfigError
        When the figures cannot be simulated.
    """
    vehicles = sorted(plan.fleet.vehicles, key=lambda vehicle: vehicle.sysid)
    craft, base = vehicles[0].aircraft, vehicles[0].base
    ground_amsl_m = plan.sorties[0].home.ground_amsl_m
    return sim.FleetConfig(
        home=(base.lat_deg, base.lon_deg, ground_amsl_m),
        vehicles=len(vehicles),
        start_sysid=vehicles[0].sysid,
        base_port=port,
        speedup=speedup,
        seed=seed,
        power=sim.PowerModel(
            capacity_wh=craft.battery_wh,
            hover_w=craft.hover_power_w,
            cruise_w=craft.cruise_power_w,
            cruise_mps=craft.cruise_m_s,
            climb_w_per_mps=(craft.climb_power_w - craft.hover_power_w) / craft.climb_m_s,
            low_pct=_FAILSAFE_PCT,
        ),
        turnaround_s=craft.turn_round_s,
        params={
            "RTL_SPEED": craft.cruise_m_s * 100,
            "WPNAV_SPEED_UP": craft.climb_m_s * 100,
            "WPNAV_SPEED_DN": craft.descent_m_s * 100,
            "FENCE_ALT_MAX": plan.options.ceiling_agl_m + _FENCE_ABOVE_M,
        },
        record_dir=record,
    )
