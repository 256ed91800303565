"""CQL2 Text (OGC 21-065r2, Annex B) into the tree that CQL2 JSON has.

Our own, because a parser that backtracks is a weapon in a stranger's hands: the `cql2` package of Rust takes a second
for twenty open brackets, doubles with each one more, and ends the process on some hundred of them. This one reads each
token once and is bounded in length and depth. The package judges it in the tests.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

from api.errors import BadRequestError

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "parse_text"]

MAX_CHARACTERS = 8000
MAX_DEPTH = 24

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | '(?P<text>(?:[^'\\]|''|\\'|\\)*)'
    | "(?P<quoted>[^"]+)"
    | (?P<word>[A-Za-z_:\u00c0-\uffff][A-Za-z0-9_:.\u00b7-\uffff]*)
    | (?P<sign><>|<=|>=|[=<>(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_COMPARISONS = frozenset({"=", "<>", "<", ">", "<=", ">="})
_WORDS = frozenset({"and", "or", "not", "like", "between", "in", "is", "null", "true", "false"})
_MULTI = {"MULTIPOINT": "MultiPoint", "MULTILINESTRING": "MultiLineString", "MULTIPOLYGON": "MultiPolygon"}
_SINGLE = {"POINT": "Point", "LINESTRING": "LineString", "POLYGON": "Polygon"}
_NESTING = {"POINT": 0, "LINESTRING": 1, "POLYGON": 2, "MULTIPOINT": 1, "MULTILINESTRING": 2, "MULTIPOLYGON": 3}


class _Token(NamedTuple):
    kind: str
    value: str
    at: int


def parse_text(text: str) -> Any:
    """A filter in CQL2 Text as the JSON values of CQL2 JSON.

    Arithmetic, arrays and functions of one's own are not read; functions that are read but unknown to the translation
    are refused there.

    Parameters
    ----------
    text
        At most `MAX_CHARACTERS` characters, nested at most `MAX_DEPTH` deep.

    Raises
    ------
    BadRequestError
        Where it does not parse: names the character and what was expected there.

    Examples
    --------
    >>> parse_text("kind = 'person' AND NOT status IS NULL")["args"][0]
    {'op': '=', 'args': [{'property': 'kind'}, 'person']}
    """
    if len(text) > MAX_CHARACTERS:
        raise BadRequestError(f"the filter has {len(text)} characters, at most {MAX_CHARACTERS} are read: shorten it")
    reader = _Reader(_tokens(text))
    tree = reader.disjunction(0)
    if reader.now.kind != "end":
        reader.fail("AND, OR or the end")
    return tree


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            raise BadRequestError(
                f"the filter cannot be read from {rest[:20]!r} on (character {len(text) - len(rest)})"
            )
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind)))
        if kind == "end":
            return found
        at = match.end()


class _Reader:
    """Reads tokens one after the other; each method reads what its name says and returns its tree."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    @property
    def now(self) -> _Token:
        return self._tokens[self._next]

    def fail(self, expected: str) -> NoReturn:
        token = self.now
        found = "the end" if token.kind == "end" else repr(token.value[:40])
        raise BadRequestError(f"the filter has {found} at character {token.at} where {expected} should be")

    def take(self) -> _Token:
        token = self.now
        self._next += 1
        return token

    def has_sign(self, sign: str) -> bool:
        """Whether `sign` is here; then it is behind us."""
        if self.now.kind == "sign" and self.now.value == sign:
            self._next += 1
            return True
        return False

    def has_word(self, word: str) -> bool:
        """Whether the keyword is here; then it is behind us."""
        if self.now.kind == "word" and self.now.value.lower() == word:
            self._next += 1
            return True
        return False

    def need(self, sign: str) -> None:
        if not self.has_sign(sign):
            self.fail(f"{sign!r}")

    def disjunction(self, depth: int) -> Any:
        return self._joined("or", self._conjunction, depth)

    def _conjunction(self, depth: int) -> Any:
        return self._joined("and", self._factor, depth)

    def _joined(self, word: str, part: Any, depth: int) -> Any:
        parts = [part(depth)]
        while self.has_word(word):
            parts.append(part(depth))
        return parts[0] if len(parts) == 1 else {"op": word, "args": parts}

    def _factor(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise BadRequestError(f"the filter is nested more than {MAX_DEPTH} deep: flatten it")
        if self.has_word("not"):
            return {"op": "not", "args": [self._factor(depth + 1)]}
        if self.has_sign("("):
            inner = self.disjunction(depth + 1)
            self.need(")")
            return inner
        return self._predicate(depth)

    def _predicate(self, depth: int) -> Any:
        left = self._operand(depth)
        if self.now.kind == "sign" and self.now.value in _COMPARISONS:
            return {"op": self.take().value, "args": [left, self._operand(depth)]}
        if self.has_word("is"):
            denied = self.has_word("not")
            if not self.has_word("null"):
                self.fail("NULL")
            return _perhaps_not(denied, {"op": "isNull", "args": [left]})
        denied = self.has_word("not")
        if self.has_word("like"):
            return _perhaps_not(denied, {"op": "like", "args": [left, self._operand(depth)]})
        if self.has_word("between"):
            low = self._operand(depth)
            if not self.has_word("and"):
                self.fail("AND of BETWEEN")
            return _perhaps_not(denied, {"op": "between", "args": [left, low, self._operand(depth)]})
        if self.has_word("in"):
            self.need("(")
            return _perhaps_not(denied, {"op": "in", "args": [left, self._arguments(depth)]})
        stands_alone = isinstance(left, bool) or (isinstance(left, dict) and "op" in left)
        if denied or not stands_alone:
            self.fail("a comparison, LIKE, BETWEEN, IN or IS NULL")
        return left

    def _operand(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise BadRequestError(f"the filter is nested more than {MAX_DEPTH} deep: flatten it")
        token = self.now
        if token.kind == "number":
            return self._number()
        if token.kind == "text":
            return self.take().value.replace("''", "'").replace("\\'", "'")
        if token.kind == "quoted":
            return {"property": self.take().value}
        if token.kind != "word":
            self.fail("a property, a value or a function")
        word = token.value.lower()
        if word in {"true", "false"}:
            self.take()
            return word == "true"
        if word in _WORDS:
            self.fail("a property, a value or a function")
        self.take()
        if token.value.upper() in _NESTING:
            self.has_word("z")  # heights are read and of no account
        return self._called(token.value, depth + 1) if self.has_sign("(") else {"property": token.value}

    def _called(self, name: str, depth: int) -> Any:
        upper = name.upper()
        if upper in _NESTING:
            kind = _SINGLE.get(upper) or _MULTI[upper]
            return {"type": kind, "coordinates": self._coordinates(_NESTING[upper])}
        if upper == "GEOMETRYCOLLECTION":
            return {"type": "GeometryCollection", "geometries": self._arguments(depth)}
        arguments = self._arguments(depth)
        if upper == "BBOX":
            return {"bbox": arguments}
        if upper == "INTERVAL":
            return {"interval": arguments}
        if upper in {"DATE", "TIMESTAMP"}:
            if len(arguments) != 1:
                self.fail(f"one text in {upper}")
            return {name.lower(): arguments[0]}
        return {"op": name.lower(), "args": arguments}

    def _arguments(self, depth: int) -> list[Any]:
        found = [self._operand(depth)]
        while self.has_sign(","):
            found.append(self._operand(depth))
        self.need(")")
        return found

    def _coordinates(self, nesting: int) -> Any:
        """What stands between the bracket that is behind us and its end: a position, or lists of them."""
        if nesting == 0:
            found = self._position()
        else:
            found = [self._part(nesting - 1)]
            while self.has_sign(","):
                found.append(self._part(nesting - 1))
        self.need(")")
        return found

    def _part(self, nesting: int) -> Any:
        if nesting == 0 and self.now.kind == "number":  # MULTIPOINT is written with and without brackets
            return self._position()
        self.need("(")
        return self._coordinates(nesting)

    def _position(self) -> list[Any]:
        found = []
        while self.now.kind == "number":
            found.append(self._number())
        if len(found) not in {2, 3}:
            self.fail("a position of two or three numbers")
        return found

    def _number(self) -> int | float:
        text = self.take().value
        return int(text) if text.lstrip("+-").isdecimal() and len(text) < 18 else float(text)


def _perhaps_not(denied: bool, tree: Any) -> Any:
    return {"op": "not", "args": [tree]} if denied else tree
