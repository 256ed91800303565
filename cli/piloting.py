"""`vedette patrol` and `vedette fly` take the orders of pilots from a service, and tell it what came of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import autopilot
import missions
from cli.live import LiveOptions
from cli.terminal import complaints, console

if TYPE_CHECKING:
    import api

__all__ = ["taking_orders"]


@contextmanager
def taking_orders(
    options: LiveOptions | None, plan: missions.PatrolPlan | None
) -> Iterator[Callable[[autopilot.Piloted], None] | None]:
    """What a patrol or a flight is to be handed to once it flies: from then on its pilots are heard.

    None without a service, and without a plan, which knows the vehicles by name and what limits their orders.

    Raises
    ------
    ClientError
        When the URL is not one.
    """
    if options is None or plan is None:
        yield None
        return
    import api  # noqa: PLC0415 - the service takes a second to load, and few patrols hear one

    names = {vehicle.name: vehicle.sysid for vehicle in plan.fleet.vehicles}
    with api.Client(options.url, options.key, timeout_s=5.0) as client:
        piloting = _Piloting(names)
        with api.OrderCourier(client, options.station, piloting.take, _complain) as courier:

            def begun(flying: autopilot.Piloted) -> None:
                piloting.begin(flying, courier)

            try:
                yield begun
            finally:
                piloting.end()


def _complain(words: str) -> None:
    complaints.print(f"note: {words}", markup=False)


class _Piloting:
    """Hands orders from the courier's thread to what flies, in its loop, and what came of them back."""

    def __init__(self, names: dict[str, int]) -> None:
        self._names = names
        self._open: set[str] = set()
        self._over = False
        self._flying: autopilot.Piloted | None = None
        self._courier: api.OrderCourier | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, flying: autopilot.Piloted, courier: api.OrderCourier) -> None:
        self._flying, self._courier, self._loop = flying, courier, asyncio.get_running_loop()
        for name in flying.broken_off:
            courier.tell(name, "failed", "the ground station was lost while it was carried out: look what came of it")
        courier.serve(self._names)

    def end(self) -> None:
        """Its flights are over: what is not told of comes to nothing."""
        self._over = True
        for name in tuple(self._open):
            self._told(name, "failed", "its flights are over")

    def take(self, taken: api.TakenOrder) -> None:
        self._open.add(taken.id)
        assert self._loop is not None  # none is taken before it flies
        try:
            self._loop.call_soon_threadsafe(self._give, taken)
        except RuntimeError:  # the loop has ended
            self._over = True
        if self._over:
            self._told(taken.id, "refused", "its flights are over")

    def _give(self, taken: api.TakenOrder) -> None:
        assert self._flying is not None
        order = _order_of(taken)
        console.print(f"{taken.vehicle}: {order.kind}: {order.words}", markup=False, highlight=False)
        self._flying.order(self._names[taken.vehicle], order, partial(self._told, taken.id))

    def _told(self, name: str, state: str, words: str) -> None:
        if state != "accepted":
            try:
                self._open.remove(name)
            except KeyError:
                return  # its end is told already, by the other thread
        console.print(f"order {name[:8]}: {state}: {words}", markup=False, highlight=False)
        assert self._courier is not None
        self._courier.tell(name, state, words)


def _order_of(taken: api.TakenOrder) -> autopilot.PilotOrder:
    order: dict[str, Any] = taken.order
    words = f"ordered by {order['by']}" + (f": {order['reason']}" if order["reason"] else "")
    cue = None
    if order["place"] is not None:
        lat, lon, sigma_m = (order["place"][name] for name in ("lat", "lon", "uncertainty_m"))
        stay = {} if order["station_s"] is None else {"station_s": order["station_s"]}
        cue = autopilot.Cue.about(lat, lon, sigma_m, time.time_ns() // 1000, words=words, **stay)
    return autopilot.PilotOrder(taken.id, order["kind"], taken.until_s, words, cue)
