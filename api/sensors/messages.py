"""One message of a sensor: a cue that is stored, nothing, or a refusal that is kept with its reason."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.errors import ConflictError, PermissionDeniedError, UnprocessableError
from api.identity.roles import Call, Principal, Role
from api.ingest.records import deliver
from api.loading import load_json
from api.markup import plain
from api.pages import Page, Window, page_of
from api.records.schemas import CueIn
from api.records.types import TYPES
from api.sensors.observations import Observation, cue_of
from api.sensors.settings import Datastream, SensorSettings
from api.sensors.tables import RefusedMessageRow
from api.store.engine import Store
from api.times import iso

__all__ = ["Taken", "deliver_observation", "list_refused", "take_message", "topics_of"]

_KEPT_CHARACTERS = 4000
_OBSERVATIONS = re.compile(r"Datastreams\(([^()/]+)\)/Observations")


class Taken(StrEnum):
    """What became of a message."""

    STORED = "stored"
    KNOWN = "known"
    NOTHING = "nothing"
    REFUSED = "refused"


def topics_of(settings: SensorSettings) -> list[str]:
    """What is subscribed to."""
    own = [f"{settings.prefix}/+/cue", f"{settings.prefix}/+/observation"]
    return own + [f"{settings.things}/Datastreams({stream.id})/Observations" for stream in settings.datastreams]


def take_message(store: Store, settings: SensorSettings, topic: str, payload: bytes) -> Taken:
    """Store what a message says; when this returns, it may be acknowledged.

    The topic says who speaks: a message about another sensor, or of another's Datastream, is refused. (That nobody
    publishes on another's topics is the broker's to see to.)

    Raises
    ------
    StorageError
        When nothing could be written: the message must come again.
    """
    try:
        cue = _cue(settings, topic, payload)
        if cue is None:
            return Taken.NOTHING
        with store.write() as session:
            call = Call(Principal("mqtt", cue.sensor, Role.SENSOR, sources=frozenset({cue.sensor})), new_id())
            done = deliver(session, call, store.clock(), TYPES["cue"], cue)
    except (ConflictError, PermissionDeniedError, UnprocessableError, ValidationError) as error:
        with store.write() as session:
            _refuse(session, store.clock(), topic, payload, reason=_reason(error), most=settings.most_refused)
        return Taken.REFUSED
    return Taken.STORED if done.outcome == "created" else Taken.KNOWN


def deliver_observation(
    session: Session, call: Call, now_us: int, observation: Observation, stream: Datastream
) -> tuple[str | None, bool]:
    """Store the cue that an observation is.

    Returns
    -------
    record_id, created
        None and False where its result says that nothing was there.

    Raises
    ------
    UnprocessableError, ConflictError
        As `cue_of` and `deliver` do.
    """
    cue = cue_of(observation, stream)
    if cue is None:
        return None, False
    done = deliver(session, call, now_us, TYPES["cue"], cue)
    return done.id, done.outcome == "created"


def list_refused(session: Session, window: Window) -> Page[dict[str, Any]]:
    """Refused messages, as JSON values: that which came last first. One that comes again is at the head once more."""
    row = RefusedMessageRow
    return page_of(session, select(row), window, row.last_us, row.id, newest_first=True).map(_refused_wire)


def _refused_wire(row: RefusedMessageRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "topic": row.topic,
        "reason": row.reason,
        "payload": row.payload,
        "size": row.size,
        "first": iso(row.first_us),
        "last": iso(row.last_us),
        "times": row.times,
    }


def _cue(settings: SensorSettings, topic: str, payload: bytes) -> CueIn | None:
    if len(payload) > settings.max_message_bytes:
        raise UnprocessableError(f"{len(payload)} bytes are more than {settings.max_message_bytes}")
    sensor, stream = _speaker(settings, topic)
    if stream is None and topic.endswith("/cue"):
        return _own_cue(settings, sensor, payload)
    observation = Observation.model_validate(load_json(payload))
    named = observation.datastream.id if observation.datastream is not None else None
    if stream is None:
        stream = settings.datastream(str(named))
        if stream is None:
            raise UnprocessableError(f"Datastream {named} is not in the settings")
    elif named is not None and str(named) != stream.id:
        raise PermissionDeniedError(f"the topic is of Datastream {stream.id}, the observation of {named}")
    if sensor != stream.sensor:
        raise PermissionDeniedError(f"sensor {sensor} may not speak for Datastream {stream.id} of {stream.sensor}")
    return cue_of(observation, stream)


def _speaker(settings: SensorSettings, topic: str) -> tuple[str, Datastream | None]:
    """The sensor, or the Datastream, whose topic it is."""
    match = _OBSERVATIONS.fullmatch(topic.removeprefix(settings.things + "/"))
    if match is not None and topic.startswith(settings.things + "/"):
        stream = settings.datastream(match[1])
        if stream is None:
            raise UnprocessableError(f"Datastream {match[1]} is not in the settings")
        return stream.sensor, stream
    sensor, slash, form = topic.removeprefix(settings.prefix + "/").partition("/")
    if not topic.startswith(settings.prefix + "/") or not slash or form not in {"cue", "observation"}:
        raise UnprocessableError(f"nothing is expected on topic {topic[:200]}")
    return sensor, None


def _own_cue(settings: SensorSettings, sensor: str, payload: bytes) -> CueIn:
    found = load_json(payload)
    if not isinstance(found, dict):
        raise UnprocessableError("the message is no JSON object")
    if settings.custody is not None:
        found.setdefault("custody", settings.custody.to_json())
    cue = CueIn.model_validate(found)
    if cue.sensor != sensor:
        raise PermissionDeniedError(f"sensor {sensor} may not speak for {cue.sensor}")
    return cue


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])[:500]
    return str(error)[:500]


def _refuse(session: Session, now_us: int, topic: str, payload: bytes, *, reason: str, most: int) -> None:
    digest = hashlib.sha256(topic.encode() + b"\x00" + payload).hexdigest()[:32]
    row = session.get(RefusedMessageRow, digest)
    if row is not None:
        row.last_us, row.times, row.reason = now_us, row.times + 1, plain(reason)
        return
    kept = session.scalar(select(func.count()).select_from(RefusedMessageRow)) or 0
    if kept >= most:
        oldest = select(RefusedMessageRow.id).order_by(RefusedMessageRow.last_us, RefusedMessageRow.id)
        gone = session.scalars(oldest.limit(kept - most + 1)).all()
        session.execute(delete(RefusedMessageRow).where(RefusedMessageRow.id.in_(gone)))
    session.add(
        RefusedMessageRow(
            id=digest,
            topic=plain(topic)[:500],
            reason=plain(reason),
            payload=plain(payload[: 4 * _KEPT_CHARACTERS].decode(errors="replace"))[:_KEPT_CHARACTERS],
            size=len(payload),
            first_us=now_us,
            last_us=now_us,
            times=1,
        )
    )
