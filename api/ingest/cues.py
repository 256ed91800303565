"""Cues come in from ground sensors, once each, and are listed for those inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from api.canonical import canonical, sha256_hex
from api.errors import ConflictError
from api.identity.roles import Call
from api.ingest.schemas import CueIn
from api.store.tables import CueRow
from api.times import iso, microseconds
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["CueFilter", "deliver_cue", "list_cues"]

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class CueFilter:
    """Which cues; None means any.

    Parameters
    ----------
    from_us, to_us
        Half-open interval of the phenomenon's time, UTC microseconds since the Unix epoch.
    sensor, kind
        Exact values.
    """

    from_us: int | None = None
    to_us: int | None = None
    sensor: str | None = None
    kind: str | None = None


def deliver_cue(session: Session, call: Call, now_us: int, cue: CueIn) -> bool:
    """Store a cue by its id; the same again changes nothing.

    Returns
    -------
    bool
        Whether it is new.

    Raises
    ------
    ConflictError
        When another cue has its id.
    """
    document = cue.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document["phenomenonTime"] = iso(microseconds(cue.phenomenon_time))
    document["resultTime"] = iso(microseconds(cue.result_time))
    text = canonical(document)
    digest = sha256_hex(text)
    row = session.get(CueRow, cue.id)
    if row is not None:
        if row.digest != digest:
            raise ConflictError(f"cue {cue.id} differs from the one that is stored: give each cue an id of its own")
        append_audit(session, call, now_us, "cue.deliver", [cue.id], changed=False)
        return False
    row = CueRow(
        id=cue.id,
        sensor=cue.sensor,
        kind=cue.kind,
        time_us=microseconds(cue.phenomenon_time),
        received_us=now_us,
        expires_us=now_us + cue.custody.retention_days * _DAY_US,
        digest=digest,
        document=text,
    )
    session.add(row)
    append_event(session, now_us, "cue.created", cue_id=cue.id, sensor=cue.sensor, cue_kind=cue.kind)
    append_audit(session, call, now_us, "cue.deliver", [cue.id], changed=True)
    return True


def list_cues(
    session: Session, now_us: int, which: CueFilter, *, limit: int, after: tuple[int, str] | None = None
) -> list[tuple[int, str, dict[str, Any]]]:
    """The newest `limit` cues that `which` selects and whose retention has not ended.

    Parameters
    ----------
    session
        Any session.
    now_us
        UTC microseconds since the Unix epoch.
    which
        The filter.
    limit
        How many at most.
    after
        (time_us, id) of the last cue of the page before.

    Returns
    -------
    list of (time_us, id, cue)
        Newest first; each as it was delivered, with the times `received` and `expires` of the service.
    """
    rules = [
        CueRow.expires_us > now_us,
        *([] if which.from_us is None else [CueRow.time_us >= which.from_us]),
        *([] if which.to_us is None else [CueRow.time_us < which.to_us]),
        *([] if which.sensor is None else [CueRow.sensor == which.sensor]),
        *([] if which.kind is None else [CueRow.kind == which.kind]),
        *([] if after is None else [tuple_(CueRow.time_us, CueRow.id) < tuple_(*after)]),
    ]
    order = (CueRow.time_us.desc(), CueRow.id.desc())
    rows = session.scalars(select(CueRow).where(*rules).order_by(*order).limit(limit))
    return [
        (
            row.time_us,
            row.id,
            json.loads(row.document) | {"received": iso(row.received_us), "expires": iso(row.expires_us)},
        )
        for row in rows
    ]
