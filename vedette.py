"""The command line: the way in to the commands of ``cli``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

_INTERRUPTED = 130


def main() -> None:
    """Run a command; anything refused is one line on standard error and an exit code that is not zero."""
    _write_whatever_is_said()
    with _leaving_at_once():
        from cli.arguments import refuse_empty  # noqa: PLC0415
        from cli.commands import app  # noqa: PLC0415 - loads for seconds, in which somebody may think better of it
        from cli.terminal import complaints  # noqa: PLC0415
        from geo import VedetteError  # noqa: PLC0415
    try:
        refuse_empty(sys.argv[1:])
        app()  # what is wrong with the call itself it says by itself, and ends
    except VedetteError as error:
        complaints.print(f"vedette: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        code = 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complaints.print(f"vedette: {where}{error.strerror or error}", style="red", markup=False, soft_wrap=True)
        code = 1
    except KeyboardInterrupt:
        code = _INTERRUPTED
    else:
        code = 0
    sys.exit(code)


def _write_whatever_is_said() -> None:
    """A terminal may lack a letter, and a file's name be no text: that is no reason to end in the middle of a table."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _leaving_at_once() -> Iterator[None]:
    """While modules load, Ctrl-C ends the process: as an exception it would come out of the middle of one of them."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler:  # it is ignored, or whoever calls sees to it
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(_INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


if __name__ == "__main__":
    main()
