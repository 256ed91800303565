"""How erasure and the public page go about their work."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import SettingsError

__all__ = ["AccountSettings"]


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """How erasure and the public page go about their work.

    Parameters
    ----------
    sweep_s
        How often it is looked for what has run out.
    orphans_s
        How often objects that no record names are looked for; those younger than an hour are left.
    two_people_lift, two_people_erase
        Whether lifting a hold, and erasure on request, need a second person.
    publish
        Whether the public page tells anything.
    publish_after_days
        How long after its end a month is published.
    threshold
        Counts below it are not published.
    ledger
        Where the ledger of what was taken back is kept, best on another machine: a path, or a URL of a folder. None
        keeps it in the store's folder, where it goes with the disk. `vedette restore` needs it.

    Raises
    ------
    SettingsError
        When a figure is out of range.
    """

    sweep_s: float = 600.0
    orphans_s: float = 86_400.0
    two_people_lift: bool = False
    two_people_erase: bool = False
    publish: bool = True
    publish_after_days: int = 30
    threshold: int = 10
    ledger: str | None = None

    def __post_init__(self) -> None:
        if min(self.sweep_s, self.orphans_s) <= 0:
            raise SettingsError("sweeps of what has run out must come again: give seconds above 0")
        if self.publish_after_days < 1:
            raise SettingsError("a month is published after its end: publish_after_days must be at least 1")
        if self.threshold < 3:
            raise SettingsError("a threshold below 3 hides nobody: give at least 3")
