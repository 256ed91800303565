"""Keys, and what a key stands for."""

from __future__ import annotations

from starlette.responses import Response

from api.http import Caller, Route, Stored, answer, read, write
from api.identity import keys
from api.identity.roles import Permission
from api.identity.schemas import KeyIn
from api.times import microseconds

__all__ = ["ROUTES"]


def post_key(key: KeyIn, call: Caller, store: Stored) -> Response:
    """Issue a key; its secret is in this answer and nowhere else."""
    issued = write(
        store,
        lambda session, now: keys.issue_key(
            session,
            call,
            now,
            name=key.name,
            role=key.role,
            partner_id=key.partner_id,
            expires_us=None if key.expires is None else microseconds(key.expires),
        ),
    )
    return answer({"id": issued.id, "key": issued.key}, 201)


def get_keys(call: Caller, store: Stored) -> Response:
    """Every key without its secret."""
    return answer(read(store, call, "key.list", lambda session, _now: (keys.list_keys(session), [])))


def delete_key(key_id: str, call: Caller, store: Stored) -> Response:
    """Revoke a key."""
    write(store, lambda session, now: keys.revoke_key(session, call, now, key_id))
    return Response(status_code=204)


def get_me(call: Caller, store: Stored) -> Response:
    """What the key stands for."""
    who = call.principal
    body = {"key_id": who.key_id, "name": who.name, "role": who.role, "partner_id": who.partner_id}
    return answer(read(store, call, "self.read", lambda _session, _now: (body, [])))


ROUTES: tuple[Route, ...] = (
    Route("POST", "/keys", post_key, Permission.KEY_WRITE),
    Route("GET", "/keys", get_keys, Permission.KEY_WRITE),
    Route("DELETE", "/keys/{key_id}", delete_key, Permission.KEY_WRITE),
    Route("GET", "/me", get_me, Permission.SELF),
)
