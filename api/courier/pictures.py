"""Live pictures to a service: the newest of each stream, made and sent beside the watch, which waits for neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from api.courier.client import Client
from api.courier.newest import NewestCourier
from api.errors import RefusedError

__all__ = ["LivePicture", "PictureCourier"]


@dataclass(frozen=True, slots=True)
class LivePicture:
    """What a stream shows, as `Client.put_picture` takes it.

    Parameters
    ----------
    data
        JPEG.
    time
        When it was exposed, ISO 8601; None where the video tells no time of day.
    of
        Id of the record of the vehicle or sensor whose camera it is, where it is known.
    """

    data: bytes = field(repr=False)
    time: str | None = None
    of: str | None = None


class PictureCourier(NewestCourier[LivePicture]):
    """Sends live pictures; they are handed over under the names of their streams.

    Parameters
    ----------
    client
        Of the service.
    told, period_s
        As in `NewestCourier`.
    """

    _AWAY = "live pictures are not sent now"
    _BROKEN = "a live picture could not be sent"
    _AGAIN = "live pictures are sent again"

    def __init__(self, client: Client, told: Callable[[str], None], *, period_s: float = 1.0) -> None:
        super().__init__(told, period_s=period_s)
        self._client = client
        self.sent = 0
        """How many the service took."""

    @property
    def dropped(self) -> int:
        """How many were handed over and not sent: a newer one came, or the service was away or did not take it."""
        return self.handed - self.sent

    def _send(self, newest: Mapping[str, Callable[[], LivePicture]]) -> str | None:
        refused = []
        for source, make in newest.items():
            picture = make()
            try:
                self._client.put_picture(source, picture.data, time=picture.time, of=picture.of)
            except RefusedError as error:  # of this stream alone
                refused.append(f"the picture of {source} is not taken: {error}")
            else:
                self.sent += 1
        return "; ".join(refused) or None
