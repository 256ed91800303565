"""A file that is read a range of bytes at a time (RFC 9110, section 14)."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

__all__ = ["Ranged"]

_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-[0-9]{1,18})", re.IGNORECASE)


class Ranged(FileResponse):
    """A file, whole or by Range.

    A Range that is none (of another unit, or that ends before it begins) and several at once are as if they were not
    there, as the standard has it; one that is beyond the file is answered by 416.
    """

    max_ranges = 1  # several at once cost us, and no reader of ours asks for them

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        given = Headers(scope=scope).getlist("range")
        if given and not (len(given) == 1 and _is_range(given[0])):
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"range"]}
        await super().__call__(scope, receive, send)


def _is_range(text: str) -> bool:
    """Whether a server has to know what it means."""
    found = _RANGE.fullmatch(text)
    return found is not None and not (found["last"] and int(found["last"]) < int(found["first"]))
