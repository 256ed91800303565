"""Ground sensors from a file, YAML or JSON.

::

    custody: {owner: Border Guard, purpose: border-surveillance, marking: null, retention_days: 30}
    sensors:
      - {id: gate-3, model: pir, lat: 31.3452, lon: -110.9301, heading_deg: 180}
      - {id: road, model: acoustic, lat: 31.346, lon: -110.931, false_day_per_h: 0}

Each sensor has the usual figures of its model (`sim.sensors`) but for those that the file gives; `custody`, which every
cue then carries, may be left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from geo import VedetteError
from sim.documents import Document, Number, Whole, read_document
from sim.errors import ConfigError
from sim.sensors import GroundSensor, ground_sensor
from sim.sensors_cue import Custody

__all__ = ["NetworkDocument", "SensorNetwork", "load_sensors", "network_of"]

_Text = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class SensorNetwork:
    """Sensors, and what their records carry; None for nothing."""

    sensors: tuple[GroundSensor, ...]
    custody: Custody | None = None


class _Custody(Document):
    owner: _Text
    purpose: _Text
    marking: _Text | None = None
    retention_days: Annotated[Whole, Field(ge=1, le=36_500)] = 30


class _Sensor(Document):
    """All else is a figure of the sensor, which is looked at where sensors are made."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Number] = Field(init=False)

    id: str
    model: str
    lat: Number
    lon: Number


class NetworkDocument(Document):
    """Sensors as a file tells of them; `network_of` makes them."""

    sensors: list[_Sensor] = Field(min_length=1, max_length=10_000)
    custody: _Custody | None = None


def load_sensors(path: Path) -> SensorNetwork:
    """Read sensors from a file.

    Parameters
    ----------
    path
        YAML or JSON, as the module says.

    Raises
    ------
    ConfigError
        When the file cannot be read or holds a sensor that there cannot be: names the file, the key, what to do.
    """
    return network_of(read_document(path, "sensors", NetworkDocument, ConfigError), f"sensors file {path}")


def network_of(told: NetworkDocument, where: str) -> SensorNetwork:
    """The sensors that a file tells of; `where` begins messages. Else as `load_sensors`."""
    made = []
    for number, each in enumerate(told.sensors):
        try:
            made.append(ground_sensor(each.id, each.model, each.lat, each.lon, **each.__pydantic_extra__))
        except VedetteError as error:
            raise ConfigError(f"{where}, sensors.{number}: {error}") from error
    ids = [sensor.id for sensor in made]
    twice = next((name for name in ids if ids.count(name) > 1), None) if len(set(ids)) != len(ids) else None
    if twice is not None:
        raise ConfigError(f"{where}: two sensors have the id {twice}: give each its own")
    custody = None if told.custody is None else Custody(**told.custody.model_dump())
    return SensorNetwork(tuple(made), custody)
