"""Cues and heartbeats over MQTT 3.1.1, quality of service 1.

====================================  ============================================
topic                                 message
====================================  ============================================
``PREFIX/SENSOR/cue``                 a cue
``PREFIX/SENSOR/status``              a heartbeat, retained: whoever comes later
                                      knows when the sensor was last heard
====================================  ============================================

The prefix is the path of the address, ``vedette/sensors`` without one. For TLS the address names PEM files: ``ca`` of
the authorities that are trusted (without it, those of the machine), ``certificate`` and ``key`` of our own where the
broker asks for one::

    mqtt://broker:1883
    mqtts://user:password@broker:8883/north/sensors?ca=ca.pem&certificate=us.pem&key=us.key
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sim.errors import CueError
from sim.sensors_delivery import UnreachableError

if TYPE_CHECKING:
    from paho.mqtt.client import Client

__all__ = ["PREFIX", "MqttSink"]

PREFIX = "vedette/sensors"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
# The client waits for a TLS handshake as long as for a sign of life.
_CONNECT_S, _KEEPALIVE_S = 5.0, 15
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class _Tls:
    """How an mqtts:// broker is trusted, and how it knows us: PEM files, as the module says."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or later with the broker's name checked. Raises CueError when a file cannot be used."""
        if self.key is not None and self.certificate is None:
            raise CueError(f"TLS key {self.key} has no certificate: give both")
        try:
            made = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
            if self.certificate is not None:
                made.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.key) if file is not None)
            raise CueError(f"TLS files {files} cannot be used ({error}): give PEM files that can be read") from error
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        return made


class MqttSink:
    """A broker.

    Parameters
    ----------
    url
        ``mqtt://`` or ``mqtts://``, as the module says; a user and password may stand in it.
    acknowledged_s
        How long a broker that is connected may take to acknowledge a message before the connection is made anew.

    Raises
    ------
    CueError
        When the address is none, a TLS file cannot be used, or the MQTT client is not installed.
    """

    def __init__(self, url: str, *, acknowledged_s: float = 10.0) -> None:
        try:
            from paho.mqtt.client import Client  # noqa: PLC0415 - an extra
            from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415
        except ImportError as error:
            raise CueError("mqtt addresses need the extra mqtt: install vedette[mqtt]") from error
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme, 0)
            files = {name: Path(value) for name, value in parse_qsl(parts.query, strict_parsing=bool(parts.query))}
        except ValueError:
            parts, port, files = urlsplit(""), 0, {}
        if parts.scheme not in _PORTS or not parts.hostname or parts.fragment:
            raise CueError("the address of the broker is none: give it as mqtt://127.0.0.1:1883 or mqtts://HOST:8883")
        self._prefix = parts.path.strip("/") or PREFIX
        if set("+#") & set(self._prefix):
            raise CueError(f"topic prefix {self._prefix} has a wildcard: give it without + and #")
        unknown = sorted(set(files) - {"ca", "certificate", "key"})
        if unknown or (parts.scheme == "mqtt" and files):
            raise CueError("the address of the broker has a wrong ?: give ca, certificate and key, with mqtts:// only")
        self._where = f"{parts.scheme}://{parts.hostname}:{port}"
        self._acknowledged_s = acknowledged_s
        context = _Tls(**files).context() if parts.scheme == "mqtts" else None

        def connect() -> Client:
            client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
            client.on_connect = self._on_connect
            client.connect_timeout = _CONNECT_S
            if parts.username is not None:
                client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
            if context is not None:
                client.tls_set_context(context)
            assert parts.hostname is not None  # looked at above
            client.connect(parts.hostname, port, keepalive=_KEEPALIVE_S)
            return client

        self._connect = connect
        self._client: Client | None = None
        self._answer: Any = None

    def deliver(self, message: Mapping[str, Any], giving_up: threading.Event) -> bool:
        """Publish a message and wait for its PUBACK; a connection that fails is thrown away."""
        is_cue = message["type"] == "cue"
        topic = f"{self._prefix}/{message['sensor']}/{'cue' if is_cue else 'status'}"
        try:
            if self._client is None:
                self._open(giving_up)
            assert self._client is not None
            sent = self._client.publish(topic, json.dumps(message), qos=1, retain=not is_cue)
            self._loop_until(sent.is_published, giving_up, "it does not acknowledge")
        except (OSError, RuntimeError, ValueError) as error:
            self._drop()
            raise UnreachableError(f"broker {self._where}: {error}") from error
        except UnreachableError:
            self._drop()
            raise
        return True

    def idle(self) -> None:
        """Keep the connection alive; one that the broker has closed is made anew with the next message."""
        if self._client is not None and self._client.loop(0.0) != 0:
            self._drop()

    def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.disconnect()
            self._drop()

    def _open(self, giving_up: threading.Event) -> None:
        self._answer = None
        self._client = self._connect()
        self._loop_until(lambda: self._answer is not None, giving_up, "it does not answer")
        if self._answer.is_failure:
            raise UnreachableError(f"broker {self._where} refused the connection: {self._answer}")

    def _loop_until(self, done: Callable[[], bool], giving_up: threading.Event, otherwise: str) -> None:
        """Serve the connection until something is done."""
        assert self._client is not None
        until = time.monotonic() + self._acknowledged_s
        while not done():
            broken = self._client.loop(_LOOK_S)
            if done():
                return
            if broken:
                raise UnreachableError(f"broker {self._where}: the connection broke")
            if giving_up.is_set() or time.monotonic() > until:
                raise UnreachableError(f"broker {self._where}: {otherwise}")

    def _drop(self) -> None:
        # What the client still holds goes with it: the courier sends it again, in its order.
        client, self._client = self._client, None
        sock = None if client is None else client.socket()
        if sock is not None:
            sock.close()

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._answer = code
