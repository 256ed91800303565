"""A broker to send to, a listener at it, and a wire to it that can be cut.

The broker is Mosquitto where the machine has it, else amqtt; either runs in a process of its own.
"""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.ports import free_port

_AMQTT = """
import asyncio, logging, sys
from amqtt.broker import Broker
logging.disable(logging.CRITICAL)
async def main():
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}},
                     "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}})
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


def until(true: Callable[[], Any], what: str, within_s: float = 20.0) -> None:
    """Wait for something; an AssertionError says what did not come."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"{what} did not come within {within_s} s"
        time.sleep(0.02)


def mosquitto() -> str | None:
    """The program, where the machine has it."""
    return shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


class Broker:
    """A broker on a port of its own, which keeps the port when it is started again.

    `settings` are lines of Mosquitto's configuration in place of the usual ones: anybody may come, nothing is kept.
    """

    def __init__(self, folder: Path, settings: str = "allow_anonymous true\npersistence false\n") -> None:
        self.port = free_port()
        self._folder, self._settings = folder, settings
        self.start()

    def start(self) -> None:
        found = mosquitto()
        if found is not None:
            config = self._folder / "mosquitto.conf"
            config.write_text(f"listener {self.port} 127.0.0.1\n{self._settings}")
            command = [found, "-c", str(config)]
        else:
            command = [sys.executable, "-c", _AMQTT, str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, "the broker")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Listener:
    """Subscribes to everything and keeps (topic, message, quality of service, retained) as it comes."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, dict[str, Any], int, bool]] = []
        subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, json.loads(message.payload), message.qos, message.retain)
        )
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("#", qos=1)
        assert subscribed.wait(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Wire:
    """A TCP relay to a port: cut and mended at will, deaf at will, with TLS in front where a context is given."""

    def __init__(self, target: int, context: ssl.SSLContext | None = None) -> None:
        self._target, self._context = target, context
        self.connections = 0
        self.mute = False
        """What comes back from the target is swallowed."""
        self._open = threading.Event()
        self._open.set()
        self._ended = False
        self._socks: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        self._open.clear()
        socks, self._socks = self._socks, []
        for sock in socks:
            _end(sock)

    def mend(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._ended = True
        _end(self._server)
        self._thread.join()
        self.cut()

    def _accept(self) -> None:
        while not self._ended:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if not self._open.is_set():
                near.close()
                continue
            try:
                if self._context is not None:
                    near = self._context.wrap_socket(near, server_side=True)
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            self.connections += 1
            self._socks += [near, far]
            for source, target, back in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pump, args=(source, target, back), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, back: bool) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(4096):
                if not (back and self.mute):
                    target.sendall(data)
        _end(source)
        _end(target)


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
