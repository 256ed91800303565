"""How alerts are made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from api.errors import SettingsError

__all__ = ["CapSettings"]


@dataclass(frozen=True, slots=True)
class CapSettings:
    """How alerts are made.

    Parameters
    ----------
    sender
        Who they come from, worldwide unique, as an address: no spaces, commas, < or &.
    status
        "Exercise" and "Test" tell every reader that nobody is to act.
    language
        Of the headline, RFC 3066.
    grid_deg
        Places are rounded to this grid, and the circle grows so that it holds the place all the same.
    fresh_s
        How long after an event it calls for immediate action; later it is past.

    Raises
    ------
    SettingsError
        When a value cannot be meant.
    """

    sender: str = "vedette@localhost"
    status: Literal["Actual", "Exercise", "Test"] = "Actual"
    language: str = "en"
    grid_deg: float = 0.01
    fresh_s: float = 3600.0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^\s,<&]{1,200}", self.sender):
            raise SettingsError(f"sender {self.sender!r} of alerts must be without spaces, commas, < and &")
        if self.status not in {"Actual", "Exercise", "Test"}:
            raise SettingsError(f"status {self.status!r} of alerts is none: give Actual, Exercise or Test")
        if not re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", self.language):
            raise SettingsError(f"language {self.language!r} of alerts is none: give en or de-AT")
        if not 1e-4 <= self.grid_deg <= 1:
            raise SettingsError(f"grid_deg {self.grid_deg} is not from 0.0001 to 1 degree")
        if self.fresh_s < 0:
            raise SettingsError(f"fresh_s {self.fresh_s} is negative")
