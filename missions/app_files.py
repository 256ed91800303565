"""A plan for the apps of pilots: what can be handed on to them, and what cannot and why."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from geo import write_text
from missions.app_route import AppRoute
from missions.errors import FormatError, MissionError
from missions.files import read_text
from missions.litchi import LITCHI_SETTINGS, write_litchi
from missions.patrol import PatrolPlan
from missions.sortie import Sortie
from missions.wpml_files import write_wpml

__all__ = ["APP_ENDINGS", "NOTES_FILE", "remove_mission_file", "write_app_files"]

NOTES_FILE = "apps.txt"

_FORMATS: dict[str, Callable[[PatrolPlan, Sortie, Path], AppRoute]] = {".kmz": write_wpml, ".csv": write_litchi}
APP_ENDINGS = tuple(_FORMATS)
"""Endings of the files of a sortie."""

_HEAD = f"""\
Sorties for the apps of pilots. Neither format carries a fence; the .plan files do.
.kmz: DJI Pilot 2 and FlightHub 2, for an M30T.
.csv: Litchi. After the import set {LITCHI_SETTINGS}.
"""


def write_app_files(plan: PatrolPlan, folder: Path, bare: Collection[str] = ()) -> tuple[Path, ...]:
    """Write every sortie in every format that takes it, and what a pilot must know beside them; gives what was written.

    A sortie that an app does not take is no error, nor one that no lawful fence holds, of the names in `bare`: the
    notes say why. A file of that name from an earlier plan goes.

    Raises
    ------
    FileWriteError
        When a file cannot be written.
    """
    lines, written = [], []
    for sortie in plan.sorties:
        for suffix, write in _FORMATS.items():
            path = folder / f"{sortie.name}{suffix}"
            if sortie.name in bare:
                remove_mission_file(path)
                lines.append(f"{path.name}: not written: no lawful fence holds it")
                continue
            try:
                notes = write(plan, sortie, path).notes
            except MissionError as error:
                remove_mission_file(path)
                lines.append(f"{path.name}: not written: {error}")
            else:
                written.append(path)
                lines.append("; ".join([f"{path.name}: written", *notes]))
    write_text(folder / NOTES_FILE, _HEAD + "\n" + "\n".join(lines) + "\n")
    return *written, folder / NOTES_FILE


def remove_mission_file(path: Path) -> None:
    """Remove a mission file, where there is one. A flight record may have the name of a mission of Litchi: it stays."""
    if path.is_file() and (path.suffix != ".csv" or "latitude" in _first_cells(path)):
        path.unlink()


def _first_cells(path: Path) -> list[str]:
    try:
        return read_text(path).partition("\n")[0].split(",")
    except FormatError:
        return []
