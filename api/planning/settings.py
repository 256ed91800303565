"""How much is planned, and on which ground."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from api.errors import SettingsError

__all__ = ["PlanningSettings"]


@dataclass(frozen=True, slots=True)
class PlanningSettings:
    """How much is planned, and on which ground.

    Parameters
    ----------
    terrain
        GeoTIFF, SRTM tile or folder of tiles; None: plannings name level ground.
    at_once
        Planners that run at a time, each a process of its own.
    per_person
        Plannings of one person that may wait or run.
    kept_per_person
        Plannings of one person that are kept after they have ended: one more is asked for, and the oldest is
        forgotten, of those that were not adopted first.
    limit_s
        How long a planner may take.
    keep_days
        How long an ended planning is kept.
    most_bytes
        Most bytes of all files of one plan.

    Raises
    ------
    SettingsError
        When one is not positive.
    """

    terrain: Path | None = None
    at_once: int = 1
    per_person: int = 5
    kept_per_person: int = 50
    limit_s: float = 1800.0
    keep_days: float = 30.0
    most_bytes: int = 128 << 20

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "terrain" and not value > 0:
                raise SettingsError(f"{each.name} of planning is {value}: it must be positive")
