"""Events to TAK servers: of the log under a cursor that moves when the server has them, and of live vehicles."""

from __future__ import annotations

import asyncio

from api.background import Service, Task, beside
from api.outlets.follow import follow
from api.outlets.settings import Pace
from api.tak.link import linked
from api.tak.live import telling_vehicles
from api.tak.settings import TakTarget

__all__ = ["serve_tak"]


async def serve_tak(service: Service) -> None:
    """Serve every TAK server of the settings."""
    settings = service.settings.tak
    if not settings.targets:
        return
    for target in settings.targets:
        target.context()  # a file that is missing is told of now, not when a server is there

    tasks = [_serving(target, settings.pace) for target in settings.targets]
    tasks += [telling_vehicles(target, settings.pace) for target in settings.targets if "vehicle" in target.types]
    async with beside(service, tasks):
        await asyncio.Event().wait()


def _serving(target: TakTarget, pace: Pace) -> Task:
    async def serve(service: Service) -> None:
        await follow(service, target.outlet, lambda: linked(target, service.store.clock), pace)

    serve.__qualname__ = f"serve_tak {target.name}"
    return serve
