"""Routes of the console: its page and the files of it, which hold no data; all data comes over the API."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import Request
from starlette.responses import Response

from api.console import maps
from api.console.built import INDEX, MEDIA_TYPES, BuiltFile, built_files
from api.described import FLAG, HTML, TEXT, answered, answered_file, closed
from api.errors import NotFoundError
from api.http import Given, Route, answer
from api.packed import takes_packed
from api.ranged import Ranged

__all__ = ["ROUTES"]

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' blob: data:",  # pictures that were fetched or drawn in the page
    "media-src": "'self' blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_POLICY = "; ".join(f"{kind} {source}" for kind, source in _SOURCES.items())
_SCRIPT_POLICY = "default-src 'none'; connect-src 'self'"
"""What a script is held to that runs by itself, as a worker does; in the page it is held to the page's."""


async def get_console(request: Request) -> Response:
    """The page. It is the same for everybody; what it shows comes over the API, for whoever is logged in."""
    page = built_files().get(INDEX)
    if page is None:
        raise NotFoundError("this installation has no console: build it with `make console`")
    return _send(request, page, Content_Security_Policy=_POLICY)


async def get_console_file(name: str, request: Request) -> Response:
    """One of the page's files: script, style, symbol, or the base map, of which a browser takes ranges."""
    file = built_files().get(name)
    if file is None or name == INDEX:
        raise NotFoundError("the console has no file of this name")
    alone = {"Content_Security_Policy": _SCRIPT_POLICY} if file.media_type.startswith("text/javascript") else {}
    return _send(request, file, **alone)


async def get_console_configuration(settings: Given) -> Response:
    """What the page has to know before anybody is logged in."""
    return answer(
        {
            "marking": settings.console.marking,
            "marking_colour": settings.console.marking_colour,
            "version": version("vedette"),
            "single_sign_on": settings.identity.oidc is not None,
        }
    )


def _send(request: Request, file: BuiltFile, **headers: str) -> Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    named["Cache-Control"] = "public, max-age=31536000, immutable" if file.lasting else "no-cache"
    path = file.path
    if file.packed is not None:
        named["Vary"] = "Accept-Encoding"
        if takes_packed(request.headers):
            path, named["Content-Encoding"] = file.packed, "gzip"
    return Ranged(path, headers=named, media_type=file.media_type)


_CONFIGURATION = closed(marking=TEXT, marking_colour=TEXT, version=TEXT, single_sign_on=FLAG)
ROUTES: tuple[Route, ...] = (
    Route("GET", "/", get_console, None, answers=answered_file(TEXT, media_types=(HTML,))),
    Route("GET", "/console/configuration", get_console_configuration, None, answers=answered(_CONFIGURATION)),
    Route("GET", "/console/{name}", get_console_file, None, answers=answered_file(TEXT, media_types=MEDIA_TYPES)),
    *maps.ROUTES,
)
