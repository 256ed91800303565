"""MQTT in and out, version 3.1.1, quality of service 1.

In: a session that the broker keeps while we are away. A message is acknowledged when it is stored or refused in
writing, not when it is read: what a kill finds between the two comes again, and is known by its id.

Out: an outlet whose messages the broker acknowledges one by one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from api.background import Service, Task, beside
from api.canonical import canonical
from api.errors import OutletError, SettingsError, StorageError
from api.outlets.cursors import Told
from api.outlets.follow import follow
from api.outlets.settings import Pace
from api.sensors.messages import Taken, take_message, topics_of
from api.sensors.settings import Broker, MqttOutlet, SensorSettings
from api.threads import in_thread

if TYPE_CHECKING:
    from aiomqtt import Client, Message

__all__ = ["serve_outlets", "serve_sensors"]

_LOG = logging.getLogger("vedette.api")


async def serve_sensors(service: Service) -> None:
    """Take messages of sensors in until cancelled; a broker that is away is waited for."""
    settings = service.settings.sensors
    broker, pace = settings.broker, settings.pace
    if broker is None:
        return
    broker.context()
    wait_s = pace.first_wait_s
    while True:
        try:
            async with _connected(broker, receiving=True) as client:
                for topic in topics_of(settings):
                    await client.subscribe(topic, qos=1)
                async for message in client.messages:
                    await _take(service, settings, client, message)
                    wait_s = pace.first_wait_s
        except (OutletError, StorageError) as error:
            _LOG.warning("sensors wait", extra={"fields": {"problem": str(error), "again_in_s": wait_s}})
        await asyncio.sleep(wait_s * SystemRandom().uniform(0.75, 1.25))
        wait_s = min(wait_s * 2, pace.longest_wait_s)


async def serve_outlets(service: Service) -> None:
    """Tell every broker of the settings of changes until cancelled."""
    settings = service.settings.sensors
    if not settings.outlets:
        return
    for outlet in settings.outlets:
        outlet.broker.context()
    async with beside(service, [_serving(outlet, settings.pace) for outlet in settings.outlets]):
        await asyncio.Event().wait()


def _serving(outlet: MqttOutlet, pace: Pace) -> Task:
    async def serve(service: Service) -> None:
        await follow(service, outlet.outlet, lambda: _publishing(outlet), pace)

    serve.__qualname__ = f"serve_outlets {outlet.name}"
    return serve


async def _take(service: Service, settings: SensorSettings, client: Client, message: Message) -> None:
    topic, payload = str(message.topic), message.payload
    whole = payload if isinstance(payload, bytes) else b""  # nothing was sent, or no bytes
    taken = await in_thread(take_message, service.store, settings, topic, whole)
    if taken is Taken.REFUSED:
        _LOG.warning("message refused", extra={"fields": {"topic": topic[:200], "bytes": len(whole)}})
    client._client.ack(message.mid, message.qos)  # noqa: SLF001


class _Publisher:
    """Publishes records: `{"n", "id", "type", "feature"}`, the feature null where it may not be read any more."""

    def __init__(self, outlet: MqttOutlet, client: Client) -> None:
        self._outlet, self._client = outlet, client

    async def send(self, told: Sequence[Told]) -> None:
        """Publish one after another, each once the one before is acknowledged."""
        for each in told:
            topic = f"{self._outlet.prefix}/{self._outlet.outlet.audience}/{each.record_type}/{each.record_id}"
            body: dict[str, Any] = {
                "n": each.n,
                "id": each.record_id,
                "type": each.record_type,
                "feature": each.feature,
            }
            await self._client.publish(topic, canonical(body), qos=1)

    async def idle(self) -> None:
        """See whether the connection still stands."""
        if self._client._disconnected.done():  # noqa: SLF001 - aiomqtt tells of it with the next message alone
            raise OutletError(f"broker {self._outlet.broker.host}:{self._outlet.broker.port}: the connection ended")


@asynccontextmanager
async def _publishing(outlet: MqttOutlet) -> AsyncIterator[_Publisher]:
    async with _connected(outlet.broker, receiving=False) as client:
        yield _Publisher(outlet, client)


@asynccontextmanager
async def _connected(broker: Broker, *, receiving: bool) -> AsyncIterator[Client]:
    try:
        from aiomqtt import Client, MqttError  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SettingsError("a broker needs the extra mqtt: install vedette[mqtt]") from error
    client = Client(
        broker.host,
        broker.port,
        identifier=broker.identifier,
        username=broker.user,
        password=broker.password,
        clean_session=not receiving,
        keepalive=broker.keepalive_s,
        tls_context=broker.context(),
        timeout=broker.answer_s,
    )
    if receiving:
        # aiomqtt acknowledges what it has only read. Set before the connection: what waited for us comes at once.
        client._client.manual_ack_set(True)  # noqa: SLF001
    try:
        async with client:
            yield client
    except MqttError as error:
        raise OutletError(f"broker {broker.host}:{broker.port}: {error}") from error
