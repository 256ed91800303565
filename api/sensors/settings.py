"""Brokers, who may speak over them, and what their observations mean."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from api.errors import SettingsError
from api.outlets.settings import Outlet, Pace
from api.wire import CueKind

__all__ = ["Broker", "Custody", "Datastream", "MqttOutlet", "SensorSettings"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Broker:
    """An MQTT broker.

    Parameters
    ----------
    host, port
        Where it listens.
    identifier
        As whom it keeps our session: what comes while we are away waits for us there.
    user, password
        As whom we sign in, where it asks.
    ca, certificate, key
        PEM files: with `ca` the connection is TLS, and no other authority is trusted; the other two where it asks for
        a certificate of ours.
    plain_beyond_loopback
        True allows a broker on another machine without TLS.
    keepalive_s
        After how long without a sign of life the connection is dead.
    answer_s
        How long the broker may take to answer or acknowledge.

    Raises
    ------
    SettingsError
        When a value cannot be meant, or what sensors say would travel in the clear beyond this machine.
    """

    host: str
    port: int = 8883
    identifier: str = "vedette"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    plain_beyond_loopback: bool = False
    keepalive_s: int = 30
    answer_s: float = 10.0

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise SettingsError(f"broker {self.host}: port {self.port} does not exist")
        if not 1 <= len(self.identifier) <= 100 or not self.identifier.isprintable():
            raise SettingsError(f"broker {self.host}: identifier {self.identifier!r} must have 1 to 100 characters")
        if (self.certificate is None) != (self.key is None) or (self.certificate is not None and self.ca is None):
            raise SettingsError(f"broker {self.host}: TLS needs ca, and certificate and key together or not at all")
        if self.ca is None and not self.plain_beyond_loopback and self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise SettingsError(
                f"broker {self.host} would be spoken to in the clear: give ca, or plain_beyond_loopback"
            )
        if self.keepalive_s < 1 or self.answer_s <= 0:
            raise SettingsError(f"broker {self.host}: keepalive_s must be 1 or more, answer_s positive")

    def context(self) -> ssl.SSLContext | None:
        """TLS 1.2 or later with the broker's name checked; None without `ca`. Raises SettingsError."""
        if self.ca is None:
            return None
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_verify_locations(self.ca)
            if self.certificate is not None:
                made.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"broker {self.host}: its PEM files cannot be used ({error})") from error
        return made


@dataclass(frozen=True, slots=True)
class Custody:
    """What a cue carries that its sensor cannot know.

    Parameters
    ----------
    owner, purpose
        Whose it is and what for.
    marking
        Who may see it outside; None: nobody.
    retention_days
        How long it is kept.
    """

    owner: str
    purpose: str
    marking: str | None = None
    retention_days: int = 30

    def to_json(self) -> dict[str, object]:
        """As a cue carries it."""
        return {
            "owner": self.owner,
            "purpose": self.purpose,
            "marking": self.marking,
            "retention_days": self.retention_days,
        }


@dataclass(frozen=True, slots=True)
class Datastream:
    """What observations of one SensorThings Datastream mean.

    Parameters
    ----------
    id
        `@iot.id` of the Datastream, as text.
    sensor
        Who observes: the cue's sensor. It alone may speak for this Datastream: on its own topics, or with a key that is
        named as it is.
    kind
        Kind of the cues.
    custody
        What they carry.
    result
        "detected": true or 1 is a cue, false or 0 is none. "confidence": a number from 0 to 1. "count": a number, which
        is a cue from `threshold` on.
    threshold
        Below it, a confidence or count is no cue.
    confidence
        Of a cue whose result does not say it.
    location
        lon, lat in degrees where observations name no feature of interest.
    uncertainty_m
        One standard deviation of a coordinate where an observation does not say it.
    speaker
        Name of a key that speaks for the sensor over HTTP in its place, such as a gateway's; it is bound to the sensor
        among its `sources`.
    """

    id: str
    sensor: str
    kind: CueKind
    custody: Custody
    result: Literal["detected", "confidence", "count"] = "detected"
    threshold: float = 0.5
    confidence: float = 0.5
    location: tuple[float, float] | None = None
    uncertainty_m: float = 50.0
    speaker: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._:-]{1,100}", self.id):
            raise SettingsError(f"Datastream {self.id!r}: its id must be 1 to 100 letters, digits, . _ : or -")
        if _NAME.fullmatch(self.sensor) is None:
            raise SettingsError(f"Datastream {self.id}: sensor {self.sensor!r} cannot be a sensor's name")
        if not 0 <= self.confidence <= 1 or self.uncertainty_m < 0:
            raise SettingsError(f"Datastream {self.id}: confidence is from 0 to 1, uncertainty_m not negative")

    @property
    def key_name(self) -> str:
        """Name of the key that may speak for it over HTTP."""
        return self.speaker or self.sensor


