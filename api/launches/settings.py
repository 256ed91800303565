"""What is looked at before vehicles take off, and which ground stations are heard."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import SettingsError

__all__ = ["ChecklistItem", "LaunchSettings"]

_LONGEST_KEY, _LONGEST_WORDS, _MOST = 200, 500, 100


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """Something that a person has looked at: a short name, which the audit keeps, and what it says to the person."""

    key: str
    words: str


_USUAL = (
    ChecklistItem("site", "Take-off and landing sites are clear of people and obstacles"),
    ChecklistItem("aircraft", "Propellers, batteries and payload are fitted and checked, on every aircraft"),
    ChecklistItem("weather", "The weather is within the limits of the aircraft until the last landing"),
    ChecklistItem("airspace", "Airspace and partners are notified, and the authorisation is at hand"),
    ChecklistItem("crew", "The crew is briefed: roles are clear, and who brings an aircraft home"),
    ChecklistItem("law", "The legal basis of the patrol is noted"),
)


@dataclass(frozen=True, slots=True)
class LaunchSettings:
    """What is looked at before vehicles take off, and which ground stations are heard.

    Parameters
    ----------
    checklist
        What a person ticks before a plan is sent to vehicles, each item by a key of its own.
    stale_s
        How long after it told of itself a ground station counts as live.

    Raises
    ------
    SettingsError
        When the list is empty, an item says nothing or too much, two have one key, or the time is not positive.
    """

    checklist: tuple[ChecklistItem, ...] = _USUAL
    stale_s: float = 10.0

    def __post_init__(self) -> None:
        if not self.stale_s > 0:
            raise SettingsError(f"stale_s of launches is {self.stale_s}: it must be positive")
        if not 0 < len(self.checklist) <= _MOST:
            raise SettingsError(f"checklist of launches has {len(self.checklist)} items: give 1 to {_MOST}")
        for item in self.checklist:
            if not 0 < len(item.key.strip()) <= _LONGEST_KEY or not 0 < len(item.words.strip()) <= _LONGEST_WORDS:
                raise SettingsError(
                    f"checklist of launches: {item.key!r} needs a key of 1 to {_LONGEST_KEY} characters "
                    f"and words of 1 to {_LONGEST_WORDS}"
                )
        keys = [item.key for item in self.checklist]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise SettingsError(f"checklist of launches: two items have the key {twice[0]!r}: each needs its own")
