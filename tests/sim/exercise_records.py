"""Small exercises and made-up records of them, whose measures can be worked out by hand."""

import numpy as np
import yaml

import sim

DOCUMENT = {
    "name": "toy",
    "title": "A toy",
    "trains": ["pilot"],
    "briefing": "Fly.",
    "rules": ["Stay on your side."],
    "duration_s": 600,
    "world": {
        "origin": {"lat": 61.2, "lon": 24.8, "ground_amsl_m": 140},
        "epoch": "2026-05-12T09:00:00Z",
        "actors": [
            {
                "id": 1,
                "kind": "person",
                "path": [{"time_s": 0, "east_m": 0, "north_m": -50}, {"time_s": 100, "east_m": 0, "north_m": 50}],
            }
        ],
    },
    "border": {
        "name": "line",
        "own": "Westland",
        "neighbour": "Eastland",
        "own_side": "left",
        "stand_off_m": 60,
        "points": [{"east_m": -500, "north_m": 0}, {"east_m": 500, "north_m": 0}],
    },
    "fleet": {"vehicles": 1, "base": {"east_m": 0, "north_m": 600}},
    "objectives": [{"id": "border", "words": "far", "measure": "nearest_border", "at_least": 60, "must": True}],
}


def document(**changes):
    """The toy with some keys changed; a copy that may be changed further."""
    return yaml.safe_load(yaml.safe_dump(DOCUMENT | changes))


def exercise(folder, **changes):
    """The toy, read from a file as any other."""
    path = folder / "toy.yaml"
    path.write_text(yaml.safe_dump(document(**changes)))
    return sim.load_exercise(path)


def truth(made, rows, sysid=1):
    """A vehicle from rows of (time, east, north, up, axis, pitch, airborne, sortie); more by keywords later."""
    rows = np.array(rows, dtype=float)
    lat, lon, amsl = made.frame.to_geodetic(rows[:, 1], rows[:, 2], rows[:, 3])
    count = len(rows)
    level = np.zeros(count)
    return sim.VehicleTruth(
        sysid,
        rows[:, 0],
        lat,
        lon,
        amsl,
        rows[:, 4],
        rows[:, 5],
        level,
        level,
        level,
        np.full(count, 80.0),
        rows[:, 7].astype(int),
        np.zeros(count, dtype=int),
        rows[:, 6] == 1,
        rows[:, 6] == 1,
        np.zeros(count, dtype=bool),
        ("AUTO",) * count,
    )


def hover(times, east, north, up=80.0, axis=180.0, pitch=-45.0, airborne=1, sortie=1):
    """Rows of a vehicle that stays at one place."""
    return [(time, east, north, up, axis, pitch, airborne, sortie) for time in times]


def measured(made, rows_by_sysid, measure, events=(), run=None, **keys):
    """The value of one measure of a made-up record."""
    truths = {sysid: truth(made, rows, sysid) for sysid, rows in rows_by_sysid.items()}
    bound = {"at_least": 0} if "at_most" not in keys else {}
    objective = sim.Objective(id="x", words="x", measure=measure, **bound, **keys)
    changed = made.model_copy(update={"objectives": [objective]})
    record = sim.ExerciseRecord(changed, run or {"service_zero_us": 0}, truths, list(events))
    return sim.score_exercise(record).objectives[0]
