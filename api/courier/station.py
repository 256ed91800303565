"""What a ground station, or whoever watches a stream, tells a service and asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from api.courier.asking import Asking
from api.courier.wire import away, events_in, plain, refusal

__all__ = ["StationClient"]

_STREAM_SILENT_S = 40.0  # a stream gives a sign of life every 15 s


class StationClient(Asking):
    """The part of a client that a ground station has use of; parameters as in `Asking`."""

    def put_states(self, states: list[dict[str, Any]]) -> dict[str, Any]:
        """Say where vehicles are now: as `PUT /vehicles/states` takes and answers it."""
        return self._object("PUT", "/vehicles/states", json={"states": states})

    def put_picture(self, source: str, data: bytes, *, time: str | None = None, of: str | None = None) -> None:
        """Say what a stream shows now: as `PUT /streams/{source}/picture` takes it.

        Parameters
        ----------
        source
            Name of the stream, as its crossings name their source.
        data
            JPEG.
        time
            When it was exposed, ISO 8601 with its zone.
        of
            Id of the record of the vehicle or sensor whose camera it is.
        """
        headers = {"Content-Type": "image/jpeg"} | ({} if time is None else {"X-Vedette-Time": time})
        path, parameters = f"/streams/{quote(source, safe='')}/picture", {} if of is None else {"of": of}
        self._ask("PUT", path, content=data, headers=headers, params=parameters)

    def deliver_vehicle(self, vehicle: dict[str, Any]) -> dict[str, Any]:
        """Make or renew the record of a vehicle: as `POST /vehicles` takes and answers it."""
        return self._object("POST", "/vehicles", json=vehicle)

    # -- orders -------------------------------------------------------------------------------------------------------

    def orders_live(self) -> Iterator[dict[str, Any] | None]:
        """Orders to the vehicles that the key speaks for, as they stand and as they change; None as a sign of life.

        It ends where the service ends it. Raises ClientError when the service cannot be reached, is not heard any more
        or refuses.
        """
        timeout = httpx.Timeout(self._http.timeout.connect, read=_STREAM_SILENT_S)
        try:
            with self._http.stream("GET", "/orders/stream", timeout=timeout) as response:
                if not response.is_success:
                    response.read()
                    raise refusal(f"GET {self.url}/orders/stream", response)
                for name, data in events_in(response.iter_lines()):
                    if name in {"", "order"}:
                        yield data
        except httpx.HTTPError as error:
            raise away(self.url, error) from error

    def tell_outcome(self, order_id: str, station: str, state: str, words: str | None = None) -> dict[str, Any]:
        """Take an order, or tell what came of it: as `PUT /orders/{order_id}/outcome` takes and answers it."""
        body = {"station": station, **_outcome(state, words)}
        return self._object("PUT", f"/orders/{order_id}/outcome", json=body)

    # -- launches -----------------------------------------------------------------------------------------------------

    def tell_station(self, source: str, state: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Tell of a ground station as `PUT /stations/{source}` takes it; the launches that wait for it."""
        told = self._object("PUT", f"/stations/{quote(source, safe='')}", json=state)
        launches: list[dict[str, Any]] = told["launches"]
        return launches

    def launch_plan(self, launch_id: str) -> bytes:
        """The plan to fly, `plan.json`: the bytes of which the launch names the SHA-256."""
        return self._ask("GET", f"/launches/{launch_id}/plan").content

    def tell_launch(self, launch_id: str, run: str, state: str, words: str | None = None) -> dict[str, Any]:
        """Take a launch, or tell what came of it: as `POST /launches/{launch_id}/outcome` takes and answers it."""
        return self._object("POST", f"/launches/{launch_id}/outcome", json={"run": run, **_outcome(state, words)})


def _outcome(state: str, words: str | None) -> dict[str, Any]:
    """State and words as the service takes them, whatever the words are."""
    return {"state": state, "words": None if words is None else plain(words) or "without words"}
