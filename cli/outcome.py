"""What a demonstration is given and what came of it, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import autopilot
import missions
import sim
import vision
from geo import VedetteError

__all__ = ["EPOCH_US", "MARKING", "OWNER", "DemoError", "DemoSettings", "Outcome", "Shared", "Watched"]

# The night of the scenario: shortly after the first start of the patrol, 2026-06-21 04:00 UTC.
EPOCH_US = 1_782_014_400_000_000
OWNER, MARKING = "Border Watch (exercise)", "EXERCISE"


class DemoError(VedetteError):
    """A step of the demonstration that did not do what it must."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What is demonstrated.

    Parameters
    ----------
    out
        Folder of the results; a folder of an earlier run gives way when this one is done.
    own, neighbour
        Countries, ISO code or name.
    near
        Latitude and longitude, degrees, of the middle of the stretch; None takes a place that suits the pair.
    length_m
        Of the stretch of border, metres.
    drones
        How many.
    ground_amsl_m
        Elevation of the level ground, metres AMSL.
    seed
        Of gusts, people, and errors of measurement.
    speedup
        Simulated seconds a second of flight.
    fps
        Frames a second of the video.
    windows, crossings
        Recordings to make, and how many crossings happen in them.
    """

    out: Path = Path("runs/demo")
    own: str = "USA"
    neighbour: str = "MEX"
    near: tuple[float, float] | None = None
    length_m: float = 40_000.0
    drones: int = 2
    ground_amsl_m: float = 1180.0
    seed: int = 7
    speedup: float = 240.0
    fps: int = 5
    windows: int = 16
    crossings: int = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of the video.

    Parameters
    ----------
    recordings
        In order of time.
    results
        By name of the recording.
    score
        Against the truth.
    fps, bare_fps
        Frames a second of the whole pipeline, and of the model alone on the same pictures.
    model
        The detector.
    """

    recordings: tuple[sim.Recording, ...]
    results: dict[str, vision.WatchResult]
    score: vision.Score
    fps: float
    bare_fps: float
    model: vision.ModelRef

    @property
    def crossings(self) -> list[vision.Crossing]:
        """All crossings in order of time."""
        return sorted((c for r in self.results.values() for c in r.crossings), key=lambda c: (c.time_us, c.source_id))


@dataclass(frozen=True, slots=True)
class Shared:
    """What came of the crossings in the service.

    Parameters
    ----------
    stored
        The service's id of each crossing, by `source_id`.
    reviewed
        `source_id` of the crossing that a person confirmed and that was released.
    release
        The service's id of the release.
    seen
        The crossings that each reader was given, GeoJSON Features, by name of the reader; "analyst" is our own.
    audit_entries, audit_intact
        Length of the audit chain, and whether it is whole.
    admin_key
        The administrator key of the store; it is not written anywhere.
    """

    stored: dict[str, str]
    reviewed: str
    release: str
    seen: dict[str, list[dict[str, Any]]]
    audit_entries: int
    audit_intact: bool
    admin_key: str = field(repr=False)

    @property
    def partners(self) -> dict[str, list[dict[str, Any]]]:
        """What each partner was given."""
        return {name: seen for name, seen in self.seen.items() if name != "analyst"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole run, as the report tells it; `flown_m` is the length of the tracks that were flown, metres."""

    settings: DemoSettings
    plan: missions.PatrolPlan
    flight: autopilot.FlightReport
    flown_m: float
    watched: Watched
    shared: Shared

    def summary(self) -> dict[str, Any]:
        """The figures of ``summary.json``; lengths in km, times in seconds, rates in frames a second."""
        score, made = self.watched.score, self.plan
        visible = [name for name, seen in self.shared.partners.items() if seen]
        hidden = [name for name, seen in self.shared.partners.items() if not seen]
        return {
            "seed": self.settings.seed,
            "border": made.border.name,
            "border_km": round(made.border.length_m() / 1000, 3),
            "coverage": round(made.coverage.share, 4),
            "revisit_s": round(made.revisit_s, 1),
            "revisit_bound_s": round(made.revisit_bound_s, 1),
            "flown_km": round(self.flown_m / 1000, 3),
            "nearest_border_m": min(
                s.nearest_border_m for v in self.flight.vehicles for s in v.sorties if s.nearest_border_m is not None
            ),
            "missions": [
                {
                    "sysid": vehicle.sysid,
                    "sortie": sortie.number,
                    "items": sum(upload.items for upload in sortie.uploads),
                    "verified": len(sortie.uploads) == len(autopilot.MissionKind),
                    "flown": sortie.completed,
                }
                for vehicle in self.flight.vehicles
                for sortie in vehicle.sorties
            ],
            "video_s": round(sum((r.end_us - r.start_us) / 1e6 for r in self.watched.recordings), 1),
            "fps": round(self.watched.fps, 2),
            "fps_bare": round(self.watched.bare_fps, 2),
            "model": self.watched.model.name,
            "crossings": {"truth": score.truth, "found": score.found, "missed": score.missed, "false": score.false},
            "crossings_confirmed": score.confirmed,
            "crossings_place_error_m": score.place_error_m,
            "crossings_time_error_s": score.time_error_s,
            "partner": {"released": self.shared.reviewed, "visible_to": visible, "hidden_from": hidden},
            "audit": {"entries": self.shared.audit_entries, "intact": self.shared.audit_intact},
        }
