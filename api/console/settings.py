"""How the console presents itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.errors import SettingsError

__all__ = ["ConsoleSettings"]

_LONGEST = 80


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """How the console presents itself.

    Parameters
    ----------
    marking
        What the banner says at the top and the bottom of every page, the page of the login too: the highest marking
        that this service may hold. Records carry their own.
    marking_colour
        Its ground: a colour as CSS writes it in six digits, `#1f6b3a`. Letters on it are black or white, whichever
        is read better.

    maps
        Folder of PMTiles archives (`*.pmtiles`) that are shown over the base map to whoever is logged in. It is looked
        into whenever somebody asks, so that maps may come and go while the service runs.

    Raises
    ------
    SettingsError
        When the marking is empty or longer than 80 characters, the colour is none, or the folder of maps is no folder.
    """

    marking: str = "UNMARKED SYSTEM"
    marking_colour: str = "#4a5560"
    maps: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.marking.strip()) <= _LONGEST:
            raise SettingsError(f"marking of the console: give 1 to {_LONGEST} characters")
        digits = self.marking_colour.removeprefix("#")
        if len(digits) != 6 or len(self.marking_colour) != 7 or not set(digits.lower()) <= set("0123456789abcdef"):
            raise SettingsError(f"marking_colour {self.marking_colour!r} is no colour: give #rrggbb")
        if self.maps is not None and not self.maps.is_dir():
            raise SettingsError(f"maps of the console: {self.maps} is no folder")
