"""A folder with all that a plan can be handed on as, and nothing of a plan that was there before."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from geo import FileWriteError, Terrain, write_text
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

_STAGE = ".plan-"
_PLAN_FILE, _NOT_WRITTEN = "plan.json", "not-written.txt"


def write_plan_folder(
    plan: PatrolPlan, folder: Path, dialect: Dialect = "ardupilot", terrain: Terrain | None = None
) -> tuple[Path, ...]:
    """Write a plan in every form: for `vedette fly`, for ground stations, for maps, and as a picture.

    Files of sorties that the ``plan.json`` of an earlier plan there names, and this plan has not, are removed. All is
    written aside first: what fails or is interrupted meanwhile leaves an earlier plan there as it was.

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
    report = Validation((*of_plan.rules, *of_missions.rules))
    with _staged(folder) as stage:
        for (sortie, _), mission in zip(held, compiled, strict=True):
            home_m = sortie.home.ground_amsl_m
            write_mission_kml(mission, stage / f"{mission.name}.kml", home_m)
            # Files begin with home; the items for ArduPilot do already.
            home = None if dialect == "ardupilot" else (sortie.home.lat_deg, sortie.home.lon_deg, round(home_m, 2))
            write_qgc_plan(mission, stage / f"{mission.name}.plan", home, sortie.vehicle.aircraft.form)
            write_waypoints(mission.items, stage / f"{mission.name}.waypoints", home)
        for_apps = write_app_files(plan, stage, bare)
        write_plan_geojson(plan, stage / "plan.geojson", terrain, fences)
        write_plan_kml(plan, stage / "plan.kml")
        draw_map(plan, stage / "map.png", fences)
        write_report(plan, report, stage / "validation.json", on_terrain=ground is not None)
        if bare:
            write_text(stage / _NOT_WRITTEN, "".join(f"{line}\n" for line in _told(bare)))
        save_plan(plan, stage / _PLAN_FILE)
        names = [f"{mission.name}{ending}" for mission in compiled for ending in _ENDINGS]
        names += [_NOT_WRITTEN] if bare else []
        names += [path.name for path in for_apps]
        names += ["plan.geojson", "plan.kml", "map.png", "validation.json"]
        _put(plan, stage, folder, list(dict.fromkeys(names)))
    return tuple(folder / name for name in dict.fromkeys([*names, _PLAN_FILE]))


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A folder within a folder, to write in what is put in its place once all of it is written; it goes in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    _remove_left_over(folder)
    try:
        stage = Path(tempfile.mkdtemp(prefix=f"{_STAGE}{os.getpid()}-", dir=folder))
    except OSError as error:
        raise FileWriteError(f"cannot write to {folder}: {error.strerror}: choose another place") from None
    try:
        yield stage
    except FileWriteError as error:
        raise FileWriteError(str(error).replace(str(stage), str(folder))) from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _remove_left_over(folder: Path) -> None:
    """Remove what those who were killed meanwhile had begun to write: nobody else does."""
    for path in folder.glob(f"{_STAGE}*-*"):
        process = path.name.removeprefix(_STAGE).partition("-")[0]
        if process.isdecimal() and path.is_dir() and not path.is_symlink() and not _runs(int(process)):
            shutil.rmtree(path, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether there is a process of that number, whoever's it is."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is another's
        return True
    return True


def _put(plan: PatrolPlan, stage: Path, folder: Path, names: Sequence[str]) -> None:
    """Put the files of a plan in the place of those of an earlier one, the plan file last: where it is, all are."""
    in_the_way = next((name for name in (*names, _PLAN_FILE) if (folder / name).is_dir()), None)
    if in_the_way is not None:
        raise FileWriteError(f"cannot write {folder / in_the_way}: a folder of that name is in the way: move it away")
    earlier = {sortie.name for sortie in plan.sorties} | set(_sorties_named(folder / _PLAN_FILE))
    (folder / _PLAN_FILE).unlink(missing_ok=True)
    _remove_others(folder, earlier, [*names, _PLAN_FILE])
    if _NOT_WRITTEN not in names:
        (folder / _NOT_WRITTEN).unlink(missing_ok=True)
    for name in (*names, _PLAN_FILE):
        (stage / name).replace(folder / name)


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


def _remove_others(folder: Path, sorties: Collection[str], names: Collection[str]) -> None:
    """Remove the files of some sorties, less those of some names."""
    named = {f"{sortie}{ending}" for sortie in sorties for ending in _ALL_ENDINGS}
    # Some disks take names in capitals for the same.
    kept = {name.casefold() for name in names}
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
