"""Observations over HTTP, and what was refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.described import COUNT, ID, LINKS, NOTHING, PLACE, TEXT, TIME, answered, closed, list_of
from api.errors import PermissionDeniedError, UnprocessableError
from api.http import Caller, Given, Route, Stored, answer, read, write
from api.identity.roles import Call, Permission
from api.pages import Asked, links_of
from api.sensors.messages import deliver_observation, list_refused
from api.sensors.observations import Observation
from api.sensors.settings import Datastream, SensorSettings
from api.store.engine import Store
from api.trail.audit import append_audit

__all__ = ["ROUTES"]

_ROOT = "/sensorthings/v1.1"


def post_observation(observation: Observation, call: Caller, store: Stored, settings: Given) -> Response:
    """Deliver an OGC SensorThings Observation that names its Datastream.

    201 when it is a new cue, 200 when it is here already, 204 when its result says that nothing was there. The key must
    be the sensor's own, or that of the gateway which the settings name.
    """
    named = observation.datastream.id if observation.datastream is not None else None
    if named is None:
        raise UnprocessableError("the observation names no Datastream: give Datastream with @iot.id")
    return _deliver(store, call, settings.sensors, str(named), observation)


def post_datastream_observation(
    datastream: Annotated[str, Path(max_length=100)],
    observation: Observation,
    call: Caller,
    store: Stored,
    settings: Given,
) -> Response:
    """Deliver an OGC SensorThings Observation of one Datastream, as `/Observations` does."""
    named = observation.datastream.id if observation.datastream is not None else None
    if named is not None and str(named) != datastream:
        raise UnprocessableError(f"the path is of Datastream {datastream}, the observation of {named}")
    return _deliver(store, call, settings.sensors, datastream, observation)


def get_refused_messages(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """Messages of sensors that were refused, newest first, each with the reason; the link named next leads on."""
    page = read(store, call, "refused_message.list", lambda session, _now: (list_refused(session, asked), []))
    return answer({"messages": page.items, "links": links_of(request, page.next)})


def _deliver(store: Store, call: Call, settings: SensorSettings, id_: str, observation: Observation) -> Response:
    stream = _own(settings, call, id_)

    def work(session: Session, now: int) -> tuple[str | None, bool]:
        record_id, created = deliver_observation(session, call, now, observation, stream)
        if record_id is None:
            append_audit(session, call, now, "observation.deliver", [], datastream=stream.id, changed=False)
        return record_id, created

    record_id, created = write(store, call, work)
    if record_id is None:
        return Response(status_code=204)
    body = {"@iot.id": record_id, "@iot.selfLink": f"/cues/{record_id}"}
    return answer(body, 201 if created else 200, Location=f"/cues/{record_id}")


def _own(settings: SensorSettings, call: Call, id_: str) -> Datastream:
    stream = settings.datastream(id_)
    if stream is None:
        raise UnprocessableError(f"Datastream {id_} is not in the settings")
    if call.principal.name != stream.key_name:
        raise PermissionDeniedError(f"this key may not speak for Datastream {id_}")
    return stream


_OBSERVED = answered(closed(**{"@iot.id": ID, "@iot.selfLink": TEXT}), 200, 201, **PLACE) | NOTHING
_REFUSED = answered(
    closed(
        messages=list_of(
            closed(
                id={"type": ["string", "integer"]},
                topic=TEXT,
                reason=TEXT,
                payload=TEXT,
                size=COUNT,
                first=TIME,
                last=TIME,
                times=COUNT,
            )
        ),
        links=LINKS,
    )
)
ROUTES: tuple[Route, ...] = (
    Route("POST", f"{_ROOT}/Observations", post_observation, Permission.CUE_WRITE, answers=_OBSERVED),
    Route(
        "POST",
        f"{_ROOT}/Datastreams({{datastream}})/Observations",
        post_datastream_observation,
        Permission.CUE_WRITE,
        answers=_OBSERVED,
    ),
    Route("GET", "/refused-messages", get_refused_messages, Permission.REFUSAL_READ, answers=_REFUSED),
)
