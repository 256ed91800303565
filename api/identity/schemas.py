"""Keys as they are asked for."""

from __future__ import annotations

from pydantic import AwareDatetime

from api.identity.roles import Role
from api.wire import Id, Label, Wire

__all__ = ["KeyIn"]


class KeyIn(Wire):
    """A new key."""

    name: Label
    role: Role
    partner_id: Id | None = None
    expires: AwareDatetime | None = None
