"""A demonstration in the console, shown by the program as it is started by hand."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import vedette
from tests.programs import Program

__all__ = ["ShownDemo", "shown_demo"]

_END_S = 60


@dataclass
class ShownDemo:
    """Where the console is, and the password of every role."""

    url: str
    password: str
    process: Program
    lines: list[str] = field(default_factory=list)


@contextmanager
def shown_demo(*arguments: object) -> Iterator[ShownDemo]:
    """`vedette demo` with these arguments, from when it has said where its console is until it is told to end.

    By SIGTERM, which means the same as Ctrl-C, and is heard by what was started in the background too.
    """
    command = [sys.executable, vedette.__file__, "demo", *map(str, arguments), "--port", "0"]
    with Program(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines, told = [], dict[str, str]()
        for line in process.stdout:
            lines.append(line)
            if match := re.match(r"(console|password of all): (\S+)", line):
                told[match[1]] = match[2]
            if len(told) == 2:
                break
        assert len(told) == 2, "".join(lines)
        yield ShownDemo(told["console"], told["password of all"], process, lines)
        process.terminate()
        process.communicate(timeout=_END_S)
