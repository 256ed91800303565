"""Conditions that a request names by entity tags: whether its reader has what there is (RFC 9110, 13.1)."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["KNOWN", "is_known", "tags_of", "unless_known"]

KNOWN = {"304": {"description": "If-None-Match names it: what is there is what was kept."}}
"""For the OpenAPI document: the answer of `unless_known` to whoever has it."""
_TAG = re.compile(r'(?:W/)?"[^"]*"')


def tags_of(asked: Headers, name: str) -> set[str]:
    """The entity tags of a header, or the asterisk that stands for any."""
    whole = ",".join(asked.getlist(name))
    return {"*"} if whole.strip() == "*" else set(_TAG.findall(whole))


def is_known(asked: Headers, etag: str) -> bool:
    """Whether If-None-Match names `etag`, or anything at all; a weak tag is as good as the strong one there."""
    return not {"*", etag}.isdisjoint(each.removeprefix("W/") for each in tags_of(asked, "if-none-match"))


def unless_known(request: Request, found: Response) -> Response:
    """`found`, which has an ETag; 304 in its place where whoever asks has it. It was read, and is written down so."""
    etag = found.headers["etag"]
    return Response(status_code=304, headers={"ETag": etag}) if is_known(request.headers, etag) else found
