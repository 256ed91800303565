"""The validation report of a plan: every rule that was checked, and how far the plan is from its lower bounds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from missions.errors import FormatError
from missions.files import read_json, write_json
from missions.patrol import PatrolPlan
from missions.validation_rule import Rule, Validation

__all__ = ["read_report", "write_report"]

_FORMAT, _VERSION = "vedette-validation", 1


def write_report(plan: PatrolPlan, report: Validation, path: Path, *, on_terrain: bool) -> None:
    """Write what was checked of a plan, and its bounds, as JSON.

    Parameters
    ----------
    plan
        The plan.
    report
        What was found of it.
    path
        File to write.
    on_terrain
        Whether heights above ground were checked on a terrain, or by what the waypoints carry.

    Raises
    ------
    FileWriteError
        When the file cannot be written.
    """
    value = {
        "format": _FORMAT,
        "version": _VERSION,
        "plan": plan.name,
        "heights_checked_on": "terrain" if on_terrain else "waypoints",
        "kept": not report.violations,
        "rules": [asdict(rule) for rule in report.rules],
        "objective": plan.options.objective.value,
        "revisit_s": plan.revisit_s,
        "risk_s": plan.risk_s,
        "bounds": [
            {
                "name": bound.name,
                "seconds": bound.seconds,
                "claim": f"no plan {bound.claim}",
                "gap": plan.gap_to(bound),
            }
            for bound in plan.bounds
        ],
    }
    write_json(path, value)


def read_report(path: Path) -> Validation:
    """What a written report says of each rule: to tell it again takes as long as the validation did.

    Raises
    ------
    FormatError
        When the file cannot be read, or is no such report.
    """
    value = read_json(path)
    try:
        if (value["format"], value["version"]) == (_FORMAT, _VERSION):
            return Validation(tuple(Rule(**rule | {"broken": tuple(rule["broken"])}) for rule in value["rules"]))
    except (KeyError, TypeError):
        pass
    raise FormatError(f"{path}: is no validation report of version {_VERSION}: plan again")
