"""How live states are taken and told."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import SettingsError

__all__ = ["LiveSettings"]


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How live states are taken and told.

    Parameters
    ----------
    stale_s
        How long after its time a state counts as live. Then those inside see it marked as stale, and partners no more.
    ahead_s
        How far the clock of a sender may be ahead of ours: a state of the far future would hold back all that follow.
    pace_s
        How often streams and TAK servers are told of what has changed.
    account_s
        How often the audit is told what a session of live reading or writing came to; of a vehicle that is new to a
        session it is told before anything of it leaves.

    Raises
    ------
    SettingsError
        When one is not positive.
    """

    stale_s: float = 30.0
    ahead_s: float = 60.0
    pace_s: float = 1.0
    account_s: float = 300.0

    def __post_init__(self) -> None:
        if not min(self.stale_s, self.ahead_s, self.pace_s, self.account_s) > 0:
            raise SettingsError("stale_s, ahead_s, pace_s and account_s of live must be positive: give seconds")
