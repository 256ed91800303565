"""What sensors say: cues and heartbeats, as JSON.

A cue::

    {"type": "cue",
     "id": "8f0e...",                     32 hexadecimal digits; the same event has the same id however often it comes
     "sensor": "gate-3",
     "kind": "motion",                    motion, infrared, acoustic
     "phenomenonTime": "2027-03-01T05:12:07.300000Z",   when it was, UTC
     "resultTime": "2027-03-01T05:12:08.911402Z",       when the sensor reported it
     "location": {"type": "Point", "coordinates": [-110.94, 31.333]},   where, as far as it knows; lon, lat
     "uncertainty_m": 20.4,               one standard deviation of a coordinate of that place
     "confidence": 0.87,                  from 0.5 (just noticed) to 1: the logistic function of the signal
     "parameters": {"model": "pir"},      with azimuth_deg and azimuth_sigma_deg where a bearing was measured
     "custody": {"owner": "...", "purpose": "...", "marking": null, "retention_days": 30}}   where the network has one

`phenomenonTime`, `resultTime`, `location` and `parameters` mean what they mean in OGC SensorThings 1.1. A cue says
nothing that could tell a false alarm from a true one; `SensorReport` keeps the truth beside it.

A heartbeat::

    {"type": "heartbeat", "sensor": "gate-3", "kind": "motion", "resultTime": "...Z",
     "location": {...the sensor's own place...}, "battery_pct": 83.1, "status": "ok"}   or "battery low", below 20 %
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo import write_text
from sim.sensors import GroundSensor
from sim.times import iso

__all__ = ["LOW_BATTERY_PCT", "Custody", "SensorReport", "cue", "heartbeat", "write_cue_truth"]

LOW_BATTERY_PCT = 20.0


@dataclass(frozen=True, slots=True)
class Custody:
    """What every record of a network carries.

    Parameters
    ----------
    owner
        Organisation that owns the records.
    purpose
        What they are gathered for.
    marking
        Their marking; with none they are shared with nobody.
    retention_days
        How long they are kept.
    """

    owner: str
    purpose: str
    marking: str | None = None
    retention_days: int = 30

    def to_json(self) -> dict[str, Any]:
        """As a cue carries it."""
        return {
            "owner": self.owner,
            "purpose": self.purpose,
            "marking": self.marking,
            "retention_days": self.retention_days,
        }


@dataclass(frozen=True, slots=True)
class SensorReport:
    """A message of a sensor, and the truth that the message does not tell.

    Parameters
    ----------
    time_us
        When it is sent, UTC microseconds since the Unix epoch.
    sensor
        Who sends it.
    message
        The JSON object, as the module says.
    actor
        Who caused a cue; None for a false alarm or a heartbeat.
    """

    time_us: int
    sensor: str
    message: Mapping[str, Any]
    actor: int | None = None

    @property
    def is_cue(self) -> bool:
        """Whether it is a cue and no heartbeat."""
        return bool(self.message["type"] == "cue")


def cue(
    sensor: GroundSensor,
    *,
    seed: int,
    event_us: int,
    report_us: int,
    lat_deg: float,
    lon_deg: float,
    uncertainty_m: float,
    confidence: float,
    bearing: tuple[float, float] | None,
    custody: Custody | None,
) -> dict[str, Any]:
    """The message of one event; `bearing` is the measured azimuth and its sigma, degrees."""
    name = hashlib.sha256(f"{seed}/{sensor.id}/{event_us}".encode()).hexdigest()[:32]
    parameters: dict[str, Any] = {"model": sensor.model}
    if bearing is not None:
        parameters |= {"azimuth_deg": round(bearing[0] % 360.0, 1) % 360.0, "azimuth_sigma_deg": bearing[1]}
    return {
        "type": "cue",
        "id": name,
        "sensor": sensor.id,
        "kind": sensor.kind,
        "phenomenonTime": iso(event_us),
        "resultTime": iso(report_us),
        "location": _point(lat_deg, lon_deg),
        "uncertainty_m": round(uncertainty_m, 1),
        "confidence": round(confidence, 3),
        "parameters": parameters,
    } | ({} if custody is None else {"custody": custody.to_json()})


def heartbeat(sensor: GroundSensor, time_us: int, battery_pct: float) -> dict[str, Any]:
    """A sign of life."""
    return {
        "type": "heartbeat",
        "sensor": sensor.id,
        "kind": sensor.kind,
        "resultTime": iso(time_us),
        "location": _point(sensor.lat_deg, sensor.lon_deg),
        "battery_pct": round(battery_pct, 1),
        "status": "ok" if battery_pct >= LOW_BATTERY_PCT else "battery low",
    }


def _point(lat_deg: float, lon_deg: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [round(lon_deg, 7), round(lat_deg, 7)]}


def write_cue_truth(path: Path, reports: Iterable[SensorReport]) -> None:
    """Write who caused each cue, one JSON object a line: id, sensor, actor (null for a false alarm).

    Raises FileWriteError.
    """
    lines = [
        json.dumps({"id": report.message["id"], "sensor": report.sensor, "actor": report.actor}) + "\n"
        for report in reports
        if report.is_cue
    ]
    write_text(path, "".join(lines))
