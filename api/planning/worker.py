"""The planner in a process of its own: ``python -m api.planning.worker``.

Its order comes as one line of JSON on standard input, which stays open as long as the service wants the plan: its end
is the end of this process, so that no planner outlives the service. What it does is told as lines of JSON on standard
output; the plan lies in the folder that the order names.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import missions
from api.planning.folder import FILES, FOUND, SORTIES
from api.planning.found import found_of
from api.planning.orders import ground_of, order_of
from api.planning.schemas import PlanningIn
from geo import FlatTerrain, VedetteError

__all__ = ["main", "plan_into"]

_ORPHANED = 3
_NICER = 10
"""Of two who want the processor, it is the service that answers people."""


def main() -> int:
    """Plan what standard input asks for; 0 when the plan lies there, 1 when there is none, and why was told."""
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_service, daemon=True).start()
    os.nice(_NICER)
    folder, terrain = Path(order["folder"]), order["terrain"]
    tempfile.tempdir = str(folder)  # the service removes it, also after a planner that it killed
    try:
        plan_into(PlanningIn.model_validate(order["request"]), folder, None if terrain is None else Path(terrain))
    except VedetteError as error:
        _tell(error=str(error).replace(f"{folder}/", ""))
        return 1
    return 0


def _end_with_service() -> None:
    while os.read(0, 1 << 16):  # past the buffer of standard input, whose lock would hold up this process's end
        pass
    os._exit(_ORPHANED)


def _tell(**said: Any) -> None:
    sys.stdout.write(f"{json.dumps(said)}\n")
    sys.stdout.flush()


def plan_into(wish: PlanningIn, folder: Path, terrain: Path | None) -> None:
    """Plan, and leave what `api.planning.folder` names.

    Raises
    ------
    VedetteError
        When no such plan can be made.
    """
    _tell(progress=0.02, stage="reading border, fleet and airspace")
    order = order_of(wish)
    ground = ground_of(wish, terrain)
    _tell(progress=0.05, stage="planning sorties and schedule")
    made = missions.plan_patrolled(
        order.what, order.fleet, ground, order.options, airspace=order.airspace, risk=order.risk
    )
    notes: tuple[str, ...] = ()
    if wish.landing_sites:
        _tell(progress=0.4, stage="looking for landing sites")
        proposal = missions.propose_landing_sites(made, ground or FlatTerrain())
        made, notes = missions.with_landing_sites(made, proposal.sites), proposal.notes
    _tell(progress=0.5, stage="checking the plan, and writing its files")
    files = folder / FILES
    missions.write_plan_folder(made, files, wish.dialect, ground)
    why = None
    if wish.explain:
        _tell(progress=0.7, stage="looking at what would help: planning with one more of anything")
        why = missions.explain(made, ground)
    _tell(progress=0.95, stage="drawing the map, heights and shift")
    drawn = json.loads((files / "plan.geojson").read_text(encoding="utf-8"))
    for sortie in made.sorties:
        own = missions.sortie_geojson(drawn, sortie.name)
        (files / f"{sortie.name}.geojson").write_text(json.dumps(own), encoding="utf-8")
    report = missions.read_report(files / "validation.json")
    found = found_of(made, drawn, report, why=why, notes=notes, terrain=ground)
    whose = {path.name: sortie.name for sortie in made.sorties for path in files.glob(f"{sortie.name}.*")}
    (folder / SORTIES).write_text(json.dumps(whose), encoding="utf-8")
    (folder / FOUND).write_text(found.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
