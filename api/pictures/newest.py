"""The newest picture of each stream, in memory: never on disk, never more than so many, never older than so long.

Each process of a service has its own: what was put to one is not seen at another. The database and the disk hold none.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from api.background import Service
from api.pictures.settings import PictureSettings
from api.store.engine import Store

__all__ = ["NewestPictures", "Picture", "forget_pictures", "pictures_of"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a stream. Times are UTC microseconds since the Unix epoch.

    Parameters
    ----------
    source
        Name of the stream, as its crossings name their source.
    data
        JPEG.
    width, height
        Pixels.
    time_us
        When it was exposed; None where the video tells no time of day.
    received_us
        When it came, by this service's clock: what its age is counted from.
    name
        What people call the stream.
    of
        Id of the vehicle's or sensor's record that the camera belongs to, as the sender says; None where it does not.
    """

    source: str
    data: bytes = field(repr=False)
    width: int
    height: int
    time_us: int | None
    received_us: int
    name: str
    of: str | None = None
    etag: str = field(default_factory=lambda: f'"{secrets.token_hex(16)}"')
    """Differs for each picture that came, also where two look the same; nobody guesses it."""


class NewestPictures:
    """Holds the newest picture of each stream. May be used from several threads.

    Parameters
    ----------
    settings
        How many, and how long.
    """

    def __init__(self, settings: PictureSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._newest: dict[str, Picture] = {}  # in the order in which they came

    def put(self, picture: Picture) -> None:
        """Hold a picture in place of the one that is there."""
        with self._lock:
            self._forget(picture.received_us)
            self._newest.pop(picture.source, None)
            self._newest[picture.source] = picture
            while len(self._newest) > self._settings.most:
                del self._newest[next(iter(self._newest))]

    def find(self, source: str, now_us: int) -> Picture | None:
        """The picture of a stream; None where there is none that may still be shown."""
        with self._lock:
            self._forget(now_us)
            return self._newest.get(source)

    def all(self, now_us: int) -> list[Picture]:
        """The pictures that may be shown, in the order of their streams' names."""
        with self._lock:
            self._forget(now_us)
            return sorted(self._newest.values(), key=lambda one: one.source)

    def _forget(self, now_us: int) -> None:
        most_us = round(self._settings.gone_s * 1e6)
        # What came far in the future came before the clock was set back: how old it is nobody knows.
        gone = [name for name, one in self._newest.items() if abs(now_us - one.received_us) > most_us]
        for name in gone:
            del self._newest[name]


_NEWEST: WeakKeyDictionary[Store, NewestPictures] = WeakKeyDictionary()
_MAKING = threading.Lock()


def pictures_of(store: Store, settings: PictureSettings) -> NewestPictures:
    """Those of the service that has this store open, in this process."""
    with _MAKING:
        if store not in _NEWEST:
            _NEWEST[store] = NewestPictures(settings)
        return _NEWEST[store]


async def forget_pictures(service: Service) -> None:
    """Drop pictures that are too old to be shown, also while nobody asks for any."""
    settings = service.settings.pictures
    pictures = pictures_of(service.store, settings)
    while True:
        await asyncio.sleep(settings.gone_s / 4)
        pictures.all(service.store.clock())
