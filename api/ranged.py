"""A file that is read a range of bytes at a time, and not again where it is known (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import os
import re

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from api.conditions import is_known, tags_of
from api.errors import StaleError
from api.problems import of_error

__all__ = ["Ranged"]

_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-[0-9]{1,18})", re.IGNORECASE)
_OF_KNOWN = ("etag", "cache-control", "vary", "content-security-policy")
"""Headers of a file that 304 has too: what a reader keeps of it is as new as they say."""


class Ranged(FileResponse):
    """A file, whole or by Range.

    A Range that is none (of another unit, or that ends before it begins) and several at once are as if they were not
    there, as the standard has it; one that is beyond the file is answered by 416. Whoever has the file (If-None-Match)
    gets 304, whoever wants another (If-Match) 412. No date goes along (Last-Modified), so none is a condition: that of
    a file of evidence says when it came in, or when its copy was made, which is no partner's to know.
    """

    max_ranges = 1  # several at once cost us, and no reader of ours asks for them

    def set_stat_headers(self, stat_result: os.stat_result) -> None:
        """Length and tag."""
        super().set_stat_headers(stat_result)
        del self.headers["last-modified"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        asked = Headers(scope=scope)
        if "if-match" in asked or "if-none-match" in asked:
            self.set_stat_headers(await run_in_threadpool(os.stat, self.path))
            instead = self._instead(asked)
            if instead is not None:
                await instead(scope, receive, send)
                return
        given = asked.getlist("range")
        if given and not (len(given) == 1 and _is_range(given[0])):
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"range"]}
        await super().__call__(scope, receive, send)

    def _should_use_range(self, http_if_range: str) -> bool:
        return http_if_range == self.headers["etag"]

    def _instead(self, asked: Headers) -> Response | None:
        """What is answered in place of the file; None where it is sent."""
        tag = self.headers["etag"]
        if "if-match" in asked:
            wanted = tags_of(asked, "if-match")
            if not {"*", tag} & wanted:
                return of_error(StaleError(f"If-Match names {', '.join(sorted(wanted))[:100]}, the file is {tag}"))
        if is_known(asked, tag):
            return Response(
                status_code=304, headers={name: self.headers[name] for name in _OF_KNOWN if name in self.headers}
            )
        return None


def _is_range(text: str) -> bool:
    """Whether a server has to know what it means."""
    found = _RANGE.fullmatch(text)
    return found is not None and not (found["last"] and int(found["last"]) < int(found["first"]))
