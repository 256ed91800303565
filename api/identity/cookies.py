"""Cookies, and whether a request that carries one was meant by who carries it."""

from __future__ import annotations

import hmac
import re

from starlette.datastructures import Headers
from starlette.responses import Response

from api.errors import AuthenticationError, PermissionDeniedError
from api.identity.sessions import csrf_token

__all__ = ["CSRF_HEADER", "SAFE", "Cookies", "check_origin", "check_token"]

CSRF_HEADER = "X-Vedette-Csrf"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, whoever made the browser send them."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class Cookies:
    """The cookies of the service.

    Parameters
    ----------
    secure
        Whether browsers reach the service over TLS. Then names begin with `__Host-`, which browsers take from this
        host alone, over TLS alone, for the whole of it; over plain HTTP on this machine there is no such thing.
    """

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        prefix = "__Host-" if secure else ""
        self.session = f"{prefix}vedette"
        self.device = f"{prefix}vedette-device"
        self.login = f"{prefix}vedette-login"

    def read(self, headers: Headers, name: str) -> str | None:
        """The secret in the cookie `name`, None without one or with something else in it.

        Raises
        ------
        AuthenticationError
            When it is there twice: one of them was put there by somebody else.
        """
        found = [
            value.strip()
            for line in headers.getlist("cookie")
            for given, _, value in (pair.partition("=") for pair in line.split(";"))
            if given.strip() == name
        ]
        if len(found) > 1:
            raise AuthenticationError(f"the cookie {name} came {len(found)} times: delete the cookies of this site")
        return found[0] if found and _SECRET.fullmatch(found[0]) else None

    def put(self, response: Response, name: str, secret: str, *, max_age_s: int | None = None) -> None:
        """Set a cookie; without `max_age_s` it goes with the browser."""
        response.set_cookie(
            name,
            secret,
            max_age=max_age_s,
            path="/",
            secure=self.secure,
            httponly=True,
            # The provider sends the browser back from another site, which a strict cookie would not survive.
            samesite="lax" if name == self.login else "strict",
        )

    def drop(self, response: Response, name: str) -> None:
        """Take a cookie back."""
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="strict")


def check_origin(headers: Headers, own: str, *, needed: bool) -> None:
    """Refuse what a page of another site made the browser send.

    Parameters
    ----------
    own
        Origin of the service, `https://vedette.example`.
    needed
        Whether a request must say where it comes from, as every request of a browser with a cookie does.

    Raises
    ------
    PermissionDeniedError
        When it comes from elsewhere, or does not say.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if (site is not None and site != "same-origin") or (origin is not None and origin.lower() != own.lower()):
        raise PermissionDeniedError("this request was made by a page of another site")
    if needed and site is None and origin is None:
        raise PermissionDeniedError("a request with a cookie says where it comes from: send Origin")


def check_token(headers: Headers, secret: str) -> None:
    """Refuse an unsafe request with a cookie that does not carry the session's token in a header.

    Raises
    ------
    PermissionDeniedError
        When it is missing or another session's.
    """
    given = headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode("latin-1", "replace"), csrf_token(secret).encode()):
        raise PermissionDeniedError(f"a request that changes something sends the session's token in {CSRF_HEADER}")
