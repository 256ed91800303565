"""`vedette watch` shows a service what each live stream sees: a small picture a second, for which no watch waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import api
import vision
from cli.terminal import complaints, console

__all__ = ["Shown", "showing_pictures"]

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Shown:
    """How streams are shown.

    Parameters
    ----------
    blur
        Whether whatever the detector finds is made unrecognisable.
    of
        Id of the record of the vehicle or sensor whose camera the stream is; None where nobody says.
    """

    blur: bool = False
    of: str | None = None


@contextmanager
def showing_pictures(shown: Shown, url: str, key: str) -> Iterator[Callable[[vision.Source, vision.View], None]]:
    """What a watch is to be handed as `show`; at the end it is said how many pictures came of it.

    Raises
    ------
    ClientError
        When the URL is not one.
    """
    with api.Client(url, key, timeout_s=_TIMEOUT_S) as client:
        with api.PictureCourier(client, _say) as courier:

            def show(source: vision.Source, view: vision.View) -> None:
                timed = not source.time_is_relative
                courier.hand(source.name, partial(_picture, view, source.name, shown, timed=timed))

            yield show
        console.print(f"{courier.sent} live pictures sent, {courier.dropped} dropped", markup=False, highlight=False)


def _picture(view: vision.View, title: str, shown: Shown, *, timed: bool) -> api.LivePicture:
    data = vision.live_picture(view, title, timed=timed, blur=shown.blur)
    return api.LivePicture(data, vision.iso_time(view.frame.time_us) if timed else None, shown.of)


def _say(words: str) -> None:
    complaints.print(f"note: {words}", markup=False)
