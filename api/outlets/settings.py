"""Whom an outlet tells of what, and how fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from api.errors import SettingsError
from api.identity.roles import Principal, Role
from api.trail.log import INSIDE

__all__ = ["Outlet", "Pace"]


@dataclass(frozen=True, slots=True)
class Outlet:
    """A subscriber that is pushed to.

    Parameters
    ----------
    name
        Its own; the cursor is kept under it.
    partner_id
        Whose log it follows and by whose right it reads; None: those inside.
    types
        Of which types of records it is told.
    since
        Where it begins when it is new: with all there is, or with what comes.

    Raises
    ------
    SettingsError
        When the name or a type cannot be.
    """

    name: str
    partner_id: str | None = None
    types: frozenset[str] = frozenset({"crossing", "cue"})
    since: Literal["beginning", "now"] = "beginning"

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 100 or not self.name.isprintable() or self.name.endswith(":"):
            raise SettingsError(f"an outlet cannot be named {self.name!r}: give 1 to 100 printable characters")
        if not self.types:
            raise SettingsError(f"outlet {self.name} tells of no type of record: name one")

    @property
    def audience(self) -> str:
        """Whose log it follows."""
        return INSIDE if self.partner_id is None else self.partner_id

    @property
    def principal(self) -> Principal:
        """By whose right it reads: those inside read as an analyst does, a partner's outlet as the partner."""
        if self.partner_id is None:
            return Principal(f"outlet:{self.name}", self.name, Role.ANALYST)
        return Principal(f"outlet:{self.name}", self.name, Role.PARTNER, self.partner_id)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is looked, and how long is waited: seconds."""

    poll_s: float = 0.25
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    hold_s: float = 30.0
