"""Commands as a person runs them."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

import vedette


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, standard output, standard error without the colours."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., Ran]:
    """Run ``vedette ARGUMENTS`` in this process."""

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["vedette", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            vedette.main()
        told = capsys.readouterr()
        return Ran(int(end.value.code or 0), told.out, told.err)

    return call
