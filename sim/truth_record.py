"""The truth of a whole run of a fleet: where every vehicle was at every half second, on one clock from power-on.

A flight record (`sim.flight_record`) is one sortie on a clock of its own and is written when it ends. This record goes
on between sorties, is written as it happens, so that it can be followed, and holds what had not landed when the run
ended. No program that flies the vehicles has a hand in it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sim.errors import ConfigError
from sim.flight import Flight
from sim.flight_record import COLUMNS, state_of

__all__ = ["TruthFollower", "TruthRecorder", "VehicleTruth", "read_truth"]

Floats = NDArray[np.float64]

_EVERY_S = 0.5
_STATES = ("armed", "landed", "wrecked")
_HEADER = ("time_s", "sysid", "sortie", *COLUMNS[1:], *_STATES)
_TEXTS = ("mode",)
_FORMATS = (
    "{:.3f}",
    "{:d}",
    "{:d}",
    "{:.9f}",
    "{:.9f}",
    "{:.3f}",
    *("{:.3f}",) * 5,
    "{:d}",
    "{:s}",
    "{:.3f}",
    *("{:d}",) * 3,
)
_ROW = ",".join(_FORMATS).format


class TruthRecorder:
    """Writes the record while a fleet runs.

    Parameters
    ----------
    path
        The file, new or written anew; its folder is made when absent.
    flights
        The vehicles, each with its system id.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """

    def __init__(self, path: Path, flights: Sequence[tuple[int, Flight]]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"the truth cannot be written to {path}: {error.strerror}") from error
        self._flights = flights
        self._due_s = 0.0
        self._file.write(",".join(_HEADER) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def note(self, time_s: float) -> None:
        """Write where everybody is, if it is time; `time_s` since power-on of the fleet."""
        if time_s < self._due_s:
            return
        self._due_s = (time_s // _EVERY_S + 1) * _EVERY_S
        for sysid, flight in self._flights:
            _, *values = state_of(flight)
            states = int(flight.armed), int(flight.landed), int(flight.wrecked)
            self._file.write(_ROW(time_s, sysid, flight.sorties, *values, *states) + "\n")
        self._file.flush()


@dataclass(frozen=True, eq=False)
class VehicleTruth:
    """One vehicle through a run; all arrays have a row a moment, shape (n,), times increasing.

    Parameters
    ----------
    sysid
        Which one.
    time_s
        Since power-on of the fleet, seconds.
    lat_deg, lon_deg, amsl_m
        Where it truly was: degrees WGS 84, metres above mean sea level.
    axis_deg, pitch_deg
        Azimuth of the optical axis from true north, and its elevation, degrees.
    yaw_deg, roll_deg, nose_deg
        Attitude of the airframe, degrees: yaw, roll and pitch.
    battery_pct
        Charge.
    sortie
        Number of its flight, from 1; 0 before the first.
    item
        Mission item, as numbered on the wire.
    airborne, armed, wrecked
        Its state.
    mode
        Name of its flight mode, a word a moment.
    """

    sysid: int
    time_s: Floats
    lat_deg: Floats
    lon_deg: Floats
    amsl_m: Floats
    axis_deg: Floats
    pitch_deg: Floats
    yaw_deg: Floats
    roll_deg: Floats
    nose_deg: Floats
    battery_pct: Floats
    sortie: NDArray[np.int64]
    item: NDArray[np.int64]
    airborne: NDArray[np.bool_]
    armed: NDArray[np.bool_]
    wrecked: NDArray[np.bool_]
    mode: tuple[str, ...]


def read_truth(path: Path) -> dict[int, VehicleTruth]:
    """Read a record; a last line that was cut off is left out.

    Returns
    -------
    dict
        By system id.

    Raises
    ------
    ConfigError
        When the file cannot be read or is no such record.
    """
    follower = TruthFollower(path)
    return follower.all()


class TruthFollower:
    """Reads a record while it grows.

    Parameters
    ----------
    path
        The file; it may not be there yet.

    Attributes
    ----------
    now_s
        The latest moment that was read, seconds since power-on; 0 before the first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self.now_s = 0.0
        self.rows: dict[int, list[dict[str, str]]] = {}

    def look(self) -> float:
        """Read what is new; the latest moment, seconds. Raises ConfigError."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                read = file.read()
        except FileNotFoundError:
            return self.now_s
        except OSError as error:
            raise ConfigError(f"truth record {self._path} cannot be read: {error.strerror}") from error
        whole = read[: read.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", "replace").splitlines()
        if self._at == 0 and lines:
            if lines[0] != ",".join(_HEADER):
                raise ConfigError(f"{self._path} is no truth record: its first line is {lines[0][:60]!r}")
            lines = lines[1:]
        self._at += len(whole)
        for row in csv.DictReader(lines, fieldnames=_HEADER):
            try:
                self.now_s = float(row["time_s"])
                self.rows.setdefault(int(row["sysid"]), []).append(row)
            except (TypeError, ValueError):
                raise ConfigError(f"truth record {self._path}: row {row} is none") from None
        return self.now_s

    def last(self) -> dict[int, VehicleTruth]:
        """The latest moment of each vehicle, as records of one row."""
        return {sysid: _vehicle(sysid, rows[-1:], self._path) for sysid, rows in self.rows.items()}

    def all(self) -> dict[int, VehicleTruth]:
        """Everything that there is. Raises ConfigError where there is nothing."""
        self.look()
        if not self.rows:
            raise ConfigError(f"truth record {self._path} holds nothing: give the folder of a run that was played")
        return {sysid: _vehicle(sysid, rows, self._path) for sysid, rows in sorted(self.rows.items())}


def _vehicle(sysid: int, rows: list[dict[str, str]], path: Path) -> VehicleTruth:
    try:
        value = {
            name: np.array([float(row[name]) for row in rows]) for name in _HEADER if name not in ("sysid", *_TEXTS)
        }
    except (TypeError, ValueError) as error:
        raise ConfigError(f"truth record {path}, vehicle {sysid}: {error}") from None
    return VehicleTruth(
        sysid,
        value["time_s"],
        value["lat_deg"],
        value["lon_deg"],
        value["amsl_m"],
        (value["yaw_deg"] + value["gimbal_yaw_deg"]) % 360.0,
        value["gimbal_pitch_deg"],
        value["yaw_deg"],
        value["roll_deg"],
        value["pitch_deg"],
        value["battery_pct"],
        value["sortie"].astype(np.int64),
        value["item"].astype(np.int64),
        value["landed"] == 0,
        value["armed"] == 1,
        value["wrecked"] == 1,
        tuple(row["mode"] for row in rows),
    )
