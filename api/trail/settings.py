"""How often the head of the audit chain is signed, with which key, and where the signed heads are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.errors import SettingsError

__all__ = ["HeadSettings"]


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How often the head of the audit chain is signed, with which key, and where the signed heads are kept.

    Parameters
    ----------
    key
        Ed25519 key that signs; None signs nothing.
    target
        A path: a file of JSON lines that grows. A URL of fsspec (`s3://bucket/heads`): a folder with one object a
        head, so that the store can lock what was written. None keeps none. On a machine that whoever runs the service
        cannot write to, it proves a rewriting of the whole chain.
    every_s, every_entries
        A head is signed when either has passed since the last, and something was appended.
    check_s
        How often that is looked at.

    Raises
    ------
    SettingsError
        When a figure is out of range, or there is a target and no key.
    """

    key: Ed25519PrivateKey | None = field(default=None, repr=False)
    target: str | None = None
    every_s: float = 600.0
    every_entries: int = 10_000
    check_s: float = 5.0

    def __post_init__(self) -> None:
        if self.target is not None and self.key is None:
            raise SettingsError("heads of the audit cannot be kept unsigned: give the key that signs them")
        if min(self.every_s, self.check_s) <= 0 or self.every_entries <= 0:
            raise SettingsError("heads of the audit: every_s, every_entries and check_s must be above 0")
