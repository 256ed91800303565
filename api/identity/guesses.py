"""Tries of passwords, counted: slow for who guesses, not for who is guessed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.canonical import sha256_hex
from api.errors import AuthenticationError, PermissionDeniedError
from api.identity.accounts import folded
from api.identity.limits import Buckets
from api.identity.settings import IdentitySettings

__all__ = ["Guesses"]


class Guesses:
    """The count of wrong passwords, by device, account and address. One a process.

    Parameters
    ----------
    settings
        How many there may be.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        of = settings.processes
        self.by_device = Buckets(settings.login_limit.share(of))
        self._by_account = Buckets(settings.account_limit.share(of))
        self._by_address = Buckets(settings.stranger_limit.share(of))

    @contextmanager
    def counted(
        self, login: str, *, known: bool, device: str | None = None, address: str | None = None
    ) -> Iterator[None]:
        """Count a try before it is made, so that many at once count too; what was no wrong password is given back.

        A device that logged in to the account before has a bucket of its own. So whoever guesses from elsewhere stops
        at the account's bucket without shutting its owner out.

        Parameters
        ----------
        login
            Of the account, as it was given.
        known
            Whether the device logged in to it before.
        device
            What the device's own cookie holds.
        address
            What counts as one address; None where all come from one.

        Raises
        ------
        RateLimitedError
            When there were too many.
        """
        name = sha256_hex(folded(login))
        if known:
            buckets = [(self.by_device, f"{name} {sha256_hex(device or '')}")]
        else:
            buckets = [(self._by_account, name)]
            if address is not None:
                buckets.append((self._by_address, address))
        taken: list[tuple[Buckets, str]] = []
        try:
            for bucket, who in buckets:
                bucket.take(who).require("too many wrong passwords: wait before the next")
                taken.append((bucket, who))
            yield
        except (AuthenticationError, PermissionDeniedError):
            raise
        except BaseException:
            for bucket, who in taken:
                bucket.give(who)
            raise
        for bucket, who in taken:
            bucket.give(who)
