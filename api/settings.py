"""What a service is started with."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from api.account.settings import AccountSettings
from api.cap.settings import CapSettings
from api.console.settings import ConsoleSettings
from api.errors import SettingsError
from api.feeds.settings import FeedSettings
from api.identity.settings import IdentitySettings
from api.launches.settings import LaunchSettings
from api.live.settings import LiveSettings
from api.pictures.settings import PictureSettings
from api.planning.settings import PlanningSettings
from api.sensors.settings import SensorSettings
from api.tak.settings import TakSettings
from api.trail.settings import HeadSettings

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a service is started with.

    Parameters
    ----------
    directory
        Folder of the store: `objects/` and, without `database`, `vedette.sqlite`. Made when absent, readable by its
        owner alone.
    database
        `postgresql://user@host/name` keeps all but the objects there, for a service on several machines; their
        `directory` is then one that they share.
    host, port
        Where to listen. Port 0 takes a free one.
    tls_certificate, tls_key
        PEM files; both or neither.
    tls_client_ca
        PEM file of the authorities that sign client certificates. A client may then show one; it must be good, and the
        keys that are bound to it work with it alone.
    plain_http_beyond_loopback
        True allows a host other than loopback without TLS, for a service behind a proxy that terminates TLS.
    max_body_bytes, max_bulk_bytes, max_evidence_bytes
        Largest JSON body, largest body of many records, and largest piece of evidence.
    busy_timeout_s
        How long a writer waits for another process's write.
    stop_timeout_s
        How long a stop waits for requests in progress.
    objects
        URL of a store that fsspec reaches (`s3://bucket/folder`), for the objects; None keeps them in `directory`.
    clock_is_right
        Says that this machine's clock is right although the store was written at a later time, or lay still for more
        than 90 days: for one start, after a person has looked.
    opentelemetry
        Whether requests are told to an SDK of OpenTelemetry, where one is installed; it is set up by its environment.
    heads
        How the head of the audit is signed, and where the signed heads are kept.
    account
        How erasure and the public page go about their work.
    feeds
        Of streams and webhooks.
    live
        How long a live state counts, and how often it is told.
    pictures
        Live pictures of streams: how large, how many, how long.
    tak
        TAK servers that are pushed to.
    cap
        How alerts are made.
    console
        How the page for people presents itself.
    sensors
        Ground sensors over MQTT and SensorThings, and brokers that are pushed to.
    planning
        How much is planned, and on which ground.
    launches
        What is looked at before vehicles take off, and which ground stations are heard.
    identity
        How people and machines prove who they are, and how much they may ask.

    Raises
    ------
    SettingsError
        When a figure is out of range, TLS is half given, or keys would travel in the clear beyond this machine.
    """

    directory: Path
    database: str | None = field(default=None, kw_only=True, repr=False)
    """Not shown: it may hold a password."""
    host: str = "127.0.0.1"
    port: int = 8470
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    plain_http_beyond_loopback: bool = False
    max_body_bytes: int = 1 << 20
    max_bulk_bytes: int = 32 << 20
    max_evidence_bytes: int = 256 << 20
    busy_timeout_s: float = 10.0
    stop_timeout_s: int = 10
    objects: str | None = None
    clock_is_right: bool = False
    opentelemetry: bool = False
    heads: HeadSettings = field(default_factory=HeadSettings)
    account: AccountSettings = field(default_factory=AccountSettings)
    feeds: FeedSettings = field(default_factory=FeedSettings)
    live: LiveSettings = field(default_factory=LiveSettings)
    pictures: PictureSettings = field(default_factory=PictureSettings)
    tak: TakSettings = field(default_factory=TakSettings)
    cap: CapSettings = field(default_factory=CapSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    sensors: SensorSettings = field(default_factory=SensorSettings)
    planning: PlanningSettings = field(default_factory=PlanningSettings)
    launches: LaunchSettings = field(default_factory=LaunchSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"port {self.port} does not exist: give 0 to 65535")
        if min(self.max_body_bytes, self.max_bulk_bytes, self.max_evidence_bytes) <= 0:
            raise SettingsError("body limits must be positive: give bytes")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsError("TLS needs both a certificate and a key: give tls_certificate and tls_key")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise SettingsError(
                "client certificates need TLS here: give tls_certificate and tls_key with tls_client_ca"
            )
        if self.tls_certificate is None and not self.plain_http_beyond_loopback and not _is_loopback(self.host):
            raise SettingsError(
                f"host {self.host} would carry keys in the clear beyond this machine: "
                "give TLS files, or plain_http_beyond_loopback for a service behind a TLS proxy"
            )

    @property
    def is_behind_proxy(self) -> bool:
        """Whether another program ends TLS before this one: addresses and certificates are not seen here then."""
        public = self.identity.public_url or ""
        return self.tls_certificate is None and (self.plain_http_beyond_loopback or public.startswith("https:"))

    @property
    def is_secure(self) -> bool:
        """Whether people reach the service over TLS, its own or a proxy's."""
        return self.tls_certificate is not None or self.is_behind_proxy


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
