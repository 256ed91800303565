"""TAK servers that are pushed to."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from api.errors import SettingsError
from api.outlets.settings import Outlet, Pace
from api.tak.events import CotRules

__all__ = ["TakSettings", "TakTarget"]


@dataclass(frozen=True, slots=True)
class TakTarget:
    """One TAK server, bound to one audience.

    Parameters
    ----------
    name
        Its own; how far it is goes under `tak:NAME`.
    host, port
        Where it listens for TLS.
    ca
        PEM file of the authority that signed the server's certificate. No other is trusted: not those of the machine.
    certificate, key
        PEM files: as whom the server knows us.
    partner_id
        Whose server it is: it is told what that partner may read. None: it is inside.
    server_name
        Name in the server's certificate, where it is not `host`.
    fingerprint
        SHA-256 of the server's certificate (DER) in hex: then no other certificate will do.
    types
        Of which types of records it is told; of vehicles with their live state.
    since
        Where it begins when it is new.
    rules
        How events are made.
    confirm
        Whether the server answers pings (TAK servers do). The cursor moves with the answer, which comes after
        everything that was sent before it. Off: it moves when the network has taken a batch, and what was on its way
        when a connection broke is lost.
    answer_s
        How long a connection, and an answer to a ping, may take.

    Raises
    ------
    SettingsError
        When a value cannot be meant.
    """

    name: str
    host: str
    ca: Path
    certificate: Path
    key: Path
    port: int = 8089
    partner_id: str | None = None
    server_name: str | None = None
    fingerprint: str | None = None
    types: frozenset[str] = frozenset({"crossing", "cue"})
    since: Literal["beginning", "now"] = "beginning"
    rules: CotRules = field(default_factory=CotRules)
    confirm: bool = True
    answer_s: float = 15.0

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise SettingsError(f"TAK server {self.name}: port {self.port} does not exist")
        if self.fingerprint is not None and not re.fullmatch(r"[0-9a-f]{64}", self.fingerprint):
            raise SettingsError(f"TAK server {self.name}: fingerprint is not 64 hexadecimal digits in small letters")
        if self.answer_s <= 0:
            raise SettingsError(f"TAK server {self.name}: answer_s must be positive")
        self.outlet  # noqa: B018 - judges name and types

    @property
    def outlet(self) -> Outlet:
        """The cursor it is served by."""
        return Outlet(f"tak:{self.name}", self.partner_id, self.types, self.since)

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or later, the server's name checked, `ca` alone trusted. Raises SettingsError."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_verify_locations(self.ca)
            made.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"TAK server {self.name}: {self.ca}, {self.certificate} or {self.key} cannot be used ({error}): "
                "give PEM files that can be read"
            ) from error
        return made


@dataclass(frozen=True, slots=True)
class TakSettings:
    """TAK servers that are pushed to, and how the feed is made.

    Parameters
    ----------
    targets
        The servers; each name once.
    rules
        How events of the feed `/cot` are made.
    pace
        How often is looked, and how long is waited for a server that is away.
    """

    targets: tuple[TakTarget, ...] = ()
    rules: CotRules = field(default_factory=CotRules)
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        names = [target.name for target in self.targets]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise SettingsError(f"TAK servers {', '.join(sorted(twice))} stand twice: give each a name of its own")
