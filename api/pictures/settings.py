"""How live pictures are taken and how long they are shown."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import SettingsError

__all__ = ["PictureSettings"]


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """How live pictures are taken and how long they are shown.

    Parameters
    ----------
    most
        Streams of which a picture is held. One more takes the place of the one that was heard of longest ago.
    max_bytes
        Largest picture; `most` times this is what they take of memory at worst.
    longest_px
        Longest side that a picture may have.
    stale_s
        How long after it came a picture counts as live.
    gone_s
        After this nobody sees it any more, and it is dropped: a live picture is no archive.

    Raises
    ------
    SettingsError
        When a figure cannot be.
    """

    most: int = 200
    max_bytes: int = 512 << 10
    longest_px: int = 1920
    stale_s: float = 10.0
    gone_s: float = 300.0

    def __post_init__(self) -> None:
        if min(self.most, self.max_bytes, self.longest_px) < 1:
            raise SettingsError("most, max_bytes and longest_px of pictures must be 1 or more")
        if not 0 < self.stale_s <= self.gone_s:
            raise SettingsError("pictures are stale before they are gone: give 0 < stale_s <= gone_s, seconds")
