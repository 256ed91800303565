"""Logging in at an OpenID Connect provider: authorization code, PKCE, state and nonce (OpenID Connect Core 1.0, 3.1).

What a login is bound to comes from one secret in the browser's cookie: `state` brings the answer back to the browser
that asked, `nonce` binds the token to the question, the PKCE verifier binds the code to it (RFC 9700, 2.1).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from api.errors import AuthenticationError, ProviderError, RateLimitedError
from api.identity.roles import Role
from api.identity.settings import OidcSettings, is_safe_url

__all__ = ["Identified", "Provider", "ProviderAnswer", "matches_state"]

_LARGEST_ANSWER = 1 << 20
_AT_ONCE = 4
_SLOT_WAIT_S = 3.0
_OLDEST_TOKEN_S = 600
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BAD_TOKEN = "what the provider says of you does not hold: log in again"  # noqa: S105 - a message


@dataclass(frozen=True, slots=True)
class Identified:
    """Whom the provider says it is, and the role that the settings give them; None for none."""

    issuer: str
    subject: str
    name: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What a browser brings back from the provider.

    Parameters
    ----------
    state, code
        As RFC 6749, 4.1.2 has them.
    issuer
        `iss` (RFC 9207), which providers send so that one cannot answer for another.
    """

    state: str
    code: str
    issuer: str | None


