"""A flight log as a table: one row for each position, heartbeat, text, event and item reached, in Parquet."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialects import dialect_of
from autopilot.errors import AutopilotError, LogError
from autopilot.long_texts import SAYING
from autopilot.telemetry import Telemetry, TelemetryState
from autopilot.tlog import read_tlog
from autopilot.wire import Message
from geo import Altitude, atomic_path

__all__ = ["tlog_to_parquet"]

_ROWS = frozenset({"GLOBAL_POSITION_INT", "HEARTBEAT", "MISSION_ITEM_REACHED", *SAYING})
_GROUP = 20_000


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its pyarrow type by name, its unit, what it means, and its value in a snapshot."""

    name: str
    kind: str
    unit: str
    meaning: str
    value: Callable[[Telemetry], object]


def _metres(height: Altitude | None) -> float | None:
    return None if height is None else height.metres


def _part(values: tuple[float, float, float] | None, index: int) -> float | None:
    return None if values is None else values[index]


_COLUMNS = (
    _Column("vehicle_s", "float64", "s", "clock of the vehicle, since it booted", lambda t: t.vehicle_s),
    _Column("lat_deg", "float64", "deg", "latitude, WGS 84", lambda t: t.lat_deg),
    _Column("lon_deg", "float64", "deg", "longitude, WGS 84", lambda t: t.lon_deg),
    _Column("amsl_m", "float64", "m", "height above mean sea level", lambda t: _metres(t.altitude)),
    _Column("above_home_m", "float64", "m", "height above home", lambda t: t.above_home_m),
    _Column("agl_m", "float64", "m", "height above ground, by the vehicle's terrain data", lambda t: _metres(t.agl)),
    _Column("north_m_s", "float64", "m/s", "velocity to the north", lambda t: _part(t.velocity_ned_m_s, 0)),
    _Column("east_m_s", "float64", "m/s", "velocity to the east", lambda t: _part(t.velocity_ned_m_s, 1)),
    _Column("down_m_s", "float64", "m/s", "velocity downwards", lambda t: _part(t.velocity_ned_m_s, 2)),
    _Column("roll_deg", "float64", "deg", "roll of the airframe", lambda t: t.roll_deg),
    _Column("pitch_deg", "float64", "deg", "pitch of the airframe", lambda t: t.pitch_deg),
    _Column("yaw_deg", "float64", "deg", "heading of the airframe from true north", lambda t: t.yaw_deg),
    _Column("battery_percent", "float64", "%", "charge that remains", lambda t: t.battery_percent),
    _Column("battery_v", "float64", "V", "voltage of the battery", lambda t: t.battery_v),
    _Column("mode", "string", "", "flight mode", lambda t: t.mode),
    _Column("armed", "bool_", "", "whether the motors may turn", lambda t: t.armed),
    _Column("item", "int32", "", "current item of the mission", lambda t: t.item),
    _Column("last_reached", "int32", "", "last item that was reported as reached", lambda t: t.last_reached),
    _Column("landed", "bool_", "", "whether it stands on the ground", lambda t: t.landed),
    _Column("gps_fix", "int32", "", "GPS_FIX_TYPE", lambda t: t.gps_fix),
    _Column("satellites", "int32", "", "satellites used", lambda t: t.satellites),
    _Column("estimator_flags", "int32", "", "flags of the position estimator", lambda t: t.estimator_flags),
    _Column("boots", "int32", "", "how often its clock stepped back", lambda t: t.boots),
)


def tlog_to_parquet(path: Path, out: Path | None = None) -> Path:
    """Write a telemetry log as a Parquet table, whole or not at all.

    A row holds what a vehicle had said by then; ``message`` names what made the row and ``text`` holds a STATUSTEXT, or
    the words of an EVENT of PX4; those that are for programs make none.
    ``time`` is a timestamp in UTC; other columns carry their unit and meaning in the metadata of their field.

    Parameters
    ----------
    path
        A ``.tlog``, ours or of another ground station, with any number of vehicles.
    out
        The table; None for the same name with ``.parquet``.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    LogError
        When the log cannot be read, the table cannot be written, or pyarrow is not installed.
    """
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise LogError(f"{path}: a table of it needs pyarrow: pip install vedette[logs]") from error
    schema = _schema(arrow)
    target = path.with_suffix(".parquet") if out is None else out
    rows = _rows(path)
    first = list(islice(rows, _GROUP))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(target) as unfinished, parquet.ParquetWriter(unfinished, schema) as writer:
            group = first
            while group:
                writer.write_table(arrow.Table.from_pylist(group, schema=schema))
                group = list(islice(rows, _GROUP))
    except OSError as error:
        raise LogError(f"{target}: cannot be written: {error}: choose another place") from error
    return target


def _schema(arrow: Any) -> Any:
    def field(name: str, kind: Any, unit: str, meaning: str) -> Any:
        return arrow.field(name, kind, metadata={"unit": unit, "meaning": meaning})

    return arrow.schema(
        [
            field("time", arrow.timestamp("us", tz="UTC"), "us", "when it was recorded, UTC"),
            field("sysid", arrow.int32(), "", "system id of the vehicle"),
            field("message", arrow.string(), "", "the MAVLink message that made the row"),
            *(field(column.name, getattr(arrow, column.kind)(), column.unit, column.meaning) for column in _COLUMNS),
            field("text", arrow.string(), "", "what the vehicle said in words"),
        ]
    )


def _rows(path: Path) -> Iterator[dict[str, object]]:
    states: dict[tuple[int, int], TelemetryState] = {}
    for time_us, message in read_tlog(path):
        kind = message.get_type()
        who = message.get_srcSystem(), message.get_srcComponent()
        state = states.get(who)
        if state is None:
            # Ground stations, cameras and radios send heartbeats too, and are no vehicles.
            if kind != "HEARTBEAT" or message.autopilot == mav.MAV_AUTOPILOT_INVALID:
                continue
            state = states[who] = TelemetryState(_mode_namer(message))
        before = state.said
        state.take(message, time_us / 1e6)
        if kind not in _ROWS:
            continue
        now = state.snapshot()
        row: dict[str, object] = {column.name: column.value(now) for column in _COLUMNS}
        # A part of a long text finishes none, its own, or one before that is given up; so may a heartbeat.
        said = state.texts[len(state.texts) - (state.said - before) :]
        texts: list[str | None] = [each.text for each in said]
        for text in texts or ([] if kind in SAYING else [None]):
            yield {"time": time_us, "sysid": who[0], "message": kind, **row, "text": text}


def _mode_namer(heartbeat: Message) -> Callable[[int], str]:
    try:
        return dialect_of(heartbeat.autopilot, heartbeat.type).mode_name
    except AutopilotError:
        return lambda number: f"MODE({number})"
