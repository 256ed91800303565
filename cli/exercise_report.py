"""The after-action report of an exercise: one HTML file that opens without a network, and the same as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

import sim
from cli.exercise_map import exercise_map
from cli.exercise_timeline import clock, exercise_timeline
from cli.pages import pages
from geo import write_text

__all__ = ["after_action", "write_exercise_report"]

# What is met by less than this share of its bound is worth a word.
_NARROW = 0.1
_NOTES = (
    (
        "Vehicles, ground, people, sensors and links are simulated. Objectives are measured from the simulator's own "
        "record of where everything was, and from what partners truly read with keys of their own; nothing that a crew "
        "or a program said of itself is scored."
    ),
    (
        "Somebody counts as seen while in the true picture of a vehicle's camera and near enough to be made out; the "
        "ground is flat and nothing hides anybody. No detector looks at pictures here: what crosses in view of "
        "a camera is handed to the service by exercise control."
    ),
)


def write_exercise_report(folder: Path, record: sim.ExerciseRecord, score: sim.ExerciseScore) -> None:
    """Write ``report.html`` and ``report.json`` into the folder of a run. Raises FileWriteError."""
    told = after_action(record, score)
    write_text(folder / "report.json", json.dumps(told, indent=1, allow_nan=False) + "\n")
    text = (
        pages({"clock": clock})
        .get_template("exercise.html")
        .render(
            run=told,
            map=Markup(exercise_map(record)),  # noqa: S704  made by us, every text in it escaped
            timeline=Markup(exercise_timeline(record)),  # noqa: S704
        )
    )
    write_text(folder / "report.html", text)


def after_action(record: sim.ExerciseRecord, score: sim.ExerciseScore) -> dict[str, Any]:
    """Everything that the report says, as plain values."""
    exercise = record.exercise
    good, bad = _lessons(record, score)
    return {
        "exercise": exercise.name,
        "title": exercise.title,
        "trains": exercise.trains,
        "briefing": exercise.briefing,
        "rules": exercise.rules,
        "run": {key: record.run[key] for key in ("seed", "speedup", "by_hand", "planned_revisit_s")},
        "played_s": record.end_s,
        "score": score.values(),
        "went_well": good,
        "to_improve": bad,
        "compliance": _compliance(record),
        "sharing": _sharing(record),
        "legal": [
            {"t_s": event["t_s"], "words": event["words"]} for event in record.control("message") if event["legal"]
        ],
        "events": [{key: event[key] for key in ("t_s", "by", "kind", "words")} for event in record.events],
        "notes": list(_NOTES),
    }


def _lessons(record: sim.ExerciseRecord, score: sim.ExerciseScore) -> tuple[list[str], list[str]]:
    """What went well and what has to improve, each out of a figure of the record."""
    good: list[str] = []
    bad: list[str] = []
    for one in score.objectives:
        value = "not measured" if one.value is None else f"{one.value:g} {one.unit}".strip()
        words = f"{one.words}: {value}, wanted {one.bound}"
        (good if one.met else bad).append(f"{words}." if one.met else f"Not reached: {words} ({one.shown_by}).")
        if one.met and _narrow(record, one):
            bad.append(f"Narrowly met: {one.words[0].lower()}{one.words[1:]}, {value} where {one.bound} was wanted.")
    troubles = [event for event in record.events if event["by"] == "crew" and event["kind"] == "trouble"]
    bad += [f"{clock(event['t_s'])}: {event['words']}" for event in troubles]
    left = [e for e in record.events if e["by"] == "crew" and e["kind"] == "answer" and "nobody goes" in e["words"]]
    if left:
        bad.append(f"{len(left)} times nobody could be sent to a report when it was first asked for, at first at "
                   f"{clock(left[0]['t_s'])}: {_short(left[0]['words'])}")  # fmt: skip
    return good, bad


def _narrow(record: sim.ExerciseRecord, one: sim.ObjectiveScore) -> bool:
    bound = next(o for o in record.exercise.objectives if o.id == one.id)
    wanted = bound.at_least if bound.at_least is not None else bound.at_most
    # A count or a share is met or not; a plan flies right beside the stand-off, which is no fault of anybody.
    if one.value is None or not wanted or one.unit == "" or one.measure == "nearest_border":
        return False
    return abs(one.value - wanted) < _NARROW * abs(wanted)


def _compliance(record: sim.ExerciseRecord) -> list[dict[str, Any]]:
    """Each vehicle against the border and the zones."""
    exercise, rows = record.exercise, []
    for sysid, truth in record.truth.items():
        away = sim.border_distance_m(exercise, truth.lat_deg, truth.lon_deg)[truth.airborne]
        step = np.diff(truth.time_s, append=truth.time_s[-1])[truth.airborne]
        height = (truth.amsl_m - exercise.world.origin.ground_amsl_m)[truth.airborne]
        rows.append(
            {
                "vehicle": sysid,
                "flown_min": round(float(step.sum()) / 60, 1),
                "nearest_border_m": None if not away.size else round(float(away.min()), 1),
                "inside_stand_off_s": round(float(step[away < exercise.border.stand_off_m].sum()), 1),
                "beyond_line_s": round(float(step[away < 0].sum()), 1),
                "highest_m": None if not height.size else round(float(height.max()), 1),
                "camera_lost_s": round(float(step[record.blind(sysid)[truth.airborne]].sum()), 1),
            }
        )
    return rows


def _sharing(record: sim.ExerciseRecord) -> list[dict[str, Any]]:
    """What each partner could read, when, and under what."""
    rows = []
    for partner in record.exercise.partners:
        held = [event for event in record.control("partner_read") if event["partner"] == partner.name]
        features = {feature["id"]: feature for event in held for feature in event["records"]}
        fields = {k for f in features.values() for k, v in f["properties"].items() if v is not None}
        fields |= {"position" for feature in features.values() if feature["geometry"] is not None}
        refused = [e for e in record.events if e["kind"] == "refused" and e.get("partner") == partner.name]
        rows.append(
            {
                "partner": partner.name,
                "agreement": None if partner.agreement is None else partner.agreement.model_dump(),
                "records": len(features),
                "held_at_end": len(held[-1]["records"]) if held else 0,
                "fields": sorted(fields),
                "times": [{"t_s": event["t_s"], "records": len(event["records"])} for event in held],
                "refused": [event["words"] for event in refused],
            }
        )
    return rows


def _short(words: str) -> str:
    return words if len(words) <= 300 else f"{words[:297]}..."
