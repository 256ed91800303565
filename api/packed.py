"""Answers packed for whoever takes them so: lists, which are large and say the same names again and again.

How long a packed answer is tells something of what is in it, to whoever listens and can have much the same asked again
with words of their own in it (BREACH, CVE-2013-3587). Nobody can make a browser send a key: so keys alone get packed
answers, sessions never do, and of the routes those that list records, which hold no secret of ours.
"""

from __future__ import annotations

import re
import zlib

from starlette.datastructures import Headers
from starlette.responses import Response

from api.identity.roles import Principal

__all__ = ["packed", "takes_packed"]

_LEAST = 1400
"""Bytes that go out at once anyway."""
_GZIP, _LEVEL = 31, 1  # the first level takes a fifth of the time of the usual one, and the answer is nearly as short
_NONE = re.compile(r"\s*q\s*=\s*0(?:\.0{0,3})?\s*", re.IGNORECASE)


def takes_packed(headers: Headers) -> bool:
    """Whether whoever asks takes gzip (RFC 9110, 12.5.3)."""
    taken: dict[str, bool] = {}
    for part in ",".join(headers.getlist("accept-encoding")).split(","):
        name, _, weight = part.partition(";")
        taken[name.strip().lower()] = _NONE.fullmatch(weight) is None
    return taken.get("gzip", taken.get("*", False))


def packed(body: bytes, headers: Headers, principal: Principal, answer: dict[str, str], media_type: str) -> Response:
    """An answer with `body`, packed where that is taken, safe, and worth it.

    Parameters
    ----------
    headers, principal
        Of the request, and who asks.
    answer
        Headers of the answer.
    """
    told = {**answer, "Vary": "Accept-Encoding"}
    if principal.session_id is None and len(body) >= _LEAST and takes_packed(headers):
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        body, told["Content-Encoding"] = packer.compress(body) + packer.flush(), "gzip"
    return Response(body, 200, told, media_type)
