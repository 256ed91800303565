"""An exercise in the words of the planner and of the simulator: its border, its fleet, its plan, its vehicles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import missions
import sim
from cli.simulated import simulated_fleet
from geo import FlatTerrain

__all__ = ["exercise_fleet", "exercise_plan", "exercise_vehicles", "terrain_of", "zone_of"]

# A crew is a little faster than the plan wants, as people are who know that it is a plan.
_CREW_SHARE = 0.8
_LAST_FLIGHT_S = 900.0
_GUST_SIGMAS = 3.0


def terrain_of(exercise: sim.Exercise) -> FlatTerrain:
    """The level ground of an exercise."""
    return FlatTerrain(exercise.world.origin.ground_amsl_m)


def shift_s(exercise: sim.Exercise) -> float:
    """Until when flights take off, seconds."""
    return exercise.crew.shift_s or max(60.0, exercise.duration_s - _LAST_FLIGHT_S)


def exercise_border(exercise: sim.Exercise) -> missions.BorderSegment:
    """The border as the planner has it."""
    told = exercise.border
    line = tuple((lon, lat) for lat, lon in (exercise.place_deg(point) for point in told.points))
    return missions.BorderSegment(
        told.name, told.own, told.neighbour, line, missions.Side(told.own_side), stand_off_m=told.stand_off_m
    )


def exercise_fleet(exercise: sim.Exercise) -> missions.Fleet:
    """The default type of aircraft, with the camera of the exercise, all at its base."""
    told = exercise.fleet
    fleet = missions.default_fleet(missions.Base("base", *exercise.place_deg(told.base)), told.vehicles)
    camera = missions.Camera("camera of the exercise", told.camera.model, max_gsd_m=told.camera.max_gsd_m)
    vehicles = [replace(v, aircraft=replace(v.aircraft, turn_round_s=told.turnaround_s)) for v in fleet.vehicles]
    return missions.Fleet(camera, tuple(vehicles))


def zone_of(exercise: sim.Exercise, inject: sim.ZoneInject) -> missions.Zone:
    """A zone that was put up."""
    ring = tuple((lon, lat) for lat, lon in (exercise.place_deg(place) for place in inject.ring))
    return missions.Zone(inject.name, (ring,))


def exercise_plan(exercise: sim.Exercise, zones: Iterable[missions.Zone] = ()) -> missions.PatrolPlan:
    """A patrol for the whole shift, clear of zones. Raises PlanError where there is none."""
    wind = exercise.fleet.wind
    # The exercise gives gusts as a standard deviation: three of them are left out one time in a thousand.
    gusts = missions.Wind(wind.mean_mps, wind.from_deg, wind.mean_mps + _GUST_SIGMAS * wind.gust_mps)
    options = missions.PlanOptions(shift_s=shift_s(exercise), wind=gusts)
    airspace = missions.Airspace(tuple(zones))
    return missions.plan(
        exercise_border(exercise), exercise_fleet(exercise), terrain_of(exercise), options, airspace=airspace
    )


def exercise_vehicles(
    exercise: sim.Exercise, plan: missions.PatrolPlan, folder: Path, *, speedup: float, seed: int, port: int = 0
) -> sim.FleetConfig:
    """The simulated vehicles, with the faults of the exercise; their records go to a folder."""
    config = simulated_fleet(
        plan,
        speedup=speedup,
        seed=seed,
        port=port,
        record=folder / "flights",
        autopilot=exercise.fleet.autopilot,
        wind=exercise.wind,
    )
    return replace(
        config,
        turnaround_s=exercise.fleet.turnaround_s * _CREW_SHARE,
        faults=exercise.faults,
        params={**config.params, **exercise.fleet.params},
        start_time_us=exercise.played_world.epoch_us,
        truth_file=folder / "truth.csv",
    )
