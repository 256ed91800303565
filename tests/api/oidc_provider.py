"""An OpenID Connect provider on this machine, over HTTP: signs in whoever comes, and lies when it is told to."""

import base64
import hashlib
import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "vedette client", "s:e c%r+é"


@cache
def rsa_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@dataclass
class OidcProvider:
    """Answers until it is closed.

    Parameters
    ----------
    clock
        UTC microseconds; its own clock.
    """

    clock: Callable[[], int]
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "name": "Anna", "groups": ["analysts"]})
    """What it says of whoever comes."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Claims that it writes otherwise; None leaves one out."""
    kid: str = "one"
    published: tuple[str, ...] = ("one",)
    more_keys: list[dict[str, Any]] = field(default_factory=list)
    sign: Callable[[dict[str, Any]], str] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Path -> status and body to answer with instead."""
    checks_pkce: bool = True
    asked: Counter[str] = field(default_factory=Counter)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._serve(self, "")

            def do_POST(self) -> None:
                provider._serve(self, self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser that is sent to `url` brings back: the query of the redirect."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.url}

    def _serve(self, request: BaseHTTPRequestHandler, body: str) -> None:
        path = urlsplit(request.path).path
        self.asked[path] += 1
        if path in self.answers:
            status, content = self.answers[path]
        elif path == "/.well-known/openid-configuration":
            known = {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
            status, content = 200, json.dumps(known | self.discovery).encode()
        elif path == "/keys":
            keys = [rsa_key(name).as_dict(private=False) for name in self.published]
            status, content = 200, json.dumps({"keys": self.more_keys + keys}).encode()
        elif path == "/token":
            status, answer = self._token(request.headers.get("Authorization", ""), body)
            content = json.dumps(answer).encode()
        else:
            status, content = 404, b"{}"
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        if status == 302:
            request.send_header("Location", f"{self.url}/elsewhere")
        request.end_headers()
        request.wfile.write(content)

    def _token(self, authorization: str, body: str) -> tuple[int, dict[str, Any]]:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        given = base64.b64encode(f"{quote(CLIENT_ID, safe='').replace('%20', '+')}:{_form(CLIENT_SECRET)}".encode())
        asked = self.codes.pop(form.get("code", ""), None)
        if authorization != f"Basic {given.decode()}":
            return 401, {"error": "invalid_client"}
        if asked is None or form["redirect_uri"] != asked["redirect_uri"] or form["grant_type"] != "authorization_code":
            return 400, {"error": "invalid_grant"}
        digest = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if self.checks_pkce and (asked["code_challenge_method"], asked["code_challenge"]) != ("S256", digest):
            return 400, {"error": "invalid_grant"}
        now_s = self.clock() // 1_000_000
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now_s,
            "exp": now_s + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        sign = self.sign or (lambda claims: jwt.encode({"alg": "RS256", "kid": self.kid}, claims, rsa_key(self.kid)))
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": sign(claims)}


def _form(text: str) -> str:
    return urlencode({"": text})[1:]
