"""Ground stations that stand by: what each told of itself last, and which of them are live."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from api.canonical import canonical
from api.errors import ConflictError, NotFoundError
from api.identity.roles import Principal
from api.launches.schemas import StationIn
from api.launches.settings import LaunchSettings
from api.launches.tables import StationRow
from api.live.stream import Looked
from api.records.readable import may_read_stations
from api.store.tables import Base
from api.times import iso

__all__ = ["KEPT_US", "STATIONS", "LiveStation", "find_live", "list_stations", "live_stations", "tell"]

KEPT_US = 86_400_000_000
"""For how long a station is remembered that is not heard any more."""
STATIONS = Looked("station", "station.stream", heartbeat_s=5.0)
"""A pilot who is about to send looks on: that nothing comes any more is to be seen before vehicles take off."""
_TABLE: Table = Base.metadata.tables["ground_station"]


def tell(session: Session, now_us: int, source: str, told: StationIn) -> None:
    """Keep what a station tells of itself in place of what it told before; forget those that are long gone."""
    session.execute(delete(StationRow).where(StationRow.told_us < now_us - KEPT_US))
    of_dialect = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    said = {
        "run": told.run,
        "told_us": now_us,
        "busy": told.busy,
        "vehicles": canonical([each.model_dump(mode="json") for each in told.vehicles]),
    }
    upsert = of_dialect(_TABLE).on_conflict_do_update(index_elements=["source"], set_=said)
    session.execute(upsert, {"source": source, **said})


def list_stations(session: Session, principal: Principal, now_us: int, settings: LaunchSettings) -> list[Any]:
    """Stations that were heard of late, by name, as JSON values; none for whom they are no business of."""
    if not may_read_stations(principal):
        return []
    rows = session.scalars(select(StationRow).where(StationRow.told_us >= now_us - KEPT_US).order_by(StationRow.source))
    return [_wire(row, now_us, settings) for row in rows]


@dataclass(frozen=True, slots=True)
class LiveStation:
    """A station as `list_stations` has it, for a stream: that it told the same again is no news."""

    body: dict[str, Any]

    @property
    def id(self) -> str:
        """Its name."""
        return str(self.body["source"])

    @property
    def etag(self) -> str:
        """Differs whenever anything but the time does."""
        return canonical(self.body | {"told_at": None})


def live_stations(
    session: Session, principal: Principal, now_us: int, settings: LaunchSettings
) -> Mapping[str, LiveStation]:
    """As `list_stations`, by name."""
    return {each["source"]: LiveStation(each) for each in list_stations(session, principal, now_us, settings)}


def find_live(session: Session, now_us: int, source: str, settings: LaunchSettings) -> StationRow:
    """A station that is there now.

    Raises
    ------
    NotFoundError
        When it never told of itself, or long ago.
    ConflictError
        When it is not heard any more.
    """
    row = session.get(StationRow, source)
    if row is None:
        raise NotFoundError(f"ground station {source} does not exist: start `vedette station` there")
    if not _is_live(row, now_us, settings):
        raise ConflictError(
            f"ground station {source} was heard last at {iso(row.told_us)}: it is to tell of itself every two seconds, "
            "look whether it runs and reaches the service"
        )
    return row


def _is_live(row: StationRow, now_us: int, settings: LaunchSettings) -> bool:
    # Of a time that is still to come it is not known how long ago it was: a clock was set back.
    return abs(now_us - row.told_us) < settings.stale_s * 1e6


def _wire(row: StationRow, now_us: int, settings: LaunchSettings) -> dict[str, Any]:
    return {
        "source": row.source,
        "run": row.run,
        "told_at": iso(row.told_us),
        "live": _is_live(row, now_us, settings),
        "busy": row.busy,
        "vehicles": json.loads(row.vehicles),
    }
