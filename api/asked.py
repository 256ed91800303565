"""What a request asks for by its query: nothing that nobody reads, nothing twice, numbers and truths as written.

A parameter that is not known is refused and not passed over: `?wating=true` would answer everything. Pydantic reads a
number of a query as Python does, 1_0 as ten, and ten words for true and false, `t` and `off` among them: here each is
written in the one way that everybody reads alike.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BeforeValidator
from starlette.datastructures import QueryParams

from api.errors import BadRequestError
from api.loading import flag_of, integer_of, number_of

__all__ = ["Flag", "Number", "Whole", "only"]

Whole = Annotated[int, BeforeValidator(integer_of)]
"""An integer of a query or a path: decimal digits."""
Flag = Annotated[bool, BeforeValidator(flag_of)]
"""A truth of a query: `true` or `false`."""
Number = Annotated[float, BeforeValidator(number_of)]
"""A number of a query, as `api.loading.number_of` has it."""


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
