"""What a patrol came to, as values, as JSON and in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from autopilot.link_account import LinkStatistics
from autopilot.report import SortieReport
from geo import write_text

__all__ = ["Change", "PatrolFlight", "PatrolReport", "PatrolVehicle", "Replanned"]


@dataclass(frozen=True, slots=True)
class Change:
    """A vehicle that went over into a state, or fell silent, or was heard again; `t_s` in seconds of the shift."""

    t_s: float
    state: str
    silent: bool
    why: str


@dataclass(frozen=True, slots=True)
class PatrolFlight:
    """One flight that took off, or was to.

    Parameters
    ----------
    plan, number
        Of which plan of the shift, from 0, and its number among the flights of that plan; -1 for one to a cue.
    sortie
        Name of what was flown.
    sysid
        Who flew it.
    planned_s, took_off_s, on_task_s, landed_s
        Planned and true take-off, when its patrol began, and landing, seconds of the shift; None for what was not.
    early
        Why it came home early by the rules of the patrol, in words; None where it did not.
    flown
        The report of the sortie.
    """

    plan: int
    number: int
    sortie: str
    sysid: int
    planned_s: float
    took_off_s: float | None
    on_task_s: float | None
    landed_s: float | None
    early: str | None
    flown: SortieReport


@dataclass(frozen=True, slots=True)
class PatrolVehicle:
    """One vehicle in the shift: how often its state changed, its flights, and what is wrong with it if anything."""

    sysid: int
    url: str
    changes: tuple[Change, ...]
    flights: tuple[PatrolFlight, ...]
    failure: str | None
    packets: LinkStatistics | None


@dataclass(frozen=True, slots=True)
class Replanned:
    """The patrol planned anew: when, seconds of the shift, for whom, and its revisit interval or why there is none."""

    t_s: float
    sysids: tuple[int, ...]
    why: str
    revisit_s: float | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class PatrolReport:
    """The patrol of a shift.

    Parameters
    ----------
    vehicles
        One each, in order of system id.
    started_us, ended_us
        UTC microseconds since the Unix epoch: the beginning of the shift, and the end of this run.
    time_scale
        Vehicle seconds in a wall second.
    replans
        Each time that the patrol was planned anew.
    left_out
        Flights that were left out since they would have been too late, in words.
    cues
        What was done about each cue, in words.
    notes
        What a person has to know.
    stopped
        Whether it was told to stop before its end.
    """

    vehicles: tuple[PatrolVehicle, ...]
    started_us: int
    ended_us: int
    time_scale: float
    replans: tuple[Replanned, ...] = ()
    left_out: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def flights(self) -> tuple[PatrolFlight, ...]:
        """All flights that took off, in the order of take-off."""
        flown = (flight for vehicle in self.vehicles for flight in vehicle.flights if flight.took_off_s is not None)
        return tuple(sorted(flown, key=lambda flight: flight.took_off_s or 0.0))

    @property
    def completed(self) -> bool:
        """Whether every flight was flown to its end and no vehicle is out of order."""
        whole = all(flight.flown.completed for vehicle in self.vehicles for flight in vehicle.flights)
        return (
            whole and not (self.left_out or self.stopped) and all(vehicle.failure is None for vehicle in self.vehicles)
        )

    def looks_s(self, plan: int, sortie: str) -> list[float]:
        """Times between looks at the stretch of one sortie, from one beginning of its patrol to the next, seconds."""
        begun = [f.on_task_s for f in self.flights if (f.plan, f.sortie) == (plan, sortie) and f.on_task_s is not None]
        return [b - a for a, b in pairwise(sorted(begun))]

    def words(self) -> list[str]:
        """The report in sentences, one each: flights by vehicle, what went otherwise than planned, and when."""
        out = []
        for vehicle in self.vehicles:
            flown = [flight for flight in vehicle.flights if flight.took_off_s is not None]
            whole = sum(flight.flown.completed for flight in flown)
            out.append(f"vehicle {vehicle.sysid}: {len(flown)} flights, {whole} flown to the end{_late(flown)}")
            out += [
                f"vehicle {vehicle.sysid}: came home early from {flight.sortie}: {flight.early}"
                for flight in flown
                if flight.early is not None
            ]
            if vehicle.failure is not None:
                out.append(f"vehicle {vehicle.sysid}: out of the patrol: {vehicle.failure}")
        for again in self.replans:
            who = ", ".join(map(str, again.sysids)) or "nobody"
            what = again.failure or f"revisit interval {(again.revisit_s or 0.0) / 60:.1f} min"
            out.append(f"after {again.t_s / 60:.1f} min planned anew for {who}, {again.why}: {what}")
        return [*out, *self.left_out, *self.cues, *self.notes]

    def to_json(self) -> str:
        """The report as JSON text; names and units are those of the attributes."""
        values = {"completed": self.completed, **asdict(self), "words": self.words()}
        return json.dumps(values, indent=1, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write `to_json` to a file, whole or not at all."""
        write_text(path, self.to_json())


def _late(flown: Sequence[PatrolFlight]) -> str:
    late = [flight.took_off_s - flight.planned_s for flight in flown if flight.took_off_s is not None]
    return f", at most {max(late):.0f} s after their time" if late and max(late) >= 1.0 else ""
