"""JSON as it may come in: one value for each name (RFC 8259, 4), and no character that hides what is said.

Where a member comes twice, one program takes the first and another the last: what was judged is then not what is
kept. All JSON that others send is read here, bodies, lines of many, filters and messages alike.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, Final

import orjson

from api.errors import MalformedError

__all__ = ["HIDING", "flag_of", "integer_of", "load_json", "number_of"]

HIDING: Final = r"\x00\u202a-\u202e\u2066-\u2069"
"""As in the brackets of a regular expression: the end of a text for other programs, which PostgreSQL takes none of, and
what turns the order of characters around (Unicode UAX #9, 2.1, 2.2, 2.4): a name reads as another one."""
_HIDES: Final = re.compile(rf"[{HIDING}\ud800-\udfff]")
_NUMBER: Final = re.compile(r" *[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)? *")

_INTEGER: Final = re.compile(r"-?[0-9]{1,40}")


def load_json(text: bytes) -> Any:
    """The value that `text` is.

    Raises
    ------
    MalformedError
        When it is no JSON in UTF-8, is nested deeper than any of ours, names a member twice, or holds a character that
        hides; it says where.
    """
    try:
        value = orjson.loads(text)
        told = orjson.dumps(value)
    except orjson.JSONDecodeError as error:
        _judge(text)
        raise MalformedError(f"no JSON: {error}") from None
    except TypeError:
        raise MalformedError("nested too deep: flatten it") from None
    is_plain = b"\\" not in text and told.isascii()
    # What gives way to a later member of its name takes its quotes along: they are all there, or a name came twice.
    if text.count(b'"') != told.count(b'"') if is_plain else _quotes(text) != _quotes(told):
        _judge(text)
        raise MalformedError("two members have one name: leave one out")
    if not is_plain and (b"\\u0000" in told or _HIDES.search(told.decode())):
        _judge(text)
    return value


def number_of(text: str) -> float:
    """The number that a parameter is, in the signs that CQL2 has for one; raises ValueError.

    Python takes 1_0 for ten and the digits of any script: a slip of the hand would ask for another place.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no number")
    return float(text)


def integer_of(text: str) -> int:
    """The integer that a parameter is, in decimal digits and nothing else; raises ValueError."""
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no integer: write it in decimal digits")
    return int(text)


def flag_of(text: str) -> bool:
    """What a parameter that is true or false says, as JSON writes it; raises ValueError."""
    if text not in {"true", "false"}:
        raise ValueError(f"{text[:40]!r} is neither true nor false")
    return text == "true"


def _quotes(text: bytes) -> int:
    """Those around strings, and not those in them: a backslash in JSON goes with what follows it."""
    text = text.replace(b"\\\\", b"")
    return text.count(b'"') - text.count(b'\\"')


class _Members(list[tuple[str, Any]]):
    """An object, as it was written."""


def _judge(text: bytes) -> None:
    """Raise MalformedError at the first member that comes twice, or has a value that is no JSON of ours.

    Where nothing can be made of it at all, nothing is said.
    """
    try:
        left: list[tuple[tuple[str, ...], Any]] = [((), json.loads(text.decode(), object_pairs_hook=_Members))]
    except (ValueError, RecursionError):
        return
    while left:
        steps, value = left.pop()
        if isinstance(value, str) and (found := _HIDES.search(value)):
            raise MalformedError(f"the character U+{ord(found[0]):04X} may not stand in a text: leave it out", steps)
        if isinstance(value, float) and not math.isfinite(value):
            raise MalformedError("this is no number of JSON", steps)
        members = value if isinstance(value, _Members) else ()
        if any(_HIDES.search(name) for name, _ in members):
            raise MalformedError("the name of a member holds a character that may not stand there", steps)
        again = [name for name, count in Counter(name for name, _ in members).items() if count > 1]
        if again:
            raise MalformedError("there are two members of this name: leave one out", (*steps, again[0]))
        items = members or (enumerate(value) if isinstance(value, list) else ())
        left += [((*steps, str(step)), item) for step, item in items]
