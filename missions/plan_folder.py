"""A folder with all that a plan can be handed on as, and nothing of a plan that was there before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from geo import Terrain, write_text
from missions.app_files import APP_ENDINGS, remove_mission_file, write_app_files
from missions.errors import FormatError, MissionError, PlanError
from missions.export import write_plan_geojson, write_plan_kml
from missions.fence import sortie_fence
from missions.fence_shapes import FencePolygon
from missions.files import is_file_name, read_json
from missions.map_picture import draw_map
from missions.mission import Dialect, compile_mission
from missions.mission_kml import write_mission_kml
from missions.patrol import PatrolPlan
from missions.plan_file import save_plan
from missions.plan_report import write_report
from missions.qgc import write_qgc_plan
from missions.validation import validate
from missions.validation_fence import NO_MISSION, validate_missions
from missions.validation_rule import Validation
from missions.waypoints import write_waypoints

__all__ = ["write_plan_folder"]

_ENDINGS = (".plan", ".waypoints", ".kml")
"""What every sortie is written as."""

_ALL_ENDINGS = (*_ENDINGS, *APP_ENDINGS)

_PLAN_FILE, _NOT_WRITTEN = "plan.json", "not-written.txt"


def write_plan_folder(
    plan: PatrolPlan, folder: Path, dialect: Dialect = "ardupilot", terrain: Terrain | None = None
) -> tuple[Path, ...]:
    """Write a plan in every form: for `vedette fly`, for ground stations, for maps, and as a picture.

    Files of sorties that the ``plan.json`` of an earlier plan there names, and this plan has not, are removed.

    Parameters
    ----------
    plan
        What to write.
    folder
        Where: ``plan.json``, ``<sortie>.plan``, ``.waypoints`` and ``.kml`` for each sortie, ``.kmz`` and ``.csv`` for
        each that the apps of pilots take, ``apps.txt`` that says which they do not and why, ``plan.geojson``,
        ``plan.kml``, ``map.png``, and ``validation.json``: every rule checked, and the lower bounds. A sortie that no
        lawful fence holds, of which `plan` makes hardly any, has no mission files: ``not-written.txt`` (one a line) and
        ``validation.json`` say which and why, and all others are written.
    dialect
        Autopilot of the ``.plan`` files.
    terrain
        The ground below the legs, and between sorties and landing sites.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    PlanError
        When the plan breaks a rule of `validate`, or a sortie has a name that leads elsewhere than into the folder;
        nothing is written then.
    MissionError
        As `compile_mission` does, when a fence or rally point fails `validate_missions`, or when no sortie has a fence;
        nothing is written then.
    FileWriteError
        When a file cannot be written.
    """
    for sortie in plan.sorties:
        if not is_file_name(sortie.name):
            raise PlanError(f"sortie {str(sortie.name)[:40]!r}: no file can be named so: correct its name in the plan")
    fences, bare = _fences(plan)
    held = [(sortie, fence) for sortie, fence in zip(plan.sorties, fences, strict=True) if fence]
    compiled = [compile_mission(plan, sortie, dialect, fence) for sortie, fence in held]
    ground = terrain if terrain is not None and np.isfinite(terrain.resolution_m) else None
    of_plan, of_missions = validate(plan, ground), validate_missions(plan, compiled)
    if of_plan.violations:
        broken = of_plan.violations
        raise PlanError(f"the plan breaks {len(broken)} rules, and is not written: {broken[0]}: plan it again")
    missing = {f"{name}: {NO_MISSION}" for name in bare}
    if broken := [sentence for sentence in of_missions.violations if sentence not in missing]:
        raise MissionError(f"the missions break {len(broken)} rules, and are not written: {broken[0]}")
    folder.mkdir(parents=True, exist_ok=True)
    for (sortie, _), mission in zip(held, compiled, strict=True):
        home_m = sortie.home.ground_amsl_m
        write_qgc_plan(mission, folder / f"{mission.name}.plan", home_m, sortie.vehicle.aircraft.form)
        write_mission_kml(mission, folder / f"{mission.name}.kml", home_m)
        # A list begins with home; the items for ArduPilot do already.
        home = None if dialect == "ardupilot" else (sortie.home.lat_deg, sortie.home.lon_deg, round(home_m, 2))
        write_waypoints(mission.items, folder / f"{mission.name}.waypoints", home)
    for_apps = write_app_files(plan, folder, bare)
    write_plan_geojson(plan, folder / "plan.geojson", terrain, fences)
    write_plan_kml(plan, folder / "plan.kml")
    draw_map(plan, folder / "map.png", fences)
    report = Validation((*of_plan.rules, *of_missions.rules))
    write_report(plan, report, folder / "validation.json", on_terrain=ground is not None)
    names = [f"{mission.name}{ending}" for mission in compiled for ending in _ENDINGS]
    if bare:
        write_text(folder / _NOT_WRITTEN, "".join(f"{line}\n" for line in _told(bare)))
        names.append(_NOT_WRITTEN)
    else:
        (folder / _NOT_WRITTEN).unlink(missing_ok=True)
    rest = ("plan.geojson", "plan.kml", "map.png", "validation.json", _PLAN_FILE)
    written = (*(folder / name for name in names), *for_apps, *(folder / name for name in rest))
    _remove_others(folder, written)
    # Last: where this file is, the others are too.
    save_plan(plan, folder / _PLAN_FILE)
    return written


def _fences(plan: PatrolPlan) -> tuple[list[tuple[FencePolygon, ...]], dict[str, str]]:
    """The fence of each sortie, empty for none, and why there is none by the name of those.

    Raises
    ------
    MissionError
        When no sortie has one.
    """
    fences: list[tuple[FencePolygon, ...]] = []
    bare: dict[str, str] = {}
    for sortie in plan.sorties:
        try:
            fences.append(sortie_fence(plan, sortie))
        except MissionError as error:
            fences.append(())
            bare[sortie.name] = str(error)
    if not any(fences):
        raise MissionError(next(iter(bare.values())))
    return fences, bare


def _told(bare: dict[str, str]) -> list[str]:
    """Each sortie that has no fence with the reason, on one line; most reasons begin with its name."""
    reasons = {name: " ".join(why.split()).removeprefix(f"{name}: ") for name, why in bare.items()}
    return [f"{name}: {why}" for name, why in reasons.items()]


def _remove_others(folder: Path, written: Iterable[Path]) -> None:
    """Remove the files of the sorties of the plan that the folder still names, less those that were written."""
    named = {f"{sortie}{ending}" for sortie in _sorties_named(folder / _PLAN_FILE) for ending in _ALL_ENDINGS}
    # Some disks take names in capitals for the same.
    kept = {path.name.casefold() for path in written}
    # By what lies there: a name that leads elsewhere is never followed.
    for path in list(folder.iterdir()):
        if path.name in named and path.name.casefold() not in kept:
            remove_mission_file(path)


def _sorties_named(path: Path) -> list[str]:
    """Names of the sorties of a plan file of any version; none where it is no plan, or cannot be read."""
    try:
        value: Any = read_json(path)
        sorties = value["plan"]["sorties"] if value["format"] == "vedette-plan" else []
        return [str(sortie["name"]) for sortie in sorties]
    except (FormatError, KeyError, TypeError):
        return []