@dataclass(frozen=True, slots=True)
class MqttOutlet:
    """A broker that is told of changes: `PREFIX/TYPE/ID`, quality of service 1.

    Parameters
    ----------
    name
        Its own; how far it is goes under `mqtt:NAME`.
    broker
        Which.
    partner_id
        Whose broker it is; None: it is inside. The topic names the audience: `PREFIX/inside/...` or
        `PREFIX/PARTNER_ID/...`.
    prefix
        Where topics begin.
    types
        Of which types of records it is told.
    since
        Where it begins when it is new.
    """

    name: str
    broker: Broker
    partner_id: str | None = None
    prefix: str = "vedette/records"
    types: frozenset[str] = frozenset({"crossing", "cue"})
    since: Literal["beginning", "now"] = "beginning"

    def __post_init__(self) -> None:
        _check_prefix(self.prefix)
        self.outlet  # noqa: B018 - judges name and types

    @property
    def outlet(self) -> Outlet:
        """The cursor it is served by."""
        return Outlet(f"mqtt:{self.name}", self.partner_id, self.types, self.since)


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """Ground sensors, and brokers that are told of changes.

    Parameters
    ----------
    broker
        Where sensors publish; None: nowhere.
    prefix
        `PREFIX/SENSOR/cue` are cues, `PREFIX/SENSOR/observation` observations of that sensor's Datastreams.
    things
        `THINGS/Datastreams(ID)/Observations` are observations as OGC SensorThings 1.1 publishes them.
    custody
        What a cue without custody carries; None: such a cue is refused.
    datastreams
        What observations mean; one of an unknown Datastream is refused.
    most_refused
        How many refused messages are kept; the oldest goes first.
    max_message_bytes
        Longer messages are refused.
    outlets
        Brokers that are told of changes.
    pace
        How often is looked, and how long is waited for a broker that is away.

    Raises
    ------
    SettingsError
        When a value cannot be meant.
    """

    broker: Broker | None = None
    prefix: str = "vedette/sensors"
    things: str = "v1.1"
    custody: Custody | None = None
    datastreams: tuple[Datastream, ...] = ()
    most_refused: int = 1000
    max_message_bytes: int = 65536
    outlets: tuple[MqttOutlet, ...] = ()
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        _check_prefix(self.prefix)
        _check_prefix(self.things)
        ids = [stream.id for stream in self.datastreams]
        names = [outlet.name for outlet in self.outlets]
        for what, given in (("Datastreams", ids), ("outlets", names)):
            twice = sorted({each for each in given if given.count(each) > 1})
            if twice:
                raise SettingsError(f"{what} {', '.join(twice)} stand twice: give each an id of its own")
        if min(self.most_refused, self.max_message_bytes) < 1:
            raise SettingsError("most_refused and max_message_bytes must be 1 or more")

    def datastream(self, id_: str) -> Datastream | None:
        """The Datastream of that id."""
        return next((stream for stream in self.datastreams if stream.id == id_), None)


def _check_prefix(prefix: str) -> None:
    if not prefix or set("+#\x00") & set(prefix) or prefix.startswith("/") or prefix.endswith("/"):
        raise SettingsError(f"topic prefix {prefix!r} is none: give it without + and #, and no / at its ends")
