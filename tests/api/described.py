"""Holds whatever the service answers in any test to what its OpenAPI document says: status, media type and body."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs
from starlette.routing import compile_path

from api.app import ROUTES
from api.problems import MEDIA_TYPE as PROBLEM

__all__ = ["check"]

_PATHS = [(route.method, compile_path(route.path)[0], route.template) for route in ROUTES]


def check(app: Any, method: str, path: str, status: int, media_type: str | None, body: bytes | None) -> None:
    """Raise AssertionError where the document says otherwise.

    Parameters
    ----------
    app
        The application that answered; the first one is asked for the document.
    media_type
        Content-Type as it was sent; None where there was none.
    body
        None where it was not read to its end.
    """
    if method == "HEAD":
        assert not body, f"HEAD {path} answered with a body"
        method, body = "GET", None
    described = next((each for verb, pattern, each in _PATHS if verb == method and pattern.fullmatch(path)), None)
    if described is None:  # no such route: a problem, of which the document knows nothing
        return
    where = f"{method} {described} answered {status}"
    responses = _responses(app)[method, described]
    assert str(status) in responses or status >= 400, f"{where}, and says that it answers {sorted(responses)}"
    validators = responses.get(str(status), responses["default"])
    if not validators:
        assert not body, f"{where} with a body, and says that it has none"
        return
    assert media_type in validators, f"{where} as {media_type}, and says {sorted(validators)}"
    if body is not None and (media_type == PROBLEM or media_type.split(";")[0].endswith(("/json", "+json"))):
        validator, value = validators[media_type], json.loads(body)
        error = next(validator.iter_errors(value), None)
        assert error is None, f"{where}: at {'/'.join(map(str, error.instance_path))} {error.message}"
        assert media_type != PROBLEM or value["status"] == status, (
            f"{where}, and its body {value['status']}"
        )  # RFC 9457


_documents: list[dict[str, Any]] = []


def _responses(app: Any) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    if not _documents:
        _documents.append(app.openapi())
    return _validators()


@cache
def _validators() -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """Status -> media type -> validator, of every operation."""
    (document,) = _documents
    components = {"components": document["components"]}
    made: dict[str, Any] = {}

    def validator(schema: dict[str, Any]) -> Any:
        key = json.dumps(schema, sort_keys=True)
        if key not in made:
            made[key] = jsonschema_rs.Draft202012Validator(schema | components, validate_formats=True)
        return made[key]

    return {
        (method.upper(), path): {
            status: {
                media_type: validator(content["schema"]) for media_type, content in response.get("content", {}).items()
            }
            for status, response in operation["responses"].items()
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
