"""What a request asks for by its query: nothing that nobody reads, nothing twice.

A parameter that is not known is refused and not passed over: `?wating=true` would answer everything.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import QueryParams

from api.errors import BadRequestError

__all__ = ["only"]


def only(query: QueryParams, known: Collection[str]) -> dict[str, str]:
    """The parameters of a request by name.

    Raises
    ------
    BadRequestError
        When one is not known, or given twice.
    """
    found: dict[str, str] = {}
    for name, value in query.multi_items():
        if name not in known:
            takes = f"give {', '.join(sorted(known))}" if known else "none is"
            raise BadRequestError(f"parameter {name[:40]!r} is not known here: {takes}")
        if name in found:
            raise BadRequestError(f"parameter {name!r} is given twice")
        found[name] = value
    return found
