"""Passwords: what is one (OWASP ASVS 5.0, 6.2), and how it is kept (argon2id)."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.errors import RateLimitedError, UnprocessableError
from api.identity.settings import IdentitySettings

__all__ = ["LONGEST", "SHORTEST", "Passwords", "check_password"]

SHORTEST, LONGEST = 12, 128
_LEAST_OWN = 8
_SLOT_WAIT_S = 3.0
_SERVICE_WORDS = ("vedette",)
# What common passwords are made of. One of twelve or more characters is one of these, or two, and a few more signs.
_COMMON_WORDS = """
password passwort passwd passcode motdepasse contrasena wachtwoord parola haslo senha letmein welcome willkommen
bienvenue iloveyou sunshine princess football baseball basketball superman batman starwars pokemon dragon monkey
master shadow michael jennifer jordan hunter trustno1 whatever freedom charlie computer internet samsung google
facebook linkedin minecraft liverpool chelsea arsenal barcelona mustang ferrari mercedes corvette harley cheese summer
winter spring autumn secret security secure access admin administrator root user guest login default changeme change
temp temporary test testing tester demo system server service changeit hello helloworld ninja azerty qwerty qwertz
qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx 1qaz2wsx 1q2w3e4r abc123 abcd1234 a1b2c3 123qwe killer soccer hockey
ranger buster thomas robert andrew matthew daniel ashley jessica amanda michelle nicole william joshua anthony patrick
flower lovely angel babygirl loveme blink182 pepper ginger cookie banana orange chocolate january february march april
august september october november december monday tuesday wednesday thursday friday saturday sunday drone border
police army military pilot
"""
_COMMON: Final = frozenset(_COMMON_WORDS.split())
_REPEATED = re.compile(r"(.{1,4}?)\1+", re.DOTALL)
_LEET = str.maketrans("@4301!5$7", "aaeoiisst")
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
)


def check_password(password: str, *, context: Iterable[str] = ()) -> None:
    """Refuse what is easily guessed: too short, made of common words, of a row of keys, or of words around the account.

    No rule asks for digits or signs. What is taken is kept to the letter: not cut, trimmed or folded.

    Parameters
    ----------
    context
        Words that the password must not lean on: login, name, agency.

    Raises
    ------
    UnprocessableError
        With the reason; never with the password.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UnprocessableError(f"a password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}")
    folded = unicodedata.normalize("NFKC", password).casefold()
    words = {word for text in (*_SERVICE_WORDS, *context) for word in re.findall(r"\w{4,}", text.casefold())} | _COMMON
    for text in {folded, folded.translate(_LEET)}:
        if len(_own(text, words)) < _LEAST_OWN:
            raise UnprocessableError(
                "the password is easily guessed: common words, rows of keys, repeats, and the names of account and "
                "service do not count; take a few words that have nothing to do with each other"
            )


def _own(text: str, words: Iterable[str]) -> str:
    """What is left of `text` without `words`, rows of keys, and repeats."""
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "")
    for run in _RUNS:
        for row in (run, run[::-1]):
            for size in range(len(row), 2, -1):
                for start in range(len(row) - size + 1):
                    text = text.replace(row[start : start + size], "")
    before = ""
    while text != before:
        before, text = text, _REPEATED.sub(r"\1", text)
    return text


class Passwords:
    """Hashes passwords, a few at a time: each takes tens of megabytes, and waits for its turn.

    Parameters
    ----------
    settings
        Cost, and how many at once.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        cost = settings.argon2
        self._hasher = PasswordHasher(cost.time_cost, cost.memory_kib, cost.parallelism)
        self._slots = threading.BoundedSemaphore(settings.hashing_slots)
        self._nobodys = ""

    def hash(self, password: str) -> str:
        """The PHC string to keep; raises RateLimitedError when too many are being hashed."""
        with self._slot():
            return self._hasher.hash(password)

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether `password` is the one kept as `kept`; where none is kept, False after as much work.

        Raises
        ------
        RateLimitedError
            When too many are being hashed.
        """
        with self._slot():
            if not self._nobodys:
                self._nobodys = self._hasher.hash("nobody's")
            try:
                return self._hasher.verify(kept or self._nobodys, password) and kept is not None
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, kept: str) -> bool:
        """Whether `kept` was made at another cost."""
        return self._hasher.check_needs_rehash(kept)

    def _slot(self) -> _Slot:
        return _Slot(self._slots)


class _Slot:
    """A turn: waits for a few seconds, so that a flood of logins does not take every thread of the service."""

    def __init__(self, slots: threading.BoundedSemaphore) -> None:
        self._slots = slots

    def __enter__(self) -> None:
        if not self._slots.acquire(timeout=_SLOT_WAIT_S):
            raise RateLimitedError("too many logins at once: try again in a moment", 2.0)

    def __exit__(self, *_: object) -> None:
        self._slots.release()
