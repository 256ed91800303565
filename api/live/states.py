"""Live states come in: of each vehicle the newest is kept, however often and in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from api.canonical import canonical
from api.identity.roles import Principal
from api.ingest.records import GONE
from api.live.schemas import StateIn
from api.live.settings import LiveSettings
from api.live.tables import VehicleStateRow
from api.records.kept import Kept, find_kept
from api.store.tables import Base
from api.times import microseconds

__all__ = ["OUTCOMES", "Taken", "take_states"]

OUTCOMES = ("taken", "older", "unchanged", "conflict", "ahead", "unknown", "forbidden")
"""What can come of a state."""

_TABLE: Table = Base.metadata.tables["vehicle_state"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one state, one of `OUTCOMES`; of which record."""

    outcome: str
    record_id: str | None = None


def take_states(
    session: Session, principal: Principal, now_us: int, states: Sequence[StateIn], settings: LiveSettings
) -> list[Taken]:
    """Keep each state that is newer than the one that is kept of its vehicle.

    Parameters
    ----------
    session
        A session of `Store.write`.
    principal
        Who says it.
    now_us
        UTC microseconds since the Unix epoch.
    states
        In any order; several of one vehicle are taken as if they came one after another.

    Returns
    -------
    list of Taken
        In the order of `states`. `older`: a newer one is there. `unchanged`, `conflict`: one of the same time is there,
        which says the same, or something else; it stays. `ahead`: its time has not come. `unknown`: no such vehicle.
        `forbidden`: not one to speak for its source, whether there is such a vehicle or not.
    """
    vehicles = find_kept(session, "vehicle", ((each.source, each.source_id) for each in states))
    # From the lowest id on: two that write at once do not wait for each other crosswise.
    ids = sorted(kept.id for kept in vehicles.values() if kept.review_state not in GONE)
    there: dict[str, tuple[int, str]] = _kept_of(session, ids)
    latest_us = now_us + round(settings.ahead_s * 1e6)
    changed: dict[str, dict[str, Any]] = {}
    done = []
    for each in states:
        if not principal.may_speak_for(each.source):
            done.append(Taken("forbidden"))
            continue
        vehicle = vehicles.get((each.source, each.source_id))
        taken = _judged(each, vehicle, there, latest_us)
        done.append(taken)
        if taken.outcome == "taken" and taken.record_id is not None:
            row: dict[str, Any] = {
                "record_id": taken.record_id,
                "update_us": microseconds(each.update_time),
                "received_us": now_us,
                "document": canonical(each.document()),
            }
            changed[taken.record_id], there[taken.record_id] = row, (row["update_us"], row["document"])
    if changed:
        session.execute(_upsert(session), [changed[record_id] for record_id in sorted(changed)])
    return done


def _judged(given: StateIn, vehicle: Kept | None, there: dict[str, tuple[int, str]], latest_us: int) -> Taken:
    if vehicle is None or vehicle.review_state in GONE:
        return Taken("unknown")
    update_us = microseconds(given.update_time)
    if update_us > latest_us:
        return Taken("ahead", vehicle.id)
    kept_us, kept = there.get(vehicle.id, (None, ""))
    if kept_us is None or update_us > kept_us:
        return Taken("taken", vehicle.id)
    if update_us < kept_us:
        return Taken("older", vehicle.id)
    return Taken("unchanged" if canonical(given.document()) == kept else "conflict", vehicle.id)


def _kept_of(session: Session, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    if not ids:
        return {}
    row = VehicleStateRow
    query = select(row.record_id, row.update_us, row.document).where(row.record_id.in_(ids)).order_by(row.record_id)
    return {each.record_id: (each.update_us, each.document) for each in session.execute(query.with_for_update())}


def _upsert(session: Session) -> Any:
    """Puts a state in unless a newer one came meanwhile, from another process."""
    of_dialect = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    given = of_dialect(_TABLE)
    columns = {name: given.excluded[name] for name in ("update_us", "received_us", "document")}
    newer = _TABLE.c.update_us < given.excluded.update_us
    return given.on_conflict_do_update(index_elements=["record_id"], set_=columns, where=newer)
