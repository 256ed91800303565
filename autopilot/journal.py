"""The journal of a patrol: what a ground station that starts anew has to know of the one before it.

One JSON object a line, each on the disk before the next thing is done. A station that dies in the middle of a line
leaves a torn one, which is no line; anything else that cannot be read is an error, since a patrol must not go on from
half a memory.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from autopilot.errors import FlightError
from autopilot.patrol_states import Duty, State
from missions import Dialect, PatrolPlan, load_plan, save_plan

__all__ = ["Flown", "Journal", "Past"]

_FORMAT = "vedette-patrol-journal"


@dataclass(frozen=True, slots=True)
class Flown:
    """A flight that a vehicle was given.

    Parameters
    ----------
    plan, number
        Number of the plan in the shift, and of the flight in it; -1 for one of no plan.
    took_off_s
        When it took off, seconds of the shift; None where it did not.
    """

    plan: int
    number: int
    took_off_s: float | None = None


@dataclass
class Past:
    """What a journal says.

    Parameters
    ----------
    origin_us
        When the shift began, UTC microseconds since the Unix epoch.
    dialect
        For which autopilot it was compiled.
    plans
        The plans of the shift so far, and when the times of each begin, seconds of the shift.
    duties, flights
        Where each vehicle stood last, and the flight that it had, by system id.
    reached
        Items of that flight that it was seen to reach.
    flown
        All flights that took off.
    orders
        What came of each order of a pilot last, by its id.
    """

    origin_us: int
    dialect: Dialect
    plans: list[tuple[PatrolPlan, float]] = field(default_factory=list)
    duties: dict[int, Duty] = field(default_factory=dict)
    flights: dict[int, Flown] = field(default_factory=dict)
    reached: dict[int, set[int]] = field(default_factory=dict)
    flown: list[Flown] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)


class Journal:
    """Writes lines; made by `Journal.begin` or `Journal.go_on`. With no path it writes nothing.

    Parameters
    ----------
    path
        The file, or None.
    plans
        How many plans of the shift are written already.
    """

    def __init__(self, path: Path | None, plans: int = 0) -> None:
        self._path, self._plans = path, plans
        self._file = None if path is None else path.open("a", encoding="utf-8")
        self.failure: str | None = None

    @classmethod
    def begin(cls, path: Path | None, origin_us: int, dialect: Dialect) -> Self:
        """A new journal of a shift. Raises FlightError where it cannot be written."""
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            journal = cls(path)
        except OSError as error:
            raise FlightError(f"{path}: the journal cannot be written: {error.strerror}") from None
        journal.line("begin", format=_FORMAT, version=1, origin_us=origin_us, dialect=dialect)
        return journal

    @classmethod
    def go_on(cls, path: Path, plan: PatrolPlan) -> tuple[Self, Past]:
        """The journal of a shift that was broken off, and what it says.

        Raises
        ------
        FlightError
            When it is no such journal, is spoilt before its end, or is of another plan.
        """
        past = _read(path)
        if past.plans[0][0] != plan:
            raise FlightError(f"{path}: is the journal of another plan: give its plan, or another journal")
        # What was torn stays a line of its own.
        with path.open("rb+") as file:
            text = file.read()
            if text and not text.endswith(b"\n"):
                file.truncate(text.rfind(b"\n") + 1)
        return cls(path, len(past.plans)), past

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def line(self, kind: str, **values: Any) -> None:
        """Write a line, on the disk when this returns. Where that fails the patrol goes on without it."""
        if self._file is None or self.failure is not None:
            return
        try:
            self._file.write(json.dumps({"kind": kind, **values}) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self.failure = f"{self._path}: the journal failed, a restart would not go on from here: {error.strerror}"

    def plan(self, plan: PatrolPlan, origin_s: float) -> None:
        """A plan that is flown from now on; it lies beside the journal."""
        if self._path is None:
            return
        path = self._path.with_name(f"{self._path.stem}-plan-{self._plans + 1}.json")
        self._plans += 1
        try:
            save_plan(plan, path)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except Exception as error:  # noqa: BLE001  a full disk must not cost a flight
            self.failure = f"{path}: the plan could not be kept, a restart would not go on from here: {error}"
            return
        self.line("plan", file=path.name, sha256=digest, origin_s=round(origin_s, 3))

    def state(self, now_s: float, duty: Duty, why: str, flown: Flown | None) -> None:
        """Where a vehicle stands now."""
        values = {} if flown is None else {"plan": flown.plan, "flight": flown.number, "took_off_s": flown.took_off_s}
        self.line(
            "state",
            t_s=round(now_s, 3),
            sysid=duty.sysid,
            state=str(duty.state),
            silent=duty.silent,
            sortie=duty.sortie,
            why=why,
            **values,
        )

    def reached(self, sysid: int, items: Collection[int]) -> None:
        """Items that a vehicle has reached since the last such line."""
        self.line("reached", sysid=sysid, items=sorted(items))


def _read(path: Path) -> Past:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        raise FlightError(f"{path}: the journal cannot be read: {error.strerror}") from None
    # A whole line ends with a newline: what is behind the last is torn.
    past: Past | None = None
    for number, text in enumerate(lines[:-1], 1):
        try:
            value = json.loads(text)
            if past is None:
                past = _begun(value)
            else:
                _take(past, value, path)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise FlightError(f"{path} line {number}: cannot be read, {error}: give a whole journal") from None
    if past is None or not past.plans:
        raise FlightError(f"{path}: is no journal of a patrol: give another, or begin a new one")
    return past


def _begun(value: dict[str, Any]) -> Past:
    if value["format"] != _FORMAT or value["version"] != 1:
        raise ValueError("it is no journal of a patrol")
    return Past(int(value["origin_us"]), value["dialect"])


def _take(past: Past, value: dict[str, Any], path: Path) -> None:
    if value["kind"] == "plan":
        file = path.with_name(Path(value["file"]).name)
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise FlightError(f"{file}: the plan of the journal cannot be read: {error.strerror}") from None
        if digest != value["sha256"]:
            raise FlightError(f"{file}: is not the plan that the journal has: its SHA-256 differs")
        past.plans.append((load_plan(file), float(value["origin_s"])))
    elif value["kind"] == "state":
        sysid = int(value["sysid"])
        past.duties[sysid] = Duty(sysid, State(value["state"]), value["sortie"], bool(value["silent"]))
        if "flight" in value:
            flown = Flown(int(value["plan"]), int(value["flight"]), value["took_off_s"])
            if past.flights.get(sysid) != flown:
                past.reached[sysid] = set()
            past.flights[sysid] = flown
            if past.duties[sysid].aloft and flown not in past.flown:
                past.flown.append(flown)
    elif value["kind"] == "order":
        past.orders[str(value["id"])] = str(value["state"])
    elif value["kind"] == "reached":
        past.reached.setdefault(int(value["sysid"]), set()).update(int(item) for item in value["items"])
