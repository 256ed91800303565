"""What a vehicle is given to fly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autopilot.errors import FlightError
from missions import Mission, PatrolPlan, Sortie, compile_mission

__all__ = ["FlightTask", "check_grounded", "links_of", "tasks_of"]


@dataclass(frozen=True, slots=True)
class FlightTask:
    """What one vehicle is to fly.

    Parameters
    ----------
    sysid
        Vehicle.
    url
        Its link, as `open_link` takes it; vehicles with one URL share one link.
    missions
        Its sorties, in order.
    sorties
        The sorties of the plan that they were compiled from; empty where they come from elsewhere.
    """

    sysid: int
    url: str
    missions: tuple[Mission, ...]
    sorties: tuple[Sortie, ...] = ()


def links_of(plan: PatrolPlan, urls: Sequence[str]) -> dict[int, str]:
    """The link of each vehicle of a plan's fleet, by system id, in their order.

    Raises
    ------
    FlightError
        When the links are neither one, which all share, nor as many as the vehicles.
    """
    sysids = sorted(vehicle.sysid for vehicle in plan.fleet.vehicles)
    if len(urls) not in {1, len(sysids)}:
        raise FlightError(f"the plan has {len(sysids)} vehicles and there are {len(urls)} links: give one each")
    return dict(zip(sysids, urls if len(urls) == len(sysids) else list(urls) * len(sysids), strict=True))


def check_grounded(plan: PatrolPlan) -> None:
    """Raises FlightError where a sortie of a plan begins in the air."""
    aloft = next((sortie.name for sortie in plan.sorties if sortie.airborne), None)
    if aloft is not None:
        raise FlightError(
            f"{aloft} begins in the air, and only what stands on the ground is flown from here: load its mission file "
            "with a ground station, or resume the plan once it has landed"
        )


def tasks_of(
    plan: PatrolPlan, urls: Sequence[str], dialect: Literal["ardupilot", "px4"] = "ardupilot"
) -> list[FlightTask]:
    """One task for each vehicle of a plan that has work, its sorties in order.

    Parameters
    ----------
    plan
        The plan.
    urls
        One link for each vehicle of the plan's fleet, in the order of system ids; or a single one that all share.
    dialect
        Autopilot of the vehicles.

    Raises
    ------
    FlightError
        When the links are neither one nor as many as the vehicles, or a sortie begins in the air.
    """
    links = links_of(plan, urls)
    check_grounded(plan)
    tasks = []
    for sysid, url in links.items():
        own = (sortie for sortie in plan.sorties if sortie.vehicle.sysid == sysid)
        sorties = tuple(sorted(own, key=lambda sortie: sortie.turn))
        if sorties:
            missions = tuple(compile_mission(plan, sortie, dialect) for sortie in sorties)
            tasks.append(FlightTask(sysid, url, missions, sorties))
    return tasks
