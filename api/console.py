"""A small page for a person with a key: the crossings, their clips, and the review."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response

__all__ = ["get_page"]

_TEMPLATE = Path(__file__).parent / "templates" / "console.html"


async def get_page() -> Response:
    """The page. It holds no data: every figure on it comes over the API with the reader's own key."""
    page, policy = _page()
    return Response(page, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})


@cache
def _page() -> tuple[bytes, str]:
    page = _TEMPLATE.read_bytes()
    policy = (
        f"default-src 'none'; script-src '{_hash_of(page, b'script')}'; style-src '{_hash_of(page, b'style')}'; "
        "connect-src 'self'; media-src blob:; img-src blob: data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return page, policy


def _hash_of(page: bytes, tag: bytes) -> str:
    """The CSP source of the page's one inline element of that name: nothing else runs, whatever gets into the page."""
    content = page.split(b"<" + tag + b">", 1)[1].split(b"</" + tag + b">", 1)[0]
    return "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()
