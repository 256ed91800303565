"""The public figures as a page that needs no script and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

__all__ = ["page_of"]

_TEMPLATES = Path(__file__).parents[1] / "templates"


def page_of(months: list[dict[str, Any]]) -> tuple[str, str]:
    """The page, and the Content-Security-Policy that lets nothing else onto it."""
    page = _template().render(months=months)
    style = page.split("<style>", 1)[1].split("</style>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("transparency.html")