class Provider:
    """One OpenID Connect provider, with its discovery document and keys kept for a while.

    Parameters
    ----------
    settings
        Which provider, and which role its claims give.
    redirect_uri
        Where it sends people back; registered there to the letter.
    clock
        UTC microseconds since the Unix epoch: tokens are held against it.
    monotonic
        Seconds; for tests.
    """

    def __init__(
        self,
        settings: OidcSettings,
        redirect_uri: str,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._document: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, jwk.KeySet] | None = None

    def authorization_url(self, secret: str) -> str:
        """Where to send a browser that holds `secret`.

        Raises
        ------
        ProviderError
            When the provider cannot be reached.
        RateLimitedError
            When too many wait for it.
        """
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": _derived(secret, "state"),
            "nonce": _derived(secret, "nonce"),
            "code_challenge": _challenge(_derived(secret, "verifier")),
            "code_challenge_method": "S256",
        }
        endpoint = str(self._discovered()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def identify(self, secret: str, answer: ProviderAnswer) -> Identified:
        """Exchange the code that came back, and read who it is from the ID token.

        Parameters
        ----------
        secret
            The browser's; `matches_state` has been asked.
        answer
            What the browser brought back.

        Raises
        ------
        AuthenticationError
            When the provider does not take the code, or its token does not hold.
        ProviderError
            When the provider cannot be reached.
        RateLimitedError
            When too many wait for it.
        """
        if answer.issuer not in {None, self._settings.issuer}:
            raise AuthenticationError("the answer came from another provider than the one that was asked")
        form = {
            "grant_type": "authorization_code",
            "code": answer.code,
            "redirect_uri": self._redirect_uri,
            "client_id": self._settings.client_id,
            "code_verifier": _derived(secret, "verifier"),
        }
        client_secret = self._settings.client_secret
        auth = None
        if client_secret is not None:  # client_secret_basic: each part form-encoded first (RFC 6749, 2.3.1)
            auth = httpx.BasicAuth(*(urlencode({"": part})[1:] for part in (self._settings.client_id, client_secret)))
        status, given = self._ask("POST", str(self._discovered()["token_endpoint"]), data=form, auth=auth)
        token = given.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise AuthenticationError("the provider did not take the code: log in again")
        return self._identified(self._claims(token), _derived(secret, "nonce"))

    def _claims(self, token: str) -> dict[str, Any]:
        """What a token says, if a key of the provider signed it."""
        fresh = False
        while True:
            keys = self._signing_keys(fresh=fresh)
            try:
                return jwt.decode(token, keys, algorithms=list(self._settings.algorithms)).claims
            except (JoseError, ValueError, KeyError, TypeError) as error:
                # A key that is not among those kept: the provider may have changed its keys since.
                if fresh:
                    raise AuthenticationError(_BAD_TOKEN) from error
                fresh = True

    def _identified(self, claims: dict[str, Any], nonce: str) -> Identified:
        settings = self._settings
        now_s, leeway_s = self._clock() / 1e6, settings.leeway_s
        subject, audience = claims.get("sub"), claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        given = claims.get("nonce")
        holds = (
            claims.get("iss") == settings.issuer
            and isinstance(subject, str)
            and 0 < len(subject) <= 255
            and settings.client_id in audiences
            # A token for several, or one that names its party, must name us as the party that it was made for.
            and claims.get("azp", settings.client_id if len(audiences) == 1 else None) == settings.client_id
            and _seconds(claims.get("exp")) > now_s - leeway_s
            and now_s - leeway_s - _OLDEST_TOKEN_S < _seconds(claims.get("iat")) <= now_s + leeway_s
            and ("nbf" not in claims or -1 < _seconds(claims["nbf"]) <= now_s + leeway_s)
            and isinstance(given, str)
            and hmac.compare_digest(given.encode(), nonce.encode())
        )
        if not holds:
            raise AuthenticationError(_BAD_TOKEN)
        name = next((claims[key] for key in ("name", "preferred_username") if _is_text(claims.get(key))), subject)
        return Identified(settings.issuer, str(subject), _UNPRINTABLE.sub("?", str(name))[:200], self._role(claims))

    def _role(self, claims: dict[str, Any]) -> Role | None:
        held: Any = claims
        for step in self._settings.roles_claim.split("."):
            held = held.get(step) if isinstance(held, dict) else None
        values = [held] if isinstance(held, str) else held if isinstance(held, list) else []
        return next((role for value, role in self._settings.roles.items() if value in values), None)

    def _discovered(self) -> dict[str, Any]:
        with self._lock:
            kept = self._document
        if kept is not None and self._monotonic() - kept[0] < self._settings.keys_s:
            return kept[1]
        issuer = self._settings.issuer
        status, document = self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if status != 200 or document.get("issuer") != issuer:
            raise ProviderError(f"{issuer} answered {status}, or says that it is {document.get('issuer')!r}")
        for name in needed:
            if not isinstance(document.get(name), str) or not is_safe_url(document[name].partition("?")[0]):
                raise ProviderError(f"{issuer} names no {name} that is https: {document.get(name)!r}")
            if issuer.startswith("https:") and not document[name].startswith("https:"):
                raise ProviderError(f"{issuer} names a {name} that is not https: {document[name]!r}")
        with self._lock:
            self._document = (self._monotonic(), document)
        return document

    def _signing_keys(self, *, fresh: bool) -> jwk.KeySet:
        with self._lock:
            kept = self._keys
        if kept is not None:
            age_s = self._monotonic() - kept[0]
            if age_s < (self._settings.keys_again_s if fresh else self._settings.keys_s):
                return kept[1]
        status, answer = self._ask("GET", str(self._discovered()["jwks_uri"]))
        found = answer.get("keys")
        public = [
            key
            for key in (found if isinstance(found, list) else [])
            # A symmetric key that is published is no secret; one for encryption signs nothing.
            if isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"
        ]
        try:
            keys = jwk.KeySet.import_key_set({"keys": public})
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderError(f"{self._settings.issuer} answered {status} with keys that are none") from error
        with self._lock:
            self._keys = (self._monotonic(), keys)
        return keys

    def _ask(
        self, method: str, url: str, *, data: dict[str, str] | None = None, auth: httpx.Auth | None = None
    ) -> tuple[int, dict[str, Any]]:
        settings = self._settings
        verify = True if settings.ca is None else ssl.create_default_context(cafile=settings.ca)
        try:
            with (
                self._slot(),
                httpx.Client(
                    timeout=settings.timeout_s, verify=verify, trust_env=False, follow_redirects=False
                ) as client,
                client.stream(method, url, data=data, auth=auth, headers={"Accept": "application/json"}) as response,
            ):
                content = b""
                until = self._monotonic() + settings.timeout_s
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > _LARGEST_ANSWER or self._monotonic() > until:
                        raise ProviderError(f"{url} sends more than {_LARGEST_ANSWER} bytes, or takes too long")
                answer = json.loads(content)
        except (httpx.HTTPError, OSError, ValueError, RecursionError) as error:
            raise ProviderError(f"{url} does not answer as a provider: {error}") from error
        if not isinstance(answer, dict):
            raise ProviderError(f"{url} answers with JSON that is no object")
        return response.status_code, answer

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=_SLOT_WAIT_S):
            raise RateLimitedError("too many logins at once: try again in a moment", 2.0)
        try:
            yield
        finally:
            self._slots.release()


def matches_state(secret: str, state: str) -> bool:
    """Whether `state` belongs to the browser that holds `secret`."""
    return hmac.compare_digest(state.encode("utf-8", "replace"), _derived(secret, "state").encode())


def _derived(secret: str, purpose: str) -> str:
    return hmac.new(secret.encode(), f"vedette oidc {purpose}".encode(), hashlib.sha256).hexdigest()


def _challenge(verifier: str) -> str:
    """S256 of RFC 7636, 4.2."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _seconds(value: Any) -> float:
    """A NumericDate; minus infinity for what is none, which every check refuses."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return float("-inf")
    try:
        return float(value)
    except OverflowError:
        return float("-inf")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
