"""How far each outlet is."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from api.described import COUNT, TEXT, TIME, answered, closed, list_of, or_null
from api.http import Caller, Route, Stored, answer, read
from api.identity.roles import Permission
from api.outlets.cursors import list_outlets
from api.times import iso

__all__ = ["ROUTES"]


def get_outlets(call: Caller, store: Stored) -> Response:
    """Every TAK server and broker that is pushed to: how far it is, how far behind, and why it does not move."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = [
            {
                "name": row.name,
                "audience": row.audience,
                "n": row.n,
                "behind": max(0, head - row.n),
                "moved": iso(row.moved_us),
                "problem": row.problem,
            }
            for row, head in list_outlets(session)
        ]
        return {"outlets": found}, []

    return answer(read(store, call, "outlet.list", work))


_OUTLET = closed(name=TEXT, audience=TEXT, n=COUNT, behind=COUNT, moved=TIME, problem=or_null(TEXT))
_OUTLETS = answered(closed(outlets=list_of(_OUTLET)))
ROUTES: tuple[Route, ...] = (Route("GET", "/outlets", get_outlets, Permission.POLICY_READ, answers=_OUTLETS),)
